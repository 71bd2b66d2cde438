"""What the inbox asks of its tables for every batch, built once for each consumer."""

from typing import Any, NamedTuple
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from shared.db.pipeline import Statement
from shared.db.tables import KernelTables

AHEAD = "ahead"
RETRY = "retry"
PARKED = "parked"


class HeldEvent(NamedTuple):
    """A held event, as far as trying it again needs to know."""

    event_id: UUID
    aggregate: str
    subject: str
    sequence: int
    body: bytes
    state: str
    attempts: int


class InboxStatements:
    """The statements of one consumer.

    Attributes:
        claim: gives back the `event_id` if it was not there before.
        lock: locks the progress of a subject, begun at 0; gives `aggregate`, `subject`, `sequence`.
        recall: events that wait for a subject, but for those tried before by themselves.
        advance: the number that a subject has `reached`.
        hold: keeps an event, unless it is held already.
        due: events to be tried again `now`, at most `most`.
        next_ahead: the event whose turn is next of a subject.
    """

    def __init__(self, tables: KernelTables, consumer: str, *, is_sqlite: bool) -> None:
        self._tables = tables
        self._consumer = consumer
        self._insert: Any = sqlite.insert if is_sqlite else postgresql.insert
        held = tables.inbox_held.c
        self._held = [held[name] for name in HeldEvent._fields]
        self.claim = self._claim()
        self.lock = self._lock()
        self.recall = self._recall()
        self.advance = self._advance()
        self.hold = self._hold()
        self.due = self._due()
        self.next_ahead = self._next_ahead()

    def _claim(self) -> Statement:
        table = self._tables.inbox
        return Statement(
            self._insert(table).on_conflict_do_nothing().returning(table.c.event_id),
            ("consumer", "event_id", "received_at"),
        )

    def _lock(self) -> Statement:
        table = self._tables.inbox_progress
        return Statement(
            self._insert(table)
            .on_conflict_do_update(
                index_elements=[table.c.consumer, table.c.aggregate, table.c.subject],
                # Setting a value to itself takes the row lock that DO NOTHING would not take.
                set_={"sequence": table.c.sequence},
            )
            .returning(table.c.aggregate, table.c.subject, table.c.sequence),
            ("consumer", "aggregate", "subject", "sequence"),
        )

    def _recall(self) -> Statement:
        held = self._tables.inbox_held.c
        return Statement(
            sa.select(*self._held).where(
                held.consumer == self._consumer,
                held.aggregate == sa.bindparam("aggregate"),
                held.subject == sa.bindparam("subject"),
                held.state == AHEAD,
                held.attempts == 0,
            )
        )

    def _advance(self) -> Statement:
        table = self._tables.inbox_progress
        return Statement(
            sa.update(table)
            .where(
                table.c.consumer == self._consumer,
                table.c.aggregate == sa.bindparam("of_aggregate"),
                table.c.subject == sa.bindparam("of_subject"),
            )
            .values(sequence=sa.bindparam("reached"))
        )

    def _hold(self) -> Statement:
        table = self._tables.inbox_held
        return Statement(self._insert(table).on_conflict_do_nothing(), tuple(table.c.keys()))

    def _due(self) -> Statement:
        """Due is also what waited for an event that was applied since."""
        held, progress = self._tables.inbox_held, self._tables.inbox_progress
        now = sa.bindparam("now", type_=held.c.next_try_at.type)
        its_turn = sa.exists().where(
            progress.c.consumer == held.c.consumer,
            progress.c.aggregate == held.c.aggregate,
            progress.c.subject == held.c.subject,
            progress.c.sequence >= held.c.sequence - 1,
        )
        return Statement(
            sa.select(*self._held)
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
            .limit(sa.bindparam("most", type_=sa.Integer()))
        )

    def _next_ahead(self) -> Statement:
        held, progress = self._tables.inbox_held, self._tables.inbox_progress
        return Statement(
            sa.select(*self._held)
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
                held.c.aggregate == sa.bindparam("of_aggregate"),
                held.c.subject == sa.bindparam("of_subject"),
                held.c.state == AHEAD,
            )
            .limit(1)
        )
