"""The board is for everybody of hotline and centre; shift leaders and leaders take alarms up."""

from typing import Annotated

from fastapi import Depends

from shared.auth.principal import Principal
from shared.vocabulary import Role
from shared.web.policy import requires

AlarmTaker = Annotated[Principal, Depends(requires(Role.SHIFT_LEADER, Role.LEADER))]
AlarmReader = Annotated[
    Principal,
    Depends(
        requires(
            Role.SHIFT_LEADER,
            Role.LEADER,
            Role.AGENT,
            Role.OPERATOR,
            Role.DISPATCHER,
            Role.SUPERVISOR,
            Role.VIDEO_OPERATOR,
        )
    ),
]
