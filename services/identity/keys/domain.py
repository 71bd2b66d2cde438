"""Sealing secrets at rest, and which of several signing keys is used and published when."""

import base64
import os
from collections.abc import Iterable
from datetime import datetime
from typing import Protocol, TypeVar

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from services.identity.keys.errors import SealBroken

_NONCE_BYTES = 12


class Seal:
    """Authenticated encryption (AES-256-GCM) under a key derived from one secret.

    Args:
        secret: at least 32 characters that a database reader does not have.
    """

    def __init__(self, secret: str) -> None:
        key = HKDF(SHA256(), 32, salt=None, info=b"minqing identity seal").derive(secret.encode())
        self._cipher = AESGCM(key)

    def close(self, plain: bytes, owner: str) -> str:
        """Seal `plain` for `owner`; it opens for nobody else, so rows cannot be swapped."""
        nonce = os.urandom(_NONCE_BYTES)
        return base64.b64encode(nonce + self._cipher.encrypt(nonce, plain, owner.encode())).decode()

    def open(self, sealed: str, owner: str) -> bytes:
        """What was sealed.

        Raises:
            SealBroken: sealed with another secret or for another owner, or changed since.
        """
        raw = base64.b64decode(sealed)
        try:
            return self._cipher.decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], owner.encode())
        except InvalidTag:
            raise SealBroken(
                "A stored secret does not open: is the sealing key the one it was sealed with?"
            ) from None


class Dated(Protocol):
    @property
    def signs_from(self) -> datetime: ...

    @property
    def retires_at(self) -> datetime | None: ...


K = TypeVar("K", bound=Dated)


def published(keys: Iterable[K], now: datetime) -> list[K]:
    """The keys whose tokens are still taken, oldest first."""
    alive = [key for key in keys if key.retires_at is None or key.retires_at > now]
    return sorted(alive, key=lambda key: key.signs_from)


def signing(keys: Iterable[K], now: datetime) -> K | None:
    """The key to sign with: the youngest whose time has come, else the one that comes first."""
    alive = published(keys, now)
    ready = [key for key in alive if key.signs_from <= now]
    return ready[-1] if ready else next(iter(alive), None)


def as_jwk(key_id: str, key: Ed25519PublicKey) -> dict[str, str]:
    """A public key as RFC 8037 writes it."""
    raw = base64.urlsafe_b64encode(key.public_bytes_raw()).rstrip(b"=").decode()
    return {
        "kty": "OKP",
        "crv": "Ed25519",
        "x": raw,
        "kid": key_id,
        "use": "sig",
        "alg": "EdDSA",
    }
