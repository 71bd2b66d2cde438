"""Facts about the reports and tickets behind a case."""

from services.dispatch.reporters.service import ReporterService
from shared.events.envelope import Received
from shared.events.hotline import TicketReopened, TicketWithdrawn
from shared.events.intake import ReportMerged, ReportUnmerged
from shared.service import Runtime
from shared.work import UnitOfWork


async def on_report_merged(
    received: Received[ReportMerged], work: UnitOfWork, runtime: Runtime
) -> None:
    """A further reporter is attached to the case."""
    service = ReporterService.of(work, runtime)
    await service.attach(received.subject, received.event, received.happened_at)


async def on_report_unmerged(
    received: Received[ReportUnmerged], work: UnitOfWork, runtime: Runtime
) -> None:
    """A reporter is detached again."""
    await ReporterService.of(work, runtime).detach(received.subject, received.event.reason)


async def on_ticket_reopened(
    received: Received[TicketReopened], work: UnitOfWork, runtime: Runtime
) -> None:
    """A dissatisfied caller sends a closed case back to the dispatcher."""
    await ReporterService.of(work, runtime).reopen(received.event, received.happened_at)


async def on_ticket_withdrawn(
    received: Received[TicketWithdrawn], work: UnitOfWork, runtime: Runtime
) -> None:
    """Noted in the file of the ticket's case."""
    service = ReporterService.of(work, runtime)
    await service.withdraw(received.subject, received.event.reason, received.happened_at)
