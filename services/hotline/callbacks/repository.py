"""Call-backs in the database."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from services.hotline.callbacks.domain import CallbackState
from services.hotline.callbacks.errors import CallbackNotFound
from services.hotline.callbacks.models import Callback, CallbackAttempt
from services.hotline.callers.models import Caller
from services.hotline.tickets.models import Ticket
from shared.web.paging import PageRequest, after


@dataclass(frozen=True, slots=True)
class CallbackFilter:
    """What the queue is narrowed to; None leaves it open."""

    state: CallbackState | None = CallbackState.WAITING
    due_before: datetime | None = None
    ticket_id: UUID | None = None


class CallbackRepository:
    def __init__(self, session: AsyncSession) -> None:
        self.session = session

    async def get(self, callback_id: UUID) -> Callback:
        """The call-back of an id.

        Raises:
            CallbackNotFound: there is none.
        """
        callback = await self.session.get(Callback, callback_id)
        if callback is None:
            raise CallbackNotFound("There is no such call-back.")
        return callback

    async def waiting_of(self, ticket_id: UUID) -> Sequence[Callback]:
        statement = select(Callback).where(
            Callback.ticket_id == ticket_id, Callback.state == CallbackState.WAITING
        )
        return (await self.session.exec(statement)).all()

    async def read(self, callback_id: UUID) -> tuple[Callback, Ticket, Caller]:
        """A call-back with its ticket and caller.

        Raises:
            CallbackNotFound: there is none.
        """
        statement = _with_ticket().where(Callback.id == callback_id)
        found = (await self.session.exec(statement)).first()
        if found is None:
            raise CallbackNotFound("There is no such call-back.")
        return found[0], found[1], found[2]

    async def page(
        self, wanted: CallbackFilter, request: PageRequest
    ) -> Sequence[tuple[Callback, Ticket, Caller]]:
        """The queue, what is due first first."""
        statement = _with_ticket()
        if wanted.state is not None:
            statement = statement.where(Callback.state == wanted.state)
        if wanted.due_before is not None:
            statement = statement.where(col(Callback.due_at) < wanted.due_before)
        if wanted.ticket_id is not None:
            statement = statement.where(Callback.ticket_id == wanted.ticket_id)
        statement = after(statement, [Callback.due_at, Callback.id], request)
        return (await self.session.exec(statement)).all()  # type: ignore[no-any-return]

    async def attempts(self, callback_id: UUID) -> Sequence[CallbackAttempt]:
        statement = (
            select(CallbackAttempt)
            .where(CallbackAttempt.callback_id == callback_id)
            .order_by(col(CallbackAttempt.attempt))
        )
        return (await self.session.exec(statement)).all()


def _with_ticket() -> Any:  # SQLModel keeps the type of its SELECT to itself
    return (
        select(Callback, Ticket, Caller)
        .join(Ticket, col(Ticket.id) == col(Callback.ticket_id))
        .join(Caller, col(Caller.id) == col(Callback.caller_id))
    )
