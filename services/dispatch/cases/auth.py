"""Who may do what with a case."""

from typing import Annotated

from fastapi import Depends

from shared.auth.principal import CENTRE, Principal
from shared.vocabulary import Role
from shared.web.policy import requires

SEES_ALL = CENTRE | {Role.AGENT, Role.SHIFT_LEADER, Role.LEADER}
"""Everybody else sees the cases of the own unit only."""

CaseReader = Annotated[
    Principal,
    Depends(
        requires(
            Role.DISPATCHER,
            Role.OPERATOR,
            Role.SUPERVISOR,
            Role.VIDEO_OPERATOR,
            Role.SHIFT_LEADER,
            Role.AGENT,
            Role.LEADER,
            Role.HANDLER,
            Role.UNIT_LEAD,
        )
    ),
]
CentreReader = Annotated[
    Principal,
    Depends(
        requires(
            Role.DISPATCHER,
            Role.OPERATOR,
            Role.SUPERVISOR,
            Role.VIDEO_OPERATOR,
            Role.SHIFT_LEADER,
            Role.AGENT,
            Role.LEADER,
        )
    ),
]
CaseDispatcher = Annotated[
    Principal, Depends(requires(Role.DISPATCHER, Role.SHIFT_LEADER, Role.AGENT))
]
UnitMember = Annotated[Principal, Depends(requires(Role.HANDLER, Role.UNIT_LEAD))]
FeedbackChecker = Annotated[
    Principal, Depends(requires(Role.DISPATCHER, Role.OPERATOR, Role.SUPERVISOR))
]
CaseCloser = Annotated[
    Principal,
    Depends(requires(Role.OPERATOR, Role.DISPATCHER, Role.SUPERVISOR, Role.SHIFT_LEADER)),
]
CaseUrger = Annotated[Principal, Depends(requires(Role.SUPERVISOR, Role.SHIFT_LEADER, Role.AGENT))]


def seen_unit(principal: Principal) -> str | None:
    """The unit whose cases alone this person may see; None for those who see all."""
    return None if principal.has(*SEES_ALL) else principal.unit or ""
