"""A service's messages for the administrator: listed without addresses, released when parked."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import sqlalchemy as sa
from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from shared.auth.principal import Principal
from shared.db.core import execute
from shared.errors import NotFound
from shared.messages.message import Channel, MessageState
from shared.messages.office import MessageOffice
from shared.vocabulary import Role
from shared.web.paging import Page, PageRequest, after, page_of, page_request
from shared.web.policy import requires
from shared.web.route import CommandRoute, ReadSessionDep, WorkDep

MessageKeeper = Annotated[Principal, Depends(requires(Role.SYSTEM_ADMINISTRATOR))]


class MessageNotParked(NotFound):
    code = "message-not-parked"
    title = "There is no parked message of this id"


class MessageView(BaseModel):
    """A message on its way; who it is for is an account name, never an address."""

    id: UUID
    cause: str = Field(examples=["alarm:0199..."], description="what it is about")
    recipient: str
    channel: Channel
    template: str
    language: str
    state: MessageState
    attempts: int = Field(description="tries so far")
    created_at: datetime
    next_try_at: datetime = Field(description="of a queued one")
    sent_at: datetime | None
    last_error: str | None = Field(description="why the last try failed")


class Released(BaseModel):
    released: int = Field(description="messages that are tried again")


def message_view(row: Any) -> MessageView:
    return MessageView(**{name: getattr(row, name) for name in MessageView.model_fields})


def message_router(office: MessageOffice) -> APIRouter:
    """The addresses below `/messages` of a service that sends any."""
    router = APIRouter(prefix="/messages", tags=["messages"], route_class=CommandRoute)
    table = office.table

    @router.get("")
    async def list_messages(
        *,
        session: ReadSessionDep,
        _principal: MessageKeeper,
        page: Annotated[PageRequest, Depends(page_request)],
        state: MessageState | None = None,
        cause: Annotated[str | None, Query(max_length=120)] = None,
    ) -> Page[MessageView]:
        """Messages, the latest first."""
        statement = sa.select(table)
        if state is not None:
            statement = statement.where(table.c.state == state)
        if cause is not None:
            statement = statement.where(table.c.cause == cause)
        statement = after(statement, [table.c.id], page, descending=True)
        rows = (await execute(session, statement)).all()
        return page_of(rows, page, lambda row: [row.id], message_view)

    @router.post("/{message_id}/release")
    async def release_message(
        message_id: UUID, work: WorkDep, _principal: MessageKeeper
    ) -> Released:
        """Try a parked message again from the beginning."""
        released = await office.release(work.session, work.now(), message_id)
        if not released:
            raise MessageNotParked("Only parked messages are released: see ?state=parked.")
        work.audit("release-message", f"message:{message_id}")
        return Released(released=released)

    @router.post("/release")
    async def release_messages(work: WorkDep, _principal: MessageKeeper) -> Released:
        """Try all parked messages again, after their channel was put right."""
        released = await office.release(work.session, work.now())
        work.audit("release-messages", "messages")
        return Released(released=released)

    return router
