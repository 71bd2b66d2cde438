"""`minqing redrive`: what was given up on is tried again."""

import asyncio
from typing import Annotated
from uuid import UUID

import typer

from services.composition import running_alone
from shared.inbox.consumer import InboxConsumer
from shared.observability.logs import configure_logs
from shared.timers.ringer import Ringer

app = typer.Typer()


@app.callback(invoke_without_command=True)
def redrive(
    service: Annotated[str, typer.Argument(help="The consuming service.")],
    events: Annotated[
        list[UUID] | None, typer.Argument(help="Ids of parked events; all when none is named.")
    ] = None,
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only list what would be released.")
    ] = False,
) -> None:
    """Release parked events and timers, and move dead letters back into their queue.

    Doing it twice is harmless: what had its effect is not applied again.
    """
    configure_logs("WARNING")
    asyncio.run(_redrive(service, events, dry_run=dry_run))


async def _redrive(service: str, events: list[UUID] | None, *, dry_run: bool) -> None:
    async with running_alone(service) as runtime:
        inbox = InboxConsumer(runtime)
        if dry_run:
            for row in await inbox.parked():
                typer.echo(
                    f"{row.event_id}  {row.type}  {row.subject}#{row.sequence}  {row.reason}"
                )
            for row in await Ringer(runtime).parked():
                typer.echo(f"timer {row.timer}  {row.subject}  {row.due_at}  {row.reason}")
            return
        released = await inbox.redrive(events)
        timers = await Ringer(runtime).redrive() if events is None else 0
        moved = await runtime.transport.redrive(runtime.service.subscriptions.queue)
    typer.echo(
        f"{released} parked events and {timers} parked timers released,"
        f" {moved} dead letters moved back"
    )
