"""Figures of areas and units in a period, from the facts as they are now."""

from dataclasses import asdict
from datetime import datetime
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from services.assessment.events.repository import EventStore
from services.assessment.indicators.domain import (
    AssignmentFigure,
    CaseFigure,
    Counts,
    ratios_of,
)
from services.assessment.indicators.errors import SubjectUnknown
from services.assessment.indicators.repository import Grouping, IndicatorRepository
from services.assessment.indicators.schemas import (
    AssignmentBehind,
    CaseBehind,
    IndicatorsView,
    IndicatorView,
    SubjectKind,
)
from services.assessment.periods.domain import parse_period
from services.assessment.scoring.domain import rounded
from shared.db.database import ReadSession
from shared.pack.model import AreaLevel, CityPack, Text
from shared.web.paging import Page, PageRequest, page_of


class IndicatorService:
    """Figures of one period.

    Args:
        session: where the facts are read.
        pack: areas and units.
        period: as people write it, e.g. `2026-05`.
        now: what is closed later does not count.

    Raises:
        PeriodUnreadable: no such period.
    """

    def __init__(self, session: ReadSession, pack: CityPack, period: str, now: datetime) -> None:
        self._pack = pack
        self._now = now
        self._period = parse_period(period, ZoneInfo(pack.city.zone))
        self._repository = IndicatorRepository(session, self._period, now)
        self._store = EventStore(session)

    async def areas(self, level: AreaLevel) -> IndicatorsView:
        """All areas of a level, sorted by code."""
        named = {area.code: area.name for area in self._pack.areas.values() if area.level is level}
        digits = max(map(len, named), default=0)
        return await self._view(Grouping(digits), named, closed=True)

    async def units(self) -> IndicatorsView:
        """All units that cases may go to, and any other that had one, sorted by code."""
        named = {unit.code: unit.name for unit in self._pack.units.values() if unit.responsible}
        return await self._view(Grouping(None), named, closed=False)

    async def assignments(
        self, kind: SubjectKind, code: str, figure: AssignmentFigure, page: PageRequest
    ) -> Page[AssignmentBehind]:
        """The assignments behind a figure.

        Raises:
            SubjectUnknown: no such area or unit.
        """
        grouping = self._grouping(kind, code)
        rows = await self._repository.assignments_page(grouping, figure, page)
        return page_of(
            rows,
            page,
            lambda row: (row.due_at, row.case_id, row.ordinal),
            lambda row: AssignmentBehind(**row._asdict()),
        )

    async def cases(
        self, kind: SubjectKind, code: str, figure: CaseFigure, page: PageRequest
    ) -> Page[CaseBehind]:
        """The cases behind a figure.

        Raises:
            SubjectUnknown: no such area or unit.
        """
        rows = await self._repository.cases_page(self._grouping(kind, code), figure, page)
        return page_of(
            rows,
            page,
            lambda row: (row.registered_at, row.case_id),
            lambda row: CaseBehind(**row._asdict()),
        )

    def _grouping(self, kind: SubjectKind, code: str) -> Grouping:
        if kind is SubjectKind.AREAS and code in self._pack.areas:
            return Grouping(len(code), code)
        if kind is SubjectKind.UNITS and code in self._pack.units:
            return Grouping(None, code)
        raise SubjectUnknown(f"This city has no {kind.value[:-1]} {code}; the list names them.")

    async def _view(
        self, grouping: Grouping, named: dict[str, Text], *, closed: bool
    ) -> IndicatorsView:
        """Figures of those that are named; of others, too, unless the list is closed."""
        counts = await self._repository.counts(grouping)
        codes = sorted(named if closed else {*named, *counts})
        return IndicatorsView(
            period=self._period.key,
            computed_at=self._now,
            behind=await self._store.count_marks(),
            items=[_item(code, named.get(code), counts.get(code, Counts())) for code in codes],
        )


def _item(code: str, name: Text | None, counts: Counts) -> IndicatorView:
    shares: dict[str, Any] = {
        ratio: _number(share) for ratio, share in asdict(ratios_of(counts)).items()
    }
    return IndicatorView(
        code=code,
        name_zh=name.zh if name else None,
        name_en=name.en if name else None,
        **asdict(counts),
        **shares,
    )


def _number(share: Fraction | None) -> float | None:
    exact = rounded(share)
    return None if exact is None else float(exact)
