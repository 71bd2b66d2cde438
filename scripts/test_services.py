"""Gives a command a PostgreSQL and a RabbitMQ to test against: found, private, or from Docker.

    python scripts/test_services.py -- pytest -n auto

For each of the two servers the first way that works is taken:

1. `url`      the address in MINQING_TEST_POSTGRES_URL or MINQING_TEST_RABBIT_URL;
2. `found`    a server on 127.0.0.1 at its usual port that lets us in;
3. `private`  a server of our own from installed binaries, on a free port, ended with the command;
4. `docker`   a container, removed with the command;
5. `apt`      the binaries installed from Debian's packages first, then as `private`.

MINQING_TEST_SERVICES names one way, or several with commas, if the choice is not wanted. The
command sees both addresses in its environment and its exit status becomes ours. Standard library
only: it runs before anything is installed, and tests load it to own a server that they may kill.
"""

import argparse
import contextlib
import os
import pwd
import re
import secrets
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Protocol
from urllib.parse import unquote, urlsplit

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT / "var" / "test-services"
WAYS = ("url", "found", "private", "docker", "apt")
OLDEST_POSTGRES = 15
START_SECONDS = 90.0
STOP_SECONDS = 20.0


class NotToBeHadError(Exception):
    """This way does not lead to a server here; the message says why."""


def say(text: str) -> None:
    print(f"test services: {text}", file=sys.stderr, flush=True)


# Handshakes: a port that accepts a connection is not yet a server that lets us in.


