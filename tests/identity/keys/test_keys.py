"""Signing keys: published before use, replaced with an overlap, sealed at rest."""

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.identity.config import IdentitySettings
from services.identity.keys.domain import Seal, published, signing
from services.identity.keys.errors import SealBroken, SealingKeyMissing
from services.identity.keys.models import SigningKey
from services.identity.keys.service import LocalKeys, _sealing_secret
from shared.auth.tokens import RemoteKeys, TokenVerifier
from shared.vocabulary import Role

START = datetime(2026, 6, 1, tzinfo=UTC)


async def _kids(town: Any) -> list[str]:
    async with town.anonymous() as client:
        answer = await client.get("/jwks.json")
    assert answer.status_code == 200
    assert "max-age=15" in answer.headers["cache-control"]
    assert all("d" not in key for key in answer.json()["keys"])
    return [key["kid"] for key in answer.json()["keys"]]


def _kid(token: str) -> str:
    return str(jwt.get_unverified_header(token)["kid"])


async def test_the_published_keys_verify_what_identity_signs(town: Any) -> None:
    token = (await town.sign_in("agent01")).json()["access_token"]
    async with town.anonymous() as client:
        found = jwt.PyJWKSet.from_dict((await client.get("/jwks.json")).json())
    [key] = found.keys
    claims = jwt.decode(
        token, key.key, algorithms=["EdDSA"], audience="minqing", issuer="minqing-identity"
    )
    assert claims["sub"] == str(town.id_of("agent01"))
    assert claims["exp"] - claims["iat"] <= 600
    assert jwt.get_unverified_header(token)["typ"] == "at+jwt"


async def test_a_new_key_is_published_first_used_later_and_the_old_one_retires(town: Any) -> None:
    before = (await town.sign_in("agent01")).json()["access_token"]
    old = _kid(before)
    async with town.administrator(Role.SECURITY_ADMINISTRATOR) as client:
        made = await client.post("/keys")
    assert made.status_code == 201
    new = made.json()["id"]

    town.clock.advance(timedelta(seconds=16))
    assert await _kids(town) == [old, new]
    assert _kid((await town.sign_in("agent01")).json()["access_token"]) == old

    town.clock.advance(timedelta(seconds=60))
    assert _kid((await town.sign_in("agent01")).json()["access_token"]) == new
    assert (await town.call(before, "GET", "/me")).status_code == 200

    town.clock.advance(timedelta(minutes=12))
    assert await _kids(town) == [new]
    assert await LocalKeys(town.sut.runtime).key(old) is None


async def test_keys_say_which_one_signs(town: Any) -> None:
    async with town.administrator(Role.SECURITY_ADMINISTRATOR) as client:
        await client.post("/keys")
        town.clock.advance(timedelta(seconds=16))
        listed = (await client.get("/keys")).json()
    assert [row["signing"] for row in listed] == [True, False]
    assert listed[0]["retires_at"] is not None
    assert "sealed_key" not in listed[0]


async def test_another_process_takes_tokens_of_a_key_it_has_not_seen(town: Any) -> None:
    other = TokenVerifier(LocalKeys(town.sut.runtime))
    await other.verify((await town.sign_in("agent01")).json()["access_token"])
    async with town.administrator(Role.SECURITY_ADMINISTRATOR) as client:
        new = (await client.post("/keys")).json()["id"]
    town.clock.advance(timedelta(seconds=2))
    assert await LocalKeys(town.sut.runtime).key(new) is not None


async def test_the_private_half_is_sealed_in_the_database(town: Any) -> None:
    [row] = await town.rows("signing_keys")
    private = Seal("a secret for tests that is long enough").open(row.sealed_key, row.id)
    assert len(private) == 32
    with pytest.raises(SealBroken):
        Seal("another secret that is long enough").open(row.sealed_key, row.id)
    with pytest.raises(SealBroken):
        Seal("a secret for tests that is long enough").open(row.sealed_key, "another-row")


def test_on_sqlite_the_sealing_secret_is_made_once_beside_the_database(tmp_path: Path) -> None:
    settings = IdentitySettings(database_url=f"sqlite+aiosqlite:///{tmp_path}/identity.db")
    first = _sealing_secret(settings)
    assert _sealing_secret(settings) == first
    assert len(first) >= 32
    assert (tmp_path / "identity.db.key").stat().st_mode & 0o777 == 0o600


def test_on_a_server_the_sealing_secret_has_to_be_given() -> None:
    settings = IdentitySettings(database_url="postgresql+psycopg://h/identity", sealing_key=None)
    with pytest.raises(SealingKeyMissing, match="MINQING_IDENTITY_SEALING_KEY"):
        _sealing_secret(settings)


@given(
    st.lists(
        st.tuples(st.integers(-100, 100), st.none() | st.integers(-100, 200)),
        unique_by=lambda pair: pair[0],
    )
)
def test_the_signing_key_is_published_and_the_youngest_ready_one(
    spans: list[tuple[int, int | None]],
) -> None:
    rows = [
        SigningKey(
            id=str(number),
            public_key="",
            sealed_key="",
            created_at=START,
            signs_from=START + timedelta(seconds=begin),
            retires_at=None if end is None else START + timedelta(seconds=end),
        )
        for number, (begin, end) in enumerate(spans)
    ]
    alive = [number for number, (_, end) in enumerate(spans) if end is None or end > 0]
    chosen = signing(rows, START)
    assert {row.id for row in published(rows, START)} == {str(number) for number in alive}
    if not alive:
        assert chosen is None
        return
    ready = [number for number in alive if spans[number][0] <= 0]
    expected = (
        max(ready, key=lambda number: spans[number][0])
        if ready
        else min(alive, key=lambda number: spans[number][0])
    )
    assert chosen is rows[expected]


async def test_identity_away_is_a_refusal_not_a_crash() -> None:
    verifier = TokenVerifier(RemoteKeys("http://127.0.0.1:9"))
    token = jwt.encode(
        {"exp": int(time.time()) + 60},
        "k" * 32,
        algorithm="HS256",
        headers={"kid": "x", "typ": "at+jwt"},
    )
    with pytest.raises(Exception, match="no access token"):
        await verifier.verify(token)
