"""Who orders, who spends, who claims; and who may look."""

from typing import Annotated

from fastapi import Depends

from shared.auth.principal import CENTRE, Principal
from shared.vocabulary import Role
from shared.web.policy import requires

SEES_ALL = CENTRE | {Role.SHIFT_LEADER, Role.LEADER}
"""Everybody else sees what the own unit was ordered to do."""

RemediationOrderer = Annotated[Principal, Depends(requires(Role.DISPATCHER, Role.SUPERVISOR))]
CostRecorder = Annotated[
    Principal,
    Depends(requires(Role.DISPATCHER, Role.SUPERVISOR, Role.HANDLER, Role.UNIT_LEAD)),
]
Claimant = Annotated[Principal, Depends(requires(Role.SUPERVISOR))]
"""Who claims money back and books what comes in; never who pays it out."""

RemediationReader = Annotated[
    Principal,
    Depends(
        requires(
            Role.DISPATCHER,
            Role.SUPERVISOR,
            Role.OPERATOR,
            Role.VIDEO_OPERATOR,
            Role.SHIFT_LEADER,
            Role.LEADER,
            Role.HANDLER,
            Role.UNIT_LEAD,
        )
    ),
]


def unit_of(principal: Principal) -> str | None:
    """The unit to whose remediations a person is confined; None for the centre and leaders."""
    return None if principal.has(*SEES_ALL) else principal.unit or ""
