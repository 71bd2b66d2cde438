"""The suite and the people that the measurements need: addresses, sign-ins, bodies of requests."""

import base64
import io
import json
import os
import secrets
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import machine
from PIL import Image

from shared.pack.loader import load_pack
from shared.pack.model import CityPack, ClassKey, Grid, RegistrationCondition
from shared.testing.processes import RunningProcess, SuiteProcesses, free_port, wait_for
from shared.vocabulary import Role

ROOT = Path(__file__).parents[1]
PACK = ROOT / "packs" / "qilihe"
POSTGRES = os.environ.get(
    "MINQING_TEST_POSTGRES_URL", "postgresql+psycopg://postgres@127.0.0.1:5432/postgres"
)
RABBIT = os.environ.get("MINQING_TEST_RABBIT_URL", "amqp://guest:guest@127.0.0.1:5672/")
SECRETS = {
    "MINQING_IDENTITY_SEALING_KEY": secrets.token_urlsafe(32),
    "MINQING_HOTLINE_PERSONAL_DATA_KEY": base64.b64encode(secrets.token_bytes(32)).decode(),
    "MINQING_INTAKE_PERSONAL_DATA_KEY": base64.b64encode(secrets.token_bytes(32)).decode(),
}
COVER = ClassKey.parse("GB/T 47678.5-2026:component:01001")

Json = dict[str, Any]


@dataclass
class Town:
    """A running suite, its city pack, and tokens of its people."""

    suite: SuiteProcesses
    pack: CityPack
    tokens: dict[str, str] = field(default_factory=dict)

    def token(self, login: str) -> str:
        """Access token of an account; good for about ten minutes."""
        if login not in self.tokens:
            answer = httpx.post(
                f"{self.suite.url('identity')}/api/identity/v1/sessions",
                json={"login": login, "password": self.suite.password},
                timeout=30,
            )
            answer.raise_for_status()
            self.tokens[login] = answer.json()["access_token"]
        return self.tokens[login]

    def one(self, role: Role, unit: str | None = None) -> str:
        """Account name of somebody with this role, of this unit if one is named."""
        return next(
            person.login
            for person in self.pack.people
            if role.value in {held.value for held in person.roles} and unit in {None, person.unit}
        )

    def grids(self, count: int) -> list[Grid]:
        """Grids that have a collector, each with another one as far as there are enough."""
        by_owner = {grid.owner: grid for grid in self.pack.grids.values() if grid.owner}
        return list(by_owner.values())[:count]

    def photograph(self, login: str) -> str:
        """Upload a small picture; its content address."""
        picture = io.BytesIO()
        Image.new("RGB", (64, 48), tuple(uuid4().bytes[:3])).save(picture, "JPEG")
        answer = httpx.post(
            f"{self.suite.url('intake')}/api/intake/v1/media",
            content=picture.getvalue(),
            headers={
                "Authorization": f"Bearer {self.token(login)}",
                "Content-Type": "image/jpeg",
                "Idempotency-Key": str(uuid4()),
            },
            timeout=30,
        )
        answer.raise_for_status()
        sha: str = answer.json()["sha256"]
        return sha

    @property
    def routine(self) -> RegistrationCondition:
        """A condition that nobody is woken for, as of most cases."""
        return next(one for one in self.pack.conditions_of(COVER) if not one.urgent)

    def report(self, grid: Grid, media: Sequence[str] = ()) -> Json:
        """A report as a collector's handset sends it; with a photograph it becomes a case."""
        point = grid.polygon.representative_point()
        return {
            "client_id": str(uuid4()),
            "class_ref": {"scheme": COVER.scheme, "kind": COVER.kind.value, "code": COVER.code},
            "condition": self.routine.code,
            "description": "人行道上的井盖破损,缺了一角,夜间行人较多。",
            "place": {
                "longitude": round(point.x, 6),
                "latitude": round(point.y, 6),
                "accuracy_m": 6.5,
                "position_source": "gnss",
                "address": "西津西路北侧人行道",
            },
            "media": list(media),
        }

    def groups(self, names: Sequence[str]) -> dict[str, machine.Pids]:
        """Processes of the suite and of its servers, for measuring their processor time."""
        groups: dict[str, machine.Pids] = {
            name: lambda name=name: pids_of(self.suite.processes[name])  # type: ignore[misc]
            for name in names
        }
        for service in sorted({name.partition("-")[0] for name in names}):
            database = self.suite.database(service)
            groups[f"postgres {service}"] = lambda database=database: machine.backends(  # type: ignore[misc]
                POSTGRES, database
            )
        groups["rabbitmq"] = lambda: machine.named("beam.smp")
        groups["driver"] = lambda: [os.getpid()]
        return groups


def pids_of(process: RunningProcess) -> list[int]:
    started = process._process  # noqa: SLF001 - only looked at
    return [] if started is None else machine.descendants(started.pid)


@contextmanager
def town(folder: Path, *names: str, workers: int = 1, **settings: str) -> Iterator[Town]:
    """Some processes of the suite, ready; all of them if none is named."""
    suite = SuiteProcesses(folder, POSTGRES, RABBIT, PACK, settings=SECRETS | settings)
    try:
        suite.prepare(workers=workers)
        chosen = names or tuple(suite.processes)
        for name in chosen:
            suite.processes[name].start()
        for name in chosen:
            wait_for(f"{name} ready", suite.processes[name].is_ready, seconds=120)
        yield Town(suite, load_pack(PACK))
    finally:
        suite.stop()
        suite.remove()


@contextmanager
def bare_server(
    suite: SuiteProcesses, folder: Path, *, workers: int = 1
) -> Iterator[tuple[str, RunningProcess]]:
    """The server of `bare_server.py` on intake's database; its address and process."""
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "bare_server:app", "--port", str(port)]
    command += ["--loop", "uvloop", "--http", "httptools", "--no-access-log"]
    command += ["--log-level", "error", "--workers", str(workers)]
    url = suite.database_url("intake").replace("+psycopg", "")
    environment = {**os.environ, "DATABASE_URL": url, "PYTHONPATH": str(Path(__file__).parent)}
    address = f"http://127.0.0.1:{port}"
    server = RunningProcess("bare", command, environment, address, folder / "bare.log")
    server.start()
    try:
        wait_for("bare server", lambda: _answers(address))
        yield address, server
    finally:
        server.stop()


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/docs", timeout=5).is_success
    except httpx.HTTPError:
        return False


def print_result(bench: str, figures: Mapping[str, Any]) -> None:
    """The line that programs read."""
    print(json.dumps({"bench": bench, "machine": machine.kind_of_machine(), **figures}))
