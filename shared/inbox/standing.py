"""Whose tokens no longer count: heard from identity, kept in a table, remembered by every process.

An event reaches one worker of a service, but tokens are checked in all of its processes. So the
worker writes down what it heard, and every process reads that again every few seconds.
"""

import asyncio
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
import structlog
from sqlalchemy.dialects import postgresql, sqlite

from shared.errors import MinqingError
from shared.events.envelope import Received
from shared.events.identity import AccountChanged, SessionEnded

if TYPE_CHECKING:
    from shared.inbox.subscriptions import Subscriptions
    from shared.service import Runtime
    from shared.work import UnitOfWork

REFRESH_SECONDS = 15.0
LONGEST_TOKEN_LIFE = timedelta(hours=1)

log = structlog.get_logger()


def watch_standing(subscriptions: "Subscriptions") -> None:
    """Let a service hear which sessions and accounts have ended; called once by each service."""
    subscriptions.on(AccountChanged)(on_account_changed)
    subscriptions.on(SessionEnded)(on_session_ended)


async def on_account_changed(
    received: Received[AccountChanged], work: "UnitOfWork", runtime: "Runtime"
) -> None:
    """Stop taking the tokens of an account that was closed, or whose roles or password changed."""
    event = received.event
    at = event.tokens_valid_after
    if at is None and not event.active:
        at = received.happened_at
    if at is not None:
        await end_standing(work, runtime, str(received.subject), at)


async def on_session_ended(
    received: Received[SessionEnded], work: "UnitOfWork", runtime: "Runtime"
) -> None:
    """Stop taking the tokens of a session that was ended."""
    event = received.event
    await end_standing(work, runtime, str(event.session_id), event.ended_at)


async def end_standing(
    work: "UnitOfWork", runtime: "Runtime", session_or_account: str, at: datetime
) -> None:
    """Write down that tokens of this session or account issued up to `at` no longer count.

    This process heeds it at once, before the commit: if that fails, somebody has to refresh a
    token for nothing, which is the better of the two mistakes.
    """
    table = work.tables.ended_sessions
    insert: Any = sqlite.insert if runtime.database.is_sqlite else postgresql.insert
    statement = insert(table).values(name=session_or_account, ended_at=at)
    later = sa.case(
        (statement.excluded.ended_at > table.c.ended_at, statement.excluded.ended_at),
        else_=table.c.ended_at,
    )
    await work.session.exec(
        statement.on_conflict_do_update(index_elements=[table.c.name], set_={"ended_at": later})
    )
    runtime.verifier.ended.end(session_or_account, at=at.timestamp())


async def refresh_standing(runtime: "Runtime") -> None:
    """Remember what any process of this service has written down and may still matter."""
    table = runtime.tables.ended_sessions
    since = runtime.clock.now() - LONGEST_TOKEN_LIFE
    statement = sa.select(table.c.name, table.c.ended_at).where(table.c.ended_at >= since)
    async with runtime.database.reading() as session:
        rows = (await session.exec(statement)).all()  # type: ignore[call-overload]
    for row in rows:
        runtime.verifier.ended.end(row.name, at=row.ended_at.timestamp())


async def keep_standing(runtime: "Runtime", *, seconds: float = REFRESH_SECONDS) -> None:
    """Refresh every few seconds until cancelled; a database that is away is waited for."""
    while True:
        try:
            await refresh_standing(runtime)
        except MinqingError as error:
            log.warning("standing.not_refreshed", service=runtime.name, reason=error.message)
        except Exception:
            # The watch must not end with the first surprise.
            log.exception("standing.failed", service=runtime.name)
        await asyncio.sleep(seconds)
