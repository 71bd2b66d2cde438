"""Statements that are built once and sent many at a time."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from shared.db.columns import json_column
from shared.db.core import execute
from shared.db.database import Database, write_with_commit
from shared.db.pipeline import Statement, driver_of, insertions, together

metadata = sa.MetaData()
things = sa.Table(
    "piped_things",
    metadata,
    sa.Column("id", sa.Uuid(), primary_key=True),
    sa.Column("name", sa.String(40), nullable=False, unique=True),
    sa.Column("body", sa.LargeBinary()),
    sa.Column("details", json_column()),
    sa.Column("count", sa.BigInteger(), nullable=False, server_default="0"),
)

ADD_UP = Statement(
    sa.update(things)
    .where(things.c.name == sa.bindparam("of", type_=sa.String()))
    .values(count=things.c.count + sa.bindparam("more", type_=sa.BigInteger()))
)
NAMED = Statement(
    sa.select(things.c.id, things.c.count).where(
        things.c.name == sa.bindparam("of", type_=sa.String())
    )
)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    found = Database(database_url, pool_size=2)
    async with found.engine.begin() as connection:
        await connection.run_sync(metadata.drop_all)
        await connection.run_sync(metadata.create_all)
    yield found
    await found.close()


async def _add(database: Database, name: str) -> UUID:
    thing = uuid4()
    await database.append({things: [{"id": thing, "name": name, "body": b"\x00\xff"}]})
    return thing


async def _counts(database: Database) -> dict[str, int]:
    async with database.reading() as session:
        rows = await execute(session, sa.select(things.c.name, things.c.count))
        return {row.name: row.count for row in rows}


async def test_each_step_gives_its_rows_and_sees_what_went_before(database: Database) -> None:
    one, two = await _add(database, "one"), await _add(database, "two")

    async with database.transaction() as session:
        changed, found = await together(
            session,
            (ADD_UP, [{"of": "one", "more": 3}, {"of": "two", "more": 4}]),
            (NAMED, [{"of": "one"}, {"of": "nobody"}, {"of": "two"}]),
        )

    assert [*changed] == []
    assert [tuple(row) for row in found] == [(one, 3), (two, 4)]
    assert await _counts(database) == {"one": 3, "two": 4}


async def test_values_come_back_as_they_went_in(database: Database) -> None:
    row = {
        "id": uuid4(),
        "name": "井盖 \"'\\",
        "body": bytes(range(256)),
        "details": {"a": [1, None]},
    }
    async with database.transaction() as session:
        write_with_commit(session, insertions({things: [row]}))

    async with database.reading() as session:
        found = (await execute(session, sa.select(things))).one()
    assert found._asdict() == {**row, "count": 0}


async def test_a_refused_step_undoes_the_whole_transaction_and_the_next_one_works(
    database: Database,
) -> None:
    await _add(database, "one")

    again = insertions({things: [{"id": uuid4(), "name": "one"}]})

    async def at_once() -> None:
        async with database.transaction() as session:
            await together(session, (ADD_UP, [{"of": "one", "more": 1}]))
            await together(session, *again)

    async def with_the_commit() -> None:
        async with database.transaction() as session:
            await together(session, (ADD_UP, [{"of": "one", "more": 1}]))
            write_with_commit(session, again)

    for refused in (at_once, with_the_commit) * 3:
        with pytest.raises(sa.exc.IntegrityError):
            await refused()

    assert await _counts(database) == {"one": 0}


@pytest.mark.postgres
async def test_statements_stay_prepared_over_readings_and_refusals(postgres_url: str) -> None:
    database = Database(postgres_url, pool_size=1)
    async with database.engine.begin() as connection:
        await connection.run_sync(metadata.drop_all)
        await connection.run_sync(metadata.create_all)
    await _add(database, "one")
    for number in range(8):
        await _counts(database)
        with contextlib.suppress(sa.exc.IntegrityError):
            await _add(database, "one")
        async with database.transaction() as session:
            await together(session, (ADD_UP, [{"of": "one", "more": 1}]))
        assert await _counts(database) == {"one": number + 1}

    async with database.reading() as session:
        names = (
            await execute(session, sa.text("SELECT statement FROM pg_prepared_statements"))
        ).scalars()
        assert any("SELECT piped_things" in name for name in names)
    await database.close()


@pytest.mark.postgres
async def test_a_cancelled_caller_leaves_a_connection_that_works(postgres_url: str) -> None:
    database = Database(postgres_url, pool_size=1)
    slow = Statement(
        sa.select(sa.func.pg_sleep(sa.bindparam("seconds", type_=sa.Float()), type_=sa.String()))
    )

    async def sleep() -> None:
        async with database.transaction() as session:
            await together(session, (slow, [{"seconds": 30.0}]))

    async with asyncio.timeout(20):
        for _ in range(3):
            task = asyncio.create_task(sleep())
            while database.engine.pool.checkedout() == 0:  # type: ignore[attr-defined]  # noqa: ASYNC110
                await asyncio.sleep(0)
            for _ in range(5):
                await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            async with database.reading() as session:
                assert (await execute(session, sa.text("SELECT 1"))).scalar_one() == 1
    await database.close()


@pytest.mark.postgres
async def test_a_connection_that_dies_is_told_and_replaced(postgres_url: str) -> None:
    database = Database(postgres_url, pool_size=1)
    end_itself = Statement(
        sa.select(sa.func.pg_terminate_backend(sa.func.pg_backend_pid(), type_=sa.Boolean()))
    )
    with pytest.raises(Exception, match="database") as told:
        async with database.transaction() as session:
            await together(session, (end_itself, [{}]))
    assert getattr(told.value, "code", None) == "database-unavailable"

    async with database.transaction() as session:
        assert not driver_of(await session.connection()).closed
        assert (await execute(session, sa.text("SELECT 1"))).scalar_one() == 1
    await database.close()
