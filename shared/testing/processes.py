"""The suite as it runs in production: an API and a worker process for each service."""

import asyncio
import base64
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar
from uuid import uuid4

import aio_pika
import httpx
import psycopg
from psycopg import sql

SERVICES = ("identity", "hotline", "intake", "dispatch", "assessment")
Answer = TypeVar("Answer")

START_SECONDS = 90.0
STOP_SECONDS = 40.0


class NotInTime(AssertionError):
    """Something that was waited for did not come about."""


def wait_for(what: str, check: Callable[[], Answer | None], *, seconds: float = 60.0) -> Answer:
    """Ask `check` until it answers something true.

    Raises:
        NotInTime: it did not within `seconds`; the message names what was waited for.
    """
    deadline = time.monotonic() + seconds
    while True:
        answer = check()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise NotInTime(f"{what} did not come about within {seconds:g} s (last: {answer!r})")
        time.sleep(0.1)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass
class RunningProcess:
    """One process of the suite.

    Attributes:
        name: `<service>-api` or `<service>-worker`.
        url: where its health page and, for an API, everything else is.
        log: file with what it wrote.
    """

    name: str
    command: Sequence[str]
    environment: dict[str, str]
    url: str
    log: Path
    _process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(  # noqa: S603 - our own command
                self.command, env=self.environment, stdout=output, stderr=output
            )

    def kill(self) -> None:
        """End it without warning (SIGKILL)."""
        self._end(signal.SIGKILL)

    def freeze(self) -> None:
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def stop(self) -> None:
        """Ask it to finish its work and end (SIGTERM)."""
        self._end(signal.SIGTERM)

    def is_ready(self) -> bool:
        if self._process is not None and self._process.poll() is not None:
            tail = self.log.read_text(errors="replace")[-3_000:]
            raise NotInTime(f"{self.name} ended with {self._process.returncode}:\n{tail}")
        try:
            return httpx.get(f"{self.url}/readyz", timeout=5).status_code == httpx.codes.OK
        except httpx.HTTPError:
            return False

    def _end(self, number: signal.Signals) -> None:
        if self._process is None:
            return
        self._signal(number)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(number)


@dataclass
class SuiteProcesses:
    """Ten processes on databases and queues of their own.

    Args:
        folder: logs and photographs.
        postgres_url: a database of a server on which databases may be made and dropped.
        rabbit_url: a broker; everything on it carries a prefix of its own.
        pack: directory of the city pack.
        password: given to every account of the pack.
        settings: further environment, e.g. `MINQING_INTAKE_POOL_SIZE`.
    """

    folder: Path
    postgres_url: str
    rabbit_url: str
    pack: Path
    password: str = "Every-One-7-Signs-In"  # noqa: S105 - exists for the length of a test
    settings: dict[str, str] = field(default_factory=dict)
    prefix: str = field(default_factory=lambda: f"t{uuid4().hex[:8]}.")
    processes: dict[str, RunningProcess] = field(default_factory=dict)
    sealing_key: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    personal_data_key: str = field(
        default_factory=lambda: base64.b64encode(secrets.token_bytes(32)).decode()
    )

    def database(self, service: str) -> str:
        return f"minqing_{self.prefix.rstrip('.')}_{service}"

    def database_url(self, service: str) -> str:
        base = self.postgres_url.rsplit("/", 1)[0].replace("postgresql+psycopg:", "postgresql:")
        return base.replace("postgresql:", "postgresql+psycopg:") + f"/{self.database(service)}"

    def url(self, service: str) -> str:
        """Address of a service's API: scheme, host and port."""
        return self.processes[f"{service}-api"].url

    @property
    def environment(self) -> dict[str, str]:
        chosen = {
            **os.environ,
            "MINQING_PACK": str(self.pack),
            "MINQING_IDENTITY_URL": f"{self.url('identity')}/api/identity/v1",
            "MINQING_IDENTITY_DEMO_PASSWORD": self.password,
            "MINQING_IDENTITY_SEALING_KEY": self.sealing_key,
            "MINQING_HOTLINE_PERSONAL_DATA_KEY": self.personal_data_key,
            "MINQING_INTAKE_PERSONAL_DATA_KEY": self.personal_data_key,
        }
        for service in SERVICES:
            prefix = f"MINQING_{service.upper()}"
            chosen[f"{prefix}_DATABASE_URL"] = self.database_url(service)
            chosen[f"{prefix}_BROKER_URL"] = self.rabbit_url
            chosen[f"{prefix}_BUS_PREFIX"] = self.prefix
            chosen[f"{prefix}_POOL_SIZE"] = "5"
            chosen[f"{prefix}_MEDIA_URL"] = str(self.folder / "media")
        return chosen | self.settings

    def prepare(self, *, workers: int = 1) -> None:
        """Lay out the processes and install databases and queues, without starting anything."""
        self.folder.mkdir(parents=True, exist_ok=True)
        layout = [(service, part) for service in SERVICES for part in ("api", "worker")]
        for service, part in layout:
            port = free_port()
            name = f"{service}-{part}"
            command = [sys.executable, "-m", "services", part, service, "--port", str(port)]
            if part == "api" and workers > 1:
                command += ["--workers", str(workers)]
            self.processes[name] = RunningProcess(
                name, command, {}, f"http://127.0.0.1:{port}", self.folder / f"{name}.log"
            )
        for process in self.processes.values():
            process.environment = self.environment
        installed = subprocess.run(
            [sys.executable, "-m", "services", "migrate"],
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if installed.returncode:
            raise NotInTime(f"minqing migrate failed:\n{installed.stdout}\n{installed.stderr}")

    def start(self) -> None:
        for process in self.processes.values():
            process.start()
        self.wait_until_ready()

    def wait_until_ready(self) -> None:
        for process in self.processes.values():
            wait_for(f"{process.name} ready", process.is_ready, seconds=START_SECONDS)

    def stop(self) -> None:
        for process in self.processes.values():
            process._signal(signal.SIGCONT)  # noqa: SLF001 - a frozen one cannot hear
            process._signal(signal.SIGTERM)  # noqa: SLF001 - all at once, then wait for each
        for process in self.processes.values():
            process.stop()

    def remove(self) -> None:
        """Drop the databases and the queues."""
        server = self.postgres_url.replace("postgresql+psycopg:", "postgresql:")
        with psycopg.connect(server, autocommit=True) as connection:
            for service in SERVICES:
                name = sql.Identifier(self.database(service))
                connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))
        remove_queues(self.rabbit_url, self.prefix)


def remove_queues(rabbit_url: str, prefix: str) -> None:
    """Delete every queue and exchange of a prefix that the suite has declared."""

    async def remove() -> None:
        connection = await aio_pika.connect(rabbit_url, timeout=10)
        async with connection:
            for service in SERVICES:
                for name in (f"{prefix}{service}.events.v1", f"{prefix}{service}.events.v1.dead"):
                    channel = await connection.channel()
                    await channel.queue_delete(name)
            channel = await connection.channel()
            for exchange in ("minqing.events", "minqing.dead"):
                await channel.exchange_delete(f"{prefix}{exchange}")

    asyncio.run(remove())


@contextmanager
def suite_of_processes(
    folder: Path, postgres_url: str, rabbit_url: str, pack: Path, **settings: str
) -> Iterator[SuiteProcesses]:
    """The whole suite, started and ready, stopped and removed in the end."""
    suite = SuiteProcesses(folder, postgres_url, rabbit_url, pack, settings=settings)
    suite.prepare()
    try:
        suite.start()
        yield suite
    finally:
        suite.stop()
        suite.remove()
