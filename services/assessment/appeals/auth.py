"""Who may appeal, who may propose and decide, and who may read."""

from typing import Annotated

from fastapi import Depends

from services.assessment.exclusions.auth import CENTRE_READERS, unit_seen
from shared.auth.principal import UNIT, Principal
from shared.vocabulary import Role
from shared.web.policy import requires

Appellant = Annotated[Principal, Depends(requires(Role.UNIT_LEAD))]
AppealProposer = Annotated[Principal, Depends(requires(Role.SUPERVISOR))]
AppealDecider = Annotated[Principal, Depends(requires(Role.LEADER, Role.SUPERVISOR))]
AppealReader = Annotated[Principal, Depends(requires(*CENTRE_READERS, *sorted(UNIT)))]

__all__ = ["AppealDecider", "AppealProposer", "AppealReader", "Appellant", "unit_seen"]
