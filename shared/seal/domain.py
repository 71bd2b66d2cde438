"""Closing personal data for storing, opening it again, and finding it by a mark."""

import base64
import binascii
import hashlib
import hmac
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from shared.errors import MinqingError, Unavailable

KEY_BYTES = 32
_NONCE_BYTES = 12
_KEY_ID_BYTES = 4


class PersonalDataKeyMissing(Unavailable):
    """Nobody's data is stored in the clear because a key was forgotten."""

    code = "personal-data-key-missing"
    title = "The key for personal data is not set"


class PersonalDataKeyUnusable(MinqingError):
    code = "personal-data-key-unusable"
    title = "The key for personal data is no key"


class SealBroken(MinqingError):
    """What was sealed cannot be opened: another key, or somebody changed it."""

    code = "personal-data-unreadable"
    title = "The person's data cannot be read"


class Seal:
    """Closes personal data for storing and opens it again (AES-256-GCM).

    Each value is bound to the row it belongs to, so that one person's data cannot be put into
    another's row. Equal numbers are found again by a keyed index, which without the key says
    nothing: there are too few telephone numbers for a plain hash.

    Args:
        owner: the service; the same key closes nothing alike for another one.
        keys: secrets of 32 bytes; the first one closes, all of them open and are looked for.
    """

    def __init__(self, owner: str, keys: Sequence[bytes]) -> None:
        if not keys or any(len(key) != KEY_BYTES for key in keys):
            raise PersonalDataKeyUnusable(
                f"A key for personal data is the base64 of {KEY_BYTES} random bytes."
            )
        derived = [_Derived.of(owner, key) for key in keys]
        self._ciphers = {one.id: AESGCM(one.sealing) for one in derived}
        self._closing = derived[0].id
        self._index_keys = [one.indexing for one in derived]

    @classmethod
    def from_text(cls, owner: str, text: str) -> Self:
        """A seal from base64 keys separated by commas.

        Raises:
            PersonalDataKeyUnusable: one of them is not 32 bytes in base64.
        """
        try:
            keys = [base64.b64decode(part, validate=True) for part in text.split(",")]
            return cls(owner, keys)
        except (binascii.Error, ValueError):
            raise PersonalDataKeyUnusable(
                f"A key for personal data is the base64 of {KEY_BYTES} random bytes."
            ) from None

    def close(self, text: str, bound_to: str) -> bytes:
        nonce = os.urandom(_NONCE_BYTES)
        cipher = self._ciphers[self._closing]
        return self._closing + nonce + cipher.encrypt(nonce, text.encode(), bound_to.encode())

    def open(self, sealed: bytes, bound_to: str) -> str:
        """What was sealed.

        Raises:
            SealBroken: by another key, for another row, or changed since.
        """
        key_id, rest = sealed[:_KEY_ID_BYTES], sealed[_KEY_ID_BYTES:]
        cipher = self._ciphers.get(key_id)
        if cipher is None:
            raise SealBroken("It was sealed with a key that is no longer set: set the old key too.")
        try:
            opened = cipher.decrypt(rest[:_NONCE_BYTES], rest[_NONCE_BYTES:], bound_to.encode())
        except (InvalidTag, ValueError):
            raise SealBroken("The stored data were changed, or belong to another row.") from None
        return opened.decode()

    def index(self, text: str) -> str:
        """The mark by which an equal text is found again."""
        return _mark(self._index_keys[0], text)

    def indexes(self, text: str) -> list[str]:
        """The marks of a text under every key that is set, the present one first."""
        return [_mark(key, text) for key in self._index_keys]


@dataclass(frozen=True, slots=True)
class _Derived:
    """What one secret is used as; none of the three tells anything of the others."""

    id: bytes
    sealing: bytes
    indexing: bytes

    @classmethod
    def of(cls, owner: str, key: bytes) -> Self:
        id_, sealing, indexing = (
            hmac.digest(key, f"minqing {owner} {purpose}".encode(), "sha256")
            for purpose in ("id", "seal", "index")
        )
        return cls(id_[:_KEY_ID_BYTES], sealing, indexing)


def _mark(key: bytes, text: str) -> str:
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