def _read(connection: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        chunk = connection.recv(size - len(data))
        if not chunk:
            raise NotToBeHadError("the connection was closed during the handshake")
        data += chunk
    return data


def greet_postgres(
    host: str, port: int, user: str, database: str, *, password_is_known: bool
) -> str:
    """Sign in by PostgreSQL's own protocol and return the server's version.

    Where the tests know the password, a demand for one counts as success, because they will bring
    it; the version then stays unknown and empty.
    """
    with socket.create_connection((host, port), timeout=5) as connection:
        fields = b"user\0" + user.encode() + b"\0database\0" + database.encode() + b"\0\0"
        connection.sendall(struct.pack("!ii", 8 + len(fields), 196608) + fields)
        version = ""
        while True:
            kind = _read(connection, 1)
            (size,) = struct.unpack("!i", _read(connection, 4))
            body = _read(connection, size - 4)
            if kind == b"E":
                text = re.search(rb"M([^\0]+)\0", body)
                raise NotToBeHadError(
                    f"it refuses {user}: {text.group(1).decode() if text else body!r}"
                )
            if kind == b"R" and struct.unpack("!i", body[:4])[0] != 0:
                if password_is_known:
                    return version
                raise NotToBeHadError(f"it wants a password from {user}")
            if kind == b"S" and body.startswith(b"server_version\0"):
                version = body.split(b"\0")[1].decode()
            if kind == b"Z":
                connection.sendall(b"X\0\0\0\4")
                return version


def greet_rabbit(host: str, port: int, user: str, password: str, vhost: str) -> str:
    """Sign in by AMQP 0-9-1, open the virtual host and return the broker's version."""

    def method(class_id: int, method_id: int, arguments: bytes) -> bytes:
        payload = struct.pack("!HH", class_id, method_id) + arguments
        return struct.pack("!BHI", 1, 0, len(payload)) + payload + b"\xce"

    def short(text: str) -> bytes:
        return bytes([len(text.encode())]) + text.encode()

    def long(data: bytes) -> bytes:
        return struct.pack("!I", len(data)) + data

    def answer(connection: socket.socket) -> tuple[int, int, bytes]:
        _, _, size = struct.unpack("!BHI", _read(connection, 7))
        payload = _read(connection, size + 1)[:-1]
        class_id, method_id = struct.unpack("!HH", payload[:4])
        return class_id, method_id, payload[4:]

    with socket.create_connection((host, port), timeout=5) as connection:
        connection.sendall(b"AMQP\x00\x00\x09\x01")
        class_id, method_id, properties = answer(connection)
        if (class_id, method_id) != (10, 10):
            raise NotToBeHadError("what answers there does not speak AMQP 0-9-1")
        found = re.search(rb"\x07versionS....([0-9A-Za-z.+-]+)", properties, re.DOTALL)
        name = long(f"\0{user}\0{password}".encode())
        connection.sendall(method(10, 11, long(b"") + short("PLAIN") + name + short("en_US")))
        try:
            class_id, method_id, limits = answer(connection)
        except (NotToBeHadError, OSError):
            raise NotToBeHadError(f"it refuses {user}") from None
        if (class_id, method_id) != (10, 30):
            raise NotToBeHadError(f"it refuses {user}")
        connection.sendall(method(10, 31, limits[:8]) + method(10, 40, short(vhost) + b"\0\0"))
        try:
            class_id, method_id, _ = answer(connection)
        except (NotToBeHadError, OSError):
            raise NotToBeHadError(f"it refuses {user} in the virtual host {vhost}") from None
        if (class_id, method_id) != (10, 41):
            raise NotToBeHadError(f"it refuses {user} in the virtual host {vhost}")
        connection.sendall(method(10, 50, struct.pack("!H", 200) + short("bye") + b"\0\0\0\0"))
        return found.group(1).decode() if found else ""


def greet_postgres_at(url: str, *, password_is_known: bool = False) -> str:
    parts = urlsplit(url)
    return greet_postgres(
        parts.hostname or "127.0.0.1",
        parts.port or 5432,
        unquote(parts.username or "postgres"),
        unquote(parts.path.lstrip("/")) or "postgres",
        password_is_known=password_is_known,
    )


def greet_rabbit_at(url: str) -> str:
    parts = urlsplit(url)
    return greet_rabbit(
        parts.hostname or "127.0.0.1",
        parts.port or 5672,
        unquote(parts.username or "guest"),
        unquote(parts.password or "guest"),
        unquote(parts.path[1:]) or "/",
    )


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def wait_until_greeted(
    greet: Callable[[], str], alive: Callable[[], bool], log: Path | None
) -> str:
    """Repeat the handshake until it succeeds; give up when the server has ended or time is over."""
    end = time.monotonic() + START_SECONDS
    why: object = "no answer"
    while time.monotonic() < end:
        if not alive():
            why = "it ended at once"
            break
        try:
            return greet()
        except (NotToBeHadError, OSError) as error:
            why = error
        time.sleep(0.1)
    lines = log.read_text(errors="replace").splitlines()[-15:] if log and log.exists() else []
    raise NotToBeHadError("\n  ".join([f"it did not come up: {why}", *lines]))


def _ask_to_end(process: subprocess.Popen[bytes], pid: int, ask: signal.Signals) -> None:
    """Ask by signal, then insist; only the process group that we started is touched."""
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, ask)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            _kill_group(process)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


# Private servers


def find_postgres_programs() -> Path:
    """Return the folder of the newest installed PostgreSQL server that we support."""
    places = [
        *Path("/usr/lib/postgresql").glob("*/bin"),
        *Path("/usr").glob("pgsql-*/bin"),
        *Path("/opt/homebrew/opt").glob("postgresql*/bin"),
        *Path("/usr/local/opt").glob("postgresql*/bin"),
    ]
    if on_path := shutil.which("initdb"):
        places.append(Path(on_path).resolve().parent)
    versions: list[tuple[int, Path]] = []
    for place in places:
        if not (place / "initdb").exists() or not (place / "postgres").exists():
            continue
        text = subprocess.run(
            [place / "postgres", "--version"], capture_output=True, text=True, check=False
        ).stdout
        if (number := re.search(r"(\d+)", text)) and int(number.group(1)) >= OLDEST_POSTGRES:
            versions.append((int(number.group(1)), place))
    if not versions:
        raise NotToBeHadError(
            f"no PostgreSQL server of version {OLDEST_POSTGRES} or newer is installed"
        )
    return max(versions)[1]


