"""Who may see and keep accounts."""

from typing import Annotated

from fastapi import Depends

from shared.auth.principal import Principal
from shared.vocabulary import Role
from shared.web.policy import requires

AccountKeeper = Annotated[Principal, Depends(requires(Role.SYSTEM_ADMINISTRATOR))]
AccountReader = Annotated[
    Principal,
    Depends(
        requires(Role.SYSTEM_ADMINISTRATOR, Role.SECURITY_ADMINISTRATOR, Role.AUDIT_ADMINISTRATOR)
    ),
]
