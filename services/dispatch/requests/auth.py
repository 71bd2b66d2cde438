"""Who may ask, who may decide."""

from typing import Annotated

from fastapi import Depends

from shared.auth.principal import Principal
from shared.vocabulary import Role
from shared.web.policy import requires

UnitMember = Annotated[Principal, Depends(requires(Role.HANDLER, Role.UNIT_LEAD))]
RequestDecider = Annotated[Principal, Depends(requires(Role.DISPATCHER, Role.SUPERVISOR))]
RequestProposer = Annotated[Principal, Depends(requires(Role.DISPATCHER))]
RequestConsenter = Annotated[Principal, Depends(requires(Role.SUPERVISOR, Role.LEADER))]
VoidAsker = Annotated[Principal, Depends(requires(Role.DISPATCHER, Role.OPERATOR))]
VoidDecider = Annotated[Principal, Depends(requires(Role.SUPERVISOR, Role.SHIFT_LEADER))]
RequestReader = Annotated[
    Principal,
    Depends(
        requires(
            Role.DISPATCHER,
            Role.SUPERVISOR,
            Role.OPERATOR,
            Role.SHIFT_LEADER,
            Role.LEADER,
            Role.HANDLER,
            Role.UNIT_LEAD,
        )
    ),
]
