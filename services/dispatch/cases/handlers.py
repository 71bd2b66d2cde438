"""The fact that opens a case."""

from services.dispatch.case_files.errors import ConditionUnknown, UnitUnknown
from services.dispatch.case_files.repository import CaseFileRepository
from services.dispatch.case_files.service import CaseFile
from services.dispatch.cases.errors import NotAResponsibleUnit
from services.dispatch.cases.service import CaseService
from services.dispatch.papers.service import PaperService
from services.dispatch.reporters.service import ReporterService
from shared.events.envelope import Received
from shared.events.intake import EMERGENCY_RULE, ReportRegistered
from shared.service import Runtime
from shared.vocabulary import Role
from shared.work import Actor, UnitOfWork

DIRECT = "direct"
"""Why there was no dispatcher, for the journal."""


async def on_report_registered(
    received: Received[ReportRegistered], work: UnitOfWork, runtime: Runtime
) -> None:
    """A registered report is a case from now on."""
    fact = received.event
    repository = CaseFileRepository(work.session)
    known, attached = await repository.before_opening(fact.case_id, received.subject)
    if known:
        return
    reporters = ReporterService.of(work, runtime)
    file = CaseService.of(work, runtime).open(received.subject, fact, reporters=1 + len(attached))
    await reporters.note_if_withdrawn(file.case)
    await reporters.count_complaints(file.case, fact, attached)
    if fact.by_rule == EMERGENCY_RULE:
        await PaperService.of(work, runtime).ask_after_registration(
            file.case, by_emergency_rule=True, decided_by=fact.direct_by or fact.reporter_id
        )
    if fact.direct_unit and fact.direct_by:
        await _send_directly(file, fact.direct_unit, fact.direct_by, work, runtime)


async def _send_directly(
    file: CaseFile, unit: str, agent: str, work: UnitOfWork, runtime: Runtime
) -> None:
    """Send an emergency to the unit that the agent has named, in the agent's name.

    A unit that takes no cases any more leaves it to the dispatcher: the case is open all the same.
    """
    # The case goes first: its dispatch and its papers refer to it.
    await work.settle()
    rule, work.actor = work.actor, Actor(id=agent, role=Role.AGENT)
    try:
        service = CaseService.of(work, runtime)
        await service.dispatch(file, unit_code=unit, note=DIRECT, direct=True)
        await PaperService.of(work, runtime).ask_after_direct_dispatch(file.case)
    except (UnitUnknown, NotAResponsibleUnit, ConditionUnknown) as error:
        work.record(file.case, "refuse-direct-dispatch", reason=error.message)
    finally:
        work.actor = rule
