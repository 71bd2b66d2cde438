"""Transactions: committed once or not at all, whatever happens around them."""

import asyncio
import contextlib
from typing import Any

import pytest
import sqlalchemy as sa

from shared.db import Database
from shared.db.core import execute
from shared.db.database import DatabaseUnavailable, UnsafeDatabase, _to_the_end

metadata = sa.MetaData()
counter = sa.Table(
    "counter",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("value", sa.Integer, nullable=False),
    sa.Column("note", sa.String(20)),
)
child = sa.Table(
    "counter_child",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("counter_id", sa.ForeignKey("counter.id"), nullable=False),
)


@pytest.fixture
async def database(database_url: str):  # noqa: ANN201
    database = Database(database_url, pool_size=4, pool_timeout=1, lock_timeout=1)
    async with database.engine.begin() as connection:
        await connection.run_sync(metadata.drop_all)
        await connection.run_sync(metadata.create_all)
        await connection.execute(counter.insert().values(id=1, value=0))
    yield database
    async with database.engine.begin() as connection:
        await connection.run_sync(metadata.drop_all)
    await database.close()


async def _value(database: Database) -> int:
    async with database.reading() as session:
        return int((await execute(session, sa.select(counter.c.value))).scalar_one())


async def _add_one(database: Database) -> None:
    async with database.transaction() as session:
        statement = sa.select(counter.c.value)
        if not database.is_sqlite:
            statement = statement.with_for_update()
        value = (await execute(session, statement)).scalar_one()
        await asyncio.sleep(0)
        await execute(session, counter.update().values(value=value + 1))


async def test_no_update_is_lost_between_reading_and_writing(database: Database) -> None:
    done = await asyncio.gather(*(_add_one(database) for _ in range(40)), return_exceptions=True)
    succeeded = sum(outcome is None for outcome in done)

    assert succeeded > 0
    assert await _value(database) == succeeded
    assert {type(outcome) for outcome in done} <= {type(None), DatabaseUnavailable}


async def test_an_exception_undoes_everything(database: Database) -> None:
    async def change_and_fail() -> None:
        async with database.transaction() as session:
            await execute(session, counter.update().values(value=9))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await change_and_fail()

    assert await _value(database) == 0


async def test_a_cancelled_task_has_either_committed_or_not_and_leaves_no_lock(
    database: Database,
) -> None:
    finished = 0
    for step in range(30):
        task = asyncio.create_task(_add_one(database))
        for _ in range(step):
            await asyncio.sleep(0)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
            finished += 1
    value = await _value(database)

    assert finished <= value <= 30
    await _add_one(database)
    assert await _value(database) == value + 1


async def test_readers_do_not_wait_for_a_writer(database: Database) -> None:
    async with database.transaction() as session:
        await execute(session, counter.update().values(value=5))
        async with asyncio.timeout(2):
            assert await _value(database) == 0


async def test_foreign_keys_hold_on_both_engines(database: Database) -> None:
    async def orphan() -> None:
        async with database.transaction() as session:
            await execute(session, child.insert().values(id=1, counter_id=77))

    with pytest.raises(sa.exc.IntegrityError):
        await orphan()


@pytest.mark.postgres
async def test_a_full_pool_is_told_and_not_queued_for_ever(postgres_url: str) -> None:
    database = Database(postgres_url, pool_size=1, pool_timeout=0.2)
    async with database.transaction() as session:
        await execute(session, sa.text("SELECT 1"))
        with pytest.raises(DatabaseUnavailable, match="connections are in use"):
            async with database.transaction() as second:
                await execute(second, sa.text("SELECT 1"))
    await database.close()


@pytest.mark.postgres
async def test_a_connection_that_dies_is_told_and_the_next_one_works(postgres_url: str) -> None:
    database = Database(postgres_url, pool_size=2)

    async def lose_the_connection() -> None:
        async with database.transaction() as session:
            pid = (await execute(session, sa.text("SELECT pg_backend_pid()"))).scalar_one()
            async with database.transaction() as other:
                await execute(other, sa.text(f"SELECT pg_terminate_backend({pid})"))
            await execute(session, sa.text("SELECT 1"))

    with pytest.raises(DatabaseUnavailable):
        await lose_the_connection()
    async with database.reading() as session:
        assert (await execute(session, sa.text("SELECT 1"))).scalar_one() == 1
    await database.close()


@pytest.mark.postgres
async def test_a_server_that_may_lose_what_it_acknowledged_is_refused(postgres_url: str) -> None:
    safe = Database(postgres_url)
    await safe.check()
    await safe.close()
    unsafe = Database(f"{postgres_url}?options=-csynchronous_commit%3Doff")

    @sa.event.listens_for(unsafe.engine.sync_engine, "connect")
    def _turn_off(connection, _record) -> None:  # noqa: ANN001
        connection.execute("SET synchronous_commit = off")
        connection.commit()

    with pytest.raises(UnsafeDatabase, match="synchronous_commit"):
        await unsafe.check()
    await unsafe.close()


