"""Counts for areas and units, and the rows behind each count, by the same conditions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel.ext.asyncio.session import AsyncSession

from services.assessment.facts.models import AssignmentFactsRow, CaseFactsRow
from services.assessment.facts.repository import table_of
from services.assessment.indicators.domain import AssignmentFigure, CaseFigure, Counts
from services.assessment.indicators.schemas import AssignmentBehind, CaseBehind
from services.assessment.periods.domain import Period
from shared.web.paging import PageRequest, after

LINES = table_of(AssignmentFactsRow).c
CASES = table_of(CaseFactsRow).c

Condition = sa.ColumnElement[bool]


@dataclass(frozen=True, slots=True)
class Grouping:
    """By what is counted.

    Attributes:
        area_digits: by so many leading digits of the grid; None: by unit.
        only: this area or unit alone.
    """

    area_digits: int | None
    only: str | None = None

    def key(self) -> sa.ColumnElement[Any]:
        if self.area_digits is None:
            return LINES.unit
        return sa.func.substr(CASES.grid, 1, self.area_digits)

    def condition(self) -> list[Condition]:
        if self.only is None:
            return []
        if self.area_digits is None:
            return [LINES.unit == self.only]
        return [CASES.grid.startswith(self.only, autoescape=True)]


class IndicatorRepository:
    """Counts of one period.

    Args:
        session: where the facts are read.
        period: in which assignments are due and cases were registered.
        at: what was closed later does not count.
    """

    def __init__(self, session: AsyncSession, period: Period, at: datetime) -> None:
        self._session = session
        self._period = period
        self._at = at

    async def counts(self, grouping: Grouping) -> dict[str, Counts]:
        """The counts by area or unit; those without any are left out."""
        found: dict[str, dict[str, int]] = {}
        for statement in (self._assignments(grouping), self._cases(grouping)):
            for row in await self._rows(statement):
                if row.subject is not None:
                    counted = {name: row._mapping[name] for name in row._fields[1:]}  # noqa: SLF001
                    found.setdefault(row.subject, {}).update(counted)
        return {subject: Counts(**counted) for subject, counted in found.items()}

    async def assignments_page(
        self, grouping: Grouping, figure: AssignmentFigure, page: PageRequest
    ) -> Sequence[Any]:
        """The assignments behind a figure, by due time."""
        columns = [
            CASES[name] if name in {"number", "grid"} else LINES[name]
            for name in AssignmentBehind.model_fields
        ]
        statement = (
            sa.select(*columns)
            .join(CASES.case_id.table, CASES.case_id == LINES.case_id)
            .where(*self._due(), *grouping.condition(), self._assignment_figures()[figure])
        )
        return await self._rows(
            after(statement, [LINES.due_at, LINES.case_id, LINES.ordinal], page)
        )

    async def cases_page(
        self, grouping: Grouping, figure: CaseFigure, page: PageRequest
    ) -> Sequence[Any]:
        """The cases behind a figure, by the time of their registration."""
        columns = [CASES[name] for name in CaseBehind.model_fields]
        conditions = [*self._registered(), _case_figures(self._at)[figure]]
        if grouping.area_digits is None:
            with_it = sa.select(LINES.case_id).where(_with_unit(), *grouping.condition())
            conditions.append(CASES.case_id.in_(with_it))
        else:
            conditions += grouping.condition()
        statement = sa.select(*columns).where(*conditions)
        return await self._rows(after(statement, [CASES.registered_at, CASES.case_id], page))

    def _assignments(self, grouping: Grouping) -> Any:
        key = grouping.key().label("subject")
        counts = [
            sa.func.count().filter(condition).label(_name(figure))
            for figure, condition in self._assignment_figures().items()
        ]
        return (
            sa.select(key, *counts)
            .join(CASES.case_id.table, CASES.case_id == LINES.case_id)
            .where(*self._due(), *grouping.condition())
            .group_by(key)
        )

    def _cases(self, grouping: Grouping) -> Any:
        key = grouping.key().label("subject")
        case = CASES.case_id
        counts = [
            sa.func.count(case.distinct()).filter(condition).label(_name(figure))
            for figure, condition in _case_figures(self._at).items()
        ]
        statement = sa.select(key, *counts).where(*self._registered(), *grouping.condition())
        if grouping.area_digits is None:
            statement = statement.join(LINES.case_id.table, LINES.case_id == case)
            statement = statement.where(_with_unit())
        return statement.group_by(key)

    def _assignment_figures(self) -> Mapping[AssignmentFigure, Condition]:
        """When an assignment that is due in the period counts for a figure."""
        part = sa.and_(
            sa.not_(LINES.voided), LINES.returned_to_other == 0, sa.not_(LINES.awaiting_dispatch)
        )
        # Null when not closed, which coalesce turns into a plain no.
        closed = sa.func.coalesce(LINES.closed_at <= self._at, sa.false())
        within = sa.or_(
            LINES.limit_seconds.is_(None),
            LINES.used_seconds <= LINES.limit_seconds + LINES.extension_seconds,
        )
        handled = sa.and_(part, closed)
        overdue = sa.and_(part, sa.not_(closed), LINES.due_at <= self._at)
        to_handle = sa.or_(handled, overdue)
        granted = sa.or_(
            LINES.extension_granted_at.is_not(None), LINES.deferral_granted_at.is_not(None)
        )
        return {
            AssignmentFigure.TO_HANDLE: to_handle,
            AssignmentFigure.HANDLED: handled,
            AssignmentFigure.HANDLED_IN_TIME: sa.and_(handled, within),
            AssignmentFigure.HANDLED_LATE: sa.and_(handled, sa.not_(within)),
            AssignmentFigure.OVERDUE: overdue,
            AssignmentFigure.REWORKED: sa.and_(to_handle, LINES.dispatches > 1),
            AssignmentFigure.EXTENDED: sa.and_(to_handle, granted),
            AssignmentFigure.RETURNED: sa.and_(sa.not_(LINES.voided), LINES.returned_to_other > 0),
            AssignmentFigure.FALSE_FEEDBACK: sa.and_(to_handle, LINES.feedback_refused > 0),
        }

    def _due(self) -> list[Condition]:
        return [LINES.due_at >= self._period.start, LINES.due_at < self._period.end]

    def _registered(self) -> list[Condition]:
        return [
            CASES.registered_at >= self._period.start,
            CASES.registered_at < self._period.end,
            CASES.voided_at.is_(None),
        ]

    async def _rows(self, statement: Any) -> Sequence[Any]:
        connection = await self._session.connection()
        return (await connection.execute(statement)).all()


def _case_figures(at: datetime) -> Mapping[CaseFigure, Condition]:
    """When a case that was registered in the period counts for a figure."""
    closed = sa.func.coalesce(CASES.closed_at <= at, sa.false())
    return {
        CaseFigure.REGISTERED: sa.true(),
        CaseFigure.DISPATCHED: CASES.dispatched_at.is_not(None),
        CaseFigure.CLOSED: closed,
        CaseFigure.CLOSED_IN_TIME: sa.and_(
            closed, sa.func.coalesce(CASES.closed_in_time, sa.true())
        ),
    }


def _with_unit() -> Condition:
    """A case is a unit's own unless it was sent on to another with the centre's consent."""
    return LINES.returned_to_other == 0


def _name(figure: AssignmentFigure | CaseFigure) -> str:
    """The name of a count of `Counts`."""
    return figure.value.replace("-", "_")
