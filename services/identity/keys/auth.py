"""Who may see and replace keys."""

from typing import Annotated

from fastapi import Depends

from shared.auth.principal import Principal
from shared.vocabulary import Role
from shared.web.policy import requires

KeyKeeper = Annotated[Principal, Depends(requires(Role.SECURITY_ADMINISTRATOR))]
KeyReader = Annotated[
    Principal, Depends(requires(Role.SECURITY_ADMINISTRATOR, Role.AUDIT_ADMINISTRATOR))
]
