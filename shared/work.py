"""A unit of work: one transaction with the papers and messages that belong to it."""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel.ext.asyncio.session import AsyncSession

from shared.clock import Clock
from shared.db.changes import next_version, write_changes
from shared.db.database import Database, write_with_commit
from shared.db.pipeline import Rows, Step, insertions, together
from shared.db.tables import Aggregate, KernelTables
from shared.events.envelope import SCHEMA_BASE, Envelope, Event
from shared.ids import uuid7


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does it: a person, another system, a rule of the city pack or the program itself.

    Attributes:
        id: account id, client id, `rule:<name>` or `service:<name>`.
        role: the role in which it is done, if a person or system.
        unit: code of the unit for which it is done, if any.
    """

    id: str
    role: str | None = None
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a unit of work comes from; carried on in every event it tells."""

    correlation_id: str
    causation_id: str | None = None
    traceparent: str | None = None
    source_address: str | None = None


@dataclass
class UnitOfWork:
    """What a command or a handler works with; everything in it commits or vanishes together.

    While `optimistic`, a command may take what it adds to be new without looking: if a constraint
    says otherwise, everything is undone and the command runs once more, not optimistic any longer.

    The append-only rows (events told, journal, audit) are collected and written in one go just
    before the
    commit: `flush()` is called by the edge, never by application code.
    """

    service: str
    session: AsyncSession
    tables: KernelTables
    clock: Clock
    actor: Actor
    origin: Origin
    database: Database | None = None
    optimistic: bool = False
    told_events: int = 0
    _appended: dict[sa.Table, list[dict[str, Any]]] = field(default_factory=dict)

    @contextlib.contextmanager
    def acting_as(self, actor: Actor) -> Iterator[None]:
        """Record and tell what is done within under another name, e.g. that of a rule."""
        before, self.actor = self.actor, actor
        try:
            yield
        finally:
            self.actor = before

    def now(self) -> datetime:
        return self.clock.now()

    def tell(self, aggregate: Aggregate, event: Event, *, at: datetime | None = None) -> UUID:
        """Tell the other services a fact about `aggregate`; it leaves once this work has committed.

        Args:
            aggregate: the row it is about; its `event_sequence` is raised.
            event: what happened.
            at: when it happened, if not now.

        Returns:
            The id of the event.
        """
        aggregate.event_sequence += 1
        happened_at = at or self.now()
        envelope = Envelope(
            id=uuid7(),
            source=f"/{self.service}",
            type=event.TYPE,
            time=happened_at,
            subject=str(aggregate.id),
            dataschema=SCHEMA_BASE + event.TYPE,
            sequence=aggregate.event_sequence,
            correlationid=self.origin.correlation_id,
            causationid=self.origin.causation_id,
            traceparent=self.origin.traceparent,
            actorid=self.actor.id,
            actorrole=self.actor.role,
            actorunit=self.actor.unit,
            data=event.model_dump(mode="json"),
        )
        self._append(
            self.tables.outbox,
            event_id=envelope.id,
            type=event.TYPE,
            aggregate=event.aggregate(),
            subject=envelope.subject,
            sequence=envelope.sequence,
            body=envelope.to_bytes(),
            created_at=self.now(),
        )
        self.told_events += 1
        return envelope.id

    def record(
        self,
        aggregate: Aggregate,
        action: str,
        *,
        from_state: str | None = None,
        to_state: str | None = None,
        reason: str | None = None,
        details: Mapping[str, Any] | None = None,
    ) -> None:
        """Write into the journal of `aggregate`: who did what, when, from where to where, why."""
        self._append(
            self.tables.journal,
            id=uuid7(),
            aggregate=aggregate.__tablename__,
            subject=str(aggregate.id),
            at=self.now(),
            actor_id=self.actor.id,
            actor_role=self.actor.role,
            action=action,
            from_state=from_state,
            to_state=to_state,
            reason=reason,
            details=dict(details or {}),
            correlation_id=self.origin.correlation_id,
        )

    def audit(
        self, action: str, object_: str, *, succeeded: bool = True, reason: str | None = None
    ) -> None:
        """Leave a trace for the auditors, e.g. of personal data shown to somebody."""
        self._append(
            self.tables.audit,
            id=uuid7(),
            at=self.now(),
            actor_id=self.actor.id,
            actor_role=self.actor.role,
            source_address=self.origin.source_address,
            action=action,
            object=object_,
            succeeded=succeeded,
            reason=reason,
            correlation_id=self.origin.correlation_id,
        )

    def insert(self, table: sa.Table, **row: Any) -> None:
        """Add a row that nobody reads back within this work, e.g. a report as it comes in.

        Work that only inserts, tells and records is committed together with that of other callers,
        in one round trip, without a session.
        """
        self._append(table, **row)

    async def look_up(self, *steps: Step) -> list[Rows]:
        """Read what this work leaves as it is; the rows that each step gave.

        Nothing is locked by it, and where nothing else has been read or changed before, no session
        is begun for it either.
        """
        if self.database is None or self.database.is_sqlite or not self.only_appends:
            return await together(self.session, *steps)
        return await self.database.run(*steps)

    async def settle(self) -> None:
        """Send the changed rows now, so that their new version can be told to the caller."""
        await self.session.flush()

    @property
    def only_appends(self) -> bool:
        """Whether nothing was read or changed, so that no session is needed to commit it."""
        return not (self.session.in_transaction() or self.session.new or self.session.dirty)

    def take_appended(self) -> dict[sa.Table, list[dict[str, Any]]]:
        """The collected rows by table, in the order of their tables' first use; none are left."""
        appended, self._appended = self._appended, {}
        return appended

    def take_over(self, other: "UnitOfWork") -> None:
        """Write the rows of another work of the same session with those of this one."""
        for table, rows in other.take_appended().items():
            self._appended.setdefault(table, []).extend(rows)

    def next_version(self, aggregate: Aggregate) -> int:
        """The version that `aggregate` has once this work is committed, to be told beforehand."""
        return next_version(aggregate)

    async def flush(self) -> None:
        """Send what has changed to the database, and leave the collected rows to the commit.

        The last thing done before it: objects of the session are let go, as they were sent.

        Raises:
            StaleDataError: somebody else has changed what this work has read.
        """
        await write_changes(self.session)
        write_with_commit(self.session, insertions(self.take_appended()))

    def _append(self, table: sa.Table, **row: Any) -> None:
        self._appended.setdefault(table, []).append(row)
