"""A running suite for the players, and rows of a day made up for a purpose."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import uvicorn

from services.replay.board import Step
from services.replay.day import Day, day_of
from services.standalone import open_suite

ROOT = Path(__file__).parents[2]
PASSWORD = "Sample-password-7"

StartSuite = Callable[[Path], AbstractAsyncContextManager[str]]
MakeDay = Callable[..., Day]


class Silent:
    """A watcher that remembers."""

    def __init__(self) -> None:
        self.expected: dict[Step, int] = {}
        self.reached: dict[Step, int] = {}

    def expect(self, step: Step, total: int) -> None:
        self.expected[step] = total

    def reach(self, step: Step, count: int) -> None:
        self.reached[step] = count


@pytest.fixture
def make_day() -> MakeDay:
    """Rows with the given cells over a plain closed request by telephone."""

    def make(*cells: dict[str, str], name: str = "day") -> Day:
        plain = {
            "created": "2018-10-21T08:00",
            "closed": "2018-10-21T10:00",
            "agency": "NYPD",
            "type": "Noise - Residential",
            "descriptor": "Banging/Pounding",
            "status": "Closed",
            "channel": "PHONE",
            "borough": "MANHATTAN",
            "lat": "40.724570",
            "lng": "-73.974143",
            "address": "465 EAST 10 STREET",
            "resolution": "r003",
        }
        records = [
            plain | {"key": str(40_000_000 + number)} | given for number, given in enumerate(cells)
        ]
        return day_of(name, records, ZoneInfo("America/New_York"), frozenset({"dup"}))

    return make


@pytest.fixture
def start_suite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StartSuite:
    """The whole suite on SQLite behind a port of its own; gives its address."""
    # Signing in is slow on purpose; here it is done by dozens of people.
    monkeypatch.setenv("MINQING_IDENTITY_ARGON2_MEMORY_KIB", "64")
    monkeypatch.setenv("MINQING_IDENTITY_ARGON2_ROUNDS", "1")

    @contextlib.asynccontextmanager
    async def start(pack: Path) -> AsyncIterator[str]:
        given = {"identity": {"demo_password": PASSWORD}}
        suite = await open_suite(pack, tmp_path, given=given)
        config = uvicorn.Config(
            suite.app, port=0, log_config=None, access_log=False, timeout_graceful_shutdown=5
        )
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve())
        try:
            async with asyncio.timeout(30):
                while not (server.started or serving.done()):  # noqa: ASYNC110 - uvicorn has no event for it
                    await asyncio.sleep(0.01)
            port = server.servers[0].sockets[0].getsockname()[1]
            yield f"http://127.0.0.1:{port}"
        finally:
            server.should_exit = True
            async with asyncio.timeout(30):
                await serving

    return start
