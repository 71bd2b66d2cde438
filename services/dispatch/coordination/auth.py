"""Who may open, be heard, decide and read."""

from typing import Annotated

from fastapi import Depends

from shared.auth.principal import CENTRE, Principal
from shared.vocabulary import Role
from shared.web.policy import requires

SEES_ALL = CENTRE | {Role.SHIFT_LEADER, Role.LEADER}
"""Everybody else sees what the own unit is invited to."""

CoordinationOpener = Annotated[Principal, Depends(requires(Role.DISPATCHER))]
CoordinationLeader = Annotated[Principal, Depends(requires(Role.DISPATCHER, Role.SUPERVISOR))]
CoordinationDecider = Annotated[
    Principal, Depends(requires(Role.DISPATCHER, Role.SUPERVISOR, Role.LEADER))
]
UnitMember = Annotated[Principal, Depends(requires(Role.HANDLER, Role.UNIT_LEAD))]
CoordinationReader = Annotated[
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
