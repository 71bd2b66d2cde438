"""Who may hand out codes and unlock, and who is signed in at all."""

from typing import Annotated

from fastapi import Depends

from shared.auth.principal import Principal
from shared.vocabulary import Role
from shared.web.policy import POLICY, requires
from shared.web.route import PrincipalDep, WorkDep
from shared.work import Actor

SecurityAdministrator = Annotated[Principal, Depends(requires(Role.SECURITY_ADMINISTRATOR))]


async def _oneself(principal: PrincipalDep) -> Principal:
    """Lets everybody through who has signed in, also with nothing but a duty to change a password.

    Such a token carries no role, and `requires` rightly refuses it everywhere else.
    """
    return principal


async def _acting(principal: PrincipalDep, work: WorkDep) -> Principal:
    work.actor = Actor(id=principal.id, unit=principal.unit)
    return principal


setattr(_oneself, POLICY, frozenset(Role))
setattr(_acting, POLICY, frozenset(Role))

Oneself = Annotated[Principal, Depends(_oneself)]
"""For reading about oneself."""

ActingOneself = Annotated[Principal, Depends(_acting)]
"""For commands about oneself."""
