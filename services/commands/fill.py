"""`minqing fill`: a consumer that joins later is given what was told before."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Annotated, Any

import sqlalchemy as sa
import typer
from rich.progress import Progress

from services.composition import SERVICES, running_alone
from shared.bus.transport import Delivery
from shared.db.core import execute
from shared.inbox.consumer import InboxConsumer
from shared.observability.logs import configure_logs
from shared.service import Runtime

app = typer.Typer()

BATCH = 200


@app.callback(invoke_without_command=True)
def fill(
    consumer: Annotated[str, typer.Argument(help="The consuming service.")],
    publishers: Annotated[
        list[str] | None, typer.Argument(help="Whose events; all publishers when none is named.")
    ] = None,
) -> None:
    """Hand the sent events of the publishers to a consumer, oldest first, past the bus.

    Stop the consumer's workers first, so that the order is theirs to make afterwards. What it has
    had already is skipped.
    """
    configure_logs("WARNING")
    asyncio.run(_fill(consumer, publishers or [name for name in SERVICES if name != consumer]))


async def _fill(consumer: str, publishers: list[str]) -> None:
    async with running_alone(consumer) as target:
        inbox = InboxConsumer(target)
        aggregates = [
            pattern.removesuffix(".#") for pattern in target.service.subscriptions.queue.bindings
        ]
        with Progress() as progress:
            for publisher in publishers:
                async with running_alone(publisher) as source:
                    task = progress.add_task(publisher, total=await _count(source, aggregates))
                    async for bodies in _sent(source, aggregates):
                        await inbox.receive([Delivery(body=body) for body in bodies])
                        progress.advance(task, len(bodies))


def _wanted(table: sa.Table, aggregates: Sequence[str]) -> Any:
    names = [table.c.aggregate == name for name in aggregates]
    services = [table.c.aggregate.startswith(f"{name}.") for name in aggregates]
    return sa.and_(table.c.sent_at.is_not(None), sa.or_(*names, *services))


async def _count(source: Runtime, aggregates: Sequence[str]) -> int:
    table = source.tables.outbox
    async with source.database.reading() as session:
        statement = sa.select(sa.func.count()).where(_wanted(table, aggregates))
        return int((await execute(session, statement)).one()[0])


async def _sent(source: Runtime, aggregates: Sequence[str]) -> AsyncIterator[list[bytes]]:
    table = source.tables.outbox
    last = 0
    while True:
        statement = (
            sa.select(table.c.position, table.c.body)
            .where(_wanted(table, aggregates), table.c.position > last)
            .order_by(table.c.position)
            .limit(BATCH)
        )
        async with source.database.reading() as session:
            rows = (await execute(session, statement)).all()
        if not rows:
            return
        yield [row.body for row in rows]
        last = rows[-1].position
