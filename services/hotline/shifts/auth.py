"""Who may deal with shifts: the leader plans, everybody on duty reads and leaves notes."""

from typing import Annotated

from fastapi import Depends

from shared.auth.principal import Principal
from shared.vocabulary import Role
from shared.web.policy import requires

ShiftPlanner = Annotated[Principal, Depends(requires(Role.SHIFT_LEADER))]
ShiftMember = Annotated[Principal, Depends(requires(Role.AGENT, Role.SHIFT_LEADER))]
