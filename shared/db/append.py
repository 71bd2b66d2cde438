"""Rows that are only ever added, written for many callers in one transaction and one round trip.

A command that changes nothing and only adds rows (a report comes in) needs no session: its rows
wait for the transaction that is being written, and go together with those of all who came
meanwhile. Each caller returns once its own rows are committed.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import psycopg
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import asyncpg
from sqlalchemy.ext.asyncio import AsyncEngine

_NUMBERED: sa.Dialect = asyncpg.dialect()  # type: ignore[no-untyped-call]
"""Writes $1, $2 … ; only its spelling is used, not its driver."""

Rows = Mapping[sa.Table, Sequence[Mapping[str, Any]]]


@dataclass(frozen=True, slots=True)
class _Waiting:
    rows: Rows
    done: asyncio.Future[None]


class AppendWriter:
    """Commits the rows of everybody who waits, one transaction after the other.

    Args:
        engine: a PostgreSQL engine over psycopg; one connection of its pool is used.
        most: callers whose rows go into one transaction.
        longest_queue: callers who wait; more are refused, so that an overload is answered.
    """

    def __init__(self, engine: AsyncEngine, *, most: int = 64, longest_queue: int = 1_000) -> None:
        self._longest_queue = longest_queue
        self._engine = engine
        self._most = most
        self._waiting: list[_Waiting] = []
        self._writer: asyncio.Task[None] | None = None

    async def write(self, rows: Rows) -> None:
        """Commit `rows`; either all of them are stored on return, or none of them and it raises.

        A cancelled caller does not stop the commit: what was handed over is written.

        Raises:
            sqlalchemy.exc.IntegrityError: a constraint refused one of these rows.
            sqlalchemy.exc.DBAPIError: the database refused or could not be reached.
            sqlalchemy.exc.TimeoutError: too many are waiting already.
        """
        if len(self._waiting) >= self._longest_queue:
            raise sa.exc.TimeoutError("too many rows wait to be written")
        waiting = _Waiting(rows, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write_all())
        await waiting.done

    async def _write_all(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
            try:
                await self._write_batch(batch)
            except BaseException as error:
                _fail(batch, error)
                if not isinstance(error, Exception):
                    raise

    async def _write_batch(self, batch: Sequence[_Waiting]) -> None:
        if await self._written_together(batch):
            _succeed(batch)
            return
        for waiting in batch:
            # One at a time, so that a refusal meets only the caller whose rows were refused.
            try:
                await self._write_alone(waiting.rows)
            except Exception as error:  # noqa: BLE001 - handed on to the caller
                _fail([waiting], error)
            else:
                _succeed([waiting])

    async def _written_together(self, batch: Sequence[_Waiting]) -> bool:
        try:
            statements = [
                (statement, row)
                for waiting in batch
                for statement, row in self._statements(waiting.rows)
            ]
        except Exception:  # noqa: BLE001 - somebody's row is unfit; alone, it fails alone
            return False
        async with self._engine.connect() as connection:
            raw = await connection.get_raw_connection()
            driver: Any = raw.driver_connection
            try:
                await self._write_pipelined(driver, statements)
            except psycopg.Error:
                if driver.closed:
                    # Whether the COMMIT arrived is not known, so nothing may be written again.
                    # Asking on the lost connection raises, and has the pool drop its like.
                    await connection.execute(sa.text("SELECT 1"))
                return False
        return True

    def _statements(self, rows: Rows) -> Iterator[tuple[str, list[Any]]]:
        for table, of_table in rows.items():
            for row in of_table:
                # By the columns of each row: a row may leave out what its neighbour names.
                statement, processors = _statement(table, tuple(row), self._engine.dialect)
                yield statement, _processed(row, processors)

    async def _write_pipelined(
        self, connection: Any, statements: Sequence[tuple[str, list[Any]]]
    ) -> None:
        """All INSERTs and the COMMIT in one round trip."""
        try:
            async with connection.pipeline():
                cursor = psycopg.AsyncRawCursor(connection)
                for statement, row in statements:
                    await cursor.execute(statement, row)
                await connection.commit()
        except psycopg.Error:
            if not connection.closed:
                await connection.rollback()
            raise

    async def _write_alone(self, rows: Rows) -> None:
        async with self._engine.begin() as connection:
            for table, of_table in rows.items():
                for alike in alike_rows(of_table):
                    await connection.execute(sa.insert(table), alike)


def alike_rows(rows: Iterable[Mapping[str, Any]]) -> Iterable[list[Mapping[str, Any]]]:
    """The rows in groups of the same columns.

    An INSERT of many rows takes its columns from the first and would silently drop what only later
    ones name.
    """
    groups: dict[frozenset[str], list[Mapping[str, Any]]] = {}
    for row in rows:
        groups.setdefault(frozenset(row), []).append(row)
    return groups.values()


@lru_cache(maxsize=256)
def _statement(
    table: sa.Table, columns: tuple[str, ...], dialect: sa.Dialect
) -> tuple[str, tuple[tuple[str, Callable[[Any], Any] | None], ...]]:
    """The INSERT with the server's own placeholders; names and conversions of its values.

    The driver's usual placeholders would have it read a long statement anew for every row.
    """
    compiled = sa.insert(table).compile(dialect=_NUMBERED, column_keys=list(columns))
    order = compiled.positiontup or []
    return str(compiled), tuple(
        (name, table.c[name].type.dialect_impl(dialect).bind_processor(dialect)) for name in order
    )


def _processed(
    row: Mapping[str, Any], order: Iterable[tuple[str, Callable[[Any], Any] | None]]
) -> list[Any]:
    return [process(row[name]) if process else row[name] for name, process in order]


def _succeed(batch: Sequence[_Waiting]) -> None:
    for waiting in batch:
        if not waiting.done.done():
            waiting.done.set_result(None)


def _fail(batch: Sequence[_Waiting], error: BaseException) -> None:
    for waiting in batch:
        if not waiting.done.done():
            waiting.done.set_exception(error)
