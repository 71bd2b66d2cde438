"""Reports that come from hotline tickets."""

from services.intake.registration.repository import Numbers
from services.intake.registration.service import RegistrationService
from services.intake.reports import repository
from services.intake.reports.domain import Draft, class_if_known, located_if_possible
from services.intake.reports.service import ReportService
from services.intake.tasks.service import task_service
from shared.events import Received
from shared.events.hotline import EmergencyRaised, TicketSubmitted, Urgency
from shared.events.vocabulary import Source
from shared.service import Runtime
from shared.work import UnitOfWork


def _service(work: UnitOfWork, runtime: Runtime) -> ReportService:
    return ReportService(work, runtime.pack, Numbers.of(runtime))


def _registration(work: UnitOfWork, runtime: Runtime) -> RegistrationService:
    return RegistrationService(work, runtime.pack, Numbers.of(runtime), task_service(work, runtime))


async def on_ticket_submitted(
    received: Received[TicketSubmitted], work: UnitOfWork, runtime: Runtime
) -> None:
    """A caller's matter becomes a report, or completes the one its emergency call has made."""
    ticket, service = received.event, _service(work, runtime)
    draft = Draft(
        source=Source.HOTLINE,
        channel="phone",
        reporter_id=str(ticket.caller_id) if ticket.caller_id else None,
        ticket_id=received.subject,
        class_ref=class_if_known(runtime.pack, ticket.class_ref),
        description=ticket.description,
        place=located_if_possible(runtime.pack, ticket.place),
        observed_at=received.happened_at,
        urgent=ticket.urgency is not Urgency.ROUTINE,
        emergency=ticket.urgency is Urgency.EMERGENCY,
        confidential=ticket.confidential,
        direct_unit=ticket.direct_unit,
        direct_by=ticket.agent if ticket.direct_unit else None,
    )
    earlier = await repository.sent_before(work.session, ticket_id=received.subject)
    if earlier is None:
        await service.receive(draft)
    elif earlier.channel == "emergency":
        earlier.channel = "phone"
        await service.complete_from_ticket(earlier, draft)
        await _registration(work, runtime).register_emergency(earlier)


async def on_emergency_raised(
    received: Received[EmergencyRaised], work: UnitOfWork, runtime: Runtime
) -> None:
    """Something dangerous goes past the queue, whether its ticket is written up already or not."""
    emergency, service = received.event, _service(work, runtime)
    earlier = await repository.sent_before(work.session, ticket_id=received.subject)
    if earlier is not None:
        await service.mark_emergency(earlier, "raised by the hotline")
        await _registration(work, runtime).register_emergency(earlier)
        return
    await service.receive(
        Draft(
            source=Source.HOTLINE,
            channel="emergency",
            ticket_id=received.subject,
            class_ref=class_if_known(runtime.pack, emergency.class_ref),
            description=emergency.description,
            place=located_if_possible(runtime.pack, emergency.place),
            observed_at=received.happened_at,
            urgent=True,
            emergency=True,
        ),
        # Its ticket is on the way and says the rest.
        undecided=True,
    )
