"""`minqing one-time-code LOGIN`: how the first administrator of an installation gets in."""

import asyncio
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from services.composition import running_alone
from shared.bus.memory import MemoryExchange, MemoryTransport
from shared.ids import uuid7
from shared.observability.logs import configure_logs
from shared.work import Actor, Origin

app = typer.Typer()

ACTOR = "service:command-line"


@app.callback(invoke_without_command=True)
def one_time_code(
    login: Annotated[str, typer.Argument(help="Account, e.g. the security administrator's.")],
    *,
    folder: Annotated[
        Path | None,
        typer.Option("--data", help="Folder of `minqing serve`, if that is what runs here."),
    ] = None,
    pack: Annotated[
        Path | None, typer.Option(help="City pack directory; MINQING_PACK when not given.")
    ] = None,
) -> None:
    """Print a code with which the owner of the account sets a password.

    It works once and expires after a day; the one before no longer counts. It is for the first
    administrator, who gives out everybody else's through the API. Whoever can run this has the
    database of identity at hand already; that a code was given out is audited.
    """
    configure_logs("WARNING")
    given: dict[str, Any] = {}
    if folder is not None:
        given["database_url"] = f"sqlite+aiosqlite:///{(folder / 'identity.db').resolve()}"
    if pack is not None:
        given["pack"] = pack
    code, expires_at = asyncio.run(_code_for(login, given))
    typer.echo(code)
    typer.echo(f"good until {expires_at:%Y-%m-%d %H:%M} ({expires_at.tzname()})", err=True)


async def _code_for(login: str, given: dict[str, Any]) -> tuple[str, datetime]:
    from services.identity.passwords.service import first_code

    # No event is told, so no broker is needed.
    nobody = MemoryTransport(MemoryExchange())
    async with running_alone("identity", transport=nobody, **given) as runtime:
        async with runtime.database.transaction() as session:
            work = runtime.work(session, Actor(ACTOR), Origin(str(uuid7())))
            code, expires_at = await first_code(work, runtime, login)
            await work.flush()
        return code, expires_at.astimezone(ZoneInfo(runtime.pack.city.zone))
