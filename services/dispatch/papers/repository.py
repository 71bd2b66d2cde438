"""Papers in the database."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from services.dispatch.papers.models import PaperRow
from shared.pack.model import Paper
from shared.web.paging import PageRequest, after


class PaperRepository:
    def __init__(self, session: AsyncSession) -> None:
        self.session = session

    def add(self, paper: PaperRow) -> None:
        self.session.add(paper)

    async def get(self, paper_id: UUID) -> PaperRow | None:
        return await self.session.get(PaperRow, paper_id)

    async def of_case(self, case_id: UUID) -> Sequence[PaperRow]:
        """All papers of a case, the first asked for first."""
        statement = (
            select(PaperRow).where(col(PaperRow.case_id) == case_id).order_by(col(PaperRow.id))
        )
        return (await self.session.exec(statement)).all()

    async def page(
        self,
        *,
        kind: Paper | None,
        outstanding: bool | None,
        overdue_at: datetime | None,
        request: PageRequest,
    ) -> Sequence[PaperRow]:
        """Papers by the time at which they are due.

        Args:
            kind: only of this kind.
            outstanding: only those that are missing, or only those that are complete.
            overdue_at: only those that are missing at this instant and were due before.
            request: the page.
        """
        statement = select(PaperRow)
        if kind is not None:
            statement = statement.where(col(PaperRow.kind) == kind)
        if outstanding is not None:
            done = col(PaperRow.completed_at)
            statement = statement.where(done.is_(None) if outstanding else done.is_not(None))
        if overdue_at is not None:
            statement = statement.where(
                col(PaperRow.completed_at).is_(None), col(PaperRow.due_at) < overdue_at
            )
        statement = after(statement, [PaperRow.due_at, PaperRow.id], request)
        return (await self.session.exec(statement)).all()  # type: ignore[no-any-return]
