"""Ringing what is due: once each, by whichever worker has claimed it, again where it failed.

A claim is a row in `timer_tries` that counts the try before it begins; it keeps the other workers
away for a while, and a timer that kills its process is not tried for ever. The try itself is one
transaction: the due time is taken out of the row, the handler does its work, the claim is deleted.
If somebody moved or cancelled the timer in the meantime, its due time is not found any more and
nothing happens.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
import structlog
from sqlalchemy.dialects import postgresql, sqlite

from shared.db.core import execute
from shared.db.database import DatabaseUnavailable
from shared.errors import MinqingError
from shared.inbox.consumer import LONGEST_REASON, NEVER_ENDED, pause_after, storable_text
from shared.observability import metrics
from shared.observability.context import current_origin
from shared.timers.timer import Ring, Timer
from shared.work import Actor

if TYPE_CHECKING:
    from sqlmodel.ext.asyncio.session import AsyncSession

    from shared.service import Runtime

CLAIM = timedelta(seconds=10)
"""How long a claimed timer is left alone by the others; longer than a try takes."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Claimed:
    ring: Ring
    attempts: int


class Ringer:
    """Rings the timers of one service."""

    def __init__(self, runtime: "Runtime") -> None:
        self._runtime = runtime
        self._tries = runtime.tables.timer_tries

    async def ring_due(self, *, limit: int = 100) -> int:
        """Ring what is due now, at most so many of each timer, the longest due first.

        Returns:
            How many were tried.

        Raises:
            DatabaseUnavailable: the rest stays as it is, and rings later with its true time.
        """
        tried = 0
        for timer in self._runtime.service.timers:
            claimed = await self._claim(timer, limit)
            for one in claimed:
                await self._try(timer, one)
            tried += len(claimed)
        return tried

    async def _claim(self, timer: Timer, limit: int) -> list[_Claimed]:
        async with self._runtime.database.reading() as session:
            rows = (await execute(session, self._due(timer).limit(limit))).all()
        if not rows:
            return []
        now, tries = self._runtime.clock.now(), self._tries
        statement = self._insert(tries)
        statement = statement.on_conflict_do_update(
            index_elements=list(tries.primary_key),
            set_={"attempts": tries.c.attempts + 1, "next_try_at": now + CLAIM, "last_at": now},
            where=sa.and_(tries.c.parked.is_(False), tries.c.next_try_at <= now),
        ).returning(tries.c.subject, tries.c.due_at, tries.c.attempts)
        claims = [
            {
                "timer": timer.name,
                "subject": row.subject,
                "due_at": row.due_at,
                "attempts": 1,
                "next_try_at": now + CLAIM,
                "last_at": now,
                "parked": False,
            }
            # In one order, so that two workers that claim the same rows do not lock crosswise.
            for row in sorted(rows, key=lambda row: str(row.subject))
        ]
        async with self._runtime.database.transaction() as session:
            found = (await execute(session, statement, claims)).all()
        claimed = [
            _Claimed(Ring(timer.name, row.subject, row.due_at), row.attempts) for row in found
        ]
        return sorted(claimed, key=lambda one: (one.ring.due_at, str(one.ring.subject)))

    def _due(self, timer: Timer) -> sa.Select[Any]:
        now = self._runtime.clock.now()
        not_now = sa.exists().where(
            *self._of(timer, timer.key, timer.due),
            sa.or_(self._tries.c.parked, self._tries.c.next_try_at > now),
        )
        return (
            sa.select(timer.key.label("subject"), timer.due.label("due_at"))
            .where(timer.due <= now, ~not_now)
            .order_by(timer.due)
        )

    async def _try(self, timer: Timer, claimed: _Claimed) -> None:
        ring = claimed.ring
        if claimed.attempts > self._runtime.settings.handler_attempts:
            await self._keep(timer, claimed, parked=True, reason=NEVER_ENDED)
            return
        try:
            async with self._runtime.database.transaction() as session:
                work = self._runtime.work(
                    session, Actor(id=f"rule:{timer.name}"), current_origin(None)
                )
                if await self._take_out(session, timer, ring):
                    await timer.ring(ring, work, self._runtime)
                    await work.flush()
                await execute(session, sa.delete(self._tries).where(*self._at(timer, ring)))
        except DatabaseUnavailable:
            raise
        except Exception as error:  # noqa: BLE001 - recorded and tried again, never lost
            await self._failed(timer, claimed, error)
        else:
            self._runtime.committed(work)
            metrics.TIMERS_RUNG.labels(self._runtime.name, timer.name).inc()

    async def _take_out(self, session: "AsyncSession", timer: Timer, ring: Ring) -> bool:
        """Empty the column; False when the timer was moved or cancelled since it was seen.

        The row's version is raised as well, so that a command that read the row before cannot
        write over what the timer does.
        """
        changes: dict[Any, Any] = {timer.due: None}
        version = timer.table.c.get("version")
        if version is not None:
            changes[version] = version + 1
        statement = (
            sa.update(timer.table)
            .where(timer.key == ring.subject, timer.due == ring.due_at)
            .values(changes)
        )
        return bool((await execute(session, statement)).rowcount)

    async def _failed(self, timer: Timer, claimed: _Claimed, error: Exception) -> None:
        metrics.TIMERS_FAILED.labels(self._runtime.name, timer.name).inc()
        reason = storable_text(f"{type(error).__name__}: {error}")[:LONGEST_REASON]
        log.warning(
            "timer.failed",
            timer=timer.name,
            subject=str(claimed.ring.subject),
            due_at=claimed.ring.due_at.isoformat(),
            attempts=claimed.attempts,
            exc_info=error if not isinstance(error, MinqingError) else None,
            reason=reason,
        )
        parked = claimed.attempts >= self._runtime.settings.handler_attempts
        await self._keep(timer, claimed, parked=parked, reason=reason)

    async def _keep(self, timer: Timer, claimed: _Claimed, *, parked: bool, reason: str) -> None:
        next_try = self._runtime.clock.now() + pause_after(claimed.attempts)
        statement = (
            sa.update(self._tries)
            .where(*self._at(timer, claimed.ring), self._tries.c.attempts == claimed.attempts)
            .values(parked=parked, next_try_at=next_try, reason=reason)
        )
        async with self._runtime.database.transaction() as session:
            await execute(session, statement)

    async def parked(self) -> Sequence[Any]:
        """The timers given up on that are still due, with the reason of the last try."""
        found: list[Any] = []
        async with self._runtime.database.reading() as session:
            for timer in self._runtime.service.timers:
                statement = (
                    sa.select(self._tries)
                    .join(timer.table, sa.and_(*self._of(timer, timer.key, timer.due)))
                    .where(self._tries.c.parked)
                    .order_by(self._tries.c.due_at)
                )
                found += (await execute(session, statement)).all()
        return found

    async def redrive(self) -> int:
        """Let every parked timer be tried again at once; returns how many."""
        statement = sa.delete(self._tries).where(self._tries.c.parked)
        async with self._runtime.database.transaction() as session:
            return int((await execute(session, statement)).rowcount)

    async def lag(self) -> tuple[float, int]:
        """Seconds since the longest due timer should have rung, and how many are parked."""
        now, oldest = self._runtime.clock.now(), 0.0
        async with self._runtime.database.reading() as session:
            for timer in self._runtime.service.timers:
                first = (await execute(session, self._due(timer).limit(1))).first()
                if first is not None:
                    oldest = max(oldest, (now - first.due_at).total_seconds())
        return oldest, len(await self.parked()) if self._runtime.service.timers else 0

    def _of(self, timer: Timer, subject: Any, due_at: Any) -> tuple[Any, ...]:
        columns = self._tries.c
        return columns.timer == timer.name, columns.subject == subject, columns.due_at == due_at

    def _at(self, timer: Timer, ring: Ring) -> tuple[Any, ...]:
        return self._of(timer, ring.subject, ring.due_at)

    def _insert(self, table: sa.Table) -> Any:
        return (
            sqlite.insert(table) if self._runtime.database.is_sqlite else postgresql.insert(table)
        )
