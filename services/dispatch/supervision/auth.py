"""Who orders, who answers, who consents, who may look."""

from typing import Annotated

from fastapi import Depends

from shared.auth.principal import CENTRE, Principal
from shared.vocabulary import Role
from shared.web.policy import requires

SEES_ALL = CENTRE | {Role.SHIFT_LEADER, Role.LEADER}
"""Everybody else sees the orders to the own unit only."""

Supervising = Annotated[Principal, Depends(requires(Role.SUPERVISOR, Role.LEADER))]
Consenting = Annotated[Principal, Depends(requires(Role.LEADER))]
UnitMember = Annotated[Principal, Depends(requires(Role.HANDLER, Role.UNIT_LEAD))]
OrderReader = Annotated[
    Principal,
    Depends(
        requires(
            Role.SUPERVISOR,
            Role.LEADER,
            Role.DISPATCHER,
            Role.OPERATOR,
            Role.VIDEO_OPERATOR,
            Role.SHIFT_LEADER,
            Role.HANDLER,
            Role.UNIT_LEAD,
        )
    ),
]


def seen_unit(principal: Principal) -> str | None:
    """The unit whose orders alone this person may see; None for those who see all."""
    return None if principal.has(*SEES_ALL) else principal.unit or ""
