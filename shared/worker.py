"""What a service does without being asked: relay, consumer, retries, timers, figures."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import sqlalchemy as sa
import structlog

from shared.bus.transport import BusUnavailable
from shared.db.core import execute
from shared.db.database import DatabaseUnavailable
from shared.inbox.consumer import InboxConsumer
from shared.inbox.statements import AHEAD, PARKED, RETRY
from shared.messages.sender import MessageSender, prune_messages, publish_message_figures
from shared.observability import metrics
from shared.outbox.lease import Lease
from shared.outbox.relay import Relay
from shared.outbox.wakeup import wake_on_signals
from shared.service import Periodic
from shared.timers.ringer import Ringer

if TYPE_CHECKING:
    from shared.service import Runtime

RESTART_PAUSE = 1.0
FAULT_SECONDS = 10.0
STOP_SECONDS = 15.0
FIGURES_SECONDS = 5.0
HOUSEKEEPING_SECONDS = 600.0
PRUNE_BATCH = 5_000

log = structlog.get_logger()


class Worker:
    """Runs a service's background tasks and starts those again that die.

    A task that keeps dying makes the worker unready, so that the process is replaced; the others
    go on.
    """

    def __init__(self, runtime: "Runtime") -> None:
        self.runtime = runtime
        self.inbox = InboxConsumer(runtime)
        self.relay = Relay(runtime)
        self.ringer = Ringer(runtime)
        self._tasks: list[asyncio.Task[None]] = []
        self._failing: dict[str, float] = {}

    async def start(self) -> None:
        queue = self.runtime.service.subscriptions.queue
        jobs: dict[str, Callable[[], Awaitable[None]]] = {
            "relay": self.relay.run,
            "retries": self._retry_loop,
            "figures": self._figures_loop,
        }
        if not self.runtime.database.is_sqlite:
            jobs["wakeup"] = lambda: wake_on_signals(self.runtime)
        if office := self.runtime.service.messages:
            jobs["messages"] = MessageSender(self.runtime, office).run
        if self.runtime.service.timers:
            jobs["timers"] = self._ring_loop
        if queue.bindings:
            jobs["consumer"] = lambda: self.runtime.transport.consume(queue, self.inbox.receive)
        periodic = [
            *self.runtime.service.periodic,
            Periodic("housekeeping", HOUSEKEEPING_SECONDS, prune),
        ]
        for one in periodic:
            jobs[f"periodic:{one.name}"] = lambda one=one: self._periodic_loop(one)  # type: ignore[misc]
        self._tasks = [
            asyncio.create_task(self._supervise(name, job), name=f"{self.runtime.name}:{name}")
            for name, job in jobs.items()
        ]

    async def stop(self) -> None:
        """End every task; commits that have begun are waited for, but not for ever.

        What is broken off is not lost: uncommitted work is undone, and its events come again.
        """
        until = time.monotonic() + STOP_SECONDS
        pending = set(self._tasks)
        while pending and time.monotonic() < until:
            for task in pending:
                # Again and again: a library that loses its connection may swallow a cancellation.
                task.cancel()
            _done, pending = await asyncio.wait(pending, timeout=min(1.0, STOP_SECONDS))
        for task in pending:
            log.error("worker.task_did_not_stop", task=task.get_name())
        self._tasks = []

    def faults(self) -> list[str]:
        """What is wrong now; empty when all is well."""
        lately = time.monotonic() - FAULT_SECONDS
        return [
            f"the background task {name} keeps failing"
            for name, failed_at in self._failing.items()
            if failed_at > lately
        ]

    async def _supervise(self, name: str, job: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await job()
            except asyncio.CancelledError:
                if _is_to_end():
                    raise
                log.warning("worker.task_cancelled_by_library", task=name)
            except Exception:
                self._failing[name] = time.monotonic()
                log.exception("worker.task_failed", task=name, service=self.runtime.name)
            if _is_to_end():
                return  # the cancellation was swallowed on its way here
            await asyncio.sleep(RESTART_PAUSE)

    async def _retry_loop(self) -> None:
        while True:
            with contextlib.suppress(DatabaseUnavailable):
                while await self.inbox.retry_due():
                    pass
            await asyncio.sleep(0.5)

    async def _ring_loop(self) -> None:
        """Ring timers; every worker may, since each timer is claimed by one of them."""
        while True:
            with contextlib.suppress(DatabaseUnavailable):
                while await self.ringer.ring_due():
                    pass
            await asyncio.sleep(self.runtime.settings.timer_poll_seconds)

    async def _periodic_loop(self, periodic: Periodic) -> None:
        """Run it for as long as this process holds its lease."""
        lease = Lease(
            f"periodic:{periodic.name}",
            self.runtime.database,
            self.runtime.tables,
            self.runtime.clock,
            duration=timedelta(seconds=max(10.0, 3 * periodic.seconds)),
        )
        while True:
            with contextlib.suppress(DatabaseUnavailable):
                if await lease.hold():
                    await periodic.run(self.runtime)
                    self._failing.pop(f"periodic:{periodic.name}", None)
            await asyncio.sleep(periodic.seconds)

    async def _figures_loop(self) -> None:
        while True:
            with contextlib.suppress(DatabaseUnavailable, BusUnavailable):
                await publish_figures(self.runtime)
                if office := self.runtime.service.messages:
                    await publish_message_figures(self.runtime, office)
            await asyncio.sleep(FIGURES_SECONDS)


def _is_to_end() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


async def lag(runtime: "Runtime") -> dict[str, float]:
    """How far a service is behind: unsent events, their age, held and parked events, dead letters.

    `dead` is -1 while the broker does not answer.
    """
    outbox, held = runtime.tables.outbox, runtime.tables.inbox_held
    unsent_rows = sa.select(sa.func.count(), sa.func.min(outbox.c.created_at)).where(
        outbox.c.sent_at.is_(None)
    )
    held_rows = sa.select(
        held.c.state, sa.func.count().label("held"), sa.func.min(held.c.held_at).label("since")
    ).group_by(held.c.state)
    async with runtime.database.reading() as session:
        count, oldest = (await execute(session, unsent_rows)).one()
        by_state = {row.state: row for row in await execute(session, held_rows)}
    now = runtime.clock.now()
    counts = {state: row.held for state, row in by_state.items()}
    waiting = [by_state[state].since for state in (AHEAD, RETRY) if state in by_state]
    queue = runtime.service.subscriptions.queue
    dead = -1
    ready = -1
    with contextlib.suppress(BusUnavailable):
        depth = await runtime.transport.depth(queue)
        dead, ready = depth.dead, depth.ready
    late, timers_parked = await Ringer(runtime).lag()
    return {
        "unsent": count,
        "oldest_unsent_seconds": _age(oldest, now),
        "queued": ready,
        "ahead": counts.get(AHEAD, 0),
        "retry": counts.get(RETRY, 0),
        "oldest_waiting_seconds": _age(min(waiting, default=None), now),
        "parked": counts.get(PARKED, 0),
        "dead": dead,
        "timers_late_seconds": late,
        "timers_parked": timers_parked,
    }


def _age(since: datetime | None, now: datetime) -> float:
    """Seconds from `since` until now; 0 when there is nothing, or a clock is ahead."""
    return 0.0 if since is None else max((now - since).total_seconds(), 0.0)


async def publish_figures(runtime: "Runtime") -> None:
    figures = await lag(runtime)
    name = runtime.name
    metrics.OUTBOX_UNSENT.labels(name).set(figures["unsent"])
    metrics.OUTBOX_OLDEST_SECONDS.labels(name).set(figures["oldest_unsent_seconds"])
    metrics.INBOX_WAITING.labels(name).set(figures["ahead"] + figures["retry"])
    metrics.INBOX_OLDEST_SECONDS.labels(name).set(figures["oldest_waiting_seconds"])
    metrics.INBOX_PARKED.labels(name).set(figures["parked"])
    metrics.TIMERS_LATE_SECONDS.labels(name).set(figures["timers_late_seconds"])
    metrics.TIMERS_PARKED.labels(name).set(figures["timers_parked"])
    if figures["dead"] >= 0:
        metrics.DEAD_LETTERS.labels(name).set(figures["dead"])


async def prune(runtime: "Runtime") -> None:
    """Delete in small batches what has been kept long enough."""
    if office := runtime.service.messages:
        await prune_messages(runtime, office)
    settings, now = runtime.settings, runtime.clock.now()
    keep = [
        (runtime.tables.outbox, "sent_at", settings.sent_event_retention_days),
        (runtime.tables.inbox, "received_at", settings.inbox_retention_days),
        (runtime.tables.inbox_crash, "last_at", settings.inbox_retention_days),
        (runtime.tables.idempotency, "created_at", settings.idempotency_retention_days),
        (runtime.tables.timer_tries, "last_at", settings.inbox_retention_days),
        (runtime.tables.ended_sessions, "ended_at", 1),
    ]
    for table, since, days in keep:
        # By the whole primary key: no batch is larger, and its rows are found by the index.
        key = list(table.primary_key)
        too_old = table.c[since] < now - timedelta(days=days)
        chosen = sa.select(*key).where(too_old).limit(PRUNE_BATCH)
        deleted = PRUNE_BATCH
        while deleted >= PRUNE_BATCH:
            async with runtime.database.transaction() as session:
                statement = sa.delete(table).where(too_old, sa.tuple_(*key).in_(chosen))
                deleted = (await execute(session, statement)).rowcount
