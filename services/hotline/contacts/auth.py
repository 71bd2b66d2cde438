"""Everybody enters the own contact; the system administrator enters those of others."""

from typing import Annotated

from fastapi import Depends

from shared.auth.principal import Principal
from shared.vocabulary import Role
from shared.web.policy import requires

ContactKeeper = Annotated[Principal, Depends(requires(Role.SYSTEM_ADMINISTRATOR))]
ContactReader = Annotated[
    Principal, Depends(requires(Role.SYSTEM_ADMINISTRATOR, Role.SHIFT_LEADER))
]
OwnContact = Annotated[Principal, Depends(requires(Role.SHIFT_LEADER, Role.LEADER))]