def find_rabbit_program() -> Path:
    """Return the plain start script; Debian's wrapper in /usr/sbin insists on its own account."""
    places = [
        Path("/usr/lib/rabbitmq/bin/rabbitmq-server"),
        *sorted(Path("/usr/lib/rabbitmq/lib").glob("rabbitmq_server-*/sbin/rabbitmq-server")),
        Path("/opt/homebrew/opt/rabbitmq/sbin/rabbitmq-server"),
        Path("/usr/local/opt/rabbitmq/sbin/rabbitmq-server"),
        *sorted(Path("/opt").glob("rabbitmq*/sbin/rabbitmq-server")),
    ]
    if on_path := shutil.which("rabbitmq-server"):
        places.append(Path(on_path))
    for place in places:
        if place.exists():
            return place
    raise NotToBeHadError("no RabbitMQ is installed")


def _unprivileged() -> pwd.struct_passwd | None:
    """PostgreSQL will not run as root: the account to lend it, or None if we are not root."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise NotToBeHadError("we are root and there is no account `postgres` or `nobody` to run it")


class PrivatePostgres:
    """A PostgreSQL of our own, durable settings untouched, on a free port of 127.0.0.1.

    Attributes:
        url: for SQLAlchemy, superuser `postgres`, no password; valid after `start`.
    """

    def __init__(self, folder: Path) -> None:
        self.programs = find_postgres_programs()
        self.account = _unprivileged()
        self.folder = folder
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"postgresql+psycopg://postgres@127.0.0.1:{self.port}/postgres"

    def start(self) -> str:
        """Start on the same port and data as before, if any, and return the version."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if self.account:
            os.chown(self.folder, self.account.pw_uid, self.account.pw_gid)
        data, log = self.folder / "data", self.folder / "postgres.log"
        if not (data / "PG_VERSION").exists():
            self._run(
                [
                    self.programs / "initdb",
                    "-D",
                    data,
                    "-U",
                    "postgres",
                    "-A",
                    "trust",
                    *["-E", "UTF8", "--locale=C"],
                ],
                self.folder / "initdb.log",
            )
        settings = {
            "port": self.port,
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "max_connections": 300,
        }
        command = [self.programs / "postgres", "-D", data]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        with log.open("ab") as output:
            self.process = self._popen(command, output)
        process = self.process
        try:
            return wait_until_greeted(
                lambda: greet_postgres_at(self.url), lambda: process.poll() is None, log
            )
        except BaseException:
            self.kill()
            raise

    def stop(self) -> None:
        """Fast shutdown: sessions are ended, data are flushed."""
        if self.process:
            _ask_to_end(self.process, self.process.pid, signal.SIGINT)
            self.process = None

    def kill(self) -> None:
        """End it as a power cut to the processes would; `start` recovers from the log."""
        if self.process:
            _kill_group(self.process)
            self.process = None

    def _popen(self, command: list[object], output: object) -> subprocess.Popen[bytes]:
        return subprocess.Popen(  # type: ignore[call-overload,no-any-return]
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=self.folder,
            start_new_session=True,
            env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"},
            **(
                {"user": self.account.pw_uid, "group": self.account.pw_gid, "extra_groups": []}
                if self.account
                else {}
            ),
        )

    def _run(self, command: list[object], log: Path) -> None:
        with log.open("ab") as output:
            status = self._popen(command, output).wait()
        if status:
            raise NotToBeHadError(f"initdb failed: {log.read_text(errors='replace')}")


