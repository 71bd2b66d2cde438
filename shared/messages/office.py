"""Writing messages down, finding them again, releasing what was given up on."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel.ext.asyncio.session import AsyncSession

from shared.db.core import execute
from shared.ids import uuid7
from shared.messages.message import AddressBook, Channel, MessageState, Wordings

if TYPE_CHECKING:
    from shared.service import Runtime
    from shared.work import UnitOfWork


@dataclass(frozen=True)
class MessageOffice:
    """What a service says about its messages; it stands in the service's description.

    Attributes:
        table: made by `message_table`.
        wordings: the words of its messages.
        address_book: made per transaction, from the session it may read by.
    """

    table: sa.Table
    wordings: Wordings
    address_book: Callable[["Runtime", AsyncSession], AddressBook]

    def post(
        self,
        work: "UnitOfWork",
        *,
        cause: str,
        recipient: str,
        channel: Channel,
        template: str,
        language: str,
        parameters: Mapping[str, str],
    ) -> UUID:
        """Write a message down; it leaves once the work has committed.

        Args:
            work: the transaction of its cause.
            cause: what it is about, e.g. `alarm:<id>`.
            recipient: account name or opaque id, never an address.
            channel: by which way it leaves.
            template: id of its words.
            language: tag of the language to say it in.
            parameters: what stands for the names in the words; no personal data.

        Returns:
            The id under which it leaves, in every try.
        """
        message_id, now = uuid7(), work.now()
        work.insert(
            self.table,
            id=message_id,
            cause=cause,
            recipient=recipient,
            channel=channel,
            template=template,
            language=language,
            parameters=dict(parameters),
            state=MessageState.QUEUED,
            attempts=0,
            created_at=now,
            next_try_at=now,
        )
        return message_id

    async def about(self, session: AsyncSession, cause: str) -> Sequence[Any]:
        """The messages of one cause, in the order in which they were written."""
        table = self.table
        statement = sa.select(table).where(table.c.cause == cause).order_by(table.c.id)
        return (await execute(session, statement)).all()

    async def release(
        self, session: AsyncSession, now: datetime, message_id: UUID | None = None
    ) -> int:
        """Let parked messages be tried again from the beginning; all of them unless one is named.

        Returns:
            How many were released.
        """
        table = self.table
        statement = (
            sa.update(table)
            .where(table.c.state == MessageState.PARKED)
            .values(state=MessageState.QUEUED, attempts=0, next_try_at=now, leased_until=None)
        )
        if message_id is not None:
            statement = statement.where(table.c.id == message_id)
        return (await execute(session, statement)).rowcount
