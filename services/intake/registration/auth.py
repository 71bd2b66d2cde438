"""Who decides about reports."""

from typing import Annotated

from fastapi import Depends

from shared.auth.principal import Principal
from shared.vocabulary import Role
from shared.web.policy import requires

Registrar = Annotated[Principal, Depends(requires(Role.OPERATOR, Role.SHIFT_LEADER))]
