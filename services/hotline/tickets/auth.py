"""Who may deal with tickets. Units see the case, never the ticket."""

from typing import Annotated

from fastapi import Depends

from services.hotline.tickets.models import Ticket
from shared.auth.principal import Principal
from shared.vocabulary import Role
from shared.web.policy import requires

TicketWriter = Annotated[Principal, Depends(requires(Role.AGENT, Role.SHIFT_LEADER))]
TicketReader = Annotated[
    Principal, Depends(requires(Role.AGENT, Role.SHIFT_LEADER, Role.SUPERVISOR))
]


def hides_caller(principal: Principal, ticket: Ticket) -> bool:
    """Who asked for confidentiality stays unknown outside the hotline, even masked."""
    return ticket.confidential and not principal.has(Role.AGENT, Role.SHIFT_LEADER)
