"""Puts services together with what they run on; the only room that knows all five of them."""

import contextlib
import gc
from collections.abc import AsyncIterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from services.identity.keys.service import keys_of
from shared.auth.tokens import KeySource, RemoteKeys, StaticKeys, TokenVerifier
from shared.bus.rabbit import RabbitTransport
from shared.bus.transport import Transport
from shared.clock import Clock, SystemClock
from shared.config import ServiceSettings
from shared.db.database import Database
from shared.errors import InvalidInput
from shared.media.store import MediaStore
from shared.pack.loader import load_pack
from shared.pack.model import CityPack
from shared.service import Runtime, Service

SERVICES = ("identity", "hotline", "intake", "dispatch", "assessment")


class UnknownService(InvalidInput):
    code = "unknown-service"


class NoBroker(InvalidInput):
    """Services in processes of their own cannot be joined in memory."""

    code = "broker-not-configured"


def service_named(name: str) -> Service:
    """The description of a service.

    Raises:
        UnknownService: there is none of this name; the message lists them.
    """
    _check_name(name)
    service: Service = import_module(f"services.{name}.app").service
    return service


def settings_of(name: str, **given: Any) -> ServiceSettings:
    """The settings of a service from the environment, with some of them given."""
    _check_name(name)
    module = import_module(f"services.{name}.config")
    settings_class: type[ServiceSettings] = getattr(module, f"{name.capitalize()}Settings")
    return settings_class(**given)


def migrations_of(name: str) -> Path:
    return Path(__file__).parent / name / "migrations"


@dataclass(frozen=True)
class Joined:
    """What the services of one process have in common."""

    pack: CityPack
    transport: Transport
    keys: KeySource
    clock: Clock


def rabbit_transport(settings: ServiceSettings) -> RabbitTransport:
    """The courier over RabbitMQ that the settings name.

    Raises:
        NoBroker: they name none.
    """
    if settings.broker_url is None:
        raise NoBroker(
            "Set MINQING_<SERVICE>_BROKER_URL, or run all services in one process: minqing serve."
        )
    return RabbitTransport(settings.broker_url.get_secret_value(), prefix=settings.bus_prefix)


def make_runtime(service: Service, settings: ServiceSettings, joined: Joined) -> Runtime:
    return Runtime(
        service=service,
        settings=settings,
        clock=joined.clock,
        database=Database(
            settings.database_url.get_secret_value(),
            pool_size=settings.pool_size,
            pool_timeout=settings.pool_timeout_seconds,
            statement_timeout=settings.statement_timeout_seconds,
            lock_timeout=settings.lock_timeout_seconds,
        ),
        pack=joined.pack,
        transport=joined.transport,
        verifier=TokenVerifier(joined.keys),
        media=MediaStore.at(settings.media_url),
    )


def keep_for_good() -> None:
    """Take what has been loaded by now for permanent, once a process is ready to work.

    Some hundred and fifty thousand objects never go away; a full collection that looks through them
    holds up every request for about a tenth of a second.
    """
    gc.collect()
    gc.freeze()


@contextlib.asynccontextmanager
async def running_alone(
    name: str, *, transport: Transport | None = None, **given: Any
) -> AsyncIterator[Runtime]:
    """The runtime of one service in a process of its own, closed in the end.

    Args:
        name: of the service.
        transport: the courier, if not the one over RabbitMQ that the settings name.
        given: settings that are not to be taken from the environment.
    """
    service, settings = service_named(name), settings_of(name, **given)
    courier = transport or rabbit_transport(settings)
    joined = Joined(
        pack=load_pack(settings.pack),
        transport=courier,
        keys=RemoteKeys(settings.identity_url) if settings.identity_url else StaticKeys({}),
        clock=SystemClock(),
    )
    runtime = make_runtime(service, settings, joined)
    if name == "identity":
        # It has the keys itself; over HTTP it would ask the process that is asking.
        runtime.verifier = TokenVerifier(keys_of(runtime))
    await courier.start()
    try:
        yield runtime
    finally:
        await courier.stop()
        await runtime.database.close()


def _check_name(name: str) -> None:
    if name not in SERVICES:
        raise UnknownService(f"There is no service {name}; there are {', '.join(SERVICES)}.")
