"""Who may see the facts of cases, the board and the ledger."""

from typing import Annotated

from fastapi import Depends

from shared.auth.principal import CENTRE, UNIT, Principal
from shared.vocabulary import Role
from shared.web.policy import requires, signed_in

CITY_WIDE = (
    *sorted(CENTRE),
    Role.SHIFT_LEADER,
    Role.LEADER,
    Role.SYSTEM_ADMINISTRATOR,
    Role.AUDIT_ADMINISTRATOR,
)
"""Roles that see every unit's cases."""

BoardReader = Annotated[Principal, Depends(signed_in())]
CaseReader = Annotated[Principal, Depends(requires(*CITY_WIDE, *sorted(UNIT)))]
CityReader = Annotated[Principal, Depends(requires(*CITY_WIDE))]
Rebuilder = Annotated[Principal, Depends(requires(Role.SYSTEM_ADMINISTRATOR))]


def sees_all_units(principal: Principal) -> bool:
    return principal.has(*CITY_WIDE)
