"""Who may register systems and who may hand out their secrets."""

from typing import Annotated

from fastapi import Depends

from shared.auth.principal import Principal
from shared.vocabulary import Role
from shared.web.policy import requires

ClientKeeper = Annotated[Principal, Depends(requires(Role.SYSTEM_ADMINISTRATOR))]
ClientReader = Annotated[
    Principal,
    Depends(
        requires(Role.SYSTEM_ADMINISTRATOR, Role.SECURITY_ADMINISTRATOR, Role.AUDIT_ADMINISTRATOR)
    ),
]
SecretKeeper = Annotated[Principal, Depends(requires(Role.SECURITY_ADMINISTRATOR))]
