"""Who sees recomputations and asks for one."""

from typing import Annotated

from fastapi import Depends

from shared.auth.principal import Principal
from shared.vocabulary import Role
from shared.web.policy import requires

RecomputationReader = Annotated[
    Principal,
    Depends(
        requires(
            Role.SYSTEM_ADMINISTRATOR,
            Role.AUDIT_ADMINISTRATOR,
            Role.DISPATCHER,
            Role.SUPERVISOR,
            Role.SHIFT_LEADER,
            Role.LEADER,
        )
    ),
]
