"""Jobs, what they moved, and what is open, in chunks."""

from collections.abc import Sequence
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from services.intake.recomputation.models import MovedDeadline, Recomputation
from services.intake.reports.domain import OPEN_STATES as OPEN_REPORTS
from services.intake.reports.models import Report
from services.intake.tasks.domain import OPEN_STATES as OPEN_TASKS
from services.intake.tasks.models import FieldTask
from shared.recomputation.repository import JobRepository
from shared.web.paging import PageRequest, after


class RecomputationRepository(JobRepository[Recomputation]):
    """All SQL of recomputations."""

    def __init__(self, session: AsyncSession) -> None:
        super().__init__(session, Recomputation)

    async def moved(self, job_id: UUID, request: PageRequest) -> Sequence[MovedDeadline]:
        statement = select(MovedDeadline).where(MovedDeadline.recomputation_id == job_id)
        statement = after(statement, [MovedDeadline.subject_id], request)
        return list((await self.session.exec(statement)).all())

    async def open_reports(self) -> int:
        statement = select(sa.func.count()).where(col(Report.state).in_(sorted(OPEN_REPORTS)))
        return int((await self.session.exec(statement)).one())

    async def open_tasks(self) -> int:
        statement = select(sa.func.count()).where(col(FieldTask.state).in_(sorted(OPEN_TASKS)))
        return int((await self.session.exec(statement)).one())

    async def reports(self, behind: UUID | None, size: int) -> Sequence[Report]:
        """Open reports in the order of their ids, locked, so that no command comes between."""
        statement = select(Report).where(col(Report.state).in_(sorted(OPEN_REPORTS)))
        if behind is not None:
            statement = statement.where(col(Report.id) > behind)
        statement = statement.order_by(col(Report.id)).limit(size).with_for_update()
        return (await self.session.exec(statement)).all()

    async def tasks(self, behind: UUID | None, size: int) -> Sequence[FieldTask]:
        """Open field tasks in the order of their ids, locked."""
        statement = select(FieldTask).where(col(FieldTask.state).in_(sorted(OPEN_TASKS)))
        if behind is not None:
            statement = statement.where(col(FieldTask.id) > behind)
        statement = statement.order_by(col(FieldTask.id)).limit(size).with_for_update()
        return (await self.session.exec(statement)).all()

    def add(self, row: MovedDeadline) -> None:
        self.session.add(row)
