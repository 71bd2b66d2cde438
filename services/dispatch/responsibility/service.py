"""Gathers what speaks for which unit: decisions, owners, the city's table, this case's own past."""

from uuid import UUID
from zoneinfo import ZoneInfo

from sqlmodel.ext.asyncio.session import AsyncSession

from services.dispatch.case_files.models import Case
from services.dispatch.case_files.repository import CaseFileRepository
from services.dispatch.case_files.schemas import TextView
from services.dispatch.case_files.service import class_key_of, class_ref_of
from services.dispatch.requests.repository import RequestRepository
from services.dispatch.responsibility.domain import (
    Candidate,
    PastDispatch,
    Voice,
    candidates,
    decision_voice,
    maintainer_voice,
    named_voices,
    owner_voice,
    settled_voices,
    table_voice,
)
from services.dispatch.responsibility.errors import (
    NoSuchPrecedent,
    PrecedentOfOffice,
    PrecedentRevokedAlready,
)
from services.dispatch.responsibility.models import Precedent
from services.dispatch.responsibility.repository import PrecedentRepository
from services.dispatch.responsibility.schemas import ReasonView, SuggestedUnitView
from shared.auth.principal import Principal
from shared.events.vocabulary import Place
from shared.pack.model import CityPack
from shared.vocabulary import Role
from shared.web.etag import check_match
from shared.work import UnitOfWork


class ResponsibilityService:
    """Suggests units for a case."""

    def __init__(self, session: AsyncSession, pack: CityPack) -> None:
        self.pack = pack
        self.session = session

    async def suggest(self, case: Case) -> list[SuggestedUnitView]:
        """Units the case may belong to, the most likely first, each with its reasons."""
        found = await self.candidates(case)
        return [self._view(rank, item) for rank, item in enumerate(found, start=1)]

    async def candidates(self, case: Case) -> list[Candidate]:
        """The same as plain values; units that the city no longer has are left out."""
        voices = [
            *await self._decisions(case),
            *self._by_component(case),
            *self._by_table(case),
            *settled_voices(
                await PrecedentRepository(self.session).settled(case.class_key, case.grid)
            ),
            *await self._named(case),
        ]
        assignments = await CaseFileRepository(self.session).assignments(case.id)
        past = [PastDispatch(row.unit, row.outcome) for row in assignments if row.outcome]
        found = candidates(voices, past, self.pack.responsibility.order)
        return [item for item in found if item.unit in self.pack.units]

    async def _decisions(self, case: Case) -> list[Voice]:
        rows = await PrecedentRepository(self.session).in_force(case.class_key, case.grid)
        zone = ZoneInfo(self.pack.city.zone)
        return [
            decision_voice(
                row.unit,
                reference=str(row.id),
                basis=row.basis,
                day=row.decided_at.astimezone(zone).date(),
            )
            for row in rows
        ]

    def _by_component(self, case: Case) -> list[Voice]:
        place = Place.model_validate(case.place)
        if place.longitude is None or place.latitude is None:
            return []
        key = class_key_of(class_ref_of(case.class_key))
        near = self.pack.components_near(key, place.longitude, place.latitude)
        voices = []
        for component, metres in near:
            voices.append(owner_voice(component.owner, component=component.code, metres=metres))
            if component.maintainer:
                voices.append(
                    maintainer_voice(component.maintainer, component=component.code, metres=metres)
                )
        return voices

    def _by_table(self, case: Case) -> list[Voice]:
        key = class_key_of(class_ref_of(case.class_key))
        return [
            table_voice(line.unit.code, line.reason, ground=bool(line.responsibility.territory))
            for line in self.pack.responsible_units(key, case.grid)
        ]

    async def _named(self, case: Case) -> list[Voice]:
        requests = await RequestRepository(self.session).of_case(case.id)
        return named_voices(
            {row.suggested_unit: row.reason for row in requests if row.suggested_unit}
        )

    def _view(self, rank: int, candidate: Candidate) -> SuggestedUnitView:
        unit = self.pack.units[candidate.unit]
        return SuggestedUnitView(
            unit=unit.code,
            name=TextView(zh=unit.name.zh, en=unit.name.en),
            rank=rank,
            command_duty=unit.command_duty,
            higher_level=unit.higher_level,
            reasons=[
                ReasonView(kind=reason.kind, zh=reason.zh, en=reason.en, reference=reason.reference)
                for reason in candidate.reasons
            ],
        )


async def revoke_precedent(
    work: UnitOfWork,
    pack: CityPack,
    precedent_id: UUID,
    *,
    reason: str,
    principal: Principal,
    if_match: str | None,
) -> Precedent:
    """Take a decision out of the suggestions; it stays to be read, with the reason.

    Raises:
        NoSuchPrecedent: there is none.
        PrecedentRevokedAlready: somebody was faster.
        PrecedentOfOffice: the office decided it, and this is no leader of the office.
    """
    precedent = await PrecedentRepository(work.session).precedent(precedent_id)
    if precedent is None:
        raise NoSuchPrecedent("There is no such precedent.")
    check_match(precedent, if_match)
    office = pack.responsibility.office
    of_office = principal.has(Role.LEADER) and principal.unit == office
    if precedent.by_office and not of_office:
        raise PrecedentOfOffice(f"The office decided this: a leader of {office} revokes it.")
    if precedent.revoked_at is not None:
        raise PrecedentRevokedAlready("This precedent is revoked already.")
    precedent.revoked_at, precedent.revoked_by = work.now(), work.actor.id
    precedent.revocation_reason = reason
    work.record(precedent, "revoke", reason=reason)
    return precedent
