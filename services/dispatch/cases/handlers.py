"""The fact that opens a case."""

from services.dispatch.case_files.repository import CaseFileRepository
from services.dispatch.cases.service import CaseService
from services.dispatch.reporters.service import ReporterService
from shared.events.envelope import Received
from shared.events.intake import ReportRegistered
from shared.service import Runtime
from shared.work import UnitOfWork


async def on_report_registered(
    received: Received[ReportRegistered], work: UnitOfWork, runtime: Runtime
) -> None:
    """A registered report is a case from now on."""
    fact = received.event
    if await CaseFileRepository(work.session).case(fact.case_id) is not None:
        return
    reporters = ReporterService.of(work, runtime)
    count = await reporters.count_for(received.subject)
    file = await CaseService.of(work, runtime).open(received.subject, fact, reporters=count)
    await reporters.note_if_withdrawn(file.case)
    await reporters.count_complaints(file.case, fact)
