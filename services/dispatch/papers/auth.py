"""Each paper is completed by the post that was skipped, or that was in charge."""

from typing import Annotated

from fastapi import Depends

from shared.auth.principal import Principal
from shared.vocabulary import Role
from shared.web.policy import requires

PaperReader = Annotated[
    Principal,
    Depends(
        requires(
            Role.OPERATOR,
            Role.DISPATCHER,
            Role.SUPERVISOR,
            Role.SHIFT_LEADER,
            Role.AGENT,
            Role.LEADER,
        )
    ),
]
Classifier = Annotated[Principal, Depends(requires(Role.OPERATOR))]
Confirmer = Annotated[Principal, Depends(requires(Role.DISPATCHER))]
RecordWriter = Annotated[Principal, Depends(requires(Role.SHIFT_LEADER, Role.AGENT))]
