"""One service as a test drives it: by HTTP from the front, by events from the back."""

import contextlib
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import sqlalchemy as sa

from shared.auth.tokens import TokenVerifier
from shared.bus.memory import MemoryExchange, MemoryTransport
from shared.bus.transport import Delivery
from shared.clock import Clock, ManualClock
from shared.config import ServiceSettings
from shared.db.core import execute
from shared.db.database import Database
from shared.events.envelope import SCHEMA_BASE, Envelope, Event
from shared.ids import uuid7
from shared.inbox.consumer import InboxConsumer
from shared.media.store import MediaStore
from shared.pack.model import CityPack
from shared.service import Runtime, Service
from shared.testing.database import empty_tables, own_database
from shared.testing.tokens import TestKeys
from shared.vocabulary import Role
from shared.web.app import create_service_app


class ServiceUnderTest:
    """Drives one service without a bus: events go in by `deliver`, come out by `told`."""

    def __init__(self, runtime: Runtime, keys: TestKeys) -> None:
        self.runtime = runtime
        self.keys = keys
        self.app = create_service_app(runtime)
        self.inbox = InboxConsumer(runtime)
        self._sequences: dict[tuple[str, str], int] = {}

    def client(
        self,
        *roles: Role,
        subject: str | None = None,
        unit: str | None = None,
        login: str | None = None,
    ) -> httpx.AsyncClient:
        """An HTTP client signed in with these roles; without roles it is anonymous."""
        headers = {}
        if roles:
            name = subject or f"{roles[0].value}-1"
            token = self.keys.token(*roles, subject=name, unit=unit, login=login)
            headers["Authorization"] = f"Bearer {token}"
        return _CommandingClient(
            transport=httpx.ASGITransport(app=self.app, raise_app_exceptions=False),
            base_url="http://test",
            headers=headers,
        )

    async def deliver(
        self,
        event: Event,
        *,
        subject: UUID | str,
        sequence: int | None = None,
        at: datetime | None = None,
        event_id: UUID | None = None,
        actor: str = "somebody",
    ) -> Envelope:
        """Hand an event of another service to this one's inbox, numbered as its publisher would."""
        key = (event.aggregate(), str(subject))
        number = sequence or self._sequences.get(key, 0) + 1
        self._sequences[key] = max(number, self._sequences.get(key, 0))
        envelope = Envelope(
            id=event_id or uuid7(),
            source=f"/{event.TYPE.split('.')[0]}",
            type=event.TYPE,
            time=at or self.runtime.clock.now(),
            subject=str(subject),
            dataschema=SCHEMA_BASE + event.TYPE,
            sequence=number,
            correlationid=str(uuid4()),
            actorid=actor,
            data=event.model_dump(mode="json"),
        )
        await self.inbox.receive([Delivery(body=envelope.to_bytes())])
        return envelope

    async def told(self, event_type: type[Event] | None = None) -> list[Envelope]:
        """The events this service has told so far, oldest first."""
        table = self.runtime.tables.outbox
        statement = sa.select(table.c.body).order_by(table.c.position)
        if event_type is not None:
            statement = statement.where(table.c.type == event_type.TYPE)
        async with self.runtime.database.reading() as session:
            rows = await execute(session, statement)
            return [Envelope.from_bytes(row.body) for row in rows]

    async def held(self) -> Sequence[Any]:
        """Events that wait, are tried again, or are parked."""
        async with self.runtime.database.reading() as session:
            rows = await execute(session, sa.select(self.runtime.tables.inbox_held))
            return rows.all()


class _CommandingClient(httpx.AsyncClient):
    """Sends an Idempotency-Key with every command, as all our clients do."""

    async def request(self, method: Any, url: Any, **kwargs: Any) -> httpx.Response:
        headers = httpx.Headers(kwargs.pop("headers", None))
        if method not in {"GET", "HEAD"} and "Idempotency-Key" not in headers:
            headers["Idempotency-Key"] = str(uuid4())
        return await super().request(method, url, headers=headers, **kwargs)


@contextlib.asynccontextmanager
async def service_under_test(
    service: Service,
    *,
    database_url: str,
    pack: CityPack,
    folder: Path,
    clock: Clock | None = None,
    now: datetime | None = None,
    settings: ServiceSettings | None = None,
) -> AsyncIterator[ServiceUnderTest]:
    """A service on empty tables beside `database_url`, ready to be driven, closed in the end."""
    keys = TestKeys()
    database_url = await own_database(database_url, service.name, service.metadata)
    chosen = settings or ServiceSettings(database_url=database_url)
    runtime = Runtime(
        service=service,
        settings=chosen,
        clock=clock or ManualClock(now or datetime.fromisoformat("2026-06-01T02:00:00+00:00")),
        database=Database(database_url, pool_size=5),
        pack=pack,
        transport=MemoryTransport(MemoryExchange()),
        verifier=TokenVerifier(keys.source()),
        media=MediaStore.at(str(folder)),
    )
    try:
        await empty_tables(runtime.database, service.metadata)
        if service.prepare:
            await service.prepare(runtime)
        yield ServiceUnderTest(runtime, keys)
    finally:
        await runtime.database.close()
