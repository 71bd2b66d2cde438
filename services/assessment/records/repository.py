"""Stores records as blocks beside the events they are made of, and reads them by cohort."""

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from uuid import UUID

import numpy as np
import sqlalchemy as sa
from sqlalchemy.dialects import sqlite
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel.ext.asyncio.session import AsyncSession

from services.assessment.events.domain import CASE, StoredEvent
from services.assessment.events.repository import LOG, stored_of, told_by
from services.assessment.records.domain import (
    RECORD,
    RECORDED_TYPES,
    Records,
    cohort_bounds,
    cohort_of,
    record_of,
    records,
    unit_key,
)
from services.assessment.records.models import RecordBlock, RecordedUnit
from shared.events.dispatch import CaseDispatched
from shared.events.envelope import Envelope

BLOCKS: sa.Table = RecordBlock.__table__  # type: ignore[attr-defined]
UNITS: sa.Table = RecordedUnit.__table__  # type: ignore[attr-defined]

RECORDS_A_BLOCK = 4_096
EVENTS_A_READING = 5_000
BLOCKS_A_FETCH = 10_000

_APPEND_POSTGRES = sa.text(
    f"WITH named AS (INSERT INTO {UNITS.name} (key, code)"  # noqa: S608 - names of our own
    " SELECT * FROM unnest(CAST(:keys AS bigint[]), CAST(:codes AS text[]))"
    " ON CONFLICT DO NOTHING)"
    f" INSERT INTO {BLOCKS.name} (cohort, amount, records)"
    " SELECT * FROM unnest(CAST(:cohorts AS integer[]), CAST(:amounts AS integer[]),"
    " CAST(:records AS bytea[]))"
)

RecordRow = tuple[int, ...]


