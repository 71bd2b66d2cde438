"""`minqing serve`: the whole suite in one process."""

import asyncio
import contextlib
import secrets
import socket
from pathlib import Path
from typing import Annotated, Any

import typer
import uvicorn
from rich.console import Console
from rich.table import Table

from shared.observability.logs import configure_logs

app = typer.Typer()

STOP_SECONDS = 30
LOG_FILE = "serve.log"


@app.callback(invoke_without_command=True)
def serve(
    pack: Annotated[Path, typer.Option(help="City pack directory.")] = Path("packs/qilihe"),
    folder: Annotated[
        Path, typer.Option("--data", help="Where databases, keys and photographs are kept.")
    ] = Path("var/run"),
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 8311,
    *,
    demo: Annotated[
        bool,
        typer.Option(
            "--demo", help="Give the pack's people a password and play a sample of cases."
        ),
    ] = False,
    log_level: Annotated[str, typer.Option(help="DEBUG, INFO, WARNING or ERROR.")] = "WARNING",
) -> None:
    """Run all five services in one process: SQLite files, events joined in memory.

    For trying the suite, for training, and for a small town. A district runs `make up`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as stack:
        # Where somebody watches the progress of the sample, the log goes elsewhere.
        file = stack.enter_context((folder / LOG_FILE).open("a", buffering=1)) if demo else None
        configure_logs(log_level, file=file)
        asyncio.run(_serve(pack, folder, host, port, demo=demo))


class _Server(uvicorn.Server):
    """Tells when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()


async def _serve(pack: Path, folder: Path, host: str, port: int, *, demo: bool) -> None:
    from services.standalone import open_suite

    console = Console()
    given: dict[str, dict[str, Any]] = {}
    if demo:
        given["identity"] = {"demo_password": _demo_password(folder)}
    with console.status("Preparing databases and the city pack"):
        suite = await open_suite(pack, folder, given=given)
    config = uvicorn.Config(
        suite.app,
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=STOP_SECONDS,
    )
    server = _Server(config)
    serving = asyncio.create_task(server.serve())
    listening = asyncio.create_task(server.listening.wait())
    await asyncio.wait({serving, listening}, return_when=asyncio.FIRST_COMPLETED)
    if server.started:
        url = f"http://{host}:{port}"
        if demo:
            await _play_demo(console, url, folder, pack)
        _say_where(console, url, suite.runtimes["identity"].pack, folder, demo=demo)
    await serving


async def _play_demo(console: Console, url: str, folder: Path, pack: Path) -> None:
    """Play a sample of cases once, as the people of the pack would."""
    from services.commands.demo import play_sample

    done = folder / "sample-played"
    if done.exists():
        return
    await play_sample(console, url, pack, _demo_password(folder))
    done.touch()


def _demo_password(folder: Path) -> str:
    """One password for everybody, made for this installation and kept in its folder."""
    path = folder / "demo-password"
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(f"Demo-{secrets.token_urlsafe(9)}-7", encoding="utf-8")
    return path.read_text(encoding="utf-8")


def _say_where(console: Console, url: str, pack: Any, folder: Path, *, demo: bool) -> None:
    console.print(f"\n[bold]Minqing runs for {pack.city.name.zh} ({pack.city.name.en})[/bold]")
    console.print(
        f"  {url}/readyz                        whether every service is well", soft_wrap=True
    )
    console.print(f"  {url}/api/dispatch/v1/cases         the cases", soft_wrap=True)
    console.print(f"  {url}/api/<service>/v1/openapi.json what each service offers", soft_wrap=True)
    if not demo:
        return
    people = Table(title="Sign-ins", title_justify="left")
    for column in ("account", "name", "roles", "unit"):
        people.add_column(column)
    shown: set[frozenset[Any]] = set()
    for person in pack.people:
        if person.roles not in shown:
            shown.add(person.roles)
            roles = ", ".join(sorted(role.value for role in person.roles))
            people.add_row(person.login, person.name.zh, roles, person.unit)
    console.print(people)
    console.print(f"Password of all of them: [bold]{_demo_password(folder)}[/bold]")
    console.print("Get a token and look around:")
    console.print(
        f"  MINQING_PASSWORD='{_demo_password(folder)}'"
        f" .venv/bin/minqing token --url {url} --login <account>",
        soft_wrap=True,
    )
    console.print(f"Messages to people, and the log: {folder / LOG_FILE}", soft_wrap=True)
    console.print("Ctrl+C stops it; the data stay.\n")
