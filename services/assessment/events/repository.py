"""Appends to the event store in one statement a batch, and reads it back by subject."""

import json
from collections.abc import Collection, Iterable, Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa
import structlog
from pydantic import ValidationError
from sqlalchemy.dialects import sqlite
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from services.assessment.events.domain import CASE, FOLDED, StoredEvent, case_of
from services.assessment.events.models import LoggedEvent, RefoldMark
from shared.events.envelope import Envelope, Event
from shared.events.registry import event_classes

SubjectKey = tuple[str, str]

LOG: sa.Table = LoggedEvent.__table__  # type: ignore[attr-defined]
MARKS: sa.Table = RefoldMark.__table__  # type: ignore[attr-defined]

log = structlog.get_logger()

_POSTGRES_TYPES = {
    "event_id": "uuid",
    "type": "text",
    "aggregate": "text",
    "subject": "text",
    "sequence": "integer",
    "case_id": "uuid",
    "happened_at": "timestamptz",
    "actor_id": "text",
    "actor_role": "text",
    "actor_unit": "text",
    "correlation_id": "text",
    "causation_id": "text",
    "data": "jsonb",
}


def _append_by_column() -> sa.TextClause:
    """One statement for a batch of any size: an array a column, so nothing is compiled per row."""
    names = ", ".join(_POSTGRES_TYPES)
    arrays = ", ".join(f"CAST(:{name} AS {kind}[])" for name, kind in _POSTGRES_TYPES.items())
    # Names and types stand above in this file; values are bound.
    return sa.text(
        f"INSERT INTO {LOG.name} ({names}) SELECT * FROM unnest({arrays})"  # noqa: S608
        " ON CONFLICT (event_id) DO NOTHING"
    )


_APPEND_POSTGRES = _append_by_column()
_APPEND_SQLITE = sqlite.insert(LOG).on_conflict_do_nothing(index_elements=[LOG.c.event_id])
_MARK_POSTGRES = sa.text(
    f"INSERT INTO {MARKS.name} (aggregate, subject)"  # noqa: S608 - a name of our own
    " SELECT * FROM unnest(CAST(:aggregate AS text[]), CAST(:subject AS text[]))"
)


