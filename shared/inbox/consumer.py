"""Taking in events: once each, in the order of their subject, many in one transaction.

What arrives ahead of its turn, or whose handler failed, is held in a table and holds back its own
subject only.
"""

import itertools
from collections import defaultdict
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa
import structlog
from sqlalchemy.dialects import postgresql, sqlite

from shared.bus.transport import Delivery
from shared.db.core import execute
from shared.db.database import DatabaseUnavailable, write_with_commit
from shared.db.pipeline import Step, together
from shared.errors import MinqingError
from shared.events.envelope import Envelope, Received, UnreadableEvent
from shared.events.registry import event_classes, read_event
from shared.ids import uuid7
from shared.inbox.statements import AHEAD, PARKED, RETRY, HeldEvent, InboxStatements
from shared.observability import metrics
from shared.work import Actor, Origin, UnitOfWork

if TYPE_CHECKING:
    from sqlmodel.ext.asyncio.session import AsyncSession

    from shared.service import Runtime

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
        self._statements = InboxStatements(
            runtime.tables, self._consumer, is_sqlite=runtime.database.is_sqlite
        )

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
            works = await self._claim_and_apply(session, envelopes, with_held=True)
        self._committed(works)

    async def _take_in_alone(self, envelope: Envelope) -> None:
        try:
            async with self._runtime.database.transaction() as session:
                works = await self._claim_and_apply(session, [envelope], with_held=False)
        except DatabaseUnavailable:
            raise
        except Exception as error:  # noqa: BLE001 - recorded and tried again, never lost
            state, reason = self._failed(envelope, error, attempts=1)
            await self._hold(envelope, state, 1, reason)
        else:
            self._committed(works)
            await self._drain(envelope.aggregate, envelope.subject)

    async def _claim_and_apply(
        self, session: "AsyncSession", envelopes: Sequence[Envelope], *, with_held: bool
    ) -> list[UnitOfWork]:
        """Apply what has not had its effect yet and may have it now; hold the rest.

        Args:
            session: an open transaction.
            envelopes: what has come.
            with_held: also apply the events that waited for these. Off when one event is tried by
                itself, so that the failure of a later one does not undo it.
        """
        subjects = sorted({(one.aggregate, one.subject) for one in envelopes})
        steps = [self._claims(envelopes)]
        if self._subscriptions.ordered:
            steps += [self._locks(subjects), self._recalls(subjects if with_held else ())]
        claimed, *rest = await together(session, *steps)
        fresh = self._fresh(envelopes, {event_id for (event_id,) in claimed})
        if not rest:
            return await self._apply_all(session, fresh, {})
        locked, held = rest
        progress = {(aggregate, subject): reached for aggregate, subject, reached in locked}
        return await self._apply_all(session, fresh, progress, [HeldEvent(*row) for row in held])

    def _claims(self, envelopes: Sequence[Envelope]) -> Step:
        """Insert the ids of the batch; in one order for everybody, so that two take turns."""
        now = self._runtime.clock.now()
        return self._statements.claim, [
            {"consumer": self._consumer, "event_id": event_id, "received_at": now}
            for event_id in sorted({envelope.id for envelope in envelopes})
        ]

    def _locks(self, subjects: Iterable[SubjectKey]) -> Step:
        return self._statements.lock, [
            {"consumer": self._consumer, "aggregate": aggregate, "subject": subject, "sequence": 0}
            for aggregate, subject in subjects
        ]

    def _recalls(self, subjects: Iterable[SubjectKey]) -> Step:
        return self._statements.recall, [
            {"aggregate": aggregate, "subject": subject} for aggregate, subject in subjects
        ]

    def _fresh(self, envelopes: Sequence[Envelope], claimed: AbstractSet[UUID]) -> list[Envelope]:
        """Those whose ids were not there already: the others have had their effect."""
        duplicates = len(envelopes) - len(claimed)
        if duplicates:
            metrics.INBOX_DUPLICATES.labels(self._consumer).inc(duplicates)
        by_id = {envelope.id: envelope for envelope in envelopes}
        return [envelope for event_id, envelope in by_id.items() if event_id in claimed]

    async def _apply_all(
        self,
        session: "AsyncSession",
        envelopes: Sequence[Envelope],
        progress: dict[SubjectKey, int],
        held: Sequence[HeldEvent] = (),
    ) -> list[UnitOfWork]:
        """Apply what may be applied, hold the rest.

        Args:
            session: an open transaction.
            envelopes: events that have not had their effect yet.
            progress: the last applied number of their subjects, whose rows are locked.
            held: events that wait for these subjects.
        """
        if not envelopes:
            return []
        works = (
            await self._apply_in_order(session, envelopes, progress, held)
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
        self,
        session: "AsyncSession",
        envelopes: Sequence[Envelope],
        progress: dict[SubjectKey, int],
        held: Sequence[HeldEvent],
    ) -> list[UnitOfWork]:
        waiting: dict[SubjectKey, dict[int, list[Envelope]]] = defaultdict(
            lambda: defaultdict(list)
        )
        for envelope in envelopes:
            waiting[envelope.aggregate, envelope.subject][envelope.sequence].append(envelope)
        self._tell_passed(envelopes, progress)
        for one in held:
            envelope = Envelope.from_bytes(one.body)
            waiting[one.aggregate, one.subject][one.sequence].append(envelope)
        works: list[UnitOfWork] = []
        reached: dict[SubjectKey, int] = {}
        for key, by_sequence in waiting.items():
            for sequence in _without_hole(progress[key], by_sequence):
                works.extend([await self._apply(session, item) for item in by_sequence[sequence]])
                progress[key] = reached[key] = sequence
        applied = {work.origin.causation_id for work in works}
        await self._release(session, [one.event_id for one in held if str(one.event_id) in applied])
        ahead = [
            envelope
            for envelope in envelopes
            if envelope.sequence > progress[envelope.aggregate, envelope.subject]
        ]
        write_with_commit(session, [self._holds(ahead), self._advances(reached)])
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

    def _advances(self, reached: dict[SubjectKey, int]) -> Step:
        return self._statements.advance, [
            {"of_aggregate": aggregate, "of_subject": subject, "reached": sequence}
            for (aggregate, subject), sequence in reached.items()
        ]

    # -- held events ---------------------------------------------------------------------------

    def _holds(self, ahead: Iterable[Envelope]) -> Step:
        return self._statements.hold, [
            self._held_row(envelope, AHEAD, 0, None, None) for envelope in ahead
        ]

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
            (claimed,) = await together(session, self._claims([envelope]))
            if not self._fresh([envelope], {event_id for (event_id,) in claimed}):
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
        (due,) = await self._runtime.database.run(
            (self._statements.due, [{"now": self._runtime.clock.now(), "most": limit}])
        )
        for row in map(HeldEvent._make, due):
            if await self._retry(row):
                await self._drain(row.aggregate, row.subject)
        return len(due)

    async def _retry(self, row: HeldEvent) -> bool:
        """Try one held event again; True when it has had its effect."""
        attempts = row.attempts + 1
        if not await self._begin_try(row):
            return False
        envelope = Envelope.from_bytes(row.body)
        try:
            async with self._runtime.database.transaction() as session:
                progress: dict[SubjectKey, int] = {}
                if self._subscriptions.ordered:
                    # Progress before held rows, as in a batch: the other way round they deadlock.
                    key = (envelope.aggregate, envelope.subject)
                    (locked,) = await together(session, self._locks([key]))
                    progress[key] = locked[0][2]
                if not await self._release(session, [envelope.id]):
                    return False  # another worker was faster
                works = await self._apply_all(session, [envelope], progress)
        except DatabaseUnavailable:
            raise
        except Exception as error:  # noqa: BLE001 - recorded and tried again, never lost
            state, reason = self._failed(envelope, error, attempts=attempts)
            await self._end_try(row, attempts, state=state, reason=reason)
            return False
        self._committed(works)
        return bool(works)

    async def _begin_try(self, row: HeldEvent) -> bool:
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

    async def _end_try(self, row: HeldEvent, attempts: int, *, state: str, reason: str) -> None:
        next_try = None if state == PARKED else self._runtime.clock.now() + pause_after(attempts)
        await self._change_held(row, attempts, state=state, next_try_at=next_try, reason=reason)

    async def _change_held(self, row: HeldEvent, seen_attempts: int, **changes: Any) -> bool:
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
        subject_key = {"of_aggregate": aggregate, "of_subject": subject}
        while True:
            (found,) = await self._runtime.database.run(
                (self._statements.next_ahead, [subject_key])
            )
            if not found or not await self._retry(HeldEvent(*found[0])):
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
