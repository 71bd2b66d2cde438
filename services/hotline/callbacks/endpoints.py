"""Call-backs over HTTP."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response
from pydantic import AwareDatetime

from services.hotline.callbacks.auth import CallbackAgent
from services.hotline.callbacks.domain import CallbackState
from services.hotline.callbacks.models import Callback
from services.hotline.callbacks.repository import CallbackFilter, CallbackRepository
from services.hotline.callbacks.schemas import (
    Attempt,
    CallbackDetail,
    CallbackView,
    callback_detail,
    callback_view,
)
from services.hotline.callbacks.service import CallbackService
from services.hotline.callers.models import Caller
from services.hotline.callers.service import CallerDesk, seal_of
from services.hotline.tickets.models import Ticket
from shared.web.etag import IfMatch, check_match, set_etag
from shared.web.paging import Page, PageRequest, page_of, page_request
from shared.web.route import CommandRoute, ReadSessionDep, RuntimeDep, WorkDep

router = APIRouter(prefix="/callbacks", tags=["callbacks"], route_class=CommandRoute)


async def _filter(
    *,
    state: Annotated[
        CallbackState | None, Query(description="`waiting` unless `all` is set")
    ] = None,
    due_before: AwareDatetime | None = None,
    ticket_id: UUID | None = None,
    all: Annotated[bool, Query(description="whatever their state")] = False,  # noqa: A002 - the query parameter's name
) -> CallbackFilter:
    waiting = None if all else CallbackState.WAITING
    return CallbackFilter(state=state or waiting, due_before=due_before, ticket_id=ticket_id)


@router.get("")
async def list_callbacks(
    session: ReadSessionDep,
    runtime: RuntimeDep,
    _principal: CallbackAgent,
    wanted: Annotated[CallbackFilter, Depends(_filter)],
    page: Annotated[PageRequest, Depends(page_request)],
) -> Page[CallbackView]:
    """The queue of callers to be rung up, what is due first first."""
    desk = CallerDesk(seal_of(runtime))
    rows = await CallbackRepository(session).page(wanted, page)

    def key(row: tuple[Callback, Ticket, Caller]) -> tuple[datetime, UUID]:
        return row[0].due_at, row[0].id

    return page_of(rows, page, key, lambda row: callback_view(row[0], row[1], desk.view(row[2])))


@router.get("/{callback_id}")
async def read_callback(
    callback_id: UUID,
    session: ReadSessionDep,
    runtime: RuntimeDep,
    _principal: CallbackAgent,
    response: Response,
) -> CallbackDetail:
    """One call-back with its tries so far."""
    callbacks = CallbackRepository(session)
    callback, ticket, caller = await callbacks.read(callback_id)
    set_etag(response, callback)
    view = callback_view(callback, ticket, CallerDesk(seal_of(runtime)).view(caller))
    return callback_detail(view, await callbacks.attempts(callback_id))


@router.post("/{callback_id}/attempt")
async def record_attempt(
    *,
    callback_id: UUID,
    command: Attempt,
    work: WorkDep,
    runtime: RuntimeDep,
    _principal: CallbackAgent,
    response: Response,
    if_match: IfMatch = None,
) -> CallbackView:
    """Keep how a try went; a caller who is dissatisfied may have the case reopened."""
    service = CallbackService.of(work, runtime)
    callback, ticket, caller = await service.callbacks.read(callback_id)
    check_match(callback, if_match)
    await service.record_attempt(callback, ticket, **dict(command))
    await work.settle()
    set_etag(response, callback)
    return callback_view(callback, ticket, CallerDesk(seal_of(runtime)).view(caller))
