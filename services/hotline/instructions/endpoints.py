"""Instructions over HTTP."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Response

from services.hotline.instructions.schemas import InstructionCommand
from services.hotline.instructions.service import InstructionService
from services.hotline.tickets.repository import TicketRepository
from shared.auth.principal import Principal
from shared.vocabulary import Role
from shared.web.etag import IfMatch, check_match, set_etag
from shared.web.policy import requires
from shared.web.route import CommandRoute, RuntimeDep, WorkDep

router = APIRouter(prefix="/tickets", tags=["tickets"], route_class=CommandRoute)

Instructing = Annotated[Principal, Depends(requires(Role.LEADER, Role.SHIFT_LEADER))]


@router.post("/{ticket_id}/instructions", status_code=204)
async def instruct_on_ticket(
    *,
    ticket_id: UUID,
    command: InstructionCommand,
    work: WorkDep,
    runtime: RuntimeDep,
    _principal: Instructing,
    response: Response,
    if_match: IfMatch = None,
) -> None:
    """Take down a leader's written instruction; the unit that has the case is followed on it."""
    ticket = await TicketRepository(work.session).get(ticket_id)
    check_match(ticket, if_match)
    await InstructionService.of(work, runtime).instruct(ticket, **dict(command))
    await work.settle()
    set_etag(response, ticket)
