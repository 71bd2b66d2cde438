"""What a service is, and what it holds while it runs."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from fastapi import APIRouter

from shared.auth.tokens import TokenVerifier
from shared.bus.transport import Transport
from shared.clock import Clock
from shared.config import ServiceSettings
from shared.db.database import Database
from shared.db.tables import KernelTables
from shared.inbox.subscriptions import Subscriptions
from shared.timers.timer import Timer
from shared.work import Actor, Origin, UnitOfWork

if TYPE_CHECKING:
    from shared.media.store import MediaStore
    from shared.messages.office import MessageOffice
    from shared.pack.model import CityPack


@dataclass(frozen=True)
class Periodic:
    """Work that one process of a service does every so often, whichever holds the lease.

    Attributes:
        name: the lease's name.
        seconds: pause between two runs.
        run: does a bounded piece of work in transactions of its own.
    """

    name: str
    seconds: float
    run: Callable[["Runtime"], Awaitable[None]]


@dataclass(frozen=True)
class Service:
    """The unchanging description of a service; `services/<name>/app.py` holds one.

    Attributes:
        name: as in routing keys, settings, addresses and the database's name.
        metadata: its tables, kernel tables included.
        tables: the kernel tables within `metadata`.
        routers: its HTTP API below `/api/<name>/v1`.
        subscriptions: the facts of others that it acts on.
        periodic: what it looks after every so often.
        timers: the columns of its tables that hold due times, and what is done then.
        prepare: fills tables from the city pack after migrations (accounts, knowledge); idempotent.
        messages: what it sends to people outside the program, if it sends anything.
    """

    name: str
    summary: str
    metadata: sa.MetaData
    tables: KernelTables
    routers: Sequence[APIRouter]
    subscriptions: Subscriptions
    periodic: Sequence[Periodic] = ()
    timers: Sequence[Timer] = ()
    prepare: Callable[["Runtime"], Awaitable[None]] | None = None
    messages: "MessageOffice | None" = None


@dataclass
class Runtime:
    """Everything that a running service holds, shared by its requests and handlers.

    Attributes:
        wake: set after a commit that told events, so that the relay need not wait for its poll.
        extras: objects of one service only, e.g. identity's signing keys, by name.
    """

    service: Service
    settings: ServiceSettings
    clock: Clock
    database: Database
    pack: "CityPack"
    transport: Transport
    verifier: TokenVerifier
    media: "MediaStore | None" = None
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    extras: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.service.name

    @property
    def tables(self) -> KernelTables:
        return self.service.tables

    def committed(self, work: UnitOfWork) -> None:
        """Called by the edge after a commit: wakes the relay when there is something to send."""
        if work.told_events:
            self.wake.set()

    def work(self, session: Any, actor: Actor, origin: Origin) -> UnitOfWork:
        return UnitOfWork(
            service=self.name,
            session=session,
            tables=self.tables,
            clock=self.clock,
            actor=actor,
            origin=origin,
            database=self.database,
        )
