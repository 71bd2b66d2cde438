"""Forged, altered, misdirected and outdated tokens; none of them opens anything."""

import base64
import json
import time
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key as rsa_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import OKPAlgorithm

from services.identity.keys.service import keys_of, seal_of


def _part(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


class Forger:
    """Knows the published key and a good token, and in some tests even the private key."""

    def __init__(self, kid: str, private: Ed25519PrivateKey, subject: str) -> None:
        self.kid, self.private, self.subject = kid, private, subject
        self.own = Ed25519PrivateKey.generate()

    def claims(self, **changes: Any) -> dict[str, Any]:
        now = int(time.time())
        claims = {
            "iss": "minqing-identity",
            "aud": "minqing",
            "sub": self.subject,
            "iat": now,
            "exp": now + 300,
            "roles": ["system-administrator"],
        }
        claims |= changes
        return {name: value for name, value in claims.items() if value is not None}

    def sign(
        self, key: Any = None, *, algorithm: str = "EdDSA", header: Any = None, **changes: Any
    ) -> str:
        headers = {"kid": self.kid, "typ": "at+jwt"} | (header or {})
        return jwt.encode(
            self.claims(**changes), key or self.private, algorithm=algorithm, headers=headers
        )

    def public(self) -> bytes:
        return self.private.public_key().public_bytes_raw()


def _altered(forger: Forger) -> str:
    head, _body, signature = forger.sign().split(".")
    return f"{head}.{_part(forger.claims(sub='somebody-else'))}.{signature}"


def _none(forger: Forger, name: str) -> str:
    head = {"alg": name, "typ": "at+jwt", "kid": forger.kid}
    return f"{_part(head)}.{_part(forger.claims())}."


def _embedded(forger: Forger) -> str:
    jwk = OKPAlgorithm.to_jwk(forger.own.public_key(), as_dict=True)
    return forger.sign(forger.own, header={"jwk": jwk, "kid": "own"})


ZOO: dict[str, Callable[[Forger], str]] = {
    "alg none": lambda forger: _none(forger, "none"),
    "alg None": lambda forger: _none(forger, "None"),
    "alg EdDSA without signature": lambda forger: _none(forger, "EdDSA"),
    "HMAC with the public key": lambda forger: forger.sign(forger.public(), algorithm="HS256"),
    "HMAC with the published text": lambda forger: forger.sign(
        base64.urlsafe_b64encode(forger.public()), algorithm="HS256"
    ),
    "RSA": lambda forger: forger.sign(rsa_key(65_537, 2_048), algorithm="RS256"),
    "another Ed25519 key": lambda forger: forger.sign(forger.own),
    "key in the header": _embedded,
    "key address in the header": lambda forger: forger.sign(
        forger.own, header={"jku": "https://evil.example/jwks.json", "kid": "own"}
    ),
    "key path as id": lambda forger: forger.sign(
        forger.own, header={"kid": "../../../../dev/null"}
    ),
    "SQL as key id": lambda forger: forger.sign(forger.own, header={"kid": "' OR 1=1 --"}),
    "altered claims": _altered,
    "wrong audience": lambda forger: forger.sign(aud="elsewhere"),
    "no audience": lambda forger: forger.sign(aud=None),
    "wrong issuer": lambda forger: forger.sign(iss="https://elsewhere"),
    "no issuer": lambda forger: forger.sign(iss=None),
    "no subject": lambda forger: forger.sign(sub=None),
    "no time of issue": lambda forger: forger.sign(iat=None),
    "no expiry": lambda forger: forger.sign(exp=None),
    "expired": lambda forger: forger.sign(exp=int(time.time()) - 31),
    "not yet valid": lambda forger: forger.sign(nbf=int(time.time()) + 60),
    "issued in the future": lambda forger: forger.sign(iat=int(time.time()) + 600),
    "an id token": lambda forger: forger.sign(header={"typ": "JWT"}),
    "a logout token": lambda forger: forger.sign(header={"typ": "logout+jwt"}),
    "no token": lambda _forger: "nonsense",
    "three empty parts": lambda _forger: "..",
    "not ASCII": lambda _forger: "路灯.路灯.路灯".encode().decode("latin-1"),
}


@pytest.fixture
async def forger(town: Any) -> Forger:
    row = await keys_of(town.sut.runtime).signing()
    raw = seal_of(town.sut.runtime).open(row.sealed_key, row.id)
    return Forger(
        row.id, Ed25519PrivateKey.from_private_bytes(raw), str(town.id_of("admin.system"))
    )


async def test_a_token_made_with_all_care_is_taken_so_the_others_are_refused_for_their_fault(
    town: Any, forger: Forger
) -> None:
    assert (await town.call(forger.sign(), "GET", "/accounts")).status_code == 200
    assert forger.private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


async def test_every_animal_of_the_zoo_stays_outside(town: Any, forger: Forger) -> None:
    for name, make in ZOO.items():
        answer = await town.call(make(forger), "GET", "/accounts")
        assert (answer.status_code, answer.json()["code"]) == (401, "not-signed-in"), name


async def test_unknown_roles_in_a_token_give_nothing(town: Any, forger: Forger) -> None:
    token = forger.sign(roles=["root", "superuser"])
    assert (await town.call(token, "GET", "/accounts")).status_code == 403


@pytest.mark.parametrize("header", ["", "Basic abc", "Bearer", "bearer "])
async def test_without_a_bearer_token_nobody_gets_in(town: Any, header: str) -> None:
    async with town.anonymous() as client:
        answer = await client.get("/accounts", headers={"Authorization": header})
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
