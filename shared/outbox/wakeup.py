"""Signals between the processes of one service that there is something to send."""

import asyncio
import contextlib
from typing import TYPE_CHECKING

import psycopg
import sqlalchemy as sa

from shared.db.database import DatabaseUnavailable
from shared.db.pipeline import Statement

if TYPE_CHECKING:
    from shared.service import Runtime

CHANNEL = "minqing_outbox"
_NOTIFY = Statement(sa.text(f"NOTIFY {CHANNEL}"))
SHORTEST_INTERVAL = 0.02
RECONNECT_SECONDS = 2.0


async def signal_after_commits(runtime: "Runtime") -> None:
    """In a process without a relay: pass the local wake-up on, until cancelled.

    It is a statement of its own after the commit, at most one in 20 ms: NOTIFY inside the
    transaction
    would make all commits of the database queue for one lock. A lost signal costs one poll.
    """
    while True:
        await runtime.wake.wait()
        runtime.wake.clear()
        with contextlib.suppress(DatabaseUnavailable, sa.exc.SQLAlchemyError):
            await runtime.database.run((_NOTIFY, [{}]))
        await asyncio.sleep(SHORTEST_INTERVAL)


async def wake_on_signals(runtime: "Runtime") -> None:
    """In the process with the relay: listen on a connection of its own, until cancelled."""
    url = runtime.database.engine.url.set(drivername="postgresql").render_as_string(
        hide_password=False
    )
    while True:
        with contextlib.suppress(psycopg.Error):
            async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
                await connection.execute(f"LISTEN {CHANNEL}")
                async for _signal in connection.notifies():
                    runtime.wake.set()
        await asyncio.sleep(RECONNECT_SECONDS)
