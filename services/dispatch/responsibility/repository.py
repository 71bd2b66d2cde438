"""What was decided and what was settled before, by class and ground."""

from collections.abc import Sequence
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from services.dispatch.case_files.models import Assignment
from services.dispatch.responsibility.domain import Settled
from services.dispatch.responsibility.models import Precedent
from shared.web.paging import PageRequest, after

MOST_SUGGESTED = 5


class PrecedentRepository:
    """All SQL on precedents, and on past dispatches that ended in a closed case."""

    def __init__(self, session: AsyncSession) -> None:
        self.session = session

    def add(self, row: Precedent) -> None:
        self.session.add(row)

    async def precedent(self, precedent_id: UUID) -> Precedent | None:
        return await self.session.get(Precedent, precedent_id)

    async def in_force(self, class_key: str, grid: str | None) -> Sequence[Precedent]:
        """Decisions on this class and ground that nobody has revoked, the latest first."""
        if grid is None:
            return []
        statement = (
            select(Precedent)
            .where(
                Precedent.class_key == class_key,
                Precedent.grid == grid,
                col(Precedent.revoked_at).is_(None),
            )
            .order_by(col(Precedent.decided_at).desc(), col(Precedent.id).desc())
            .limit(MOST_SUGGESTED)
        )
        return (await self.session.exec(statement)).all()

    async def settled(self, class_key: str, grid: str | None) -> Sequence[Settled]:
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
            .limit(MOST_SUGGESTED)
        )
        rows = (await self.session.exec(statement)).all()
        return [Settled(unit, count, last) for unit, count, last in rows]

    async def page(
        self,
        request: PageRequest,
        *,
        class_key: str | None,
        grid: str | None,
        unit: str | None,
        revoked: bool | None,
    ) -> Sequence[Precedent]:
        """Precedents, the latest first."""
        statement = select(Precedent)
        if class_key is not None:
            statement = statement.where(Precedent.class_key == class_key)
        if grid is not None:
            statement = statement.where(Precedent.grid == grid)
        if unit is not None:
            statement = statement.where(Precedent.unit == unit)
        if revoked is not None:
            in_force = col(Precedent.revoked_at).is_(None)
            statement = statement.where(sa.not_(in_force) if revoked else in_force)
        statement = after(statement, [Precedent.id], request, descending=True)
        return list((await self.session.exec(statement)).all())
