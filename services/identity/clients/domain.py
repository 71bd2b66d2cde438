"""Scopes of other systems: what a token may be narrowed to, and the roles that follow."""

import hashlib
import secrets
from collections.abc import Iterable
from uuid import UUID, uuid5

from shared.pack.model import SYSTEM_ROLES
from shared.vocabulary import Role

NAMESPACE = UUID("d1f2a0b6-91c4-5c5e-8f57-3a9c0e7b5d02")

_ROLE_OF_AREA = {"hotline": Role.PBX}


def client_row_id(city: str, client_id: str) -> UUID:
    """The id of a client: the same in every installation of the same city."""
    return uuid5(NAMESPACE, f"{city}/{client_id}")


def granted_scopes(asked: str | None, allowed: Iterable[str]) -> list[str] | None:
    """The scopes of a token, sorted; None when one was asked for that is not allowed.

    Args:
        asked: names with spaces between; everything that is allowed when nothing is asked.
        allowed: scopes of the client.
    """
    own = set(allowed)
    if asked is None or not asked.split():
        return sorted(own)
    wanted = set(asked.split())
    return sorted(wanted) if wanted <= own else None


def roles_of(scopes: Iterable[str], held: Iterable[str]) -> list[str]:
    """The roles of a token: only those that its scopes need, and that the client has.

    A scope is `<area>.<verb>` or `<service>.<things>.<verb>`; the hotline's belong to the telephone
    exchange, the others to partners.
    """
    needed = {_ROLE_OF_AREA.get(scope.split(".")[0], Role.PARTNER) for scope in scopes}
    return sorted(needed & set(held) & SYSTEM_ROLES)


def new_secret() -> str:
    return secrets.token_urlsafe(32)


def secret_digest(secret: str) -> str:
    """What is stored of a secret; 256 random bits need no slow hash."""
    return hashlib.sha256(secret.encode()).hexdigest()
