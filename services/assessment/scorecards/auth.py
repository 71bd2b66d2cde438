"""Who may see scorecards: the ranking of units is public inside the city, the cases are not."""

from typing import Annotated

from fastapi import Depends

from shared.auth.principal import UNIT, Principal
from shared.vocabulary import Role
from shared.web.policy import requires, signed_in

SEE_ALL = (Role.LEADER, Role.SUPERVISOR, Role.SHIFT_LEADER)

RankingReader = Annotated[Principal, Depends(signed_in())]
ExplanationReader = Annotated[Principal, Depends(requires(*SEE_ALL, *sorted(UNIT)))]


def may_see_cases_of(principal: Principal, unit: str) -> bool:
    """Units see the cases behind their own figures only."""
    return principal.has(*SEE_ALL) or principal.unit == unit
