"""How organisations are named."""

from uuid import UUID, uuid5

NAMESPACE = UUID("5b0c1f0e-7a54-5d2b-9b6e-0d1c6a2f4e10")


def organisation_id(city: str, code: str) -> UUID:
    """The id of an organisation: the same in every installation of the same city."""
    return uuid5(NAMESPACE, f"{city}/{code}")
