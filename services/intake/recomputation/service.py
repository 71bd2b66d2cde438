"""Reckons the clocks of open reports and field tasks anew, chunk by chunk."""

from sqlmodel.ext.asyncio.session import AsyncSession

from services.intake.clocks.service import reckon_report, reckon_task
from services.intake.recomputation.models import MovedDeadline, MovedKind, Recomputation
from services.intake.recomputation.repository import RecomputationRepository
from services.intake.reports.models import Report
from services.intake.tasks.models import FieldTask
from shared.events.intake import TaskDueTimeMoved
from shared.pack.model import CityPack
from shared.recomputation.service import Recomputer
from shared.service import Runtime
from shared.work import UnitOfWork


async def _count_open(session: AsyncSession, job: Recomputation) -> None:
    repository = RecomputationRepository(session)
    job.open_reports = await repository.open_reports()
    job.open_tasks = await repository.open_tasks()


async def _chunk(work: UnitOfWork, runtime: Runtime, job: Recomputation, size: int) -> bool:
    """The next reports, and when there are none left, the next tasks.

    Never both in one transaction: a finding locks its task before its report.
    """
    repository = RecomputationRepository(work.session)
    chunk = _Chunk(work, runtime.pack, job, repository)
    reports = await repository.reports(job.reached, size)
    if reports:
        job.moved += sum(chunk.reckon_report(report) for report in reports)
        job.reached, job.looked_at = reports[-1].id, job.looked_at + len(reports)
        return False
    tasks = await repository.tasks(job.reached_task, size)
    if tasks:
        job.moved += sum(chunk.reckon_task(task) for task in tasks)
        job.reached_task, job.looked_at = tasks[-1].id, job.looked_at + len(tasks)
    return len(tasks) < size


recomputer = Recomputer(Recomputation, _count_open, _chunk)


class _Chunk:
    """Some reports or tasks of a pass."""

    def __init__(
        self,
        work: UnitOfWork,
        pack: CityPack,
        job: Recomputation,
        repository: RecomputationRepository,
    ) -> None:
        self._work = work
        self._pack = pack
        self._job = job
        self._repository = repository

    def reckon_report(self, report: Report) -> bool:
        """Reckon a report's clock anew; whether its due time has moved."""
        before = report.stage_due_at
        reckon_report(report, self._pack)
        if report.stage_due_at == before:
            return False
        self._keep(
            report,
            MovedDeadline(
                recomputation_id=self._job.id,
                subject_id=report.id,
                kind=MovedKind.REPORT,
                number=report.number,
                due_before=before,
                due_after=report.stage_due_at,
            ),
        )
        return True

    def reckon_task(self, task: FieldTask) -> bool:
        """Reckon a task's clocks anew; whether its due time or its expiry has moved."""
        before = task.due_at, task.expires_at
        reckon_task(task, self._pack)
        if (task.due_at, task.expires_at) == before:
            return False
        self._keep(
            task,
            MovedDeadline(
                recomputation_id=self._job.id,
                subject_id=task.id,
                kind=MovedKind.TASK,
                number=task.case_number,
                collector=task.collector,
                due_before=before[0],
                due_after=task.due_at,
                expires_before=before[1],
                expires_after=task.expires_at,
            ),
        )
        if task.due_at != before[0]:
            self._work.tell(
                task,
                TaskDueTimeMoved(
                    kind=task.kind,
                    case_id=task.case_id,
                    round=task.round,
                    attempt=task.attempt,
                    due_at=task.due_at,
                ),
            )
        return True

    def _keep(self, subject: Report | FieldTask, row: MovedDeadline) -> None:
        """Keep what moved for the report of the pass, and write it into the journal."""
        self._repository.add(row)
        self._work.record(
            subject,
            "recompute-deadlines",
            from_state=subject.state.value,
            to_state=subject.state.value,
            reason="calendar changed",
            details={"recomputation": str(self._job.id)},
        )
