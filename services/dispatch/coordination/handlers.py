"""The timer of a coordination: invited units that let their time pass."""

from services.dispatch.coordination.models import Coordination
from services.dispatch.coordination.service import CoordinationService
from shared.service import Runtime
from shared.timers.timer import Ring, Timer
from shared.work import UnitOfWork


async def miss_positions(due: Ring, work: UnitOfWork, runtime: Runtime) -> None:
    """Note who has not stated a position in time, and set the timer for the next."""
    await CoordinationService.of(work, runtime).miss_positions(due.subject)


def position_timer() -> Timer:
    """The timer on the coordinations."""
    return Timer.on("positions", Coordination, "timer_at", miss_positions)
