"""Who may revoke what was decided."""

from typing import Annotated

from fastapi import Depends

from shared.auth.principal import Principal
from shared.vocabulary import Role
from shared.web.policy import requires

PrecedentRevoker = Annotated[Principal, Depends(requires(Role.SUPERVISOR, Role.LEADER))]
