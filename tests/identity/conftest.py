"""The identity service with the sample city in it, on a clock that tests move."""

import base64
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
import sqlalchemy as sa

from services.identity.accounts.domain import account_id
from services.identity.app import service
from services.identity.config import IdentitySettings
from services.identity.keys.service import LocalKeys
from services.identity.second_factors.domain import code_at
from shared.auth.tokens import KeySource, TokenVerifier
from shared.clock import ManualClock
from shared.pack.model import CityPack
from shared.testing import ServiceUnderTest, service_under_test
from shared.vocabulary import Role

PASSWORD = "Lamp-Post-4711"
NEW_PASSWORD = "Other-Lamp-0815"


class BothKeys:
    """Takes identity's own tokens and those that a test makes for whoever it needs."""

    def __init__(self, *sources: KeySource) -> None:
        self._sources = sources

    async def key(self, key_id: str) -> Any | None:
        for source in self._sources:
            if (found := await source.key(key_id)) is not None:
                return found
        return None


@dataclass
class Town:
    """Identity as its tests drive it."""

    sut: ServiceUnderTest
    clock: ManualClock

    def id_of(self, login: str) -> UUID:
        return account_id(self.sut.runtime.pack.city.code, login)

    def anonymous(self) -> httpx.AsyncClient:
        return self.sut.client()

    def administrator(self, role: Role, *, subject: str | None = None) -> httpx.AsyncClient:
        return self.sut.client(role, subject=subject)

    async def sign_in(
        self, login: str, password: str = PASSWORD, *, code: str | None = None
    ) -> httpx.Response:
        body = {"login": login, "password": password} | ({"code": code} if code else {})
        async with self.anonymous() as client:
            return await client.post("/sessions", json=body)

    async def refresh(self, token: str) -> httpx.Response:
        async with self.anonymous() as client:
            return await client.post("/sessions/refresh", json={"refresh_token": token})

    async def call(self, token: str, method: str, path: str, **more: Any) -> httpx.Response:
        async with self.anonymous() as client:
            headers = {"Authorization": f"Bearer {token}".encode("latin-1")}
            return await client.request(method, path, headers=headers, **more)

    async def enrol(self, login: str) -> bytes:
        """Give an account an authenticator; returns its secret."""
        token = (await self.sign_in(login)).json()["access_token"]
        answer = await self.call(token, "POST", "/me/second-factor")
        secret = base64.b32decode(answer.json()["secret"])
        code = code_at(secret, self.clock.now().timestamp())
        done = await self.call(token, "POST", "/me/second-factor/confirmation", json={"code": code})
        assert done.status_code == 204, done.text
        return bytes(secret)

    async def rows(self, table: str, **where: Any) -> list[Any]:
        found = service.metadata.tables[table]
        statement = sa.select(found).where(
            *(found.c[name] == value for name, value in where.items())
        )
        async with self.sut.runtime.database.reading() as session:
            return list((await session.exec(statement)).all())


@pytest.fixture(scope="session")
def centre(qilihe: CityPack) -> CityPack:
    """The sample city with the people of the centre only, so that each test starts quickly."""
    inside = {"centre", "leading-group"}
    people = tuple(person for person in qilihe.people if person.unit in inside)
    return replace(qilihe, people=tuple(p for p in people if not p.territory))


@pytest.fixture
def clock() -> ManualClock:
    """Starts at the real present, because tokens are checked against real time."""
    return ManualClock(datetime.now(UTC))


@pytest.fixture
def settings(database_url: str) -> IdentitySettings:
    return IdentitySettings(
        database_url=database_url,
        sealing_key="a secret for tests that is long enough",
        argon2_memory_kib=8,
        argon2_rounds=1,
        sign_in_attempts=5,
        address_attempts=12,
        demo_password=PASSWORD,
    )


@pytest.fixture
async def town(
    database_url: str,
    centre: CityPack,
    tmp_path: Path,
    clock: ManualClock,
    settings: IdentitySettings,
) -> AsyncIterator[Town]:
    """Everybody of the sample city, all with the same password."""
    async with service_under_test(
        service,
        database_url=database_url,
        pack=centre,
        folder=tmp_path,
        clock=clock,
        settings=settings,
    ) as sut:
        keys = BothKeys(LocalKeys(sut.runtime), sut.keys.source())
        sut.runtime.verifier = TokenVerifier(keys)
        yield Town(sut, clock)
