"""The published ratios of areas and units, and what is behind each figure."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query

from services.assessment.facts.endpoints import UpToDate
from services.assessment.indicators.auth import (
    BehindReader,
    IndicatorReader,
    check_may_see_cases,
)
from services.assessment.indicators.domain import AssignmentFigure, CaseFigure
from services.assessment.indicators.schemas import (
    AssignmentBehind,
    CaseBehind,
    IndicatorsView,
    SubjectKind,
)
from services.assessment.indicators.service import IndicatorService
from shared.pack.model import AreaLevel
from shared.web.paging import Page, PageRequest, page_request
from shared.web.route import CommandRoute, ReadSessionDep, RuntimeDep

router = APIRouter(prefix="/indicators", tags=["indicators"], route_class=CommandRoute)

PeriodQuery = Annotated[str, Query(max_length=10, description="2026-05, 2026-Q2 or 2026")]
PeriodPath = Annotated[str, Path(max_length=10, description="2026-05, 2026-Q2 or 2026")]
SubjectCode = Annotated[str, Path(max_length=80, description="code of the area or the unit")]
PageDep = Annotated[PageRequest, Depends(page_request)]


@router.get("/areas")
async def areas(
    session: ReadSessionDep,
    runtime: RuntimeDep,
    _reader: IndicatorReader,
    _folded: UpToDate,
    period: PeriodQuery,
    level: Annotated[AreaLevel, Query()] = AreaLevel.STREET,
) -> IndicatorsView:
    """Every area of a level by the published ratios; an area is not ranked."""
    service = IndicatorService(session, runtime.pack, period, runtime.clock.now())
    return await service.areas(level)


@router.get("/units")
async def units(
    session: ReadSessionDep,
    runtime: RuntimeDep,
    _reader: IndicatorReader,
    _folded: UpToDate,
    period: PeriodQuery,
) -> IndicatorsView:
    """Every unit by the published ratios, beside its score."""
    return await IndicatorService(session, runtime.pack, period, runtime.clock.now()).units()


@router.get("/{kind}/{code}/{period}/assignments")
async def assignments(
    *,
    kind: SubjectKind,
    code: SubjectCode,
    period: PeriodPath,
    session: ReadSessionDep,
    runtime: RuntimeDep,
    principal: BehindReader,
    _folded: UpToDate,
    page: PageDep,
    figure: Annotated[AssignmentFigure, Query()] = AssignmentFigure.TO_HANDLE,
) -> Page[AssignmentBehind]:
    """The assignments behind a figure, by due time."""
    check_may_see_cases(principal, kind, code)
    service = IndicatorService(session, runtime.pack, period, runtime.clock.now())
    return await service.assignments(kind, code, figure, page)


@router.get("/{kind}/{code}/{period}/cases")
async def cases(
    *,
    kind: SubjectKind,
    code: SubjectCode,
    period: PeriodPath,
    session: ReadSessionDep,
    runtime: RuntimeDep,
    principal: BehindReader,
    _folded: UpToDate,
    page: PageDep,
    figure: Annotated[CaseFigure, Query()] = CaseFigure.REGISTERED,
) -> Page[CaseBehind]:
    """The cases behind a figure, by the time of their registration."""
    check_may_see_cases(principal, kind, code)
    service = IndicatorService(session, runtime.pack, period, runtime.clock.now())
    return await service.cases(kind, code, figure, page)
