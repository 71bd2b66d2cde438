"""What an account may be: its id, its login, and which roles go together."""

from collections.abc import Iterable
from uuid import UUID, uuid5

from services.identity.accounts.errors import AdministratorsNotSeparated, RoleNotForPeople
from shared.pack.model import ADMINISTRATORS, SYSTEM_ROLES
from shared.vocabulary import Role

NAMESPACE = UUID("0c6f7a52-3d1e-5f84-8a3b-6f2e9d7b4c01")
LOGIN = r"^[a-z0-9][a-z0-9._-]{0,63}$"


def account_id(city: str, login: str) -> UUID:
    """The id of an account: the same in every installation of the same city.

    Args:
        city: code of the city pack.
        login: account name, lower case.
    """
    return uuid5(NAMESPACE, f"{city}/{login}")


def as_login(text: str) -> str:
    """An account name as somebody typed it, in the form it is stored in."""
    return text.strip().lower()


def check_roles(roles: Iterable[Role]) -> list[str]:
    """The roles of a person, sorted.

    Raises:
        AdministratorsNotSeparated: two of the three administrations in one hand (GB/T 22239).
        RoleNotForPeople: a role that only systems have.
    """
    chosen = frozenset(roles)
    if len(chosen & ADMINISTRATORS) > 1:
        both = ", ".join(sorted(chosen & ADMINISTRATORS))
        raise AdministratorsNotSeparated(f"Give {both} to different people.")
    if chosen & SYSTEM_ROLES:
        wrong = ", ".join(sorted(chosen & SYSTEM_ROLES))
        raise RoleNotForPeople(f"{wrong}: register a client for a system instead.")
    return sorted(role.value for role in chosen)


def is_administrator(roles: Iterable[str]) -> bool:
    return not ADMINISTRATORS.isdisjoint(roles)
