"""Scorecards and the ranking of units, and the cases behind every figure."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query

from services.assessment.facts.endpoints import UpToDate
from services.assessment.scorecards.auth import (
    ExplanationReader,
    RankingReader,
    may_see_cases_of,
)
from services.assessment.scorecards.domain import Figure
from services.assessment.scorecards.errors import UnitUnknown
from services.assessment.scorecards.schemas import (
    ExplanationView,
    OneScorecardView,
    RankingView,
)
from services.assessment.scorecards.service import ScorecardService
from shared.web.paging import PageRequest, page_request
from shared.web.route import CommandRoute, ReadSessionDep, RuntimeDep

router = APIRouter(prefix="/scorecards", tags=["scorecards"], route_class=CommandRoute)

UnitCode = Annotated[str, Path(max_length=80, examples=["urban-management"])]
PeriodPath = Annotated[str, Path(max_length=10, description="2026-05, 2026-Q2 or 2026")]


@router.get("")
async def ranking(
    session: ReadSessionDep,
    runtime: RuntimeDep,
    _reader: RankingReader,
    _folded: UpToDate,
    period: Annotated[str, Query(max_length=10, description="2026-05, 2026-Q2 or 2026")],
    unit: Annotated[str | None, Query(max_length=80, description="this unit only")] = None,
) -> RankingView:
    """Every unit's figures, score and rank in a period. Units are ranked, people are not."""
    service = ScorecardService(session, runtime.pack, period, runtime.clock.now())
    return await service.ranking(unit)


@router.get("/{unit}/{period}")
async def scorecard(
    unit: UnitCode,
    period: PeriodPath,
    session: ReadSessionDep,
    runtime: RuntimeDep,
    _reader: RankingReader,
    _folded: UpToDate,
) -> OneScorecardView:
    """One unit's figures, score and rank in a period."""
    service = ScorecardService(session, runtime.pack, period, runtime.clock.now())
    return await service.one(unit)


@router.get("/{unit}/{period}/explain")
async def explain(
    *,
    unit: UnitCode,
    period: PeriodPath,
    session: ReadSessionDep,
    runtime: RuntimeDep,
    principal: ExplanationReader,
    _folded: UpToDate,
    page: Annotated[PageRequest, Depends(page_request)],
    figure: Annotated[Figure | None, Query(description="only the cases behind this figure")] = None,
) -> ExplanationView:
    """How a score came about: the formula and, page by page, each case and why it counted."""
    if not may_see_cases_of(principal, unit):
        raise UnitUnknown("You see the cases of your own unit only.")
    service = ScorecardService(session, runtime.pack, period, runtime.clock.now())
    return await service.explain(unit, figure, page)
