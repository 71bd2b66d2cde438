"""`minqing replay`: a recorded day through the public API, and the books compared with it."""

import asyncio
import hashlib
import os
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from services.replay.day import Day
    from services.replay.run import Result
    from shared.pack.model import CityPack

app = typer.Typer()

PASSWORD = "MINQING_PASSWORD"  # noqa: S105 - the name of a variable
DEMO_PASSWORD_FILE = Path("var/run/demo-password")
EXIT_DIFFERENT = 1
MOST_SHOWN = 40

Share = Annotated[float, typer.Option(min=0.0, max=1.0)]


@app.callback(invoke_without_command=True)
def replay(
    file: Annotated[Path, typer.Argument(help="The day, such as packs/nyc311/2018-10-21.csv.")],
    api: Annotated[
        list[str] | None,
        typer.Option(
            help="Address of the suite; SERVICE=ADDRESS, repeated, for services apart.",
            envvar="MINQING_API",
        ),
    ] = None,
    *,
    pack: Annotated[
        Path | None, typer.Option(help="City pack of the people; the file's directory if left out.")
    ] = None,
    password: Annotated[
        str | None,
        typer.Option(envvar=PASSWORD, help="Of all the pack's people.", show_envvar=True),
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first rows.")] = None,
    concurrency: Annotated[int, typer.Option(min=2, help="Commands under way at once.")] = 16,
    speed: Annotated[
        float, typer.Option(min=0.0, help="Seconds of the day a second; 0: as fast as it goes.")
    ] = 0.0,
    reject_share: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="Share that operators reject.")
    ] = 0.01,
    fail_share: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="Share that fails verification once.")
    ] = 0.05,
    seed: Annotated[str, typer.Option(help="Draws other requests for the two shares.")] = "",
    patience: Annotated[
        float, typer.Option(min=1.0, help="Seconds without movement before it gives up.")
    ] = 60.0,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress bars.")] = False,
) -> None:
    """Drive a recorded day through the public API and check every service against it.

    The last line on standard output is JSON with the figures. Exit code 1 if anything was lost or
    doubled or stands elsewhere than it should. Started again with the same options after it was
    interrupted, it goes on where it was.
    """
    from services.replay.api import origins
    from services.replay.day import read_day
    from services.replay.plan import Options, plan_day
    from services.replay.progress import Bars
    from services.replay.run import Manner, play
    from shared.pack.loader import load_pack

    console = Console(stderr=True)
    city = load_pack(pack or file.parent)
    day = read_day(file, ZoneInfo(city.city.zone), limit=limit)
    options = Options(reject_share=reject_share, fail_share=fail_share, seed=seed)
    manner = Manner(
        roots=origins(api or ["http://127.0.0.1:8311"]),
        password=password or _demo_password(),
        story=_story(day, city),
        at_once=concurrency,
        speed=speed,
        patience=patience,
    )
    with Bars(console, quiet=quiet) as bars:
        result = asyncio.run(play(plan_day(day, city, options), city, manner, bars))
    _tell(console, day, result)
    if not result.agrees:
        raise typer.Exit(EXIT_DIFFERENT)


def _tell(console: Console, day: "Day", result: "Result") -> None:
    if result.found:
        console.print(_table(result))
    for key, message in list(result.troubles.items())[:MOST_SHOWN]:
        console.print(f"[yellow]{key}[/yellow] {message}", highlight=False)
    faults = Counter(fault for row in day.rows for fault in row.faults)
    unreadable = Counter(one.code for one in day.unreadable)
    typer.echo(
        result.line(
            rows=len(day.rows) + len(day.unreadable),
            unreadable=dict(sorted(unreadable.items())),
            faults=dict(sorted(faults.items())),
        )
    )


def _table(result: "Result") -> Table:
    table = Table(title=f"{len(result.found)} differences")
    for column in ("what", "service", "request", "expected", "found"):
        table.add_column(column)
    for one in result.found[:MOST_SHOWN]:
        table.add_row(one.kind.value, one.service, one.key, one.expected, one.found)
    if len(result.found) > MOST_SHOWN:
        table.add_row("…", "", f"{len(result.found) - MOST_SHOWN} more", "", "")
    return table


def _story(day: "Day", city: "CityPack") -> str:
    """Names the day in this city; the same file and seed is the same story."""
    return hashlib.sha256(f"{city.city.code}|{day.name}".encode()).hexdigest()


def _demo_password() -> str:
    if DEMO_PASSWORD_FILE.exists():
        return DEMO_PASSWORD_FILE.read_text(encoding="utf-8").strip()
    typer.echo(f"Set {PASSWORD} to the password of the pack's people.", err=True)
    raise typer.Exit(os.EX_USAGE if hasattr(os, "EX_USAGE") else 2)
