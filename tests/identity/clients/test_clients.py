"""Other systems: secrets that overlap, keys of their own, tokens narrowed to scopes."""

import base64
import time
from datetime import timedelta
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as ec_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from jwt.algorithms import ECAlgorithm, OKPAlgorithm

from services.identity.clients.domain import granted_scopes, roles_of
from services.identity.clients.endpoints import ASSERTION_TYPE
from shared.vocabulary import Role

GRANT = {"grant_type": "client_credentials"}


async def _secret(town: Any, client_id: str) -> str:
    async with town.administrator(Role.SECURITY_ADMINISTRATOR) as client:
        answer = await client.post(f"/clients/{client_id}/secret")
    assert answer.status_code == 201, answer.text
    return str(answer.json()["client_secret"])


async def _token(town: Any, form: dict[str, str], **headers: str) -> httpx.Response:
    async with town.anonymous() as client:
        return await client.post("/oauth/token", data=GRANT | form, headers=headers)


async def test_a_system_gets_a_token_by_form_and_by_basic(town: Any) -> None:
    secret = await _secret(town, "one-window")
    form = await _token(town, {"client_id": "one-window", "client_secret": secret})
    assert form.status_code == 200, form.text
    assert form.json()["scope"] == "cases.read events.read reports.read reports.write"
    encoded = base64.b64encode(f"one-window:{secret}".encode()).decode()
    basic = await _token(town, {"scope": "reports.read"}, Authorization=f"Basic {encoded}")
    assert basic.json()["scope"] == "reports.read"

    principal = await town.sut.runtime.verifier.verify(basic.json()["access_token"])
    assert (principal.login, principal.roles) == ("one-window", {Role.PARTNER})
    assert principal.session is None


async def test_the_telephone_exchange_is_nothing_but_that(town: Any) -> None:
    secret = await _secret(town, "pbx")
    token = (await _token(town, {"client_id": "pbx", "client_secret": secret})).json()
    principal = await town.sut.runtime.verifier.verify(token["access_token"])
    assert (principal.roles, principal.unit) == ({Role.PBX}, "centre")


@pytest.mark.parametrize(
    ("form", "status", "error"),
    [
        ({"client_id": "pbx", "client_secret": "wrong"}, 401, "invalid_client"),
        ({"client_id": "nobody", "client_secret": "wrong"}, 401, "invalid_client"),
        ({"client_id": "pbx"}, 401, "invalid_client"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"client_assertion": "x"}, 400, "invalid_request"),
        (
            {"client_assertion": "x", "client_assertion_type": ASSERTION_TYPE},
            401,
            "invalid_client",
        ),
    ],
)
async def test_refusals_speak_oauth_and_problem_details(
    town: Any, form: dict[str, str], status: int, error: str
) -> None:
    answer = await _token(town, form)
    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["error_description"] == answer.json()["detail"]


async def test_more_scope_than_registered_is_refused(town: Any) -> None:
    secret = await _secret(town, "smart-lamps")
    form = {"client_id": "smart-lamps", "client_secret": secret, "scope": "cases.read"}
    answer = await _token(town, form)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_scope")


async def test_a_new_secret_overlaps_with_the_one_before_only(town: Any) -> None:
    secrets = []
    for _ in range(3):
        secrets.append(await _secret(town, "pbx"))
        town.clock.advance(timedelta(seconds=1))

    async def works() -> list[bool]:
        forms = [{"client_id": "pbx", "client_secret": secret} for secret in secrets]
        return [(await _token(town, form)).status_code == 200 for form in forms]

    assert await works() == [False, True, True]
    town.clock.advance(timedelta(days=1))
    assert await works() == [False, False, True]
    stored = repr([await town.rows(name) for name in ("client_secrets", "idempotency", "audit")])
    assert not any(secret in stored for secret in secrets)


async def test_a_closed_client_gets_no_token_and_its_tokens_end(town: Any) -> None:
    secret = await _secret(town, "pbx")
    form = {"client_id": "pbx", "client_secret": secret}
    token = (await _token(town, form)).json()["access_token"]
    assert (await town.call(token, "GET", "/organisations")).status_code == 200
    town.clock.advance(timedelta(seconds=1))
    async with town.administrator(Role.SYSTEM_ADMINISTRATOR) as client:
        closed = await client.post("/clients/pbx/closing", json={"reason": "replaced"})
        assert closed.json()["active"] is False
    assert (await _token(town, form)).status_code == 401
    assert (await town.call(token, "GET", "/organisations")).status_code == 401


async def test_guessing_secrets_locks_the_address(town: Any) -> None:
    form = {"client_id": "pbx", "client_secret": "guess"}
    codes = [(await _token(town, form)).status_code for _ in range(13)]
    assert codes == [401] * 12 + [429]


