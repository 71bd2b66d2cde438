"""Statements that are built once and sent many at a time, all in one round trip.

For what runs with every event and every request. SQLAlchemy builds, compiles and wraps a statement
each time it is run, which costs several times what the statement itself does; here it only says how
it is spelled. On SQLite, which has no round trips, the same statements run one after the other.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property, lru_cache, partial
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import psycopg
import sqlalchemy as sa
from psycopg.adapt import PyFormat, Transformer
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus, Format, TransactionStatus
from psycopg.waiting import Wait
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import asyncpg
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel.ext.asyncio.session import AsyncSession

if TYPE_CHECKING:
    from psycopg.abc import PQGen
    from psycopg.pq.abc import PGconn, PGresult

_NUMBERED: sa.Dialect = asyncpg.dialect()  # type: ignore[no-untyped-call]
"""Writes $1, $2 … with the type of each; only its spelling is used, not its driver."""

_STORED: sa.Dialect = postgresql.psycopg.dialect()  # type: ignore[no-untyped-call]
"""Turns values into what our driver takes."""

Driver = psycopg.AsyncConnection[Any]
Rows = Sequence[Sequence[Any]]
BEGIN, COMMIT, ROLLBACK = b"BEGIN", b"COMMIT", b"ROLLBACK"

_Message = tuple[int | None, Callable[[], None]]
"""What sends it, and the number of the step that its rows belong to, if any."""


class Statement:
    """A statement whose values are given by name when it is run.

    Rows come back as the driver reads them: text where a column is an enum.

    Args:
        clause: INSERT, UPDATE, DELETE or SELECT, its values as `bindparam` with a type.
        columns: of an INSERT that names no values itself.
    """

    def __init__(self, clause: Any, columns: Sequence[str] | None = None) -> None:
        self.clause = clause
        self._columns = columns

    @cached_property
    def _compiled(self) -> Any:
        return self.clause.compile(dialect=_NUMBERED, column_keys=self._columns)

    @cached_property
    def text(self) -> bytes:
        return str(self._compiled).encode()

    @cached_property
    def _order(self) -> Sequence[tuple[str, Any, Callable[[Any], Any] | None]]:
        """Name, value if none is given, and conversion of each placeholder."""
        binds, given = self._compiled.binds, self._compiled.params
        return tuple(
            (name, given[name], binds[name].type.dialect_impl(_STORED).bind_processor(_STORED))
            for name in self._compiled.positiontup or ()
        )

    def arranged(self, values: Mapping[str, Any]) -> list[Any]:
        """The values in the order of the placeholders, as the driver takes them."""
        arranged = []
        for name, otherwise, process in self._order:
            value = values.get(name, otherwise)
            arranged.append(process(value) if process else value)
        return arranged


Step = tuple[Statement, Sequence[Mapping[str, Any]]]
"""A statement and the values of each run of it."""


@lru_cache(maxsize=256)
def insertion(table: sa.Table, columns: tuple[str, ...]) -> Statement:
    """The INSERT of a row with these columns."""
    return Statement(sa.insert(table), columns)


def insertions(rows: Mapping[sa.Table, Iterable[Mapping[str, Any]]]) -> list[Step]:
    """The steps that write rows into their tables, those of the same columns together."""
    grouped: dict[tuple[sa.Table, tuple[str, ...]], list[Mapping[str, Any]]] = {}
    for table, of_table in rows.items():
        for row in of_table:
            # An INSERT of many rows takes its columns from the first, and would silently drop what
            # only later ones name.
            grouped.setdefault((table, tuple(row)), []).append(row)
    return [(insertion(*alike), of_alike) for alike, of_alike in grouped.items()]


async def together(session: AsyncSession, *steps: Step) -> list[Rows]:
    """Run statements in the session's transaction, its changed objects written before.

    Returns:
        The rows that each step gave.

    Raises:
        sqlalchemy.exc.DBAPIError: one was refused; then the transaction can only be undone.
    """
    if session.new or session.dirty or session.deleted:
        await session.flush()
    return await run_on(await session.connection(), steps)


async def run_on(
    connection: AsyncConnection, steps: Sequence[Step], *, end: bytes | None = None
) -> list[Rows]:
    """The same on a connection; on SQLite, `end` is left to its owner."""
    if connection.dialect.name == "sqlite":
        return [[*await _run_singly(connection, *step)] for step in steps]
    driver = driver_of(connection)
    try:
        return await send(driver, steps, end=end)
    except psycopg.Error as error:
        if driver.closed:
            await connection.invalidate()
        raise _as_database_error(error, lost=driver.closed) from error


def driver_of(connection: AsyncConnection) -> Driver:
    """The driver's own connection behind one that is open."""
    assert connection.sync_connection is not None  # noqa: S101 - it is open
    driver: Driver = connection.sync_connection.connection.driver_connection  # type: ignore[assignment]
    return driver


async def _run_singly(
    connection: Any, statement: Statement, runs: Sequence[Mapping[str, Any]]
) -> Iterable[Sequence[Any]]:
    if not runs:
        return ()
    if statement.clause.is_select:
        return [
            row for run in runs for row in (await connection.execute(statement.clause, run)).all()
        ]
    result = await connection.execute(statement.clause, [*runs])
    return list(result.all()) if result.returns_rows else ()


