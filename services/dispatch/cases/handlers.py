"""The fact that opens a case, and the timer that ends pauses."""

from sqlalchemy.orm.exc import StaleDataError

from services.dispatch.case_files.repository import CaseFileRepository
from services.dispatch.case_files.service import CaseFiles
from services.dispatch.cases.service import CaseService
from services.dispatch.reporters.service import ReporterService
from shared.events.envelope import Received
from shared.events.intake import ReportRegistered
from shared.observability.context import current_origin
from shared.service import Runtime
from shared.work import Actor, UnitOfWork

DEFERRALS_A_RUN = 200


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


async def end_deferrals(runtime: Runtime) -> None:
    """Let the clocks go on whose pause is over, each at the instant at which it was over.

    Each case is a transaction of its own, so that one of them cannot hold up the others; a case
    that somebody changes at this moment has its turn in the next run.
    """
    async with runtime.database.reading() as session:
        due = await CaseFileRepository(session).deferrals_over(
            runtime.clock.now(), limit=DEFERRALS_A_RUN
        )
    for case_id in due:
        try:
            async with runtime.database.transaction() as session:
                work = runtime.work(session, Actor(id="rule:deferral-ends"), current_origin(None))
                # Taking the file brings its clock up to now, which is all there is to do.
                await CaseFiles.of(work, runtime).take(case_id)
                await work.flush()
        except StaleDataError:
            continue
        runtime.committed(work)
