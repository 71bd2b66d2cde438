"""Keeps a leader's instruction with its ticket and tells of it."""

from services.hotline.callers.service import CallerService
from services.hotline.instructions.domain import check_can_be_followed
from services.hotline.instructions.errors import InstructedUnitUnknown
from services.hotline.tickets.models import Ticket
from shared.events.hotline import TicketInstructed
from shared.pack.model import CityPack
from shared.service import Runtime
from shared.work import UnitOfWork


class InstructionService:
    """Takes down instructions; made per unit of work."""

    def __init__(self, work: UnitOfWork, pack: CityPack, callers: CallerService) -> None:
        self.work = work
        self.pack = pack
        self.callers = callers

    @classmethod
    def of(cls, work: UnitOfWork, runtime: Runtime) -> "InstructionService":
        return cls(work, runtime.pack, CallerService.of(work, runtime))

    async def instruct(
        self, ticket: Ticket, *, leader: str, reference: str, text: str, unit: str | None
    ) -> None:
        """Take down what a leader wrote on a ticket's matter.

        Raises:
            InstructionNotPossible: the ticket was not submitted.
            InstructedUnitUnknown: the city has no such responsible unit.
            PersonalDataInText: the text tells who called.
        """
        check_can_be_followed(ticket.state)
        person = None
        if ticket.caller_id is not None:
            person = await self.callers.callers.get(ticket.caller_id)
        self.callers.refuse_personal_data(text, "text", of=person)
        named = self.pack.units.get(unit) if unit else None
        if unit and (named is None or not named.responsible):
            raise InstructedUnitUnknown(
                f"The city has no responsible unit {unit}; leave it out if you do not know."
            )
        self.work.record(
            ticket,
            "instruct",
            reason=text,
            details={"leader": leader, "reference": reference, "unit": unit},
        )
        event = TicketInstructed(
            number=ticket.number,
            case_id=ticket.case_id,
            leader=leader,
            reference=reference,
            text=text,
            unit=unit,
        )
        self.work.tell(ticket, event)
