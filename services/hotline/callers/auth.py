"""Who may deal with callers."""

from typing import Annotated

from fastapi import Depends

from shared.auth.principal import Principal
from shared.vocabulary import Role
from shared.web.policy import requires

CallerReader = Annotated[Principal, Depends(requires(Role.AGENT, Role.SHIFT_LEADER))]
CallerEraser = Annotated[Principal, Depends(requires(Role.SHIFT_LEADER))]