async def test_an_absent_server_is_unavailable() -> None:
    database = Database("postgresql+psycopg://nobody@127.0.0.1:1/none")
    with pytest.raises(DatabaseUnavailable):
        await database.check()
    await database.close()


async def test_a_commit_is_waited_for_however_often_its_task_is_cancelled() -> None:
    begun, answered = asyncio.Event(), asyncio.Event()
    done = False

    async def commit() -> None:
        nonlocal done
        begun.set()
        await answered.wait()
        done = True

    task = asyncio.create_task(_to_the_end(commit()))
    await begun.wait()
    for _ in range(3):
        task.cancel()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    assert not task.done()
    answered.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert done


async def test_a_writer_of_sqlite_does_not_wait_for_ever(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.db.database.WRITE_TURN_SECONDS", 0.05)
    database = Database(sqlite_url)
    async with database.transaction(), asyncio.timeout(5):
        with pytest.raises(DatabaseUnavailable, match="busy"):
            async with database.transaction():
                pass
    async with database.transaction() as session:
        await execute(session, sa.text("SELECT 1"))
    await database.close()


@pytest.mark.parametrize("url", ["sqlite+aiosqlite://", "sqlite+aiosqlite:///:memory:"])
def test_sqlite_in_memory_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="name a file"):
        Database(url)


async def _notes(database: Database) -> dict[int, str | None]:
    async with database.reading() as session:
        rows = await execute(session, sa.select(counter.c.id, counter.c.note))
        return {row.id: row.note for row in rows}


async def test_rows_of_other_shapes_keep_all_their_values(database: Database) -> None:
    await asyncio.gather(
        database.append({counter: [{"id": 10, "value": 1}]}),
        database.append({counter: [{"id": 11, "value": 1, "note": "kept"}]}),
        database.append({counter: [{"id": 12, "value": 1}, {"id": 13, "value": 1, "note": "too"}]}),
    )

    assert await _notes(database) == {1: None, 10: None, 11: "kept", 12: None, 13: "too"}


async def test_an_unfit_row_fails_its_own_caller_only(database: Database) -> None:
    unfit: list[dict[str, Any]] = [
        {"id": 21, "value": object()},
        {"id": 22, "value": None},
    ]
    fit = [{"id": number, "value": 1} for number in range(30, 36)]
    outcomes = await asyncio.gather(
        *(database.append({counter: [row]}) for row in (*unfit, *fit)), return_exceptions=True
    )

    assert [isinstance(outcome, Exception) for outcome in outcomes] == [True] * 2 + [False] * 6
    assert set(await _notes(database)) == {1, *range(30, 36)}


@pytest.mark.postgres
async def test_too_many_who_add_at_once_are_told_so(postgres_url: str, database: Database) -> None:
    if database.is_sqlite:
        return
    assert database._writer is not None
    database._writer._longest_queue = 5
    outcomes = await asyncio.gather(
        *(database.append({counter: [{"id": 100 + n, "value": 1}]}) for n in range(40)),
        return_exceptions=True,
    )

    refused = [outcome for outcome in outcomes if outcome is not None]
    assert {type(outcome) for outcome in refused} == {DatabaseUnavailable}
    assert len(await _notes(database)) == 1 + 40 - len(refused)


class _LosesTheAnswer:
    """Stands before PostgreSQL and cuts the wire after a COMMIT, before its answer gets through."""

    def __init__(self, url: sa.URL) -> None:
        self._target = (url.host or "127.0.0.1", url.port or 5432)
        self.cutting = False
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> int:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return int(self._server.sockets[0].getsockname()[1])

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(*self._target)
        self._tasks += [
            asyncio.create_task(self._pass_on(reader, far_writer, back=False)),
            asyncio.create_task(self._pass_on(far_reader, writer, back=True)),
        ]

    async def _pass_on(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, back: bool
    ) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(65_536):
                if back and self.cutting and b"COMMIT" in data:
                    break
                writer.write(data)
                await writer.drain()
        writer.close()


@pytest.mark.postgres
async def test_a_commit_whose_answer_was_lost_is_not_written_again(
    postgres_url: str, database: Database
) -> None:
    if database.is_sqlite:
        return
    wire = _LosesTheAnswer(sa.make_url(postgres_url))
    async with wire as port:
        url = sa.make_url(postgres_url).set(host="127.0.0.1", port=port)
        through = Database(url.render_as_string(hide_password=False))
        await through.check()
        wire.cutting = True
        outcomes = await asyncio.gather(
            *(through.append({counter: [{"id": 50 + n, "value": 1}]}) for n in range(4)),
            return_exceptions=True,
        )
        await through.close()

    assert {50, 51, 52, 53} <= set(await _notes(database)), "they were stored after all"
    assert {type(outcome) for outcome in outcomes} == {DatabaseUnavailable}
