"""Closing periods and computing them in another way, over HTTP."""

from decimal import Decimal
from fractions import Fraction
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Response, status

from services.assessment.facts.endpoints import UpToDate
from services.assessment.periods.auth import Closer, Comparer, PeriodReader
from services.assessment.periods.domain import PeriodKind
from services.assessment.periods.errors import PeriodNotClosed
from services.assessment.periods.repository import PeriodRepository
from services.assessment.periods.schemas import ClosedPeriodView, ClosingCommand, ComparisonView
from services.assessment.periods.service import (
    ClosingService,
    ComparisonService,
    TriedParameters,
)
from services.assessment.scorecards.service import ScorecardService
from shared.web.etag import set_etag
from shared.web.paging import Page, PageRequest, page_of, page_request
from shared.web.route import CommandRoute, ReadSessionDep, RuntimeDep, WorkDep

router = APIRouter(prefix="/periods", tags=["periods"], route_class=CommandRoute)

PeriodPath = Annotated[str, Path(max_length=10, description="2026-05, 2026-Q2 or 2026")]
Share = Annotated[
    Decimal | None,
    Query(ge=0, le=1, max_digits=20, description="exact decimal; null: the one that holds"),
]
SmallSample = Annotated[int | None, Query(ge=0, le=10**6)]


@router.get("")
async def list_closed_periods(
    *,
    session: ReadSessionDep,
    _reader: PeriodReader,
    page: Annotated[PageRequest, Depends(page_request)],
    kind: PeriodKind | None = None,
) -> Page[ClosedPeriodView]:
    """Closed periods, those closed last first."""
    rows = await PeriodRepository(session).page(kind, page)
    return page_of(rows, page, lambda row: (row.id,), ClosedPeriodView.model_validate)


@router.get("/{period}")
async def closed_period(
    period: PeriodPath, session: ReadSessionDep, _reader: PeriodReader, response: Response
) -> ClosedPeriodView:
    """With what a period was closed."""
    closed = await PeriodRepository(session).by_key(period)
    if closed is None:
        raise PeriodNotClosed("Its figures still change; see the scorecards.")
    set_etag(response, closed)
    return ClosedPeriodView.model_validate(closed)


@router.post("/{period}/closing", status_code=status.HTTP_201_CREATED)
async def close_period(
    *,
    period: PeriodPath,
    command: ClosingCommand,
    work: WorkDep,
    runtime: RuntimeDep,
    _who: Closer,
    response: Response,
) -> ClosedPeriodView:
    """Freeze figures, parameters and facts of a period that is over; it cannot be opened again."""
    closed = await ClosingService(work, runtime.pack).close(period, command.reason)
    await work.settle()
    set_etag(response, closed)
    response.headers["Location"] = f"/api/assessment/v1/periods/{closed.key}"
    return ClosedPeriodView.model_validate(closed)


@router.get("/{period}/recomputed")
async def recomputed(
    *,
    period: PeriodPath,
    session: ReadSessionDep,
    runtime: RuntimeDep,
    _who: Comparer,
    _folded: UpToDate,
) -> ComparisonView:
    """A closed period beside what the facts and parameters of now would make of it."""
    scorecards = ScorecardService(session, runtime.pack, period, runtime.clock.now())
    return await ComparisonService(scorecards, runtime.pack).recomputed()


@router.get("/{period}/what-if")
async def what_if(
    *,
    period: PeriodPath,
    session: ReadSessionDep,
    runtime: RuntimeDep,
    _who: Comparer,
    _folded: UpToDate,
    version: Annotated[str | None, Query(max_length=80, description="of the city pack")] = None,
    timely_weight: Share = None,
    resolution_weight: Share = None,
    redispatch_allowance: Share = None,
    deferral_allowance: Share = None,
    extension_allowance: Share = None,
    small_sample: SmallSample = None,
) -> ComparisonView:
    """A period with its parameters beside others, on the same facts; nothing is changed."""
    shares = {
        "timely_weight": timely_weight,
        "resolution_weight": resolution_weight,
        "redispatch_allowance": redispatch_allowance,
        "deferral_allowance": deferral_allowance,
        "extension_allowance": extension_allowance,
    }
    exact = {name: None if one is None else Fraction(one) for name, one in shares.items()}
    scorecards = ScorecardService(session, runtime.pack, period, runtime.clock.now())
    tried = TriedParameters(version, exact, small_sample)
    return await ComparisonService(scorecards, runtime.pack).what_if(tried)
