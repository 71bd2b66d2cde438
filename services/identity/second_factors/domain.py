"""Codes that change every thirty seconds (RFC 6238)."""

import os

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor import InvalidToken
from cryptography.hazmat.primitives.twofactor.totp import TOTP

STEP_SECONDS = 30
_DIGITS = 6
_SECRET_BYTES = 20
ISSUER = "Minqing"


def new_secret() -> bytes:
    return os.urandom(_SECRET_BYTES)


def _totp(secret: bytes) -> TOTP:
    # SHA-1 is what authenticators understand; as an HMAC it is sound.
    return TOTP(secret, _DIGITS, SHA1(), STEP_SECONDS)  # noqa: S303


def provisioning_uri(secret: bytes, login: str) -> str:
    """What an authenticator reads from a QR code."""
    return _totp(secret).get_provisioning_uri(login, ISSUER)


def code_at(secret: bytes, timestamp: float) -> str:
    return _totp(secret).generate(int(timestamp)).decode()


def step_of(secret: bytes, code: str, timestamp: float, *, after: int) -> int | None:
    """The time step that `code` belongs to, or None when it is not good.

    The step before and the one behind are taken too, for clocks that differ; a step up to `after`
    is not, so that a code that was looked at over a shoulder does not work twice.
    """
    now = int(timestamp) // STEP_SECONDS
    for step in (now, now - 1, now + 1):
        if step > after and _fits(secret, code, step):
            return step
    return None


def _fits(secret: bytes, code: str, step: int) -> bool:
    try:
        _totp(secret).verify(code.encode(), step * STEP_SECONDS)
    except InvalidToken:
        return False
    return True
