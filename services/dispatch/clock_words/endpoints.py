"""The clock in words over HTTP."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Header, Query, Response

from services.dispatch.case_files.service import CaseFiles
from services.dispatch.cases.auth import CaseReader, seen_unit
from services.dispatch.clock_words.domain import language_of
from services.dispatch.clock_words.schemas import ClockWords
from services.dispatch.clock_words.service import ClockTeller
from services.dispatch.explanations.service import explain_clock
from services.dispatch.requests.repository import RequestRepository
from shared.observability.context import current_origin
from shared.web.route import ReadingRoute, ReadSessionDep, RuntimeDep
from shared.work import Actor

router = APIRouter(tags=["cases"], route_class=ReadingRoute)


@router.get("/cases/{case_id}/clock/words")
async def get_case_clock_in_words(
    *,
    case_id: UUID,
    session: ReadSessionDep,
    runtime: RuntimeDep,
    principal: CaseReader,
    response: Response,
    language: Annotated[
        Literal["zh", "en"] | None, Query(description="else by Accept-Language, else Chinese")
    ] = None,
    accept_language: Annotated[str | None, Header()] = None,
) -> ClockWords:
    """The explained clock in sentences that a person can check by hand."""
    work = runtime.work(session, Actor(id=principal.id), current_origin())
    file = await CaseFiles.of(work, runtime).look_at(case_id, unit=seen_unit(principal))
    requests = await RequestRepository(session).of_case(case_id)
    chosen = language_of(language, accept_language)
    response.headers["Content-Language"] = chosen
    response.headers["Vary"] = "Accept-Language"
    return ClockTeller(runtime.pack, chosen).tell(
        explain_clock(file, requests, runtime.clock.now())
    )
