"""Takes messages out of the table and hands them to their channels until they are taken."""

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
import structlog

from shared.db.core import execute
from shared.db.database import DatabaseUnavailable
from shared.errors import MinqingError
from shared.messages.carriers import Carrier, NeverSent, NotSent, carriers_of
from shared.messages.message import (
    Channel,
    MessageState,
    Outgoing,
    WordingIncomplete,
    pause_before_next,
    worded,
)
from shared.messages.office import MessageOffice
from shared.messages.settings import message_settings
from shared.observability import metrics

if TYPE_CHECKING:
    from shared.service import Runtime

LEASE_TIMES = 3
"""A try that takes so many times its limit has lost its process: somebody else tries."""

PRUNE_BATCH = 5_000

log = structlog.get_logger()


class MessageSender:
    """Sends a service's messages; any number of workers may do it side by side.

    A message is leased for one try in a transaction of its own, so none is open while a server is
    waited for, and nobody else sends it meanwhile. The try is counted before it is made: a message
    that kills its process is parked like any other.
    """

    def __init__(
        self,
        runtime: "Runtime",
        office: MessageOffice,
        carriers: Mapping[Channel, Carrier] | None = None,
    ) -> None:
        self._runtime = runtime
        self._office = office
        self._table = office.table
        self._settings = message_settings(runtime.settings)
        self._carriers = carriers or carriers_of(self._settings, runtime.clock)

    async def run(self) -> None:
        """Send until cancelled."""
        while True:
            tried = 0
            with contextlib.suppress(DatabaseUnavailable):
                tried = await self.send_batch()
            if tried < self._settings.message_batch:
                await asyncio.sleep(self._settings.message_poll_seconds)

    async def send_batch(self) -> int:
        """Try every message whose time has come, up to a batch; returns how many were tried."""
        rows = await self._lease()
        await asyncio.gather(*(self._try(row) for row in rows))
        return len(rows)

    async def _lease(self) -> Sequence[Any]:
        table, now = self._table, self._runtime.clock.now()
        free = sa.or_(table.c.leased_until.is_(None), table.c.leased_until < now)
        due = (
            sa.select(table.c.id)
            .where(table.c.state == MessageState.QUEUED, table.c.next_try_at <= now, free)
            .order_by(table.c.next_try_at)
            .limit(self._settings.message_batch)
            .with_for_update(skip_locked=True)
        )
        until = now + LEASE_TIMES * timedelta(seconds=self._settings.message_timeout_seconds)
        statement = (
            sa.update(table)
            .where(table.c.id.in_(due))
            .values(leased_until=until, attempts=table.c.attempts + 1)
            .returning(*table.c)
        )
        async with self._runtime.database.transaction() as session:
            return (await execute(session, statement)).all()

    async def _try(self, row: Any) -> None:
        channel = Channel(row.channel)
        try:
            await self._carrier(channel).carry(await self._outgoing(row, channel))
        except MinqingError as error:
            if isinstance(error, DatabaseUnavailable):
                return  # the lease runs out, then it is tried again
            await self._failed(row, error)
        except Exception as error:  # noqa: BLE001 - a traceback would quote the address
            await self._failed(row, NotSent(f"The channel failed: {type(error).__name__}."))
        else:
            await self._sent(row)

    def _carrier(self, channel: Channel) -> Carrier:
        carrier = self._carriers.get(channel)
        if carrier is None:
            raise NeverSent(f"The channel {channel} is not set up: give it a server, then release.")
        return carrier

    async def _outgoing(self, row: Any, channel: Channel) -> Outgoing:
        subject, text = worded(self._office.wordings, row.template, row.language, row.parameters)
        address = None
        if channel is not Channel.CONSOLE:
            async with self._runtime.database.reading() as session:
                book = self._office.address_book(self._runtime, session)
                address = await book.address(row.recipient, channel)
            if address is None:
                raise NeverSent(f"{row.recipient} has no address for {channel}: enter one.")
        return Outgoing(row.id, row.recipient, subject, text, address)

    async def _sent(self, row: Any) -> None:
        now = self._runtime.clock.now()
        await self._settle(row, state=MessageState.SENT, sent_at=now, last_error=None)
        metrics.MESSAGES_SENT.labels(self._runtime.name, row.channel).inc()

    async def _failed(self, row: Any, error: MinqingError) -> None:
        final = isinstance(error, NeverSent | WordingIncomplete)
        chosen = self._settings
        parked = final or row.attempts >= chosen.message_attempts
        pause = pause_before_next(
            row.attempts,
            timedelta(seconds=chosen.message_first_pause_seconds),
            timedelta(seconds=chosen.message_longest_pause_seconds),
        )
        await self._settle(
            row,
            state=MessageState.PARKED if parked else MessageState.QUEUED,
            next_try_at=self._runtime.clock.now() + pause,
            last_error=error.message,
        )
        metrics.MESSAGES_FAILED.labels(self._runtime.name, row.channel).inc()
        log.warning(
            "message.parked" if parked else "message.failed",
            id=str(row.id),
            channel=row.channel,
            attempt=row.attempts,
            reason=error.message,
        )

    async def _settle(self, row: Any, **values: Any) -> None:
        """Write down how a try ended, unless somebody else has taken it over since."""
        table = self._table
        statement = (
            sa.update(table)
            .where(
                table.c.id == row.id,
                table.c.state == MessageState.QUEUED,
                table.c.attempts == row.attempts,
            )
            .values(leased_until=None, **values)
        )
        with contextlib.suppress(DatabaseUnavailable):
            async with self._runtime.database.transaction() as session:
                await execute(session, statement)


async def publish_message_figures(runtime: "Runtime", office: MessageOffice) -> None:
    """How many messages wait, how many were given up on, and since when the oldest has waited."""
    table = office.table
    waiting = [MessageState.QUEUED, MessageState.PARKED]
    statement = (
        sa.select(
            table.c.state,
            sa.func.count().label("messages"),
            sa.func.min(table.c.created_at).label("since"),
        )
        .where(table.c.state.in_(waiting))
        .group_by(table.c.state)
    )
    async with runtime.database.reading() as session:
        rows = {row.state: row for row in await execute(session, statement)}
    queued, parked = rows.get(MessageState.QUEUED), rows.get(MessageState.PARKED)
    age = (runtime.clock.now() - queued.since).total_seconds() if queued else 0.0
    metrics.MESSAGES_QUEUED.labels(runtime.name).set(queued.messages if queued else 0)
    metrics.MESSAGES_PARKED.labels(runtime.name).set(parked.messages if parked else 0)
    metrics.MESSAGES_OLDEST_SECONDS.labels(runtime.name).set(max(age, 0.0))


async def prune_messages(runtime: "Runtime", office: MessageOffice) -> None:
    """Delete in small batches messages that were sent long enough ago."""
    table = office.table
    days = message_settings(runtime.settings).message_retention_days
    too_old = table.c.sent_at < runtime.clock.now() - timedelta(days=days)
    chosen = sa.select(table.c.id).where(too_old).limit(PRUNE_BATCH)
    deleted = PRUNE_BATCH
    while deleted >= PRUNE_BATCH:
        async with runtime.database.transaction() as session:
            statement = sa.delete(table).where(table.c.id.in_(chosen))
            deleted = (await execute(session, statement)).rowcount