async def test_systems_are_registered_once_and_only_as_systems(town: Any) -> None:
    new = {
        "client_id": "water-board",
        "name_zh": "水务",
        "name_en": "Water board",
        "roles": ["partner"],
        "scopes": ["reports.write"],
    }
    async with town.administrator(Role.SYSTEM_ADMINISTRATOR) as client:
        assert (await client.post("/clients", json=new)).status_code == 201
        assert (await client.post("/clients", json=new)).json()["code"] == "client-exists"
        person = new | {"client_id": "other", "roles": ["operator"]}
        assert (await client.post("/clients", json=person)).status_code == 422
        listed = (await client.get("/clients")).json()["items"]
        assert (await client.get("/clients/water-board")).json()["has_key"] is False
    assert [row["client_id"] for row in listed] == [
        "one-window",
        "pbx",
        "smart-lamps",
        "water-board",
    ]


def _assertion(private: Any, algorithm: str = "EdDSA", **changes: Any) -> dict[str, str]:
    claims = {
        "iss": "pbx",
        "sub": "pbx",
        "aud": "minqing-identity",
        "exp": int(time.time()) + 120,
        "jti": "one",
    } | changes
    token = jwt.encode(claims, private, algorithm=algorithm)
    return {"client_assertion": token, "client_assertion_type": ASSERTION_TYPE}


async def _register(town: Any, jwk: dict[str, Any]) -> httpx.Response:
    async with town.administrator(Role.SECURITY_ADMINISTRATOR) as client:
        return await client.put("/clients/pbx/key", json={"jwk": jwk})


async def test_a_signed_assertion_is_taken_once(town: Any) -> None:
    private = Ed25519PrivateKey.generate()
    jwk = OKPAlgorithm.to_jwk(private.public_key(), as_dict=True)
    assert (await _register(town, jwk)).json()["has_key"] is True

    assert (await _token(town, _assertion(private))).status_code == 200
    assert (await _token(town, _assertion(private))).status_code == 401
    assert (await _token(town, _assertion(private, jti="two"))).status_code == 200


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "somebody-else"},
        {"sub": "one-window"},
        {"iss": "one-window", "sub": "one-window"},
        {"exp": int(time.time()) - 60},
        {"exp": int(time.time()) + 3_600},
        {"jti": "x" * 101},
    ],
)
async def test_a_faulty_assertion_is_refused(town: Any, changes: dict[str, Any]) -> None:
    private = Ed25519PrivateKey.generate()
    await _register(town, OKPAlgorithm.to_jwk(private.public_key(), as_dict=True))
    assert (await _token(town, _assertion(private, **changes))).status_code == 401


async def test_an_assertion_of_another_key_or_algorithm_is_refused(town: Any) -> None:
    private = ec_key(SECP256R1())
    await _register(town, ECAlgorithm.to_jwk(private.public_key(), as_dict=True))
    assert (await _token(town, _assertion(private, "ES256"))).status_code == 200
    other = Ed25519PrivateKey.generate()
    assert (await _token(town, _assertion(other, jti="b"))).status_code == 401
    assert (
        await _token(town, _assertion(ec_key(SECP256R1()), "ES256", jti="c"))
    ).status_code == 401
    secret = "public" * 10
    assert (await _token(town, _assertion(secret, "HS256", jti="d"))).status_code == 401


@pytest.mark.parametrize(
    "jwk",
    [
        {"kty": "oct", "k": "c2VjcmV0"},
        OKPAlgorithm.to_jwk(Ed25519PrivateKey.generate(), as_dict=True),
        {"kty": "OKP", "crv": "X25519", "x": "AAAA"},
        {"kty": "OKP", "crv": "Ed25519", "x": "short"},
        {"kty": "RSA", "n": "AQAB", "e": "AQAB"},
        {},
    ],
)
async def test_an_unfit_key_is_refused(town: Any, jwk: dict[str, Any]) -> None:
    answer = await _register(town, jwk)
    assert (answer.status_code, answer.json()["code"]) == (422, "client-key-unusable")


def test_scopes_narrow_tokens_and_roles() -> None:
    own = ["hotline.calls.write", "reports.read", "reports.write"]
    assert granted_scopes(None, own) == own
    assert granted_scopes("reports.read  reports.read", own) == ["reports.read"]
    assert granted_scopes("reports.read cases.read", own) is None
    assert roles_of(["reports.read"], ["partner", "pbx"]) == ["partner"]
    assert roles_of(["hotline.calls.write"], ["partner", "pbx"]) == ["pbx"]
    assert roles_of(own, ["partner"]) == ["partner"]
    assert roles_of(own, ["operator"]) == []
