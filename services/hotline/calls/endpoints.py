"""Calls over HTTP."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response
from pydantic import AwareDatetime

from services.hotline.callers.service import CallerDesk, CallerService, seal_of
from services.hotline.calls.auth import CallReader, CallTaker, agent_of, speaks_for_others
from services.hotline.calls.domain import CallOutcome, CallState, Direction
from services.hotline.calls.models import Call
from services.hotline.calls.repository import CallFilter, CallRepository
from services.hotline.calls.schemas import (
    CallAnswering,
    CallEnding,
    CallOpening,
    CallView,
    call_view,
)
from services.hotline.calls.service import CallService
from shared.journal import JournalEntry, read_journal
from shared.service import Runtime
from shared.web.etag import IfMatch, check_match, set_etag
from shared.web.paging import Page, PageRequest, page_of, page_request
from shared.web.route import CommandRoute, ReadSessionDep, RuntimeDep, WorkDep
from shared.work import UnitOfWork

router = APIRouter(prefix="/calls", tags=["calls"], route_class=CommandRoute)


def _service(work: UnitOfWork, runtime: Runtime) -> CallService:
    return CallService(work, CallerService.of(work, runtime))


async def _answer(call: Call, work: UnitOfWork, runtime: Runtime, response: Response) -> CallView:
    await work.settle()
    set_etag(response, call)
    callers = CallerService.of(work, runtime)
    caller = await callers.callers.get(call.caller_id) if call.caller_id else None
    return call_view(call, callers.desk.view(caller) if caller else None)


@router.post("", status_code=201, responses={200: {"model": CallView}})
async def open_call(
    command: CallOpening,
    work: WorkDep,
    runtime: RuntimeDep,
    principal: CallTaker,
    response: Response,
) -> CallView:
    """Open a call, in or out. The exchange may send the same call again and gets it back (200)."""
    agent = agent_of(principal, command.agent)
    ringing = agent is None if command.ringing is None else command.ringing
    fields = command.model_dump(exclude={"agent", "ringing"})
    call, is_new = await _service(work, runtime).open_call(agent=agent, ringing=ringing, **fields)
    response.status_code = 201 if is_new else 200
    response.headers["Location"] = f"/calls/{call.id}"
    return await _answer(call, work, runtime, response)


@router.post("/{call_id}/answer")
async def answer_call(
    *,
    call_id: UUID,
    command: CallAnswering,
    work: WorkDep,
    runtime: RuntimeDep,
    principal: CallTaker,
    response: Response,
    if_match: IfMatch = None,
) -> CallView:
    """Take a call that rings."""
    service = _service(work, runtime)
    call = await service.calls.get(call_id)
    check_match(call, if_match)
    agent = agent_of(principal, command.agent) or call.agent
    return await _answer(await service.answer_call(call, agent=agent), work, runtime, response)


@router.post("/{call_id}/end")
async def end_call(
    *,
    call_id: UUID,
    command: CallEnding,
    work: WorkDep,
    runtime: RuntimeDep,
    principal: CallTaker,
    response: Response,
    if_match: IfMatch = None,
) -> CallView:
    """End a call. What came of it is known from its tickets unless said otherwise."""
    service = _service(work, runtime)
    call = await service.calls.get(call_id)
    check_match(call, if_match)
    await service.end_call(
        call,
        outcome=command.outcome,
        recording=command.recording,
        only_of=None if speaks_for_others(principal) else principal.id,
    )
    return await _answer(call, work, runtime, response)


async def _filter(
    *,
    principal: CallReader,
    state: CallState | None = None,
    direction: Direction | None = None,
    outcome: CallOutcome | None = None,
    agent: Annotated[str | None, Query(max_length=80, description="account id, or `me`")] = None,
    caller_id: UUID | None = None,
    started_from: AwareDatetime | None = None,
    started_to: Annotated[AwareDatetime | None, Query(description="exclusive")] = None,
) -> CallFilter:
    return CallFilter(
        state=state,
        direction=direction,
        outcome=outcome,
        agent=principal.id if agent == "me" else agent,
        caller_id=caller_id,
        started_from=started_from,
        started_to=started_to,
    )


@router.get("")
async def list_calls(
    session: ReadSessionDep,
    runtime: RuntimeDep,
    wanted: Annotated[CallFilter, Depends(_filter)],
    page: Annotated[PageRequest, Depends(page_request)],
) -> Page[CallView]:
    """Calls, newest first, callers masked."""
    desk = CallerDesk(seal_of(runtime))
    rows = await CallRepository(session).page(wanted, page)

    def key(row: tuple[Call, object]) -> tuple[datetime, UUID]:
        return row[0].started_at, row[0].id

    return page_of(
        rows, page, key, lambda row: call_view(row[0], desk.view(row[1]) if row[1] else None)
    )


@router.get("/{call_id}")
async def read_call(
    call_id: UUID,
    session: ReadSessionDep,
    runtime: RuntimeDep,
    _principal: CallReader,
    response: Response,
) -> CallView:
    """One call, the caller masked."""
    call, caller = await CallRepository(session).read(call_id)
    set_etag(response, call)
    return call_view(call, CallerDesk(seal_of(runtime)).view(caller) if caller else None)


@router.get("/{call_id}/journal")
async def read_call_journal(
    call_id: UUID, session: ReadSessionDep, runtime: RuntimeDep, _principal: CallReader
) -> list[JournalEntry]:
    """Who did what to a call."""
    await CallRepository(session).get(call_id)
    return await read_journal(session, runtime.tables, "calls", call_id)
