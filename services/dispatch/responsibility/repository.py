"""What was settled before: precedents by class and ground."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from services.dispatch.case_files.models import Assignment
from services.dispatch.responsibility.domain import Precedent

MOST_PRECEDENTS = 5


class PrecedentRepository:
    """Reads past dispatches that ended in a closed case."""

    def __init__(self, session: AsyncSession) -> None:
        self.session = session

    async def precedents(self, class_key: str, grid: str | None) -> Sequence[Precedent]:
        """The units that settled this class on this grid most often."""
        cases = sa.func.count().label("cases")
        last_at = sa.func.max(Assignment.dispatched_at).label("last_at")
        statement = (
            select(Assignment.unit, cases, last_at)
            .where(
                Assignment.class_key == class_key,
                Assignment.grid == grid,
                Assignment.outcome == "closed",
            )
            .group_by(col(Assignment.unit))
            .order_by(cases.desc(), col(Assignment.unit))
            .limit(MOST_PRECEDENTS)
        )
        rows = (await self.session.exec(statement)).all()
        return [Precedent(unit, count, last) for unit, count, last in rows]
