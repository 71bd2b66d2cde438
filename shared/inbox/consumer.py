"""Taking in events: once each, in the order of their subject, many in one transaction.

What arrives ahead of its turn, or whose handler failed, is held in a table and holds back its own
subject only.
"""

import itertools
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa
import structlog
from sqlalchemy.dialects import postgresql, sqlite

from shared.bus.transport import Delivery
from shared.db.core import execute
from shared.db.database import DatabaseUnavailable
from shared.errors import MinqingError
from shared.events.envelope import Envelope, Received, UnreadableEvent
from shared.events.registry import event_classes, read_event
from shared.ids import uuid7
from shared.observability import metrics
from shared.work import Actor, Origin, UnitOfWork

if TYPE_CHECKING:
    from sqlmodel.ext.asyncio.session import AsyncSession

    from shared.service import Runtime

AHEAD = "ahead"
RETRY = "retry"
PARKED = "parked"

FIRST_PAUSE = timedelta(seconds=1)
LONGEST_PAUSE = timedelta(minutes=10)
LONGEST_REASON = 4_000
GREATEST_SEQUENCE = 2**31 - 1
MOST_TYPE, MOST_SUBJECT = 120, 80
NEVER_ENDED = (
    "No try came to an end: each time the process died, or the database broke off what it did."
)

log = structlog.get_logger()

SubjectKey = tuple[str, str]


def pause_after(attempts: int) -> timedelta:
    """How long to wait before the next try: 1 s, 4 s, 16 s … at most 10 minutes."""
    doublings = min(max(2 * (attempts - 1), 0), 20)
    return min(FIRST_PAUSE * (1 << doublings), LONGEST_PAUSE)


