"""Passwords of the Docker installation: made once, kept close, and just enough for each service."""

import asyncio
import contextlib
import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType

import pytest

from services.identity.config import IdentitySettings
from shared.bus.rabbit import RabbitTransport
from shared.bus.transport import BusUnavailable, Delivery, OutgoingMessage, Queue
from shared.seal.domain import Seal

ROOT = Path(__file__).resolve().parents[2]
ONE_NODE = pytest.mark.xdist_group("node of its own")


def read_all(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir()}


def test_a_second_run_changes_nothing(make_secrets: ModuleType, tmp_path: Path) -> None:
    folder = tmp_path / "secrets"

    make_secrets.make(folder)
    first = read_all(folder)
    make_secrets.make(folder)

    assert read_all(folder) == first
    assert len({text for name, text in first.items() if "password" in name}) == 11


def test_only_the_owner_can_reach_the_files(make_secrets: ModuleType, tmp_path: Path) -> None:
    folder = tmp_path / "secrets"

    make_secrets.make(folder)

    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o444}


def test_a_renewed_password_reaches_the_broker_and_nothing_else(
    make_secrets: ModuleType, tmp_path: Path
) -> None:
    folder = tmp_path / "secrets"
    make_secrets.make(folder)
    first = read_all(folder)
    (folder / "rabbitmq_intake_password.txt").unlink()
    (folder / "minqing_intake_broker_url.txt").unlink()

    make_secrets.make(folder)

    after = read_all(folder)
    assert {name for name, text in after.items() if text != first[name]} == {
        "rabbitmq_intake_password.txt",
        "minqing_intake_broker_url.txt",
        "rabbitmq_definitions.json",
    }


def test_the_keys_are_such_as_the_services_take(make_secrets: ModuleType, tmp_path: Path) -> None:
    make_secrets.make(tmp_path)

    sealing = (tmp_path / "minqing_identity_sealing_key.txt").read_text().strip()
    personal = (tmp_path / "minqing_hotline_personal_data_key.txt").read_text().strip()

    settings = IdentitySettings(database_url="sqlite://", sealing_key=sealing)
    assert settings.sealing_key
    assert settings.sealing_key.get_secret_value() == sealing
    sealed = Seal.from_text("hotline", personal)
    assert sealed
    assert sealing != personal


def in_containers(needed: str) -> set[str]:
    """Names of the containers of the compose file that are handed a secret."""
    holders, holder, inside = set(), "", False
    for line in (ROOT / "deploy" / "docker-compose.yml").read_text().splitlines():
        if found := re.match(r"( *)([\w-]+):", line):
            if not found[1]:
                inside = found[2] == "services"
            elif found[1] == "  ":
                holder = found[2]
        if inside and re.search(rf"\b{needed}\b", line):
            holders.add(holder)
    return holders


@pytest.mark.parametrize(
    ("service", "key"),
    [
        ("identity", "sealing_key"),
        ("hotline", "personal_data_key"),
        ("intake", "personal_data_key"),
    ],
)
def test_a_key_is_handed_to_all_processes_of_its_service_alone(service: str, key: str) -> None:
    assert in_containers(f"minqing_{service}_{key}") == {
        "migrate",
        f"{service}-api",
        f"{service}-worker",
    }


def test_no_password_stands_in_the_brokers_list(make_secrets: ModuleType, tmp_path: Path) -> None:
    folder = tmp_path / "secrets"

    make_secrets.make(folder)

    definitions = (folder / "rabbitmq_definitions.json").read_text()
    for path in folder.glob("*password.txt"):
        assert path.read_text().strip() not in definitions
    assert "guest" not in definitions


@pytest.fixture(scope="module")
def broker(
    make_secrets: ModuleType, test_services: ModuleType, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, str]]:
    """A node configured as in the Docker installation; yields the address for each service."""
    folder = tmp_path_factory.mktemp("broker")
    make_secrets.make(folder / "secrets")
    try:
        node = test_services.PrivateRabbit(folder / "node")
    except test_services.NotToBeHadError as closed:
        pytest.skip(str(closed))
    intake = (folder / "secrets" / "rabbitmq_intake_password.txt").read_text().strip()
    lines = (ROOT / "deploy" / "rabbitmq" / "rabbitmq.conf").read_text().splitlines()
    settings = dict(line.split(" = ") for line in lines if " = " in line)
    settings["load_definitions"] = str(folder / "secrets" / "rabbitmq_definitions.json")
    node.start(account=("intake", intake, "minqing"), settings=settings)
    addresses = {
        service: (folder / "secrets" / f"minqing_{service}_broker_url.txt").read_text().strip()
        for service in make_secrets.SERVICES
    }
    yield {
        service: url.replace("@rabbitmq:5672", f"@127.0.0.1:{node.port}")
        for service, url in addresses.items()
    } | {"guest": node.url}
    node.stop()


async def connected(url: str) -> RabbitTransport:
    transport = RabbitTransport(url)
    await transport.start()
    return transport


@ONE_NODE
@pytest.mark.rabbit
async def test_the_accounts_suffice_for_a_service(broker: dict[str, str]) -> None:
    queue = Queue("dispatch.events.v1", ("intake.report.#",))
    intake, dispatch = await connected(broker["intake"]), await connected(broker["dispatch"])
    await dispatch.declare([queue])
    got: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    async def receive(deliveries: Sequence[Delivery]) -> None:
        got.set_result(deliveries[0].body)

    consuming = asyncio.create_task(dispatch.consume(queue, receive))
    await dispatch.probe(queue)
    outcomes = await intake.publish([OutgoingMessage("1", "intake.report.registered.v1", b"x")])

    assert outcomes == [None]
    assert await asyncio.wait_for(got, 10) == b"x"
    assert await dispatch.redrive(queue) == 0
    consuming.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await consuming
    await intake.stop()
    await dispatch.stop()


@ONE_NODE
@pytest.mark.rabbit
async def test_a_service_cannot_speak_in_anothers_name(broker: dict[str, str]) -> None:
    hotline = await connected(broker["hotline"])
    await hotline.declare([Queue("hotline.events.v1", ("dispatch.case.#", "hotline.#"))])

    forged, own = await hotline.publish(
        [OutgoingMessage("1", "dispatch.case.closed.v1", b"x")]
    ) + await hotline.publish([OutgoingMessage("2", "hotline.ticket.submitted.v1", b"x")])

    assert isinstance(forged, BusUnavailable)
    assert own is None
    await hotline.stop()


@ONE_NODE
@pytest.mark.rabbit
async def test_a_service_cannot_touch_anothers_queue(broker: dict[str, str]) -> None:
    hotline = await connected(broker["hotline"])

    with pytest.raises(BusUnavailable):
        await hotline.declare([Queue("assessment.events.v1", ("dispatch.case.#",))])
    await hotline.stop()


@ONE_NODE
@pytest.mark.rabbit
def test_there_is_no_guest(broker: dict[str, str], test_services: ModuleType) -> None:
    with pytest.raises(test_services.NotToBeHadError, match="refuses guest"):
        test_services.greet_rabbit_at(broker["guest"])


def test_every_secret_of_the_compose_file_is_made(make_secrets: ModuleType, tmp_path: Path) -> None:
    make_secrets.make(tmp_path)
    compose = ROOT / "deploy" / "docker-compose.yml"

    named = {
        line.split("./secrets/")[1].split(" ")[0]
        for line in compose.read_text().splitlines()
        if "./secrets/" in line
    }

    assert named
    assert named <= {path.name for path in tmp_path.iterdir()}
    assert json.loads((tmp_path / "rabbitmq_definitions.json").read_text())["vhosts"]
