"""Who may deal with calls."""

from typing import Annotated

from fastapi import Depends

from shared.auth.principal import Principal
from shared.vocabulary import Role
from shared.web.policy import requires

CallTaker = Annotated[Principal, Depends(requires(Role.AGENT, Role.SHIFT_LEADER, Role.PBX))]
CallReader = Annotated[Principal, Depends(requires(Role.AGENT, Role.SHIFT_LEADER))]


def speaks_for_others(principal: Principal) -> bool:
    """The exchange and the shift leader deal with calls that agents have."""
    return principal.has(Role.SHIFT_LEADER, Role.PBX)


def agent_of(principal: Principal, named: str | None) -> str | None:
    """Who has a call: the agent who says so, or whom the exchange or the shift leader names."""
    if speaks_for_others(principal) and named is not None:
        return named
    return None if principal.acting_as(Role.AGENT, Role.SHIFT_LEADER) is None else principal.id
