"""Who may propose and decide exclusions, and who may read them."""

from typing import Annotated

from fastapi import Depends

from shared.auth.principal import UNIT, Principal
from shared.vocabulary import Role
from shared.web.policy import requires

CENTRE_READERS = (
    Role.SUPERVISOR,
    Role.LEADER,
    Role.SHIFT_LEADER,
    Role.AUDIT_ADMINISTRATOR,
)

Proposer = Annotated[Principal, Depends(requires(Role.SUPERVISOR))]
Decider = Annotated[Principal, Depends(requires(Role.LEADER, Role.SUPERVISOR))]
ExclusionReader = Annotated[Principal, Depends(requires(*CENTRE_READERS, *sorted(UNIT)))]


def unit_seen(principal: Principal, asked: str | None) -> str | None:
    """The unit whose rows somebody may list: people of a unit see their own."""
    return asked if principal.has(*CENTRE_READERS) else principal.unit or ""
