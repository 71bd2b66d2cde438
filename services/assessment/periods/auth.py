"""Who may close a period, and who may look at other ways to compute one."""

from typing import Annotated

from fastapi import Depends

from shared.auth.principal import Principal
from shared.vocabulary import Role
from shared.web.policy import requires, signed_in

Closer = Annotated[Principal, Depends(requires(Role.LEADER, Role.SUPERVISOR))]
Comparer = Annotated[
    Principal, Depends(requires(Role.LEADER, Role.SUPERVISOR, Role.AUDIT_ADMINISTRATOR))
]
PeriodReader = Annotated[Principal, Depends(signed_in())]
