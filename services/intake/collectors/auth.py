"""Who goes on duty, and who sees who is."""

from typing import Annotated

from fastapi import Depends

from services.intake.collectors.errors import NoAccountName
from shared.auth.principal import Principal
from shared.vocabulary import Role
from shared.web.policy import requires

CENTRE = (Role.OPERATOR, Role.SHIFT_LEADER, Role.DISPATCHER, Role.SUPERVISOR)

Patroller = Annotated[Principal, Depends(requires(Role.COLLECTOR))]
CollectorReader = Annotated[Principal, Depends(requires(*CENTRE))]
PatrolReader = Annotated[Principal, Depends(requires(*CENTRE, Role.COLLECTOR))]


def login_of(principal: Principal) -> str:
    """The account name that grids and tasks know a collector by.

    Raises:
        NoAccountName: the token carries none.
    """
    if principal.login is None:
        raise NoAccountName("Sign in with your account name.")
    return principal.login
