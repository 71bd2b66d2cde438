"""Signing and publishing with the keys in identity's database."""

import base64
import os
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from sqlalchemy.engine import make_url
from sqlmodel import col, select

from services.identity.config import IdentitySettings, identity_settings
from services.identity.keys.domain import Seal, as_jwk, published, signing
from services.identity.keys.errors import NoSigningKey, SealingKeyMissing
from services.identity.keys.models import SigningKey
from shared.auth.tokens import ALGORITHM, AUDIENCE, ISSUER, LEEWAY_SECONDS, TOKEN_TYPE
from shared.ids import uuid7
from shared.service import Runtime
from shared.work import UnitOfWork

FRESH = timedelta(seconds=15)
_SHORTEST = timedelta(seconds=1)
_SEAL = "seal"


def seal_of(runtime: Runtime) -> Seal:
    """The seal of this runtime, made once.

    Raises:
        SealingKeyMissing: no secret is set, and there is no folder to keep one in.
    """
    found = runtime.extras.get(_SEAL)
    if found is None:
        found = runtime.extras[_SEAL] = Seal(_sealing_secret(identity_settings(runtime)))
    seal: Seal = found
    return seal


def _sealing_secret(settings: IdentitySettings) -> str:
    if settings.sealing_key is not None:
        return settings.sealing_key.get_secret_value()
    url = make_url(settings.database_url.get_secret_value())
    if not url.drivername.startswith("sqlite") or not url.database:
        raise SealingKeyMissing(
            "Set MINQING_IDENTITY_SEALING_KEY, or put it into the secret file"
            " minqing_identity_sealing_key: 32 random characters or more, the same for every"
            " process of identity."
        )
    path = Path(f"{url.database}.key")
    try:
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        return path.read_text(encoding="ascii")
    with os.fdopen(handle, "w", encoding="ascii") as file:
        secret = secrets.token_urlsafe(48)
        file.write(secret)
    return secret


class LocalKeys:
    """The published keys, for verifying tokens inside identity's own process.

    What it remembers is read again after 15 seconds, which is less than the time a new key is
    published before its first use.

    Args:
        runtime: of the identity service.
    """

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._rows: Sequence[SigningKey] = ()
        self._read_at: datetime | None = None

    async def key(self, key_id: str) -> Any | None:
        """The public key of this id, or None when it is not published."""
        row = self._find(await self.published(), key_id)
        if row is None and self._older_than(_SHORTEST):
            await self._read()
            row = self._find(await self.published(), key_id)
        return None if row is None else _public(row)

    async def published(self) -> list[SigningKey]:
        """The rows of the keys whose tokens are taken now, oldest first."""
        if not self._rows or self._older_than(FRESH):
            await self._read()
        return published(self._rows, self._runtime.clock.now())

    async def signing(self) -> SigningKey:
        """The row of the key to sign with.

        Raises:
            NoSigningKey: the database has not been prepared.
        """
        row = signing(await self.published(), self._runtime.clock.now())
        if row is None:
            raise NoSigningKey("Prepare the database first: minqing migrate identity.")
        return row

    async def sign(self, claims: Mapping[str, Any]) -> str:
        """A token of the suite with these claims; issuer and audience are added."""
        row = await self.signing()
        seal = seal_of(self._runtime)
        private = Ed25519PrivateKey.from_private_bytes(seal.open(row.sealed_key, row.id))
        return jwt.encode(
            {"iss": ISSUER, "aud": AUDIENCE, **claims},
            private,
            algorithm=ALGORITHM,
            headers={"kid": row.id, "typ": TOKEN_TYPE},
        )

    async def _read(self) -> None:
        async with self._runtime.database.reading() as session:
            self._rows = (await session.exec(select(SigningKey))).all()
        self._read_at = self._runtime.clock.now()

    def _older_than(self, age: timedelta) -> bool:
        return self._read_at is None or self._runtime.clock.now() - self._read_at >= age

    @staticmethod
    def _find(rows: Sequence[SigningKey], key_id: str) -> SigningKey | None:
        return next((row for row in rows if row.id == key_id), None)


def keys_of(runtime: Runtime) -> LocalKeys:
    """The keys of this runtime; `extras["signing_keys"]` when somebody has put them there."""
    keys: LocalKeys = runtime.extras.setdefault("signing_keys", LocalKeys(runtime))
    return keys


async def issue_token(
    runtime: Runtime,
    *,
    subject: str,
    now: datetime,
    life: timedelta,
    roles: Sequence[str],
    unit: str | None,
    login: str,
    session: str | None = None,
    scope: str | None = None,
) -> str:
    """An access token (RFC 9068) that every service takes until `now + life`.

    The instant of issue keeps its fraction of a second, so that a token issued right after
    somebody's sessions were ended is told from those before.
    """
    claims: dict[str, Any] = {
        "sub": subject,
        "iat": now.timestamp(),
        "exp": int((now + life).timestamp()),
        "jti": str(uuid7()),
        "roles": list(roles),
        "unit": unit,
        "login": login,
    }
    if session is not None:
        claims["sid"] = session
    if scope is not None:
        claims["scope"] = scope
    return await keys_of(runtime).sign(claims)


class KeyService:
    """Making and replacing signing keys."""

    def __init__(self, work: UnitOfWork, runtime: Runtime) -> None:
        self._work = work
        self._runtime = runtime
        self._settings = identity_settings(runtime)

    async def ensure(self) -> None:
        """Make the first key if there is none."""
        if (await self._work.session.exec(select(SigningKey).limit(1))).first() is None:
            self._work.session.add(self._new_key(self._work.now()))

    async def rotate(self) -> SigningKey:
        """Publish a new key; it signs after the lead, and the others retire when theirs expired."""
        now = self._work.now()
        fresh = self._new_key(now + timedelta(seconds=self._settings.key_lead_seconds))
        life = max(self._settings.access_token_minutes, self._settings.client_token_minutes)
        last = fresh.signs_from + timedelta(minutes=life, seconds=LEEWAY_SECONDS) + FRESH
        statement = select(SigningKey).where(col(SigningKey.retires_at).is_(None))
        for key in (await self._work.session.exec(statement.with_for_update())).all():
            key.retires_at = last
        self._work.session.add(fresh)
        self._work.audit("rotate-signing-key", f"signing-key:{fresh.id}")
        return fresh

    def _new_key(self, signs_from: datetime) -> SigningKey:
        private = Ed25519PrivateKey.generate()
        key_id = str(uuid7())
        return SigningKey(
            id=key_id,
            public_key=base64.b64encode(private.public_key().public_bytes_raw()).decode(),
            sealed_key=seal_of(self._runtime).close(private.private_bytes_raw(), key_id),
            created_at=self._work.now(),
            signs_from=signs_from,
        )


def public_jwk(row: SigningKey) -> dict[str, str]:
    return as_jwk(row.id, _public(row))


def _public(row: SigningKey) -> Ed25519PublicKey:
    return Ed25519PublicKey.from_public_bytes(base64.b64decode(row.public_key))