class PrivateRabbit:
    """A RabbitMQ node of our own with its own name, ports, data and name server (epmd).

    Attributes:
        url: user `guest`, virtual host `/`; valid after `start`.
        environment: what `rabbitmqctl` needs to reach this node.
    """

    def __init__(self, folder: Path) -> None:
        self.program = find_rabbit_program()
        self.folder = folder
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None
        self._names: subprocess.Popen[bytes] | None = None
        self._names_port = free_port()
        self.environment = {
            "PATH": f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin",
            "HOME": str(folder),
            "LANG": "C.UTF-8",
            "ERL_EPMD_PORT": str(self._names_port),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_FLAGS": "-kernel inet_dist_use_interface {127,0,0,1}",
            "RABBITMQ_NODENAME": f"minqing-test-{secrets.token_hex(4)}@localhost",
            "RABBITMQ_DIST_PORT": str(free_port()),
            "RABBITMQ_CONF_ENV_FILE": str(folder / "none"),
            "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
            "RABBITMQ_ADVANCED_CONFIG_FILE": str(folder / "none"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "enabled_plugins"),
            "RABBITMQ_MNESIA_BASE": str(folder / "data"),
            "RABBITMQ_LOG_BASE": str(folder / "log"),
            "RABBITMQ_GENERATED_CONFIG_DIR": str(folder / "config"),
            "RABBITMQ_PID_FILE": str(folder / "pid"),
        }

    @property
    def url(self) -> str:
        return f"amqp://guest:guest@127.0.0.1:{self.port}/"

    def start(
        self,
        account: tuple[str, str, str] = ("guest", "guest", "/"),
        settings: Mapping[str, object] | None = None,
    ) -> str:
        """Start on the same port and data as before, if any, and return the version.

        Args:
            account: user, password and virtual host that can sign in once the node is up.
            settings: further or other lines of rabbitmq.conf.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "enabled_plugins").write_text("[].\n")
        lines = {
            "listeners.tcp.local": f"127.0.0.1:{self.port}",
            "disk_free_limit.absolute": "50MB",
            "log.file": "node.log",
            **(settings or {}),
        }
        (self.folder / "rabbitmq.conf").write_text(
            "".join(f"{name} = {value}\n" for name, value in lines.items())
        )
        (self.folder / "pid").unlink(missing_ok=True)
        log = self.folder / "rabbitmq.log"
        with log.open("ab") as output:
            if self._names is None or self._names.poll() is not None:
                names = self._find_names_program()
                self._names = self._popen([names, "-port", self._names_port], output)
            self.process = self._popen([self.program], output)
        process = self.process
        try:
            return wait_until_greeted(
                lambda: greet_rabbit("127.0.0.1", self.port, *account),
                lambda: process.poll() is None,
                log,
            )
        except BaseException:
            self.kill()
            self.stop()
            raise

    def stop(self) -> None:
        """Orderly stop of the node and of its name server."""
        if self.process:
            pid_file = self.folder / "pid"
            written = pid_file.read_text().strip() if pid_file.exists() else ""
            _ask_to_end(self.process, int(written or self.process.pid), signal.SIGTERM)
            self.process = None
        if self._names:
            _ask_to_end(self._names, self._names.pid, signal.SIGTERM)
            self._names = None

    def kill(self) -> None:
        """End the node without warning; `start` brings it back on the same port with its data."""
        if self.process:
            _kill_group(self.process)
            self.process = None

    def _popen(self, command: list[object], output: object) -> subprocess.Popen[bytes]:
        return subprocess.Popen(  # type: ignore[call-overload,no-any-return]
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=self.folder,
            start_new_session=True,
            env=self.environment,
        )

    def _find_names_program(self) -> str:
        found = shutil.which("epmd", path=self.environment["PATH"]) or next(
            (str(path) for path in Path("/usr/lib/erlang").glob("erts-*/bin/epmd")), None
        )
        if not found:
            raise NotToBeHadError("Erlang's name server epmd is missing beside RabbitMQ")
        return found


class Server(Protocol):
    """What a way leads to: an address, and how to end what was started for it."""

    @property
    def url(self) -> str: ...

    def start(self) -> str: ...

    def stop(self) -> None: ...


# Containers


class Container:
    """A throw-away container; Docker picks the port of 127.0.0.1."""

    def __init__(self, image: str, port: int, url: str, settings: dict[str, str]) -> None:
        self.image = image
        self.inner_port = port
        self.template = url
        self.settings = settings
        self.name = f"minqing-test-{secrets.token_hex(4)}"
        self.port = 0

    @property
    def url(self) -> str:
        return self.template.format(port=self.port)

    def start(self) -> str:
        command = ["docker", "run", "--detach", "--rm", "--name", self.name]
        command += ["--publish", f"127.0.0.1::{self.inner_port}"]
        for name, value in self.settings.items():
            command += ["--env", f"{name}={value}"]
        made = subprocess.run([*command, self.image], capture_output=True, text=True, check=False)
        if made.returncode:
            raise NotToBeHadError(f"docker run {self.image}: {made.stderr.strip()}")
        try:
            shown = subprocess.run(
                ["docker", "port", self.name, str(self.inner_port)],
                capture_output=True,
                text=True,
                check=True,
            ).stdout
            self.port = int(shown.splitlines()[0].rsplit(":", 1)[1])
            greet = greet_postgres_at if self.template.startswith("postgresql") else greet_rabbit_at
            return wait_until_greeted(lambda: greet(self.url), lambda: True, None)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        subprocess.run(["docker", "rm", "--force", self.name], capture_output=True, check=False)


def docker_answers() -> None:
    if not shutil.which("docker"):
        raise NotToBeHadError("no docker command")
    try:
        asked = subprocess.run(
            ["docker", "info", "--format", "{{.ServerVersion}}"],
            capture_output=True,
            text=True,
            timeout=10,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise NotToBeHadError("the Docker engine does not answer") from None
    if asked.returncode or not asked.stdout.strip():
        raise NotToBeHadError("no Docker engine answers")


# Ways


class Found:
    """A server that was there before us and stays."""

    def __init__(self, url: str, version: str) -> None:
        self.url = url
        self.version = version

    def start(self) -> str:
        return self.version

    def stop(self) -> None:
        pass


@dataclass(frozen=True)
class Kind:
    """PostgreSQL or RabbitMQ, and every way to one of them."""

    name: str
    variable: str
    usual: tuple[str, ...]
    greet: Callable[..., str]
    private: Callable[[Path], Server]
    container: Callable[[], Container]
    package: str

    def get(self, way: str, folder: Path) -> Server:
        """Return a started server.

        Raises:
            NotToBeHadError: this way is closed here.
        """
        server: Server
        if way == "url":
            server = self._named()
        elif way == "found":
            server = self._found()
        elif way == "docker":
            docker_answers()
            server = self.container()
        else:
            if way == "apt":
                install(self.package)
            server = self.private(folder)
        began = time.monotonic()
        version = server.start()
        seconds = time.monotonic() - began
        detail = f" in {seconds:.1f} s" if way not in {"url", "found"} else ""
        told = version or "of a version not told"
        say(f"{self.name} {told} ({way}){detail}: {without_password(server.url)}")
        return server

    def _named(self) -> Found:
        url = os.environ.get(self.variable, "")
        if not url:
            raise NotToBeHadError(f"{self.variable} is not set")
        known = {"password_is_known": True} if self.greet is greet_postgres_at else {}
        try:
            return Found(url, self.greet(url, **known))
        except (NotToBeHadError, OSError) as error:
            raise SystemExit(
                f"test services: {self.variable} names {without_password(url)}, but {error}. "
                "Correct it or unset it."
            ) from error

    def _found(self) -> Found:
        reasons = []
        for url in self.usual:
            try:
                version = self.greet(url)
            except (NotToBeHadError, OSError) as error:
                reasons.append(str(error))
                continue
            number = re.match(r"\d+", version)
            if self.greet is greet_postgres_at and number and int(number[0]) < OLDEST_POSTGRES:
                reasons.append(f"version {version} is older than {OLDEST_POSTGRES}")
                continue
            return Found(url, version)
        raise NotToBeHadError("; ".join(dict.fromkeys(reasons)))


def without_password(url: str) -> str:
    parts = urlsplit(url)
    if not parts.password:
        return url
    return parts._replace(netloc=f"{parts.username}:…@{parts.netloc.rpartition('@')[2]}").geturl()


_refreshed: list[bool] = []


def install(package: str) -> None:
    """Install one Debian package, without letting it start a server of the machine's own."""
    if not shutil.which("apt-get"):
        raise NotToBeHadError("no apt-get on this system")
    as_root: list[str] = []
    if os.geteuid() != 0:
        allowed = (
            shutil.which("sudo")
            and not subprocess.run(
                ["sudo", "-n", "true"], capture_output=True, check=False
            ).returncode
        )
        if not allowed:
            raise NotToBeHadError("apt-get needs root, and sudo asks for a password")
        as_root = ["sudo", "-n"]
    # RUNLEVEL=1 makes invoke-rc.d leave the new service stopped where no init system decides.
    as_root += ["env", "DEBIAN_FRONTEND=noninteractive", "RUNLEVEL=1"]
    steps = [] if _refreshed else [["apt-get", "update", "-qq"]]
    steps.append(["apt-get", "install", "-y", "-qq", "--no-install-recommends", package])
    say(f"installing Debian's package {package}")
    for step in steps:
        done = subprocess.run([*as_root, *step], capture_output=True, text=True, check=False)
        if done.returncode:
            raise NotToBeHadError(f"{' '.join(step)}: {done.stderr.strip()[-400:]}")
    _refreshed.append(True)


