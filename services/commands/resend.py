"""`minqing resend`: events that the bus has lost are sent again from the outbox."""

import asyncio
from datetime import datetime
from typing import Annotated

import sqlalchemy as sa
import typer

from services.composition import running_alone
from shared.db.core import execute
from shared.errors import InvalidInput
from shared.observability.logs import configure_logs
from shared.service import Runtime

app = typer.Typer()

BATCH = 2_000


@app.callback(invoke_without_command=True)
def resend(
    service: Annotated[str, typer.Argument(help="The publishing service.")],
    since: Annotated[
        str, typer.Option(help="ISO 8601 with offset: events committed from here on.")
    ],
) -> None:
    """Mark sent events as unsent, so that the relay sends them again.

    For a broker whose data were lost or a consumer restored from a backup; consumers that had an
    event do nothing with it.
    """
    configure_logs("WARNING")
    instant = _instant(since)
    count = asyncio.run(_resend(service, instant))
    typer.echo(f"{count} events will be sent again")


def _instant(text: str) -> datetime:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise InvalidInput(f"{text} is no instant: write 2026-09-30T08:50:00+08:00.") from error
    if instant.tzinfo is None:
        raise InvalidInput(f"{text} has no offset: write 2026-09-30T08:50:00+08:00.")
    return instant


async def _resend(service: str, since: datetime) -> int:
    async with running_alone(service) as runtime:
        return await mark_unsent(runtime, since)


async def mark_unsent(runtime: Runtime, since: datetime) -> int:
    """Mark what was committed from `since` on as unsent; returns how many events.

    Piece by piece: one statement over millions of rows would run into the statement timeout.
    """
    table = runtime.tables.outbox
    count, last = 0, None
    while True:
        chosen = (
            sa.select(table.c.position)
            .where(table.c.created_at >= since, table.c.sent_at.is_not(None))
            .order_by(table.c.position)
            .limit(BATCH)
        )
        if last is not None:
            chosen = chosen.where(table.c.position > last)
        async with runtime.database.transaction() as session:
            positions = [row.position for row in await execute(session, chosen)]
            if not positions:
                return count
            await execute(
                session,
                sa.update(table)
                .where(table.c.position.in_(positions))
                .values(sent_at=None, next_try_at=None),
            )
        count, last = count + len(positions), positions[-1]
