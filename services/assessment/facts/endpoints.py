"""Facts of cases, the live board, the ledger for comparison, and rebuilding."""

from typing import Annotated
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Query, Response
from pydantic import AwareDatetime

from services.assessment.events.repository import EventStore
from services.assessment.facts.auth import (
    BoardReader,
    CaseReader,
    CityReader,
    Rebuilder,
    sees_all_units,
)
from services.assessment.facts.domain import CaseState
from services.assessment.facts.errors import CaseUnknown, RebuildUnknown
from services.assessment.facts.models import CaseFactsRow
from services.assessment.facts.repository import CASE_FIGURES, FactReader, RebuildRepository
from services.assessment.facts.schemas import (
    AssignmentView,
    BoardView,
    CaseFactsView,
    CaseView,
    LedgerView,
    RebuildView,
    StageView,
)
from services.assessment.facts.service import RebuildService, fold_pending
from services.assessment.fieldwork.domain import ReportState
from services.assessment.periods.domain import local_day, parse_period
from shared.web.etag import set_etag
from shared.web.paging import Page, PageRequest, page_of, page_request
from shared.web.route import CommandRoute, ReadSessionDep, RuntimeDep, WorkDep

router = APIRouter(tags=["facts"], route_class=CommandRoute)

BATCHES_A_QUESTION = 5
"""What a reader waits for at most; the rest is told as `behind`."""

CaseFigure = Annotated[
    str,
    Query(
        pattern=f"^({'|'.join(CASE_FIGURES)})$",
        description="which figure of the period",
        examples=["registered"],
    ),
]
PeriodKey = Annotated[str, Query(max_length=10, description="2026-05, 2026-Q2 or 2026")]


async def _up_to_date(runtime: RuntimeDep) -> None:
    await fold_pending(runtime, batches=BATCHES_A_QUESTION)


UpToDate = Annotated[None, Depends(_up_to_date)]
"""Has what arrived folded before the question is answered; stands after the policy of a route."""


@router.get("/cases")
async def list_cases(
    figure: CaseFigure,
    period: PeriodKey,
    session: ReadSessionDep,
    runtime: RuntimeDep,
    _reader: CityReader,
    _folded: UpToDate,
    page: Annotated[PageRequest, Depends(page_request)],
) -> Page[CaseView]:
    """The cases behind a figure of the whole city in a period, oldest first."""
    span = parse_period(period, ZoneInfo(runtime.pack.city.zone))
    rows = await FactReader(session).cases_page(figure, span.start, span.end, page)
    at = CASE_FIGURES[figure].key
    return page_of(rows, page, lambda row: (getattr(row, at), row.case_id), CaseView.model_validate)


@router.get("/cases/{case_id}/facts")
async def case_facts(
    case_id: UUID, session: ReadSessionDep, principal: CaseReader, _folded: UpToDate
) -> CaseFactsView:
    """Everything that figures are computed from for one case; units see their own cases only."""
    reader = FactReader(session)
    row = await reader.case(case_id)
    assignments = await reader.assignments(case_id)
    own = any(item.unit == principal.unit for item in assignments)
    if row is None or not (own or sees_all_units(principal)):
        raise CaseUnknown(
            "No facts are known of such a case; they follow its events by about a second."
        )
    stages = await reader.stages(case_id)
    return CaseFactsView(
        **CaseView.model_validate(row).model_dump(),
        assignments=[AssignmentView.model_validate(item) for item in assignments],
        stages=[StageView.model_validate(item) for item in stages],
    )


@router.get("/board")
async def board(session: ReadSessionDep, runtime: RuntimeDep, _reader: BoardReader) -> BoardView:
    """The day so far, in counts; it follows the events by about a second."""
    since, now = local_day(runtime.clock.now(), ZoneInfo(runtime.pack.city.zone))
    figures = await FactReader(session).board(since, now)
    behind = await EventStore(session).count_marks()
    return BoardView(at=now, since=since, behind=behind, **figures)


@router.get("/reconciliation")
async def reconciliation(
    session: ReadSessionDep,
    _reader: CityReader,
    _folded: UpToDate,
    since: Annotated[
        AwareDatetime | None,
        Query(description="only reports received and cases registered from then on"),
    ] = None,
) -> LedgerView:
    """How many of everything and which, for comparison with other services' own counts."""
    reader, store = FactReader(session), EventStore(session)
    case = CaseFactsRow
    return LedgerView(
        reports_received=await reader.reports_in(None, since),
        reports_registered=await reader.reports_in(ReportState.REGISTERED, since),
        reports_merged=await reader.reports_in(ReportState.MERGED, since),
        reports_rejected=await reader.reports_in(ReportState.REJECTED, since),
        cases_opened=await reader.cases_in(case.opened_at != None, since),  # noqa: E711 - SQL
        cases_closed=await reader.cases_in(case.state == CaseState.CLOSED, since),
        cases_voided=await reader.cases_in(case.state == CaseState.VOIDED, since),
        cases_redispatched=await reader.cases_in(case.redispatches > 0, since),
        redispatches=await reader.redispatches(since),
        events=await store.counts_by_type(),
        behind=await store.count_marks(),
    )


@router.post("/rebuild", status_code=202)
async def start_rebuild(work: WorkDep, _who: Rebuilder, response: Response) -> RebuildView:
    """Fold everything again from the stored events; figures stay readable meanwhile."""
    rebuild = await RebuildService(work).start()
    await work.settle()
    set_etag(response, rebuild)
    response.headers["Location"] = f"/api/assessment/v1/rebuild/{rebuild.id}"
    return RebuildView.model_validate(rebuild)


@router.get("/rebuild/{rebuild_id}")
async def rebuild_state(
    rebuild_id: UUID, session: ReadSessionDep, _who: Rebuilder, response: Response
) -> RebuildView:
    """How far a rebuild is."""
    rebuild = await RebuildRepository(session).get(rebuild_id)
    if rebuild is None:
        raise RebuildUnknown("Take the id that starting a rebuild answered with.")
    set_etag(response, rebuild)
    return RebuildView.model_validate(rebuild)
