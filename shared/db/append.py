"""Rows that are only ever added, written for many callers in one transaction and one round trip.

A command that changes nothing and only adds rows (a report comes in) needs no session: its rows
wait for the transaction that is being written, and go together with those of all who came
meanwhile. Each caller returns once its own rows are committed.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.db.pipeline import COMMIT, ROLLBACK, insertions, send

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
        steps = [step for waiting in batch for step in insertions(waiting.rows)]
        async with self._engine.connect() as connection:
            raw = await connection.get_raw_connection()
            driver: Any = raw.driver_connection
            try:
                await send(driver, steps, end=COMMIT)
            except Exception:
                if driver.closed:
                    # Whether the COMMIT arrived is not known, so nothing may be written again.
                    # Asking on the lost connection raises, and has the pool drop its like.
                    await connection.execute(sa.text("SELECT 1"))
                    raise
                await send(driver, (), end=ROLLBACK)
                return False
        return True

    async def _write_alone(self, rows: Rows) -> None:
        async with self._engine.begin() as connection:
            for statement, runs in insertions(rows):
                await connection.execute(statement.clause, [*runs])


def _succeed(batch: Sequence[_Waiting]) -> None:
    for waiting in batch:
        if not waiting.done.done():
            waiting.done.set_result(None)


def _fail(batch: Sequence[_Waiting], error: BaseException) -> None:
    for waiting in batch:
        if not waiting.done.done():
            waiting.done.set_exception(error)