class RecordStore:
    """The record blocks and the codes of units."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def append(self, envelopes: Iterable[Envelope]) -> None:
        """Store the records of a batch of events, with the events' own transaction.

        What this program cannot read yet is left to a rebuild by the program that can.
        """
        told = (told_by(item) for item in envelopes if item.type in RECORDED_TYPES)
        await self.put([event for event in told if event is not None])

    async def put(self, events: Sequence[StoredEvent]) -> int:
        """Store the records of events about cases; how many there were."""
        cohorts: dict[int, list[RecordRow]] = {}
        units: dict[int, str] = {}
        for stored in events:
            row = _record(stored)
            if row is not None:
                cohorts.setdefault(cohort_of(UUID(stored.subject)), []).append(row)
            if isinstance(stored.event, CaseDispatched):
                units[unit_key(stored.event.unit)] = stored.event.unit
        if cohorts:
            await self._put(cohorts, units)
        return sum(map(len, cohorts.values()))

    async def _put(self, cohorts: dict[int, list[RecordRow]], units: dict[int, str]) -> None:
        blocks = [
            (cohort, len(part), records(part).tobytes())
            for cohort, rows in sorted(cohorts.items())
            for part in _parts(rows)
        ]
        connection = await self._session.connection()
        if connection.dialect.name == "sqlite":
            await self._put_in_sqlite(connection, blocks, units)
            return
        named = sorted(units.items())
        columns = {
            "keys": [key for key, _ in named],
            "codes": [code for _, code in named],
            "cohorts": [cohort for cohort, _, _ in blocks],
            "amounts": [amount for _, amount, _ in blocks],
            "records": [data for _, _, data in blocks],
        }
        await connection.execute(_APPEND_POSTGRES, columns)

    @staticmethod
    async def _put_in_sqlite(
        connection: AsyncConnection, blocks: list[tuple[int, int, bytes]], units: dict[int, str]
    ) -> None:
        if units:
            statement = sqlite.insert(UNITS).on_conflict_do_nothing()
            await connection.execute(
                statement, [{"key": key, "code": code} for key, code in units.items()]
            )
        rows = [dict(zip(("cohort", "amount", "records"), row, strict=True)) for row in blocks]
        await connection.execute(sa.insert(BLOCKS), rows)

    async def next_cohort(self, after: int | None) -> int | None:
        """The first cohort behind another one of which events are stored."""
        statement = sa.select(LOG.c.case_id).where(LOG.c.case_id.is_not(None))
        if after is not None:
            statement = statement.where(LOG.c.case_id > cohort_bounds(after)[1])
        connection = await self._session.connection()
        found = (await connection.execute(statement.order_by(LOG.c.case_id).limit(1))).scalar()
        return None if found is None else cohort_of(found)

    async def rebuild_cohort(self, cohort: int) -> int:
        """Make the blocks of a cohort anew from the stored events; how many records they have.

        A block is committed with its events: the events of every block that is taken away here are
        seen when they are read afterwards, and what arrives in between is recorded twice, which
        changes nothing.
        """
        connection = await self._session.connection()
        await connection.execute(sa.delete(BLOCKS).where(BLOCKS.c.cohort == cohort))
        kept, last = 0, None
        while True:
            rows = await self._events_of(cohort, last)
            events = (stored_of(row) for row in rows)
            kept += await self.put([event for event in events if event is not None])
            if len(rows) < EVENTS_A_READING:
                return kept
            last = (rows[-1].case_id, rows[-1].event_id)

    async def _events_of(
        self, cohort: int, last: tuple[UUID, UUID] | None
    ) -> Sequence[sa.Row[Any]]:
        statement = (
            sa.select(LOG)
            .where(
                LOG.c.case_id.between(*cohort_bounds(cohort)),
                LOG.c.aggregate == CASE,
                LOG.c.type.in_(sorted(RECORDED_TYPES)),
            )
            .order_by(LOG.c.case_id, LOG.c.event_id)
            .limit(EVENTS_A_READING)
        )
        if last is not None:
            statement = statement.where(sa.tuple_(LOG.c.case_id, LOG.c.event_id) > last)
        connection = await self._session.connection()
        return (await connection.execute(statement)).all()


class RecordReader:
    """Reads whole cohorts over a connection of its own, for processes that fold beside each other.

    Args:
        url: SQLAlchemy URL of the service's database.
    """

    def __init__(self, url: str) -> None:
        made = sa.make_url(url)
        if made.get_backend_name() == "sqlite":
            made = made.set(drivername="sqlite")
        self._engine = sa.create_engine(made, poolclass=sa.NullPool)

    def cohorts(self) -> list[tuple[int, int]]:
        """Every cohort with the number of its records, repeated ones included; oldest first."""
        statement = (
            sa.select(BLOCKS.c.cohort, sa.func.sum(BLOCKS.c.amount))
            .group_by(BLOCKS.c.cohort)
            .order_by(BLOCKS.c.cohort)
        )
        with self._engine.connect() as connection:
            return [(cohort, int(amount)) for cohort, amount in connection.execute(statement)]

    def units(self) -> dict[int, str]:
        """The codes of units by their keys."""
        with self._engine.connect() as connection:
            return {key: code for key, code in connection.execute(sa.select(UNITS))}  # noqa: C416

    def read(self, first: int, last: int) -> Records:
        """All records of these cohorts and those between them, in the order in which they came."""
        with self._engine.connect() as connection:
            return np.frombuffer(b"".join(self._blocks(connection, first, last)), dtype=RECORD)

    @staticmethod
    def _blocks(connection: sa.Connection, first: int, last: int) -> Iterator[bytes]:
        table, between = BLOCKS.name, "cohort BETWEEN %s AND %s"
        select = f"SELECT records FROM {table} WHERE {between}"  # noqa: S608 - a name of our own
        driver = connection.connection.driver_connection
        if connection.dialect.name == "sqlite":
            found = driver.execute(select.replace("%s", "?"), (first, last))  # type: ignore[union-attr]
        else:
            # As bytes: what the driver reads as text is twice as long.
            found = driver.cursor(binary=True)  # type: ignore[union-attr]
            found.execute(select, (first, last))
        with contextlib.closing(found):
            while rows := found.fetchmany(BLOCKS_A_FETCH):
                yield from (row[0] for row in rows)


def _record(stored: StoredEvent) -> RecordRow | None:
    return record_of(
        stored.event, case_id=UUID(stored.subject), sequence=stored.sequence, at=stored.at
    )


def _parts(rows: list[RecordRow]) -> Iterator[list[RecordRow]]:
    for first in range(0, len(rows), RECORDS_A_BLOCK):
        yield rows[first : first + RECORDS_A_BLOCK]
