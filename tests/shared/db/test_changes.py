"""What a session has added and changed is written as its own flush would write it."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Self
from uuid import UUID

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import registry
from sqlalchemy.orm.exc import StaleDataError
from sqlmodel import Field, SQLModel, col, select

from shared.db import Aggregate, enum_column, json_column
from shared.db.changes import next_version, objects_of, write_changes
from shared.db.core import execute
from shared.db.database import Database
from shared.db.pipeline import Statement, together

metadata = sa.MetaData()
_registry = registry(metadata=metadata)
NOON = datetime(2026, 6, 1, 4, tzinfo=UTC)


class Colour(StrEnum):
    RED = "red"
    GREEN = "green"


class Root(Aggregate, registry=_registry):
    __abstract__ = True


class Plain(SQLModel, registry=_registry):
    __abstract__ = True


class Signal(Root, table=True):
    __tablename__ = "changed_signals"

    name: str = Field(max_length=20, unique=True)
    colour: Colour = Field(sa_column=sa.Column(enum_column(Colour), nullable=False))
    since: datetime | None = None
    notes: list[str] = Field(
        default_factory=list, sa_column=sa.Column(json_column(), nullable=False)
    )


class SignalArm(Plain, table=True):
    """Its table sorts before the one that it refers to."""

    __tablename__ = "changed_arms"

    signal_id: UUID = Field(primary_key=True, foreign_key="changed_signals.id")
    number: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    length: int = 1


class Visit(Plain, table=True):
    __tablename__ = "changed_visits"

    number: int | None = Field(default=None, primary_key=True)
    name: str


OF_SIGNAL = Statement(
    sa.select(metadata.tables["changed_signals"]).where(
        metadata.tables["changed_signals"].c.id == sa.bindparam("id", type_=sa.Uuid())
    )
)


class Signals:
    """Signals in a database."""

    def __init__(self, database: Database) -> None:
        self.database = database

    @classmethod
    async def on(cls, url: str) -> Self:
        database = Database(url, pool_size=3)
        async with database.engine.begin() as connection:
            await connection.run_sync(metadata.drop_all)
            await connection.run_sync(metadata.create_all)
        return cls(database)

    async def add(self, *rows: Any) -> None:
        async with self.database.transaction() as session:
            session.add_all(rows)
            await write_changes(session)

    async def stored(self, model: Any) -> list[Any]:
        async with self.database.reading() as session:
            return list((await session.exec(select(model))).all())


@pytest.fixture
async def signals(database_url: str) -> AsyncIterator[Signals]:
    found = await Signals.on(database_url)
    yield found
    await found.database.close()


def signal(name: str = "north", **values: Any) -> Signal:
    return Signal(name=name, colour=Colour.RED, **values)


async def test_a_changed_row_is_stored_with_the_next_version(signals: Signals) -> None:
    await signals.add(signal(notes=["old"]))

    async with signals.database.transaction() as session:
        row = (await session.exec(select(Signal))).one()
        row.colour, row.since, row.notes = Colour.GREEN, NOON, ["new", "井"]
        await write_changes(session)

    (found,) = await signals.stored(Signal)
    assert (found.version, found.colour, found.since, found.notes) == (
        2,
        Colour.GREEN,
        NOON,
        ["new", "井"],
    )


async def test_a_row_that_is_set_to_what_it_was_is_not_written(signals: Signals) -> None:
    await signals.add(signal())

    async with signals.database.transaction() as session:
        row = (await session.exec(select(Signal))).one()
        row.colour = Colour.GREEN
        row.colour = Colour.RED
        assert next_version(row) == 1
        await write_changes(session)

    assert [row.version for row in await signals.stored(Signal)] == [1]


async def test_of_two_who_change_the_same_row_the_second_is_refused(signals: Signals) -> None:
    await signals.add(signal(), signal("south"))

    async with signals.database.reading() as late:
        seen = {row.name: row for row in (await late.exec(select(Signal))).all()}
    async with signals.database.transaction() as early:
        for row in (await early.exec(select(Signal))).all():
            row.since = NOON
        await write_changes(early)

    with pytest.raises(StaleDataError):
        await _write_late(signals, seen)

    stored = {row.name: row for row in await signals.stored(Signal)}
    assert {name: (row.colour, row.version) for name, row in stored.items()} == {
        "north": (Colour.RED, 2),
        "south": (Colour.RED, 2),
    }
    assert await signals.stored(SignalArm) == []


async def _write_late(signals: Signals, seen: dict[str, Signal]) -> None:
    async with signals.database.transaction() as session:
        for row in seen.values():
            session.add(row)
            row.colour = Colour.GREEN
        session.add(SignalArm(signal_id=seen["north"].id, number=1))
        await write_changes(session)


async def test_the_version_told_beforehand_is_the_one_that_is_stored(signals: Signals) -> None:
    await signals.add(signal())

    async with signals.database.transaction() as session:
        row = (await session.exec(select(Signal))).one()
        row.colour = Colour.GREEN
        told = next_version(row)
        # Whatever changes after that goes out in the same write.
        row.since = NOON
        assert next_version(row) == told
        await write_changes(session)

    assert [(row.version, row.since) for row in await signals.stored(Signal)] == [(told, NOON)]


async def test_the_version_told_beforehand_holds_if_the_session_flushes_itself(
    signals: Signals,
) -> None:
    await signals.add(signal())

    async with signals.database.transaction() as session:
        row = (await session.exec(select(Signal))).one()
        row.colour = Colour.GREEN
        told = next_version(row)
        await session.flush()
        await write_changes(session)

    assert [row.version for row in await signals.stored(Signal)] == [told]


async def test_what_is_referred_to_is_written_first(signals: Signals) -> None:
    row = signal()
    await signals.add(
        SignalArm(signal_id=row.id, number=1), SignalArm(signal_id=row.id, number=2), row
    )

    assert sorted(arm.number for arm in await signals.stored(SignalArm)) == [1, 2]


async def test_what_refers_is_deleted_first(signals: Signals) -> None:
    row = signal()
    await signals.add(row, SignalArm(signal_id=row.id, number=1))

    async with signals.database.transaction() as session:
        rows = [(await session.exec(select(model))).one() for model in (Signal, SignalArm)]
        for read in rows:
            await session.delete(read)
        await write_changes(session)

    assert [*await signals.stored(Signal), *await signals.stored(SignalArm)] == []


async def test_a_name_that_one_row_gives_up_another_may_take(signals: Signals) -> None:
    await signals.add(signal("north"))

    async with signals.database.transaction() as session:
        row = (await session.exec(select(Signal))).one()
        row.name = "old north"
        session.add(signal("north"))
        await write_changes(session)

    assert sorted(row.name for row in await signals.stored(Signal)) == ["north", "old north"]


async def test_a_refusal_of_the_database_is_one_of_integrity(signals: Signals) -> None:
    await signals.add(signal("north"))

    with pytest.raises(IntegrityError):
        await signals.add(signal("south"), signal("north"))

    assert [row.name for row in await signals.stored(Signal)] == ["north"]


async def test_numbers_that_the_database_gives_are_left_to_the_session(signals: Signals) -> None:
    await signals.add(Visit(name="first"), Visit(name="second"))

    assert sorted(visit.name for visit in await signals.stored(Visit)) == ["first", "second"]


async def test_rows_become_objects_that_can_be_changed(signals: Signals) -> None:
    row = signal(since=NOON, notes=["a"])
    await signals.add(row)

    async with signals.database.transaction() as session:
        (rows,) = await together(session, (OF_SIGNAL, [{"id": row.id}]))
        (read,) = objects_of(session.sync_session, Signal, rows)
        assert (read.colour, read.since, read.notes) == (Colour.RED, NOON, ["a"])
        assert read is await session.get(Signal, row.id)
        read.since = NOON + timedelta(hours=1)
        (again,) = objects_of(session.sync_session, Signal, rows)
        assert again.since == NOON + timedelta(hours=1)
        await write_changes(session)

    (found,) = await signals.stored(Signal)
    assert (found.version, found.since) == (2, NOON + timedelta(hours=1))


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.integers(0, 5), st.sampled_from(Colour)),
        st.tuples(st.just("change"), st.integers(0, 5), st.sampled_from(Colour)),
        st.tuples(st.just("delete"), st.integers(0, 5), st.none()),
        st.tuples(st.just("arm"), st.integers(0, 5), st.integers(1, 9)),
    ),
    max_size=12,
)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(first=STEPS, second=STEPS)
async def test_it_stores_what_the_session_itself_would(
    signals: Signals, first: list[Any], second: list[Any]
) -> None:
    """Two units of work, once written by us and once by the session's own flush."""
    results = []
    for ours in (True, False):
        async with signals.database.transaction() as session:
            await execute(session, sa.delete(SignalArm))
            await execute(session, sa.delete(Signal))
        for steps in (first, second):
            async with signals.database.transaction() as session:
                await _take(session, steps)
                await (write_changes(session) if ours else session.flush())
        results.append(await _content(signals))
    assert results[0] == results[1]