class EventStore:
    """The stored events of all services, and the marks on subjects with news."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def append(self, envelopes: Sequence[Envelope]) -> None:
        """Store a batch and mark its subjects; what is stored already stays as it is."""
        rows = [_row(envelope) for envelope in envelopes]
        connection = await self._session.connection()
        if _is_sqlite(connection):
            await connection.execute(_APPEND_SQLITE, rows)
        else:
            columns: dict[str, list[Any]] = {
                name: [row[name] for row in rows] for name in _POSTGRES_TYPES
            }
            columns["data"] = [json.dumps(data, ensure_ascii=False) for data in columns["data"]]
            await connection.execute(_APPEND_POSTGRES, columns)
        await self.mark(_subjects(rows))

    async def mark(self, subjects: Iterable[SubjectKey]) -> None:
        """Have these subjects folded again."""
        keys = sorted(set(subjects))
        if not keys:
            return
        connection = await self._session.connection()
        if _is_sqlite(connection):
            rows = [{"aggregate": aggregate, "subject": subject} for aggregate, subject in keys]
            await connection.execute(sa.insert(MARKS), rows)
            return
        columns = {
            "aggregate": [aggregate for aggregate, _ in keys],
            "subject": [subject for _, subject in keys],
        }
        await connection.execute(_MARK_POSTGRES, columns)

    async def take_marks(self, limit: int) -> tuple[int, set[SubjectKey]]:
        """Take the oldest marks off the list: how many, and the subjects that they name."""
        oldest = (
            sa.select(MARKS.c.position)
            .order_by(MARKS.c.position)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        statement = (
            sa.delete(MARKS)
            .where(MARKS.c.position.in_(oldest))
            .returning(MARKS.c.aggregate, MARKS.c.subject)
        )
        connection = await self._session.connection()
        rows = (await connection.execute(statement)).all()
        return len(rows), {(row.aggregate, row.subject) for row in rows}

    async def count_marks(self) -> int:
        connection = await self._session.connection()
        return int(
            (await connection.execute(sa.select(sa.func.count()).select_from(MARKS))).scalar_one()
        )

    async def of_cases(self, case_ids: Collection[UUID]) -> dict[UUID, list[StoredEvent]]:
        """Everything that was told about these cases, by whichever service."""
        grouped: dict[UUID, list[StoredEvent]] = {case_id: [] for case_id in case_ids}
        for row in await self._read(col(LoggedEvent.case_id).in_(list(case_ids))):
            stored = stored_of(row)
            if stored is not None:
                grouped[row.case_id].append(stored)
        return grouped

    async def of_subjects(
        self, subjects: Collection[SubjectKey]
    ) -> dict[SubjectKey, list[StoredEvent]]:
        """Everything that was told about these subjects."""
        grouped: dict[SubjectKey, list[StoredEvent]] = {key: [] for key in subjects}
        by_aggregate: dict[str, list[str]] = {}
        for aggregate, subject in subjects:
            by_aggregate.setdefault(aggregate, []).append(subject)
        for aggregate, names in by_aggregate.items():
            condition = sa.and_(LOG.c.aggregate == aggregate, LOG.c.subject.in_(names))
            for row in await self._read(condition):
                stored = stored_of(row)
                if stored is not None:
                    grouped[aggregate, row.subject].append(stored)
        return grouped

    async def subjects_after(
        self, cursor: UUID | None, limit: int
    ) -> tuple[UUID | None, set[SubjectKey]]:
        """Walk through the store: the last event id of a step or None at the end, its subjects."""
        statement = (
            sa.select(LOG.c.event_id, LOG.c.aggregate, LOG.c.subject, LOG.c.case_id)
            .order_by(LOG.c.event_id)
            .limit(limit)
        )
        if cursor is not None:
            statement = statement.where(LOG.c.event_id > cursor)
        connection = await self._session.connection()
        rows = (await connection.execute(statement)).all()
        last = rows[-1].event_id if len(rows) == limit else None
        return last, _subjects([row._asdict() for row in rows])

    async def counts_by_type(self) -> dict[str, int]:
        """How many different facts of each type are stored; one told under two ids counts once."""
        fact = sa.select(LOG.c.type, LOG.c.subject, LOG.c.sequence).distinct().subquery()
        statement = sa.select(fact.c.type, sa.func.count()).group_by(fact.c.type)
        connection = await self._session.connection()
        rows = (await connection.execute(statement.order_by(fact.c.type))).all()
        return {row[0]: row[1] for row in rows}

    async def _read(self, condition: Any) -> Sequence[sa.Row[Any]]:
        connection = await self._session.connection()
        return (await connection.execute(sa.select(LOG).where(condition))).all()


def _is_sqlite(connection: AsyncConnection) -> bool:
    return connection.dialect.name == "sqlite"


def _row(envelope: Envelope) -> dict[str, Any]:
    return {
        "event_id": envelope.id,
        "type": envelope.type,
        "aggregate": envelope.aggregate,
        "subject": envelope.subject,
        "sequence": envelope.sequence,
        "case_id": case_of(envelope.aggregate, envelope.subject, envelope.data),
        "happened_at": envelope.time,
        "actor_id": envelope.actorid,
        "actor_role": envelope.actorrole,
        "actor_unit": envelope.actorunit,
        "correlation_id": envelope.correlationid,
        "causation_id": envelope.causationid,
        "data": envelope.data,
    }


def _subjects(rows: Iterable[dict[str, Any]]) -> set[SubjectKey]:
    keys: set[SubjectKey] = set()
    for row in rows:
        if row["aggregate"] in FOLDED:
            keys.add((row["aggregate"], row["subject"]))
        if row["case_id"] is not None:
            keys.add((CASE, str(row["case_id"])))
    return keys


def stored_of(row: Any) -> StoredEvent | None:
    """The typed event of a row; None for a type or form that this program does not know yet.

    It stays in the store and is read by the program that knows it, after a rebuild.
    """
    event = _typed(row.type, row.data, row.event_id)
    if event is None:
        return None
    return StoredEvent(
        event_id=row.event_id,
        aggregate=row.aggregate,
        subject=row.subject,
        sequence=row.sequence,
        at=row.happened_at,
        actor_id=row.actor_id,
        actor_role=row.actor_role,
        event=event,
    )


def told_by(envelope: Envelope) -> StoredEvent | None:
    """The event of an envelope as it will be read from the store, None likewise."""
    event = _typed(envelope.type, envelope.data, envelope.id)
    if event is None:
        return None
    return StoredEvent(
        event_id=envelope.id,
        aggregate=envelope.aggregate,
        subject=envelope.subject,
        sequence=envelope.sequence,
        at=envelope.time,
        actor_id=envelope.actorid,
        actor_role=envelope.actorrole,
        event=event,
    )


def _typed(type_: str, data: dict[str, Any], event_id: UUID) -> Event | None:
    event_class = event_classes().get(type_)
    if event_class is None:
        log.warning("events.not_known", event_id=str(event_id), type=type_)
        return None
    try:
        return event_class.model_validate(data)
    except ValidationError as error:
        log.warning("events.not_readable", event_id=str(event_id), faults=error.error_count())
        return None
