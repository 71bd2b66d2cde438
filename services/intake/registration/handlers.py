"""Reports that their reporters take back."""

from services.intake.registration.repository import Numbers
from services.intake.registration.service import RegistrationService
from services.intake.reports.repository import sent_before
from services.intake.tasks.service import task_service
from shared.events import Received
from shared.events.hotline import TicketWithdrawn
from shared.service import Runtime
from shared.work import UnitOfWork

WITHDRAWN = "withdrawn-by-reporter"
REASON_LENGTH = 1_000


async def on_ticket_withdrawn(
    received: Received[TicketWithdrawn], work: UnitOfWork, runtime: Runtime
) -> None:
    """Without a case yet, the report ends; a case goes on as dispatch decides."""
    report = await sent_before(work.session, ticket_id=received.subject)
    if report is None or not report.is_open:
        return
    service = RegistrationService(
        work, runtime.pack, Numbers.of(runtime), task_service(work, runtime)
    )
    reason = received.event.reason.strip()[:REASON_LENGTH] or WITHDRAWN
    await service.reject(report, reason_code=WITHDRAWN, reason=reason)
