"""Connections, and the two ways to use them: a transaction that commits once, and a reading."""

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator, Coroutine, Sequence
from typing import Any, NewType, TypeVar

import psycopg
import sqlalchemy as sa
from psycopg.pq import TransactionStatus
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.orm import Session
from sqlalchemy.pool import AsyncAdaptedQueuePool, PoolResetState
from sqlmodel.ext.asyncio.session import AsyncSession

from shared.db.append import AppendWriter
from shared.db.append import Rows as RowsByTable
from shared.db.core import execute
from shared.db.pipeline import (
    COMMIT,
    ROLLBACK,
    Driver,
    Rows,
    Step,
    forget_prepared,
    insertions,
    run_on,
    send,
    together,
)
from shared.errors import Unavailable

T = TypeVar("T")

ReadSession = NewType("ReadSession", AsyncSession)

_LAST_STEPS = "steps with the commit"

WRITE_TURN_SECONDS = 10
"""How long a writer of SQLite waits for those before it."""


class DatabaseUnavailable(Unavailable):
    """The database does not answer, is full, or all connections are in use."""

    code = "database-unavailable"


class UnsafeDatabase(DatabaseUnavailable):
    """The server is set so that it may lose what it has acknowledged."""

    code = "database-unsafe"


class Database:
    """One service's database.

    On SQLite every writer takes the same lock and begins IMMEDIATE: the default deferred
    transaction
    loses updates without an error when two of them read and then write.

    Args:
        url: SQLAlchemy URL with an async driver.
        pool_size: connections kept; more are refused after `pool_timeout` seconds with
            `DatabaseUnavailable`, so that an overload is answered and not queued.
        statement_timeout: seconds after which the server ends a statement.
        lock_timeout: seconds that a statement waits for a row lock.
    """

    def __init__(
        self,
        url: str,
        *,
        pool_size: int = 8,
        pool_timeout: float = 3,
        statement_timeout: float = 15,
        lock_timeout: float = 3,
    ) -> None:
        self.url = url
        self.is_sqlite = url.startswith("sqlite")
        self._write_lock = asyncio.Lock()
        self._writer: AppendWriter | None = None
        if self.is_sqlite:
            self.engine = _sqlite_engine(url, pool_size, pool_timeout)
        else:
            self.engine = create_async_engine(
                url,
                pool_size=pool_size,
                max_overflow=0,
                pool_timeout=pool_timeout,
                pool_pre_ping=False,
                pool_recycle=1_800,
                # Errors end up in logs; what people wrote must not.
                hide_parameters=True,
                connect_args={
                    "connect_timeout": 5,
                    "application_name": "minqing",
                    # A link that died without a word is noticed in 15 s, not in hours.
                    "keepalives": 1,
                    "keepalives_idle": 5,
                    "keepalives_interval": 5,
                    "keepalives_count": 2,
                    "tcp_user_timeout": 15_000,
                    "options": (
                        f"-c statement_timeout={int(statement_timeout * 1000)}"
                        f" -c lock_timeout={int(lock_timeout * 1000)}"
                        " -c idle_in_transaction_session_timeout=60000"
                        " -c timezone=UTC"
                    ),
                },
            )
            _roll_back_cheaply(self.engine)
            self._writer = AppendWriter(self.engine)

    @contextlib.asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """A session whose work is committed when the block ends and undone when it raises.

        The commit runs to its end even when the surrounding task is cancelled: a cancelled task is
        not an aborted transaction, so the outcome must be known before anybody is answered.

        Raises:
            DatabaseUnavailable: no connection in time, or it broke.
        """
        async with self._turn_to_write(), _availability():
            session = AsyncSession(self.engine, expire_on_commit=False)
            try:
                yield session
            except BaseException:
                await _to_the_end(session.run_sync(_undo))
                raise
            await _to_the_end(_committed(session))

    async def append(self, rows: RowsByTable) -> None:
        """Commit rows that only add to tables, together with those of other callers.

        Raises:
            DatabaseUnavailable: nothing of `rows` is known to be stored.
        """
        if self._writer is None:
            async with self.transaction() as session:
                write_with_commit(session, insertions(rows))
            return
        async with _availability():
            await self._writer.write(rows)

    async def run(self, *steps: Step) -> list[Rows]:
        """Run statements in a transaction of their own, on PostgreSQL in one round trip.

        Returns:
            The rows that each step gave.

        Raises:
            DatabaseUnavailable: whether they were run is not known.
        """
        if self.is_sqlite:
            only_reads = all(statement.clause.is_select for statement, _runs in steps)
            async with self.reading() if only_reads else self.transaction() as session:
                return await together(session, *steps)
        async with _availability(), self.engine.connect() as connection:
            return await _to_the_end(run_on(connection, steps, end=COMMIT))

    @contextlib.asynccontextmanager
    async def reading(self) -> AsyncIterator[ReadSession]:
        """A session that is rolled back in the end, whatever happened in it."""
        async with _availability():
            session = AsyncSession(self.engine, expire_on_commit=False)
            try:
                if self.is_sqlite:
                    # Deferred: a reader must not queue behind the writers.
                    await session.connection(execution_options={"sqlite_begin": "DEFERRED"})
                yield ReadSession(session)
            finally:
                await _to_the_end(session.close())

    @contextlib.asynccontextmanager
    async def _turn_to_write(self) -> AsyncIterator[None]:
        if not self.is_sqlite:
            yield
            return
        try:
            async with asyncio.timeout(WRITE_TURN_SECONDS):
                await self._write_lock.acquire()
        except TimeoutError as error:
            raise DatabaseUnavailable(
                "Other work keeps the database busy; try again in a few seconds."
            ) from error
        try:
            yield
        finally:
            self._write_lock.release()

    async def check(self) -> None:
        """Prove that the database answers and is set to keep what it acknowledges.

        Raises:
            DatabaseUnavailable: it does not answer.
            UnsafeDatabase: `fsync`, `full_page_writes` or `synchronous_commit` is off.
        """
        async with self.reading() as session:
            if self.is_sqlite:
                await execute(session, sa.text("SELECT 1"))
                return
            rows = await execute(
                session,
                sa.text(
                    "SELECT name, setting FROM pg_settings WHERE setting = 'off'"
                    " AND name IN ('fsync', 'full_page_writes', 'synchronous_commit')"
                ),
            )
            unsafe = [row.name for row in rows]
        if unsafe:
            raise UnsafeDatabase(
                f"The database has {', '.join(unsafe)} turned off and may lose acknowledged work:"
                " turn it on in postgresql.conf."
            )

    async def close(self) -> None:
        await self.engine.dispose()


