"""`minqing lag`: how far each service is behind."""

import asyncio
import json
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from services.composition import SERVICES, running_alone
from shared.observability.logs import configure_logs
from shared.worker import lag

app = typer.Typer()

COLUMNS = (
    "unsent",
    "oldest_unsent_seconds",
    "queued",
    "ahead",
    "retry",
    "parked",
    "dead",
    "timers_late_seconds",
    "timers_parked",
)
EXIT_TROUBLE = 1


@app.callback(invoke_without_command=True)
def show_lag(
    services: Annotated[
        list[str] | None, typer.Argument(help="Services; all of them when none is named.")
    ] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Show unsent events, queue length, waiting, parked and dead events of each service.

    Exit code 1 when something is parked or dead and waits for a person.
    """
    configure_logs("ERROR")
    figures = asyncio.run(_collect(services or list(SERVICES)))
    if as_json:
        typer.echo(json.dumps(figures))
    else:
        table = Table(title="Events on their way", title_justify="left")
        table.add_column("service")
        for column in COLUMNS:
            table.add_column(column.replace("_", " "), justify="right")
        for name, row in figures.items():
            table.add_row(name, *(f"{row[column]:g}" for column in COLUMNS))
        Console().print(table)
    trouble = ("parked", "dead", "timers_parked")
    if any(row[name] > 0 for row in figures.values() for name in trouble):
        raise typer.Exit(EXIT_TROUBLE)


async def _collect(names: list[str]) -> dict[str, dict[str, float]]:
    figures = {}
    for name in names:
        async with running_alone(name) as runtime:
            figures[name] = await lag(runtime)
    return figures