def _as_database_error(error: psycopg.Error, *, lost: bool) -> Exception:
    """The driver's error as SQLAlchemy would raise it; without the values, which people wrote."""
    wrapped: Exception = sa.exc.DBAPIError.instance(
        None, None, error, psycopg.Error, hide_parameters=True, connection_invalidated=lost
    )
    return wrapped


async def send(driver: Driver, steps: Sequence[Step], *, end: bytes | None = None) -> list[Rows]:
    """Run statements on a connection, in the transaction that is open or in one begun for them.

    Args:
        driver: the connection; nobody else may be using it.
        steps: what to run, in this order.
        end: COMMIT or ROLLBACK, to end the transaction in the same round trip.

    Raises:
        psycopg.Error: the first refusal; what came after it was not run.
    """
    async with driver.lock:
        return await driver.wait(_exchange(driver, steps, end))


class _Prepared:
    """What a connection has prepared, by text."""

    def __init__(self, driver: Driver) -> None:
        self.transformer = Transformer(driver)
        self._names: dict[bytes, bytes] = {}
        self._last = 0

    def name_of(self, text: bytes) -> tuple[bytes, bool]:
        """The name of a statement, and whether it is new here."""
        known = self._names.get(text)
        if known is not None:
            return known, False
        self._last += 1
        name = self._names[text] = f"minqing_{self._last}".encode()
        return name, True

    def forget(self) -> None:
        """Prepare everything anew under new names: what the server still has is not certain."""
        self._names.clear()


_prepared: WeakKeyDictionary[Driver, _Prepared] = WeakKeyDictionary()


def forget_prepared(driver: Driver) -> None:
    """To be called where the driver may drop all prepared statements, as it does to roll back."""
    if driver in _prepared:
        _prepared[driver].forget()


def _prepared_on(driver: Driver) -> _Prepared:
    known = _prepared.get(driver)
    if known is None:
        known = _prepared[driver] = _Prepared(driver)
    return known


def _exchange(driver: Driver, steps: Sequence[Step], end: bytes | None) -> "PQGen[list[Rows]]":
    """Everything out, then everything in; the driver's own `pipeline()` costs five times as much.

    The driver runs it by its `wait()`, which also sees to an orderly end when a task is cancelled.
    """
    pgconn, prepared = driver.pgconn, _prepared_on(driver)
    try:
        # Before anything is sent: a value that cannot be stored is refused here.
        messages = [
            message
            for owner, (statement, runs) in enumerate(steps)
            for message in _messages(pgconn, prepared, owner, statement, runs)
        ]
        if pgconn.transaction_status == TransactionStatus.IDLE and not driver.autocommit:
            messages.insert(0, (None, partial(pgconn.send_query_params, BEGIN, None)))
        if end is not None:
            messages.append((None, partial(pgconn.send_query_params, end, None)))
        pgconn.enter_pipeline_mode()
        for _owner, post in messages:
            post()
        pgconn.pipeline_sync()
        while pgconn.flush():
            yield Wait.RW
            pgconn.consume_input()
        results = yield from _results(pgconn)
        pgconn.exit_pipeline_mode()
        return _read(driver, prepared, results, [owner for owner, _post in messages], len(steps))
    except BaseException:
        prepared.forget()
        raise


def _messages(
    pgconn: "PGconn",
    prepared: _Prepared,
    owner: int,
    statement: Statement,
    runs: Sequence[Mapping[str, Any]],
) -> Iterator[_Message]:
    if not runs:
        return
    name, is_new = prepared.name_of(statement.text)
    if is_new:
        yield None, partial(pgconn.send_prepare, name, statement.text)
    for run in runs:
        values = statement.arranged(run)
        # As text, whose type the statement names itself; only bytes would double by it.
        binary = [isinstance(value, bytes) for value in values]
        dumped = prepared.transformer.dump_sequence(
            values, [PyFormat.BINARY if is_bytes else PyFormat.TEXT for is_bytes in binary]
        )
        formats = [Format.BINARY if is_bytes else Format.TEXT for is_bytes in binary]
        yield owner, partial(pgconn.send_query_prepared, name, dumped, formats)


def _results(pgconn: "PGconn") -> "PQGen[list[PGresult]]":
    """All results up to the end of the pipeline."""
    results: list[PGresult] = []
    nothing = 0
    while True:
        while pgconn.is_busy():
            yield Wait.R
            pgconn.consume_input()
        result = pgconn.get_result()
        if result is None:
            # One marks the end of each statement; two in a row come from a dead connection only.
            nothing += 1
            if nothing > 1:
                raise psycopg.OperationalError("the connection was lost")
            continue
        nothing = 0
        if result.status == ExecStatus.PIPELINE_SYNC:
            return results
        results.append(result)


def _read(
    driver: Driver,
    prepared: _Prepared,
    results: Sequence["PGresult"],
    owners: Sequence[int | None],
    steps: int,
) -> list[Rows]:
    rows: list[list[Sequence[Any]]] = [[] for _ in range(steps)]
    for result, owner in zip(results, owners, strict=True):
        if result.status == ExecStatus.FATAL_ERROR:
            raise error_from_result(result, encoding=driver.info.encoding)
        if owner is not None and result.ntuples:
            prepared.transformer.set_pgresult(result)
            rows[owner] += prepared.transformer.load_rows(0, result.ntuples, tuple)
    return [*rows]