class InboxConsumer:
    """Takes deliveries of one service into its database."""

    def __init__(self, runtime: "Runtime") -> None:
        self._runtime = runtime
        self._subscriptions = runtime.service.subscriptions
        self._tables = runtime.tables
        self._consumer = runtime.service.subscriptions.consumer

    async def receive(self, deliveries: Sequence[Delivery]) -> None:
        """Take in a batch; on return every event of it is applied, held or parked.

        Raises:
            DatabaseUnavailable: nothing of the batch is settled; the transport gives it back.
        """
        with metrics.HANDLER_SECONDS.labels(self._consumer).time():
            fresh = [delivery for delivery in deliveries if not delivery.redelivered]
            if fresh:
                await self._receive_fresh(fresh)
            for delivery in deliveries:
                if delivery.redelivered:
                    await self._receive_redelivered(delivery)

    async def _receive_fresh(self, deliveries: Sequence[Delivery]) -> None:
        envelopes = await self._readable(deliveries)
        try:
            await self._take_in(envelopes)
        except DatabaseUnavailable:
            raise
        except Exception as error:  # noqa: BLE001 - whatever one event does must not stop the others
            log.info("inbox.batch_split", size=len(envelopes), error=repr(error))
            for envelope in envelopes:
                await self._take_in_alone(envelope)

    async def _receive_redelivered(self, delivery: Delivery) -> None:
        """An earlier try may have killed its process: count first, then try it by itself."""
        for envelope in await self._readable([delivery]):
            attempts = await self._count_crash(envelope.id)
            hopeless = attempts > self._runtime.settings.crash_attempts
            # What had its effect may come again as often as it likes; it is not parked for that.
            if not (hopeless and await self._hold(envelope, PARKED, attempts, NEVER_ENDED)):
                await self._take_in_alone(envelope)

    async def _readable(self, deliveries: Sequence[Delivery]) -> list[Envelope]:
        envelopes = []
        for delivery in deliveries:
            try:
                envelopes.append(self._storable(Envelope.from_bytes(delivery.body)))
            except UnreadableEvent as error:
                await self._park_unreadable(delivery, str(error))
        return envelopes

    def _storable(self, envelope: Envelope) -> Envelope:
        """Refuse what could not even be held: it would come back for ever and block the queue.

        Raises:
            UnreadableEvent: a value that does not fit its column.
        """
        lengths = {"type": MOST_TYPE, "subject": MOST_SUBJECT}
        for name, most in lengths.items():
            text = getattr(envelope, name)
            if len(text) > most or text != storable_text(text):
                raise UnreadableEvent(f"Not an event of this suite: {name} does not fit")
        if envelope.sequence > GREATEST_SEQUENCE:
            raise UnreadableEvent("Not an event of this suite: sequence does not fit")
        return envelope

    # -- a batch -------------------------------------------------------------------------------

    async def _take_in(self, envelopes: Sequence[Envelope]) -> None:
        if not envelopes:
            return
        async with self._runtime.database.transaction() as session:
            fresh = await self._claim(session, envelopes)
            works = await self._apply_all(session, fresh, with_held=True)
        self._committed(works)

    async def _take_in_alone(self, envelope: Envelope) -> None:
        try:
            async with self._runtime.database.transaction() as session:
                fresh = await self._claim(session, [envelope])
                works = await self._apply_all(session, fresh, with_held=False)
        except DatabaseUnavailable:
            raise
        except Exception as error:  # noqa: BLE001 - recorded and tried again, never lost
            state, reason = self._failed(envelope, error, attempts=1)
            await self._hold(envelope, state, 1, reason)
        else:
            self._committed(works)
            await self._drain(envelope.aggregate, envelope.subject)

    async def _claim(
        self, session: "AsyncSession", envelopes: Sequence[Envelope]
    ) -> list[Envelope]:
        """Insert the ids of the batch; those that were there already have had their effect."""
        by_id = {envelope.id: envelope for envelope in envelopes}
        now = self._runtime.clock.now()
        rows = [
            {"consumer": self._consumer, "event_id": event_id, "received_at": now}
            for event_id in sorted(by_id)
        ]
        table = self._tables.inbox
        # Rows as parameters: a statement with its rows written out is compiled anew every time.
        statement = self._insert(table).on_conflict_do_nothing().returning(table.c.event_id)
        claimed = {row.event_id for row in await execute(session, statement, rows)}
        duplicates = len(envelopes) - len(claimed)
        if duplicates:
            metrics.INBOX_DUPLICATES.labels(self._consumer).inc(duplicates)
        return [envelope for event_id, envelope in by_id.items() if event_id in claimed]

    async def _apply_all(
        self, session: "AsyncSession", envelopes: Sequence[Envelope], *, with_held: bool
    ) -> list[UnitOfWork]:
        """Apply what may be applied, hold the rest.

        Args:
            session: an open transaction.
            envelopes: events that have not had their effect yet.
            with_held: also apply the events that waited for these. Off when one event is tried by
                itself, so that the failure of a later one does not undo it.
        """
        if not envelopes:
            return []
        works = (
            await self._apply_in_order(session, envelopes, with_held=with_held)
            if self._subscriptions.ordered
            else await self._apply_as_they_come(session, envelopes)
        )
        if works:
            first, *others = works
            for other in others:
                first.take_over(other)
            await first.flush()
        return works

    async def _apply_in_order(
        self, session: "AsyncSession", envelopes: Sequence[Envelope], *, with_held: bool
    ) -> list[UnitOfWork]:
        waiting: dict[SubjectKey, dict[int, list[Envelope]]] = defaultdict(
            lambda: defaultdict(list)
        )
        for envelope in envelopes:
            waiting[envelope.aggregate, envelope.subject][envelope.sequence].append(envelope)
        progress = await self._lock_progress(session, waiting)
        self._tell_passed(envelopes, progress)
        held = await self._recall_held(session, waiting) if with_held else set()
        works: list[UnitOfWork] = []
        for key, by_sequence in waiting.items():
            for sequence in _without_hole(progress[key], by_sequence):
                works.extend([await self._apply(session, item) for item in by_sequence[sequence]])
                progress[key] = sequence
        applied = {work.origin.causation_id for work in works}
        await self._release(session, [event_id for event_id in held if str(event_id) in applied])
        await self._hold_ahead(
            session,
            [
                envelope
                for envelope in envelopes
                if envelope.sequence > progress[envelope.aggregate, envelope.subject]
            ],
        )
        await self._save_progress(session, progress)
        return works

    def _tell_passed(self, envelopes: Sequence[Envelope], progress: dict[SubjectKey, int]) -> None:
        """A new fact under a number that was applied: its publisher may have lost some of its own.

        It is not applied, since nobody knows how it would fit; but somebody should hear of it.
        """
        for envelope in envelopes:
            if envelope.sequence <= progress[envelope.aggregate, envelope.subject]:
                log.error(
                    "inbox.sequence_passed",
                    event_id=str(envelope.id),
                    type=envelope.type,
                    subject=envelope.subject,
                    sequence=envelope.sequence,
                )

    async def _apply_as_they_come(
        self, session: "AsyncSession", envelopes: Sequence[Envelope]
    ) -> list[UnitOfWork]:
        handle_batch = self._subscriptions.batch_handler
        if handle_batch is None:
            return [await self._apply(session, envelope) for envelope in envelopes]
        work = self._work(session, envelopes[0])
        await handle_batch(envelopes, work, self._runtime)
        handled = [one for one in envelopes if one.type in self._subscriptions.handlers]
        for envelope in envelopes:
            metrics.INBOX_HANDLED.labels(self._consumer, envelope.type).inc()
        return [work, *[await self._apply(session, envelope) for envelope in handled]]

    async def _lock_progress(
        self, session: "AsyncSession", subjects: Iterable[SubjectKey]
    ) -> dict[SubjectKey, int]:
        """The last applied number per subject; rows stay locked so that two workers take turns."""
        table = self._tables.inbox_progress
        keys = sorted(subjects)
        rows = [
            {"consumer": self._consumer, "aggregate": aggregate, "subject": subject, "sequence": 0}
            for aggregate, subject in keys
        ]
        statement = (
            self._insert(table)
            .on_conflict_do_update(
                index_elements=[table.c.consumer, table.c.aggregate, table.c.subject],
                # Setting a value to itself takes the row lock that DO NOTHING would not take.
                set_={"sequence": table.c.sequence},
            )
            .returning(table.c.aggregate, table.c.subject, table.c.sequence)
        )
        found = await execute(session, statement, rows)
        return {(row.aggregate, row.subject): row.sequence for row in found}

    async def _recall_held(
        self, session: "AsyncSession", waiting: dict[SubjectKey, dict[int, list[Envelope]]]
    ) -> set[UUID]:
        """Add the events that wait for these subjects, except those tried before by themselves."""
        table = self._tables.inbox_held
        statement = sa.select(table).where(
            table.c.consumer == self._consumer,
            table.c.state == AHEAD,
            table.c.attempts == 0,
            sa.tuple_(table.c.aggregate, table.c.subject).in_(list(waiting)),
        )
        found = (await execute(session, statement)).all()
        for row in found:
            waiting[row.aggregate, row.subject][row.sequence].append(Envelope.from_bytes(row.body))
        return {row.event_id for row in found}

    async def _apply(self, session: "AsyncSession", envelope: Envelope) -> UnitOfWork:
        work = self._work(session, envelope)
        await self._handle(envelope, work)
        metrics.INBOX_HANDLED.labels(self._consumer, envelope.type).inc()
        return work

    async def _handle(self, envelope: Envelope, work: UnitOfWork) -> None:
        handler = self._subscriptions.handlers.get(envelope.type)
        if handler is None:
            if envelope.type not in event_classes():
                # A newer publisher speaks a version that this program cannot judge: keep it, do
                # not skip it.
                read_event(envelope)
            return
        await handler(Received(read_event(envelope), envelope), work, self._runtime)

    async def _save_progress(
        self, session: "AsyncSession", progress: dict[SubjectKey, int]
    ) -> None:
        table = self._tables.inbox_progress
        statement = (
            sa.update(table)
            .where(
                table.c.consumer == self._consumer,
                table.c.aggregate == sa.bindparam("of_aggregate"),
                table.c.subject == sa.bindparam("of_subject"),
            )
            .values(sequence=sa.bindparam("reached"))
        )
        rows = [
            {"of_aggregate": aggregate, "of_subject": subject, "reached": sequence}
            for (aggregate, subject), sequence in progress.items()
        ]
        await execute(session, statement, rows)

    # -- held events ---------------------------------------------------------------------------

    async def _hold_ahead(self, session: "AsyncSession", envelopes: Sequence[Envelope]) -> None:
        if envelopes:
            rows = [self._held_row(envelope, AHEAD, 0, None, None) for envelope in envelopes]
            table = self._tables.inbox_held
            await execute(session, self._insert(table).on_conflict_do_nothing(), rows)

    def _failed(self, envelope: Envelope, error: Exception, *, attempts: int) -> tuple[str, str]:
        """What becomes of an event whose try failed, and why; parked when trying is no use."""
        metrics.INBOX_FAILED.labels(self._consumer, envelope.type).inc()
        reason = storable_text(f"{type(error).__name__}: {error}")[:LONGEST_REASON]
        log.warning(
            "inbox.handler_failed",
            event_id=str(envelope.id),
            type=envelope.type,
            subject=envelope.subject,
            attempts=attempts,
            exc_info=error if not isinstance(error, MinqingError) else None,
            reason=reason,
        )
        hopeless = isinstance(error, UnreadableEvent)
        parked = hopeless or attempts >= self._runtime.settings.handler_attempts
        return (PARKED if parked else RETRY), reason

    async def _hold(self, envelope: Envelope, state: str, attempts: int, reason: str) -> bool:
        """Keep an event that has had no effect yet.

        Returns:
            False when another worker has applied or held it meanwhile; then nothing is changed.
        """
        next_try = None if state == PARKED else self._runtime.clock.now() + pause_after(attempts)
        row = self._held_row(envelope, state, attempts, next_try, reason)
        async with self._runtime.database.transaction() as session:
            if not await self._claim(session, [envelope]):
                return False
            await execute(session, sa.insert(self._tables.inbox_held).values(row))
            return True

    async def _park_unreadable(self, delivery: Delivery, reason: str) -> None:
        """Bytes that are no envelope are kept as they came, for an operator to look at."""
        log.error("inbox.unreadable", reason=reason)
        event_id = _uuid_or_new(delivery.event_id)
        async with self._runtime.database.transaction() as session:
            row = {
                "consumer": self._consumer,
                "event_id": event_id,
                "type": "unreadable",
                "aggregate": "unreadable",
                "subject": str(event_id),
                "sequence": 0,
                "body": delivery.body,
                "state": PARKED,
                "attempts": 1,
                "next_try_at": None,
                "reason": reason,
                "held_at": self._runtime.clock.now(),
            }
            await execute(
                session, self._insert(self._tables.inbox_held).on_conflict_do_nothing().values(row)
            )

    async def retry_due(self, *, limit: int = 100) -> int:
        """Try again what is due; returns how many events were tried.

        Due is also what waited for an event that was applied since, by a process that died or lost
        its database before it could go on to the next one.

        Raises:
            DatabaseUnavailable: the rest stays as it is.
        """
        async with self._runtime.database.reading() as session:
            due = (await execute(session, self._due().limit(limit))).all()
        for row in due:
            if await self._retry(row):
                await self._drain(row.aggregate, row.subject)
        return len(due)

    def _due(self) -> Any:
        held, progress = self._tables.inbox_held, self._tables.inbox_progress
        now = self._runtime.clock.now()
        its_turn = sa.exists().where(
            progress.c.consumer == held.c.consumer,
            progress.c.aggregate == held.c.aggregate,
            progress.c.subject == held.c.subject,
            progress.c.sequence >= held.c.sequence - 1,
        )
        return (
            sa.select(held)
            .where(
                held.c.consumer == self._consumer,
                sa.or_(
                    sa.and_(held.c.state == RETRY, held.c.next_try_at <= now),
                    sa.and_(
                        held.c.state == AHEAD,
                        sa.or_(held.c.next_try_at.is_(None), held.c.next_try_at <= now),
                        its_turn,
                    ),
                ),
            )
            .order_by(held.c.next_try_at, held.c.sequence)
        )

    async def _retry(self, row: Any) -> bool:
        """Try one held event again; True when it has had its effect."""
        attempts = row.attempts + 1
        if not await self._begin_try(row):
            return False
        envelope = Envelope.from_bytes(row.body)
        try:
            async with self._runtime.database.transaction() as session:
                if self._subscriptions.ordered:
                    # Progress before held rows, as in a batch: the other way round they deadlock.
                    await self._lock_progress(session, [(envelope.aggregate, envelope.subject)])
                if not await self._release(session, [envelope.id]):
                    return False  # another worker was faster
                works = await self._apply_all(session, [envelope], with_held=False)
        except DatabaseUnavailable:
            raise
        except Exception as error:  # noqa: BLE001 - recorded and tried again, never lost
            state, reason = self._failed(envelope, error, attempts=attempts)
            await self._end_try(row, attempts, state=state, reason=reason)
            return False
        self._committed(works)
        return bool(works)

    async def _begin_try(self, row: Any) -> bool:
        """Count a try before it begins, so that an event that kills its process cannot for ever.

        Returns:
            False when another worker has begun, or when it is parked instead.
        """
        if row.attempts >= self._runtime.settings.handler_attempts:
            await self._end_try(row, row.attempts, state=PARKED, reason=NEVER_ENDED)
            return False
        attempts = row.attempts + 1
        return await self._change_held(
            row,
            row.attempts,
            attempts=attempts,
            next_try_at=self._runtime.clock.now() + pause_after(attempts),
        )

    async def _end_try(self, row: Any, attempts: int, *, state: str, reason: str) -> None:
        next_try = None if state == PARKED else self._runtime.clock.now() + pause_after(attempts)
        await self._change_held(row, attempts, state=state, next_try_at=next_try, reason=reason)

    async def _change_held(self, row: Any, seen_attempts: int, **changes: Any) -> bool:
        table = self._tables.inbox_held
        statement = (
            sa.update(table)
            .where(
                table.c.consumer == self._consumer,
                table.c.event_id == row.event_id,
                table.c.state == row.state,
                table.c.attempts == seen_attempts,
            )
            .values(**changes)
        )
        async with self._runtime.database.transaction() as session:
            return bool((await execute(session, statement)).rowcount)

    async def _drain(self, aggregate: str, subject: str) -> None:
        """Apply, one by one, the events that waited for the one just applied."""
        held, progress = self._tables.inbox_held, self._tables.inbox_progress
        next_one = (
            sa.select(held)
            .join(
                progress,
                sa.and_(
                    progress.c.consumer == held.c.consumer,
                    progress.c.aggregate == held.c.aggregate,
                    progress.c.subject == held.c.subject,
                    held.c.sequence == progress.c.sequence + 1,
                ),
            )
            .where(
                held.c.consumer == self._consumer,
                held.c.aggregate == aggregate,
                held.c.subject == subject,
                held.c.state == AHEAD,
            )
            .limit(1)
        )
        while True:
            async with self._runtime.database.reading() as session:
                row = (await execute(session, next_one)).first()
            if row is None or not await self._retry(row):
                return

    async def parked(self) -> Sequence[Any]:
        """The events given up on, oldest first, with the reason of the last try."""
        table = self._tables.inbox_held
        statement = (
            sa.select(table)
            .where(table.c.consumer == self._consumer, table.c.state == PARKED)
            .order_by(table.c.held_at)
        )
        async with self._runtime.database.reading() as session:
            return (await execute(session, statement)).all()

    async def redrive(self, event_ids: Sequence[UUID] | None = None) -> int:
        """Release parked events, all or these, to be tried again at once; returns how many."""
        table = self._tables.inbox_held
        condition = [
            table.c.consumer == self._consumer,
            table.c.state == PARKED,
            table.c.type != "unreadable",
        ]
        if event_ids is not None:
            condition.append(table.c.event_id.in_(event_ids))
        async with self._runtime.database.transaction() as session:
            result = await execute(
                session,
                sa.update(table)
                .where(*condition)
                .values(state=RETRY, attempts=0, next_try_at=self._runtime.clock.now()),
            )
            return int(result.rowcount)

    async def _release(self, session: "AsyncSession", event_ids: Sequence[UUID]) -> int:
        if not event_ids:
            return 0
        table = self._tables.inbox_held
        result = await execute(
            session,
            sa.delete(table).where(
                table.c.consumer == self._consumer, table.c.event_id.in_(event_ids)
            ),
        )
        return int(result.rowcount)

    # -- small things --------------------------------------------------------------------------

    async def _count_crash(self, event_id: UUID) -> int:
        table = self._tables.inbox_crash
        row = {
            "consumer": self._consumer,
            "event_id": event_id,
            "attempts": 1,
            "last_at": self._runtime.clock.now(),
        }
        async with self._runtime.database.transaction() as session:
            statement = (
                self._insert(table)
                .values(row)
                .on_conflict_do_update(
                    index_elements=[table.c.consumer, table.c.event_id],
                    set_={"attempts": table.c.attempts + 1, "last_at": row["last_at"]},
                )
                .returning(table.c.attempts)
            )
            return int((await execute(session, statement)).one().attempts)

    def _work(self, session: "AsyncSession", envelope: Envelope) -> UnitOfWork:
        return self._runtime.work(
            session,
            Actor(id=f"service:{self._consumer}"),
            Origin(
                correlation_id=envelope.correlationid,
                causation_id=str(envelope.id),
                traceparent=envelope.traceparent,
            ),
        )

    def _committed(self, works: Iterable[UnitOfWork]) -> None:
        for work in works:
            self._runtime.committed(work)

    def _insert(self, table: sa.Table) -> Any:
        return (
            sqlite.insert(table) if self._runtime.database.is_sqlite else postgresql.insert(table)
        )

    def _held_row(
        self,
        envelope: Envelope,
        state: str,
        attempts: int,
        next_try_at: datetime | None,
        reason: str | None,
    ) -> dict[str, Any]:
        return {
            "consumer": self._consumer,
            "event_id": envelope.id,
            "type": envelope.type,
            "aggregate": envelope.aggregate,
            "subject": envelope.subject,
            "sequence": envelope.sequence,
            "body": envelope.to_bytes(),
            "state": state,
            "attempts": attempts,
            "next_try_at": next_try_at,
            "reason": reason,
            "held_at": self._runtime.clock.now(),
        }


def _without_hole(last: int, by_sequence: dict[int, list[Envelope]]) -> Iterable[int]:
    """The numbers that follow `last` without a hole."""
    return itertools.takewhile(by_sequence.__contains__, itertools.count(last + 1))


def storable_text(text: str) -> str:
    """The text without what PostgreSQL does not take: NUL characters and lone surrogates."""
    return text.replace("\x00", "\\0").encode("utf-8", "backslashreplace").decode()


def _uuid_or_new(text: str | None) -> UUID:
    try:
        return UUID(text or "")
    except ValueError:
        return uuid7()