KINDS = (
    Kind(
        name="PostgreSQL",
        variable="MINQING_TEST_POSTGRES_URL",
        usual=tuple(
            f"postgresql+psycopg://{user}@127.0.0.1:5432/postgres"
            for user in ("postgres", pwd.getpwuid(os.geteuid()).pw_name)
        ),
        greet=greet_postgres_at,
        private=PrivatePostgres,
        container=lambda: Container(
            "postgres:17",
            5432,
            "postgresql+psycopg://postgres@127.0.0.1:{port}/postgres",
            {"POSTGRES_HOST_AUTH_METHOD": "trust"},
        ),
        package="postgresql",
    ),
    Kind(
        name="RabbitMQ",
        variable="MINQING_TEST_RABBIT_URL",
        usual=("amqp://guest:guest@127.0.0.1:5672/",),
        greet=greet_rabbit_at,
        private=PrivateRabbit,
        container=lambda: Container(
            "rabbitmq:4.1", 5672, "amqp://guest:guest@127.0.0.1:{port}/", {}
        ),
        package="rabbitmq-server",
    ),
)


def chosen_ways() -> tuple[str, ...]:
    asked = os.environ.get("MINQING_TEST_SERVICES", "").replace(",", " ").split()
    for way in asked:
        if way not in WAYS:
            known = ", ".join(WAYS)
            raise SystemExit(f"test services: MINQING_TEST_SERVICES={way} is none of {known}.")
    return tuple(asked) or WAYS


