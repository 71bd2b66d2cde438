"""Who may see figures: a person's own are for that person and the shift leader, nobody else.

A company sees the sum of its collectors; posts are for the whole centre, without names.
"""

from typing import Annotated

from fastapi import Depends

from services.assessment.posts.errors import CompanyUnknown, PersonUnknown
from shared.auth.principal import CENTRE, Principal
from shared.vocabulary import Role
from shared.web.policy import requires, signed_in

OVERSEERS = (Role.SHIFT_LEADER, Role.SUPERVISOR, Role.LEADER)

CollectorReader = Annotated[Principal, Depends(requires(Role.COLLECTOR, Role.SHIFT_LEADER))]
AgentReader = Annotated[Principal, Depends(requires(Role.AGENT, Role.SHIFT_LEADER))]
PostReader = Annotated[Principal, Depends(requires(*sorted({*CENTRE, *OVERSEERS})))]
CompanyReader = Annotated[Principal, Depends(requires(Role.COLLECTION_COMPANY, *OVERSEERS))]
GridLeaderReader = Annotated[Principal, Depends(requires(Role.GRID_LEADER, Role.SHIFT_LEADER))]
GridLeadersSumReader = Annotated[Principal, Depends(signed_in())]


def check_own(principal: Principal, login: str) -> None:
    """Refuse to show one person's figures to another.

    Raises:
        PersonUnknown: it is somebody else's.
    """
    if not principal.has(Role.SHIFT_LEADER) and principal.login != login:
        raise PersonUnknown("You see your own figures only.")


def own_company(principal: Principal) -> str | None:
    """The company that the asker is bound to; None for those who oversee all of them.

    Raises:
        CompanyUnknown: bound to a company, but to none that is known.
    """
    if principal.has(*OVERSEERS):
        return None
    if principal.unit is None:
        raise CompanyUnknown("Your account belongs to no company.")
    return principal.unit


def own_login(principal: Principal) -> str | None:
    """The account name that a grid leader is bound to; None for the shift leader."""
    return None if principal.has(Role.SHIFT_LEADER) else (principal.login or "")