async def _take(session: Any, steps: list[Any]) -> None:
    known = {row.name: row for row in (await session.exec(select(Signal))).all()}
    deleted = set()
    with session.no_autoflush:
        for what, number, value in steps:
            name = f"signal {number}"
            row = known.get(name)
            if what == "add" and row is None and name not in deleted:
                row = known[name] = signal(name)
                row.colour = value
                session.add(row)
            elif what == "change" and row is not None:
                row.colour = value
            elif what == "arm" and row is not None:
                await _arm(session, row, value)
            elif what == "delete" and row is not None and not await _has_arms(session, row):
                if row in session.new:
                    session.expunge(row)
                else:
                    await session.delete(row)
                del known[name]
                # Neither way makes room for a new one of the same name in the same write.
                deleted.add(name)


async def _arm(session: Any, row: Signal, length: int) -> None:
    arm = await session.get(SignalArm, (row.id, 1))
    if arm is None and not any(
        isinstance(new, SignalArm) and new.signal_id == row.id for new in session.new
    ):
        session.add(SignalArm(signal_id=row.id, number=1, length=length))
    elif arm is not None:
        arm.length = length


async def _has_arms(session: Any, row: Signal) -> bool:
    pending = any(isinstance(new, SignalArm) and new.signal_id == row.id for new in session.new)
    stored = (
        await session.exec(select(SignalArm).where(col(SignalArm.signal_id) == row.id))
    ).first()
    return pending or stored is not None


async def _content(signals: Signals) -> list[Any]:
    rows = {row.id: row for row in await signals.stored(Signal)}
    arms = [(rows[arm.signal_id].name, arm.length) for arm in await signals.stored(SignalArm)]
    return [sorted((row.name, row.colour, row.version) for row in rows.values()), sorted(arms)]
