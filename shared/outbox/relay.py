"""Carries committed events from the outbox to the bus until they are confirmed."""

import asyncio
import contextlib
import time
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

import sqlalchemy as sa
import structlog

from shared.bus.transport import BusUnavailable, OutgoingMessage, Unroutable
from shared.db.database import DatabaseUnavailable
from shared.db.pipeline import Statement
from shared.observability import metrics
from shared.outbox.lease import Lease

if TYPE_CHECKING:
    from shared.service import Runtime

LEASE_SECONDS = 10
SHORTEST_PAUSE = 0.2
LONGEST_PAUSE = 15.0
LONGEST_ROW_PAUSE = timedelta(minutes=1)

log = structlog.get_logger()


class _Row(NamedTuple):
    """An unsent event."""

    position: int
    event_id: UUID
    type: str
    subject: str
    sequence: int
    body: bytes
    attempts: int


class _Statements:
    """What the relay asks of the outbox, built once."""

    def __init__(self, outbox: sa.Table) -> None:
        row = outbox.c
        instant = row.sent_at.type
        of = row.position == sa.bindparam("of", type_=row.position.type)
        self.unsent = Statement(
            sa.select(*(row[name] for name in _Row._fields))
            .where(
                row.sent_at.is_(None),
                sa.or_(row.next_try_at.is_(None), row.next_try_at <= sa.bindparam("now")),
            )
            .order_by(row.position)
            .limit(sa.bindparam("most", type_=sa.Integer()))
        )
        self.sent = Statement(
            sa.update(outbox)
            .where(of)
            .values(sent_at=sa.bindparam("now", type_=instant), last_error=None)
        )
        self.failed = Statement(
            sa.update(outbox)
            .where(of)
            .values(
                attempts=row.attempts + 1,
                next_try_at=sa.bindparam("next_try", type_=instant),
                last_error=sa.bindparam("reason", type_=row.last_error.type),
            )
        )


class Relay:
    """The one sender of a service's outbox.

    Rows are chosen by "not sent yet", never by "id above the last": a slow transaction commits a
    lower
    number later. No transaction is open while the broker is waited for. Being sent twice is
    harmless,
    since every consumer knows the event's id.

    A row that cannot be sent while others can waits by itself, for a growing time, and holds up
    nobody. Only when the bus takes nothing at all, everything waits.
    """

    def __init__(self, runtime: "Runtime") -> None:
        self._runtime = runtime
        self._statements = _Statements(runtime.tables.outbox)
        self._lease = Lease(
            "outbox-relay",
            runtime.database,
            runtime.tables,
            runtime.clock,
            duration=timedelta(seconds=LEASE_SECONDS),
        )
        self._renew_at = 0.0
        self._pause = SHORTEST_PAUSE

    async def run(self) -> None:
        """Relay until cancelled."""
        try:
            while True:
                sent = await self._turn()
                if sent < self._runtime.settings.relay_batch:
                    await self._until_woken()
        finally:
            with contextlib.suppress(DatabaseUnavailable):
                await self._lease.release()

    async def _turn(self) -> int:
        try:
            if not await self._lead():
                return 0
            return await self.relay_batch()
        except DatabaseUnavailable as error:
            log.warning("outbox.database_unavailable", reason=error.message)
            await asyncio.sleep(1)
            return 0

    async def _lead(self) -> bool:
        """Hold the lease; renewed at a third of its life, so that a batch costs no statement."""
        if time.monotonic() < self._renew_at:
            return True
        if not await self._lease.hold():
            return False
        self._renew_at = time.monotonic() + LEASE_SECONDS / 3
        return True

    async def _until_woken(self) -> None:
        wake = self._runtime.wake
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(wake.wait(), self._runtime.settings.relay_poll_seconds)
        wake.clear()

    async def relay_batch(self) -> int:
        """Send one batch; returns how many events the bus confirmed."""
        rows = await self._unsent()
        if not rows:
            return 0
        messages = [
            OutgoingMessage(
                event_id=str(row.event_id),
                routing_key=row.type,
                body=row.body,
                headers={"subject": row.subject, "sequence": str(row.sequence)},
            )
            for row in rows
        ]
        outcomes = await self._runtime.transport.publish(messages)
        await self._settle(rows, outcomes)
        confirmed = sum(outcome is None for outcome in outcomes)
        if _takes_nothing(outcomes):
            await self._slow_down(outcomes)
        else:
            self._pause = SHORTEST_PAUSE
        return confirmed

    async def _unsent(self) -> Sequence[_Row]:
        (rows,) = await self._runtime.database.run(
            (
                self._statements.unsent,
                [{"now": self._runtime.clock.now(), "most": self._runtime.settings.relay_batch}],
            )
        )
        return [_Row(*row) for row in rows]

    async def _settle(
        self, rows: Sequence[_Row], outcomes: Sequence[BusUnavailable | None]
    ) -> None:
        told = list(zip(rows, outcomes, strict=True))
        sent = [row for row, outcome in told if outcome is None]
        failed = [(row, outcome) for row, outcome in told if outcome]
        bus_is_well = not _takes_nothing(outcomes)
        now = self._runtime.clock.now()
        await self._runtime.database.run(
            (self._statements.sent, [{"of": row.position, "now": now} for row in sent]),
            (
                self._statements.failed,
                [
                    {
                        "of": row.position,
                        "next_try": now + _pause_after(row.attempts + 1) if bus_is_well else None,
                        "reason": outcome.message,
                    }
                    for row, outcome in failed
                ],
            ),
        )
        if failed and bus_is_well:
            _row, first = failed[0]
            log.warning("outbox.rows_wait", rows=len(failed), code=first.code, reason=first.message)
        metrics.OUTBOX_RELAYED.labels(self._runtime.name).inc(len(sent))
        metrics.OUTBOX_FAILED.labels(self._runtime.name).inc(len(failed))

    async def _slow_down(self, outcomes: Sequence[BusUnavailable | None]) -> None:
        """A broker that is away refuses at once: without a pause the loop would spin."""
        first = next(outcome for outcome in outcomes if outcome is not None)
        log.warning(
            "outbox.not_confirmed", code=first.code, reason=first.message, pause=self._pause
        )
        await asyncio.sleep(self._pause)
        self._pause = min(self._pause * 2, LONGEST_PAUSE)


def _takes_nothing(outcomes: Sequence[BusUnavailable | None]) -> bool:
    """Whether the bus itself is the trouble: it confirmed nothing, and not for want of a queue."""
    return all(outcome is not None and not isinstance(outcome, Unroutable) for outcome in outcomes)


def _pause_after(attempts: int) -> timedelta:
    """How long a row waits before its next try: 1 s, 2 s, 4 s … at most a minute."""
    return min(timedelta(seconds=1 << min(attempts - 1, 10)), LONGEST_ROW_PAUSE)
