"""Gathers what speaks for which unit: the city's table, precedents, and this case's own past."""

from services.dispatch.case_files.models import Case
from services.dispatch.case_files.repository import CaseFileRepository
from services.dispatch.case_files.schemas import TextView
from services.dispatch.case_files.service import class_key_of, class_ref_of
from services.dispatch.requests.repository import RequestRepository
from services.dispatch.responsibility.domain import (
    Candidate,
    PastDispatch,
    Reason,
    ReasonKind,
    candidates,
)
from services.dispatch.responsibility.repository import PrecedentRepository
from services.dispatch.responsibility.schemas import ReasonView, SuggestedUnitView
from shared.db.database import ReadSession
from shared.pack.model import CityPack


class ResponsibilityService:
    """Suggests units for a case."""

    def __init__(self, session: ReadSession, pack: CityPack) -> None:
        self.pack = pack
        self.session = session

    async def suggest(self, case: Case) -> list[SuggestedUnitView]:
        """Units the case may belong to, the most likely first, each with its reasons."""
        key = class_key_of(class_ref_of(case.class_key))
        table = [
            (line.unit.code, Reason(ReasonKind.TABLE, line.reason.zh, line.reason.en))
            for line in self.pack.responsible_units(key, case.grid)
        ]
        precedents = await PrecedentRepository(self.session).precedents(case.class_key, case.grid)
        _, assignments = await CaseFileRepository(self.session).clock_of(case.id)
        past = [PastDispatch(row.unit, row.outcome) for row in assignments if row.outcome]
        requests = await RequestRepository(self.session).of_case(case.id)
        named = {row.suggested_unit: row.reason for row in requests if row.suggested_unit}
        found = candidates(table, precedents, past, named)
        known = [item for item in found if item.unit in self.pack.units]
        return [self._view(rank, item) for rank, item in enumerate(known, start=1)]

    def _view(self, rank: int, candidate: Candidate) -> SuggestedUnitView:
        unit = self.pack.units[candidate.unit]
        return SuggestedUnitView(
            unit=unit.code,
            name=TextView(zh=unit.name.zh, en=unit.name.en),
            rank=rank,
            command_duty=unit.command_duty,
            higher_level=unit.higher_level,
            reasons=[
                ReasonView(kind=reason.kind, zh=reason.zh, en=reason.en)
                for reason in candidate.reasons
            ],
        )
