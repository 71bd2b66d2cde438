"""The explained clock over HTTP."""

from uuid import UUID

from fastapi import APIRouter

from services.dispatch.case_files.service import CaseFiles
from services.dispatch.cases.auth import CaseReader, seen_unit
from services.dispatch.explanations.schemas import CaseClockView
from services.dispatch.explanations.service import explain_clock
from services.dispatch.requests.repository import RequestRepository
from shared.observability.context import current_origin
from shared.web.route import ReadingRoute, ReadSessionDep, RuntimeDep
from shared.work import Actor

router = APIRouter(tags=["cases"], route_class=ReadingRoute)


@router.get("/cases/{case_id}/clock")
async def get_case_clock(
    case_id: UUID, session: ReadSessionDep, runtime: RuntimeDep, principal: CaseReader
) -> CaseClockView:
    """Every segment of a case; for each unit the days and spans that counted, rule and sum."""
    # A unit of work that only reads: its session is rolled back in the end.
    work = runtime.work(session, Actor(id=principal.id), current_origin())
    file = await CaseFiles.of(work, runtime).look_at(case_id, unit=seen_unit(principal))
    requests = await RequestRepository(session).of_case(case_id)
    return explain_clock(file, requests, runtime.clock.now())