def write_with_commit(session: AsyncSession, steps: Sequence[Step]) -> None:
    """Leave statements to be run right before the commit of `session`, in one round trip with it.

    By then its changed objects have been written.
    """
    session.info.setdefault(_LAST_STEPS, []).extend(steps)


async def _committed(session: AsyncSession) -> None:
    steps: list[Step] = session.info.pop(_LAST_STEPS, [])
    if steps:
        try:
            await _run_last(session, steps)
        except BaseException:
            await session.run_sync(_undo)
            raise
    await session.run_sync(_commit)


async def _run_last(session: AsyncSession, steps: Sequence[Step]) -> None:
    if session.new or session.dirty or session.deleted:
        await session.flush()
    await run_on(await session.connection(), steps, end=COMMIT)


def _commit(session: Session) -> None:
    try:
        session.commit()
    finally:
        session.close()


def _undo(session: Session) -> None:
    try:
        session.rollback()
    finally:
        session.close()


def _roll_back_cheaply(engine: AsyncEngine) -> None:
    """Roll back past the driver, which drops all prepared statements whenever it does it itself.

    Every reading ends by rolling back, so that nothing would ever stay prepared.
    """

    def roll_back(connection: Any) -> None:
        driver: Driver = connection.driver_connection
        if driver.closed or driver.pgconn.transaction_status == TransactionStatus.IDLE:
            return
        try:
            connection.run_async(lambda driver: send(driver, (), end=ROLLBACK))
        except psycopg.Error:
            forget_prepared(driver)

    @sa.event.listens_for(engine.sync_engine, "rollback")
    def _roll_back(connection: sa.Connection) -> None:
        if not connection.invalidated:
            roll_back(connection.connection.dbapi_connection)

    @sa.event.listens_for(engine.sync_engine, "reset")
    def _reset(connection: Any, _record: Any, state: PoolResetState) -> None:
        if state.asyncio_safe:
            roll_back(connection)


def _sqlite_engine(url: str, pool_size: int, pool_timeout: float) -> AsyncEngine:
    if sa.make_url(url).database in {None, "", ":memory:"}:
        raise ValueError("every connection to SQLite in memory has its own database: name a file")
    engine = create_async_engine(
        url,
        poolclass=AsyncAdaptedQueuePool,
        pool_size=pool_size,
        max_overflow=4,
        pool_timeout=pool_timeout,
        hide_parameters=True,
        connect_args={"timeout": WRITE_TURN_SECONDS},
    )

    @sa.event.listens_for(engine.sync_engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        # The driver must not open transactions by itself; "begin" below does.
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "busy_timeout=10000",
            "foreign_keys=ON",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @sa.event.listens_for(engine.sync_engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        mode = connection.get_execution_options().get("sqlite_begin", "IMMEDIATE")
        connection.exec_driver_sql(f"BEGIN {mode}")

    return engine


async def _to_the_end(work: Coroutine[Any, Any, T]) -> T:
    """Run database work to its end even when this task is cancelled."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        while not task.done():
            # Cancelled once more, the outcome must still be known before anybody goes on.
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.wait({task})
        raise


@contextlib.asynccontextmanager
async def _availability() -> AsyncIterator[None]:
    """Tell the failures of the database from those of the program."""
    try:
        yield
    except PoolTimeoutError as error:
        raise DatabaseUnavailable(
            "All database connections are in use; try again in a few seconds."
        ) from error
    except OperationalError as error:
        if getattr(error.orig, "sqlite_errorcode", None) == sqlite3.SQLITE_ERROR:
            # What SQLite says of a statement that is wrong, for example of a missing column.
            raise
        raise DatabaseUnavailable(
            "The database did not answer in time; try again in a few seconds."
        ) from error
    except DBAPIError as error:
        if error.connection_invalidated:
            raise DatabaseUnavailable(
                "The connection to the database was lost; try again with the same Idempotency-Key."
            ) from error
        raise
