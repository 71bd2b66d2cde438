"""What the rules hear: limits that run out, and the time to accept an urgent case."""

from services.dispatch.case_files.service import CaseFile, CaseFiles
from services.dispatch.limits.domain import Mark, Moment
from services.dispatch.supervision_rules.models import AcceptanceWatch
from services.dispatch.supervision_rules.repository import RuleRepository
from services.dispatch.supervision_rules.service import SupervisionRules
from shared.events.envelope import Received
from shared.events.hotline import TicketInstructed
from shared.events.vocabulary import LimitScope
from shared.service import Runtime
from shared.timers.timer import Ring, Timer
from shared.work import UnitOfWork


async def on_limit_passed(
    file: CaseFile, moment: Moment, _work: UnitOfWork, _runtime: Runtime
) -> None:
    """The red light of a unit's handling opens an order, in the transaction that tells of it."""
    limit = moment.limit
    if moment.mark is Mark.OVERRUN and limit.scope is LimitScope.HANDLING:
        rules = SupervisionRules(file.work, file.pack, file.rules)
        await rules.on_red_light(file, limit.assignment, moment.at)


async def on_ticket_instructed(
    received: Received[TicketInstructed], work: UnitOfWork, runtime: Runtime
) -> None:
    """A leader's instruction on a call is an order to the unit that has the case, or gets it."""
    rules = SupervisionRules.of(work, runtime)
    await rules.on_instruction(received.subject, received.event, received.happened_at)


async def ring_acceptance(ring: Ring, work: UnitOfWork, runtime: Runtime) -> None:
    """The time to accept an urgent case is over."""
    watch = await RuleRepository(work.session).watch(ring.subject)
    if watch is None:
        return
    files = CaseFiles.of(work, runtime)
    file = await files.look_at(watch.case_id)
    await SupervisionRules.beside(files).look_whether_accepted(file, watch)


def acceptance_timer() -> Timer:
    """The timer on urgent dispatches."""
    return Timer.on("urgent-acceptance", AcceptanceWatch, "due_at", ring_acceptance)
