"""Who may read the knowledge base."""

from typing import Annotated

from fastapi import Depends

from shared.auth.principal import Principal
from shared.vocabulary import Role
from shared.web.policy import requires

KnowledgeReader = Annotated[
    Principal,
    Depends(requires(Role.AGENT, Role.SHIFT_LEADER, Role.OPERATOR, Role.SUPERVISOR)),
]
