"""Tokens for tests, signed by a key made on the spot."""

import time

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from shared.auth.tokens import ALGORITHM, AUDIENCE, ISSUER, TOKEN_TYPE, StaticKeys
from shared.vocabulary import Role

KEY_ID = "test"


class TestKeys:
    """Stands in for identity: signs tokens for whoever a test needs."""

    __test__ = False

    def __init__(self) -> None:
        self._private = Ed25519PrivateKey.generate()

    def source(self) -> StaticKeys:
        return StaticKeys({KEY_ID: self._private.public_key()})

    def token(
        self,
        *roles: Role,
        subject: str = "person",
        unit: str | None = None,
        login: str | None = None,
        seconds: int = 3_600,
    ) -> str:
        now = int(time.time())
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": subject,
            "iat": now,
            "exp": now + seconds,
            "sid": f"session-of-{subject}",
            "roles": [role.value for role in roles],
            "unit": unit,
            "login": login or subject,
        }
        return jwt.encode(
            claims, self._private, algorithm=ALGORITHM, headers={"kid": KEY_ID, "typ": TOKEN_TYPE}
        )
