"""Tokens that must not open anything, and the ones that must."""

import base64
import json
import time
from collections.abc import Callable

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from shared.auth import StaticKeys, TokenRefused, TokenVerifier
from shared.auth.tokens import AUDIENCE, ISSUER, TOKEN_TYPE, EndedSessions
from shared.vocabulary import Role

KEY = Ed25519PrivateKey.generate()
OTHER = Ed25519PrivateKey.generate()
SHARED_SECRET = "x" * 32


def _claims(**changes: object) -> dict[str, object]:
    now = int(time.time())
    claims: dict[str, object] = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "account-1",
        "iat": now,
        "exp": now + 300,
        "sid": "session-1",
        "roles": ["operator"],
        "unit": "centre",
    }
    claims.update(changes)
    return {name: value for name, value in claims.items() if value is not None}


def _token(key: object = KEY, algorithm: str = "EdDSA", **changes: object) -> str:
    headers = {"kid": changes.pop("kid", "k1"), "typ": changes.pop("typ", TOKEN_TYPE)}
    return jwt.encode(_claims(**changes), key, algorithm=algorithm, headers=headers)  # type: ignore[arg-type]


def _unsigned() -> str:
    def part(value: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    return f"{part({'alg': 'none', 'kid': 'k1', 'typ': TOKEN_TYPE})}.{part(_claims())}."


@pytest.fixture
def verifier() -> TokenVerifier:
    return TokenVerifier(StaticKeys({"k1": KEY.public_key()}))


async def test_a_good_token_names_its_principal(verifier: TokenVerifier) -> None:
    principal = await verifier.verify(_token(roles=["operator", "no-such-role"]))

    assert principal.id == "account-1"
    assert principal.roles == {Role.OPERATOR}
    assert principal.unit == "centre"


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(_unsigned, id="algorithm none"),
        pytest.param(lambda: _token(SHARED_SECRET, "HS256"), id="shared secret"),
        pytest.param(lambda: _token(OTHER), id="another key"),
        pytest.param(lambda: _token(kid="k2"), id="unknown key id"),
        pytest.param(lambda: _token(kid="../../etc/passwd"), id="path as key id"),
        pytest.param(lambda: _token(typ="JWT"), id="another type of token"),
        pytest.param(lambda: _token(iss="somebody"), id="another issuer"),
        pytest.param(lambda: _token(aud="elsewhere"), id="another audience"),
        pytest.param(lambda: _token(exp=int(time.time()) - 120), id="expired"),
        pytest.param(lambda: _token(exp=None), id="without an end"),
        pytest.param(lambda: _token(sub=None), id="without a subject"),
        pytest.param(lambda: _token(nbf=int(time.time()) + 600), id="not yet valid"),
        pytest.param(lambda: _token()[:-4] + "AAAA", id="altered signature"),
        pytest.param(lambda: "not.a.token", id="no token"),
        pytest.param(lambda: "", id="empty"),
    ],
)
async def test_a_bad_token_opens_nothing(verifier: TokenVerifier, make: Callable[[], str]) -> None:
    with pytest.raises(TokenRefused):
        await verifier.verify(make())


async def test_a_remembered_token_still_ends(verifier: TokenVerifier, monkeypatch) -> None:  # noqa: ANN001
    token = _token()
    await verifier.verify(token)
    later = time.time() + 400
    monkeypatch.setattr("shared.auth.tokens.time.time", lambda: later)

    with pytest.raises(TokenRefused, match="expired"):
        await verifier.verify(token)


@pytest.mark.parametrize("ended", ["session-1", "account-1"])
async def test_an_ended_session_or_account_is_out_at_once(ended: str) -> None:
    sessions = EndedSessions()
    verifier = TokenVerifier(StaticKeys({"k1": KEY.public_key()}), ended=sessions)
    token = _token()
    await verifier.verify(token)
    sessions.end(ended, at=time.time())

    with pytest.raises(TokenRefused, match="ended"):
        await verifier.verify(token)
    assert await verifier.verify(_token(iat=int(time.time()) + 5)), "a new sign-in counts"
