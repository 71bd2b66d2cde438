"""The whole suite, once as ten processes on PostgreSQL and RabbitMQ, once as a single one."""

import importlib.util
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from city import City
from ledger import Ledger

from shared.pack.model import CityPack
from shared.testing.processes import (
    SERVICES,
    RunningProcess,
    SuiteProcesses,
    free_port,
    suite_of_processes,
    wait_for,
)

ROOT = Path(__file__).parents[2]
PACK = ROOT / "packs" / "qilihe"


@dataclass
class Running:
    """A suite under test; `suite` and `broker` only where there are processes to be killed."""

    city: City
    ledger: Ledger
    suite: SuiteProcesses | None = None
    broker: object | None = None


def _test_services() -> ModuleType:
    name = "scripts_test_services"
    spec = importlib.util.spec_from_file_location(name, ROOT / "scripts" / "test_services.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def processes(
    tmp_path_factory: pytest.TempPathFactory, qilihe: CityPack, postgres_server: str
) -> Iterator[Running]:
    """Ten processes on a RabbitMQ node of their own, which may be killed."""
    folder = tmp_path_factory.mktemp("suite")
    broker = _test_services().PrivateRabbit(folder / "rabbit")
    broker.start()
    try:
        with suite_of_processes(folder, postgres_server, broker.url, PACK) as suite:
            ledger = Ledger({name: suite.database_url(name) for name in SERVICES})
            city = City(suite.url, qilihe, suite.password)
            yield Running(city, ledger, suite, broker)
            ledger.close()
            city.finish()
    finally:
        broker.stop()


@pytest.fixture(scope="session")
def embedded(tmp_path_factory: pytest.TempPathFactory, qilihe: CityPack) -> Iterator[Running]:
    """One process on SQLite with the bus in memory: what `make run` starts."""
    folder = tmp_path_factory.mktemp("embedded")
    port = free_port()
    password = "Every-One-7-Signs-In"
    (folder / "demo-password").write_text(password)
    (folder / "sample-played").touch()
    command = [sys.executable, "-m", "services", "serve", "--demo"]
    command += ["--port", str(port), "--data", str(folder), "--pack", str(PACK)]
    url = f"http://127.0.0.1:{port}"
    process = RunningProcess("serve", command, dict(os.environ), url, folder / "log")
    process.start()
    try:
        wait_for("serve ready", process.is_ready, seconds=90)
        ledger = Ledger({name: f"sqlite:///{folder}/{name}.db" for name in SERVICES})
        city = City(lambda _service: url, qilihe, password)
        yield Running(city, ledger)
        ledger.close()
        city.finish()
    finally:
        process.stop()


@pytest.fixture(params=["processes", "embedded"])
def running(request: pytest.FixtureRequest) -> Running:
    """The same story on both."""
    running: Running = request.getfixturevalue(request.param)
    return running


@pytest.fixture
def city(running: Running) -> Iterator[City]:
    """The people of the city; after each story nothing may be lost, doubled or waiting."""
    yield running.city
    running.ledger.wait_until_settled()


@pytest.fixture
def killable(processes: Running) -> Iterator[Running]:
    """The processes, to be disturbed; afterwards nothing may be lost, doubled or waiting."""
    yield processes
    processes.ledger.wait_until_settled()
