"""Which papers follow what, and who may not write them."""

from collections.abc import Collection

from services.dispatch.case_files.errors import SeparationOfDuties
from shared.pack.model import Paper
from shared.vocabulary import Role

DIRECT_ROLES = frozenset({Role.AGENT, Role.SHIFT_LEADER})
"""Who may send an urgent case to a unit past the dispatcher."""


def papers_of_registration(*, by_emergency_rule: bool) -> tuple[Paper, ...]:
    """What follows a case that no operator has looked at before it was registered."""
    return (Paper.CLASSIFICATION, Paper.RECORD) if by_emergency_rule else ()


def papers_of_dispatch(*, direct: bool) -> tuple[Paper, ...]:
    """What follows a dispatch past the dispatcher."""
    return (Paper.DISPATCH, Paper.RECORD) if direct else ()


def is_direct(roles: Collection[Role]) -> bool:
    """Whether somebody who dispatches does so past the dispatcher."""
    return Role.DISPATCHER not in roles and not DIRECT_ROLES.isdisjoint(roles)


def check_confirmed_by_another(actor: str, decided_by: str | None, paper: Paper) -> None:
    """A confirmation is worth something only from somebody else.

    Raises:
        SeparationOfDuties: `actor` would confirm the own decision.
    """
    if paper is not Paper.RECORD and actor == decided_by:
        raise SeparationOfDuties("You decided it yourself: a colleague confirms it.")