def data_folder() -> Path:
    """Return a fresh folder in var/, or in /tmp where an unprivileged server cannot reach var/."""
    DATA.mkdir(parents=True, exist_ok=True)
    account = _unprivileged()
    closed = account and any(not folder.stat().st_mode & 0o001 for folder in (DATA, *DATA.parents))
    place = None if closed else DATA
    folder = Path(tempfile.mkdtemp(prefix="minqing-test-", dir=place))
    folder.chmod(0o755)
    return folder


def no_way(kind: Kind, reasons: list[str]) -> str:
    lines = [f"test services: the tests need {kind.name}, and no way leads to one here:", *reasons]
    remedy = f"Install it (Debian: apt install {kind.package}), start Docker"
    return "\n".join([*lines, f"{remedy}, or name one in {kind.variable}."])


@contextlib.contextmanager
def servers(ways: tuple[str, ...]) -> Iterator[dict[str, str]]:
    """Hold one server of each kind; yields their addresses by variable name."""
    folder = data_folder()
    with contextlib.ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        addresses: dict[str, str] = {}
        for kind in KINDS:
            reasons: list[str] = []
            for way in ways:
                try:
                    server = kind.get(way, folder / kind.package)
                except NotToBeHadError as error:
                    reasons.append(f"  {way}: {error}")
                    continue
                stack.callback(server.stop)
                addresses[kind.variable] = server.url
                break
            else:
                raise SystemExit(no_way(kind, reasons))
        yield addresses


def _end(number: int, _frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("command", nargs="+", help="what to run, after --")
    command: list[str] = parser.parse_args().command
    signal.signal(signal.SIGTERM, _end)
    signal.signal(signal.SIGHUP, _end)
    try:
        with servers(chosen_ways()) as addresses:
            child = subprocess.Popen(command, env={**os.environ, **addresses})
            try:
                return child.wait()
            except BaseException as reason:
                # Ctrl-C reaches the child by itself; a signal to us alone does not. Told like this,
                # pytest ends what its tests have started.
                if not isinstance(reason, KeyboardInterrupt):
                    child.send_signal(signal.SIGINT)
                try:
                    child.wait(STOP_SECONDS)
                except subprocess.TimeoutExpired:
                    child.terminate()
                raise
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
