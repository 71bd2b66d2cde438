"""Reads what stands beside scores: cases registered, grids patrolled, numbers of cases."""

from collections.abc import Collection
from typing import Any, NamedTuple
from uuid import UUID

import sqlalchemy as sa
from sqlmodel.ext.asyncio.session import AsyncSession

from services.assessment.facts.models import AssignmentFactsRow, CaseFactsRow
from services.assessment.facts.repository import table_of
from services.assessment.fieldwork.models import PatrolFacts
from services.assessment.periods.domain import Period

ASSIGNMENTS = table_of(AssignmentFactsRow)
CASES = table_of(CaseFactsRow)
PATROLS = table_of(PatrolFacts)


class RegisteredCount(NamedTuple):
    """Cases registered in a period, and how many of them are closed and were dispatched."""

    registered: int
    closed: int
    dispatched: int


class ScorecardRepository:
    """Counts of one period."""

    def __init__(self, session: AsyncSession, period: Period) -> None:
        self._session = session
        self._period = period

    async def numbers(self, case_ids: Collection[UUID]) -> dict[UUID, str | None]:
        """The numbers of cases."""
        statement = sa.select(CASES.c.case_id, CASES.c.number).where(
            CASES.c.case_id.in_(list(case_ids))
        )
        connection = await self._session.connection()
        return {row.case_id: row.number for row in await connection.execute(statement)}

    async def registered_by_unit(self) -> dict[str, RegisteredCount]:
        """Cases registered in the period by the unit that has them, each counted once a unit."""
        ours = sa.and_(
            self._registered_in_period(),
            sa.not_(ASSIGNMENTS.c.voided),
            ASSIGNMENTS.c.returned_to_other == 0,
        )
        case_id = ASSIGNMENTS.c.case_id
        statement = (
            sa.select(
                ASSIGNMENTS.c.unit,
                sa.func.count(case_id.distinct()),
                sa.func.count(case_id.distinct()).filter(ASSIGNMENTS.c.closed_at.is_not(None)),
            )
            .join(CASES, CASES.c.case_id == case_id)
            .where(ours)
            .group_by(ASSIGNMENTS.c.unit)
        )
        connection = await self._session.connection()
        rows = (await connection.execute(statement)).all()
        return {unit: RegisteredCount(count, closed, count) for unit, count, closed in rows}

    async def registered_in_city(self) -> RegisteredCount:
        """Cases of the city that were registered in the period and not voided."""
        statement = sa.select(
            sa.func.count(),
            sa.func.count(CASES.c.closed_at),
            sa.func.count(CASES.c.dispatched_at),
        ).where(self._registered_in_period(), CASES.c.voided_at.is_(None))
        connection = await self._session.connection()
        return RegisteredCount(*(await connection.execute(statement)).one())

    async def patrolled_grids(self) -> set[str]:
        """Grids in which a collector was on patrol in the period."""
        statement = sa.select(PATROLS.c.grids).where(
            PATROLS.c.started_at >= self._period.start, PATROLS.c.started_at < self._period.end
        )
        connection = await self._session.connection()
        found: set[str] = set()
        for grids in (await connection.execute(statement)).scalars():
            found.update(grids)
        return found

    def _registered_in_period(self) -> Any:
        return sa.and_(
            CASES.c.registered_at >= self._period.start, CASES.c.registered_at < self._period.end
        )
