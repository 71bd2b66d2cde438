"""The timer of a case: pauses that end, limits that turn yellow or red."""

from collections.abc import Awaitable, Callable, Sequence

from services.dispatch.case_files.models import Case
from services.dispatch.case_files.service import CaseFile, CaseFiles
from services.dispatch.limits.domain import Moment
from shared.service import Runtime
from shared.timers.timer import Ring, Timer
from shared.work import UnitOfWork

LimitWatcher = Callable[[CaseFile, Moment, UnitOfWork, Runtime], Awaitable[None]]
"""Something else that is done in the same transaction when a limit turns yellow or red."""

TIMER = "case-limits"


def case_timer(watchers: Sequence[LimitWatcher] = ()) -> Timer:
    """The timer on the cases.

    Args:
        watchers: each is awaited for every moment, after its event was told; what they change is
            committed with it, and if one of them raises, all of it is tried again.
    """

    async def ring(due: Ring, work: UnitOfWork, runtime: Runtime) -> None:
        # Taking the file lets a pause end that is over.
        file = await CaseFiles.of(work, runtime).take(due.subject)
        for moment in file.tell_due_moments():
            for watcher in watchers:
                await watcher(file, moment, work, runtime)

    return Timer.on(TIMER, Case, "timer_at", ring)
