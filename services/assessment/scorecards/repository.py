"""Reads what scorecards are computed from: the assignments whose deadline lies in a period."""

from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlmodel.ext.asyncio.session import AsyncSession

from services.assessment.facts.models import AssignmentFactsRow, CaseFactsRow
from services.assessment.facts.repository import table_of
from services.assessment.fieldwork.models import PatrolFacts
from services.assessment.periods.domain import Period
from services.assessment.scorecards.domain import Assignment
from services.assessment.scorecards.schemas import Figure
from shared.web.paging import PageRequest, after

ASSIGNMENTS = table_of(AssignmentFactsRow)
CASES = table_of(CaseFactsRow)
PATROLS = table_of(PatrolFacts)
COLUMNS = [ASSIGNMENTS.c[item.name] for item in fields(Assignment)]
KEY = (ASSIGNMENTS.c.due_at, ASSIGNMENTS.c.case_id, ASSIGNMENTS.c.ordinal)


class RegisteredCount(NamedTuple):
    """Cases registered in a period, and how many of them are closed and were dispatched."""

    registered: int
    closed: int
    dispatched: int


class ScorecardRepository:
    """Assignments and counts of one period."""

    def __init__(self, session: AsyncSession, period: Period) -> None:
        self._session = session
        self._period = period

    async def assignments(self, unit: str | None = None) -> list[Assignment]:
        """Those with their deadline in the period; of one unit if it is given."""
        statement = sa.select(*COLUMNS).where(*self._due_in_period(unit))
        connection = await self._session.connection()
        rows = (await connection.execute(statement)).all()
        return [Assignment(*row) for row in rows]

    async def page(
        self, unit: str, figure: Figure | None, computed_at: datetime, page: PageRequest
    ) -> Sequence[Any]:
        """A page of the assignments behind a figure, by deadline, each with its case's number."""
        statement = (
            sa.select(*COLUMNS, CASES.c.number)
            .join(CASES, CASES.c.case_id == ASSIGNMENTS.c.case_id)
            .where(*self._due_in_period(unit))
        )
        if figure is not None:
            statement = statement.where(_behind(figure, computed_at))
        connection = await self._session.connection()
        return (await connection.execute(after(statement, KEY, page))).all()

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

    def _due_in_period(self, unit: str | None) -> list[Any]:
        conditions = [
            ASSIGNMENTS.c.due_at >= self._period.start,
            ASSIGNMENTS.c.due_at < self._period.end,
        ]
        if unit is not None:
            conditions.append(ASSIGNMENTS.c.unit == unit)
        return conditions

    def _registered_in_period(self) -> Any:
        return sa.and_(
            CASES.c.registered_at >= self._period.start, CASES.c.registered_at < self._period.end
        )


def _behind(figure: Figure, computed_at: datetime) -> Any:
    """The condition under which an assignment is behind a figure; the same rules as `judge`."""
    line = ASSIGNMENTS.c
    counted = sa.and_(
        sa.not_(line.voided), line.returned_to_other == 0, sa.not_(line.awaiting_dispatch)
    )
    # Null when not closed, which coalesce turns into a plain no.
    resolved = sa.func.coalesce(line.closed_at <= computed_at, sa.false())
    timely = sa.and_(
        resolved,
        sa.or_(line.limit_seconds.is_(None), line.used_seconds <= line.limit_seconds),
        line.extension_granted_at.is_(None),
        line.deferral_granted_at.is_(None),
        line.returned_to_same == 0,
        line.dispatches == 1,
    )
    conditions = {
        Figure.DUE: counted,
        Figure.RESOLVED: sa.and_(counted, resolved),
        Figure.UNRESOLVED: sa.and_(counted, sa.not_(resolved)),
        Figure.TIMELY: sa.and_(counted, timely),
        Figure.NOT_TIMELY: sa.and_(counted, sa.not_(timely)),
        Figure.RETURNED_TO_OTHER: sa.and_(line.returned_to_other > 0, sa.not_(line.voided)),
        Figure.RETURNS_REFUSED: sa.and_(line.returns_refused > 0, sa.not_(line.voided)),
        Figure.REPEATED: sa.and_(counted, line.dispatches > 1),
        Figure.EXTENDED: sa.and_(counted, line.extension_granted_at.is_not(None)),
        Figure.DEFERRED: sa.and_(counted, line.deferral_granted_at.is_not(None)),
        Figure.FALSE_FEEDBACK: sa.and_(counted, line.feedback_refused > 0),
        Figure.LEFT_OUT: sa.not_(counted),
    }
    return conditions[figure]
