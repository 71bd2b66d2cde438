"""Who sees likely duplicates, and who merges."""

from typing import Annotated

from fastapi import Depends

from services.intake.reports.auth import SEES_ALL, SEES_OWN
from shared.auth.principal import Principal
from shared.vocabulary import Role
from shared.web.policy import requires

DuplicateReader = Annotated[Principal, Depends(requires(*SEES_ALL, *SEES_OWN))]
Merger = Annotated[Principal, Depends(requires(Role.OPERATOR, Role.SHIFT_LEADER))]
