"""The timer of papers that are late."""

from services.dispatch.case_files.repository import CaseFileRepository
from services.dispatch.papers.models import PaperRow
from services.dispatch.papers.service import PaperService
from shared.service import Runtime
from shared.timers.timer import Ring, Timer
from shared.work import UnitOfWork


def paper_timer() -> Timer:
    """Rings when a paper should have been complete."""
    return Timer.on("paper-due", PaperRow, "remind_at", say_overdue)


async def say_overdue(ring: Ring, work: UnitOfWork, runtime: Runtime) -> None:
    service = PaperService.of(work, runtime)
    paper = await service.papers.get(ring.subject)
    if paper is None:
        return
    case = await CaseFileRepository(work.session).case(paper.case_id)
    if case is not None:
        service.say_overdue(case, paper)
