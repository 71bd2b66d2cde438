"""Servers for the tests: found or private, told clearly, and gone afterwards."""

import os
import signal
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "test_services.py"


def start(command: list[str], **environment: str) -> subprocess.Popen[str]:
    inherited = {name: value for name, value in os.environ.items() if "MINQING_" not in name}
    return subprocess.Popen(  # noqa: S603 - our own script
        [sys.executable, SCRIPT, "--", *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=inherited | environment,
    )


def unused_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def test_an_unknown_way_is_refused_with_the_known_ones() -> None:
    process = start(["true"], MINQING_TEST_SERVICES="magic")

    _, errors = process.communicate(timeout=30)

    assert process.returncode == 1
    assert "magic is none of url, found, private, docker, apt" in errors


def test_a_named_server_that_is_away_is_an_error_and_no_reason_to_take_another() -> None:
    url = f"postgresql+psycopg://minqing:topsecret@127.0.0.1:{unused_port()}/x"
    process = start(["true"], MINQING_TEST_POSTGRES_URL=url)

    _, errors = process.communicate(timeout=30)

    assert process.returncode == 1
    assert "MINQING_TEST_POSTGRES_URL names" in errors
    assert "topsecret" not in errors


def test_when_no_way_is_left_each_is_told_with_its_reason() -> None:
    process = start(["true"], MINQING_TEST_SERVICES="docker", PATH="/nowhere")

    _, errors = process.communicate(timeout=30)

    assert process.returncode == 1
    assert "docker: no docker command" in errors
    assert "apt install postgresql" in errors


@pytest.fixture
def silent_server() -> Iterator[tuple[int, list[bytes]]]:
    """Accepts one connection, answers with the bytes it is given, then closes."""
    answers: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(4096)
                for answer in answers:
                    connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        yield server.getsockname()[1], answers
        thread.join(10)


def postgres_message(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("!i", len(body) + 4) + body


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        ([], "closed during the handshake"),
        ([postgres_message(b"R", struct.pack("!i", 10))], "wants a password"),
        ([postgres_message(b"E", b'SFATAL\0Mrole "x" does not exist\0\0')], "does not exist"),
    ],
)
def test_a_port_that_does_not_let_us_in_is_no_postgres_for_us(
    answers: list[bytes],
    reason: str,
    silent_server: tuple[int, list[bytes]],
    test_services: ModuleType,
) -> None:
    port, script = silent_server
    script.extend(answers)

    with pytest.raises(test_services.NotToBeHadError, match=reason):
        test_services.greet_postgres_at(f"postgresql://postgres@127.0.0.1:{port}/postgres")


def test_a_port_that_does_not_speak_amqp_is_no_broker(
    silent_server: tuple[int, list[bytes]], test_services: ModuleType
) -> None:
    port, script = silent_server
    script.append(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with pytest.raises((test_services.NotToBeHadError, OSError)):
        test_services.greet_rabbit_at(f"amqp://guest:guest@127.0.0.1:{port}/")


def private_programs(test_services: ModuleType) -> None:
    try:
        test_services.find_postgres_programs()
        test_services.find_rabbit_program()
    except test_services.NotToBeHadError as closed:
        pytest.skip(str(closed))


def refuses(url: str) -> bool:
    port = int(url.rpartition(":")[2].partition("/")[0])
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


@pytest.mark.postgres
@pytest.mark.rabbit
def test_private_servers_serve_the_command_and_end_with_it(test_services: ModuleType) -> None:
    private_programs(test_services)
    shown = "import os; print(os.environ['MINQING_TEST_POSTGRES_URL']); "
    shown += "print(os.environ['MINQING_TEST_RABBIT_URL']); raise SystemExit(7)"
    process = start([sys.executable, "-c", shown], MINQING_TEST_SERVICES="private")

    output, errors = process.communicate(timeout=110)

    assert process.returncode == 7, errors
    assert [refuses(url) for url in output.split()] == [True, True]


@pytest.mark.postgres
@pytest.mark.rabbit
def test_a_terminated_run_takes_its_servers_along(test_services: ModuleType) -> None:
    private_programs(test_services)
    shown = "import os, time; print(os.environ['MINQING_TEST_POSTGRES_URL'], "
    shown += "os.environ['MINQING_TEST_RABBIT_URL'], flush=True); time.sleep(100)"
    process = start([sys.executable, "-c", shown], MINQING_TEST_SERVICES="private")
    assert process.stdout
    urls = process.stdout.readline().split()
    assert [refuses(url) for url in urls] == [False, False]

    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)

    assert process.returncode == 128 + signal.SIGTERM
    assert [refuses(url) for url in urls] == [True, True]


@pytest.mark.postgres
def test_a_killed_private_server_comes_back_at_the_same_address(
    test_services: ModuleType,
) -> None:
    private_programs(test_services)
    folder = test_services.data_folder()
    server = test_services.PrivatePostgres(folder)
    first = server.start()
    url = server.url
    try:
        server.kill()
        assert refuses(url)
        assert server.start() == first
        assert server.url == url
    finally:
        server.stop()
        test_services.shutil.rmtree(folder)
