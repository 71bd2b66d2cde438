"""Jobs, what they moved, and open cases in chunks with everything their clocks are made of."""

from collections import defaultdict
from collections.abc import Sequence
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from services.dispatch.case_files.models import Assignment, Case, SegmentRow
from services.dispatch.recomputation.models import MovedDeadline, Recomputation
from services.dispatch.requests.domain import RequestState
from services.dispatch.requests.models import Request
from shared.recomputation.repository import JobRepository
from shared.web.paging import PageRequest, after


class RecomputationRepository(JobRepository[Recomputation]):
    """All SQL of recomputations."""

    def __init__(self, session: AsyncSession) -> None:
        super().__init__(session, Recomputation)

    async def moved(self, job_id: UUID, request: PageRequest) -> Sequence[MovedDeadline]:
        statement = select(MovedDeadline).where(MovedDeadline.recomputation_id == job_id)
        statement = after(statement, [MovedDeadline.case_id], request)
        return list((await self.session.exec(statement)).all())

    async def open_cases(self) -> int:
        statement = select(sa.func.count()).where(col(Case.closed_at).is_(None))
        return int((await self.session.exec(statement)).one())

    async def chunk(self, behind: UUID | None, size: int) -> Sequence[Case]:
        """Open cases in the order of their ids, locked, so that no command comes between."""
        statement = select(Case).where(col(Case.closed_at).is_(None))
        if behind is not None:
            statement = statement.where(col(Case.id) > behind)
        statement = statement.order_by(col(Case.id)).limit(size).with_for_update()
        return (await self.session.exec(statement)).all()

    async def clocks_of(
        self, cases: Sequence[UUID]
    ) -> tuple[dict[UUID, list[SegmentRow]], dict[UUID, list[Assignment]]]:
        """Segments and dispatches of these cases, oldest first."""
        segments: dict[UUID, list[SegmentRow]] = defaultdict(list)
        assignments: dict[UUID, list[Assignment]] = defaultdict(list)
        of_cases = select(SegmentRow).where(col(SegmentRow.case_id).in_(cases))
        for segment in await self.session.exec(of_cases.order_by(col(SegmentRow.number))):
            segments[segment.case_id].append(segment)
        dispatched = select(Assignment).where(col(Assignment.case_id).in_(cases))
        for row in await self.session.exec(dispatched.order_by(col(Assignment.number))):
            assignments[row.case_id].append(row)
        return segments, assignments

    async def pending_requests(self, cases: Sequence[UUID]) -> Sequence[Request]:
        statement = select(Request).where(
            col(Request.case_id).in_(cases), Request.state == RequestState.ASKED
        )
        return (await self.session.exec(statement)).all()

    def add(self, row: MovedDeadline) -> None:
        self.session.add(row)
