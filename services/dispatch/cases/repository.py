"""Pages of cases: every order and filter rides on an index."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from services.dispatch.case_files.domain import STAGE_OF, CaseCategory, CaseState
from services.dispatch.case_files.models import NO_LIMIT, Case
from services.dispatch.clocks.domain import Light, SegmentKind
from shared.db.core import execute
from shared.web.paging import PageRequest, after

_CASES: sa.Table = Case.__table__  # type: ignore[attr-defined]
_ONLY_IN_THE_FILE = frozenset({"media", "conclusion", "outcome", "observed_at", "report_id"})
_SHOWN = [column for column in _CASES.c if column.name not in _ONLY_IN_THE_FILE]


@dataclass(frozen=True, slots=True)
class CaseQuery:
    """What a list is narrowed to; None leaves a filter out.

    Attributes:
        grid: a whole grid code, or with `street` the first digits of one.
        light: of the present stage, as of `now`.
        newest: newest registration first, instead of what is due first.
    """

    now: datetime
    state: CaseState | None = None
    stage: SegmentKind | None = None
    unit: str | None = None
    grid: str | None = None
    street: str | None = None
    class_key: str | None = None
    urgent: bool | None = None
    light: Light | None = None
    total_light: Light | None = None
    number: str | None = None
    ticket: UUID | None = None
    registered_from: datetime | None = None
    registered_to: datetime | None = None
    open: bool | None = None
    coordination_needed: bool | None = None
    category: CaseCategory | None = None
    newest: bool = False


class CaseListRepository:
    """The SELECTs of the case lists."""

    def __init__(self, session: AsyncSession) -> None:
        self.session = session

    async def page(self, query: CaseQuery, request: PageRequest) -> Sequence[Case]:
        """One page and one row more, by due time or newest first.

        Bare rows that only read like a case: objects of a session would cost more than the query.
        """
        rows = (await execute(self.session, page_statement(query, request))).all()
        return cast("Sequence[Case]", rows)


def page_statement(query: CaseQuery, request: PageRequest) -> Any:
    """The SELECT of a page; apart, so that its plan can be looked at."""
    statement = sa.select(*_SHOWN).where(*_conditions(query))
    if query.newest:
        columns = [col(Case.registered_at), col(Case.id)]
        return after(statement, columns, request, descending=True)
    return after(statement, [col(Case.due_order), col(Case.id)], request)


def _conditions(query: CaseQuery) -> list[Any]:
    equal = (
        (col(Case.state), query.state),
        (col(Case.unit), query.unit),
        (col(Case.grid), query.grid),
        (col(Case.class_key), query.class_key),
        (col(Case.urgent), query.urgent),
        (col(Case.number), query.number),
        (col(Case.ticket_id), query.ticket),
    )
    found: list[Any] = [column == value for column, value in equal if value is not None]
    if query.stage is not None:
        states = [state for state, stage in STAGE_OF.items() if stage is query.stage]
        found.append(col(Case.state).in_(states))
    if query.coordination_needed is not None:
        needed = col(Case.coordination_needed)
        # Written as the condition of the index, not as a comparison.
        found.append(needed if query.coordination_needed else sa.not_(needed))
    if query.category is not None:
        found.append(col(Case.category) == query.category)
        if query.category is not CaseCategory.ORDINARY:
            # Says the same once more as the condition of the index.
            found.append(sa.text("category <> 'ordinary'"))
    if query.street is not None:
        found.append(col(Case.grid).startswith(query.street, autoescape=True))
    if query.registered_from is not None:
        found.append(col(Case.registered_at) >= query.registered_from)
    if query.registered_to is not None:
        found.append(col(Case.registered_at) < query.registered_to)
    if query.open is not None:
        archived = col(Case.closed_at).is_(None)
        found.append(archived if query.open else sa.not_(archived))
    return found + _light_conditions(query)


def _light_conditions(query: CaseQuery) -> list[Any]:
    found: list[Any] = []
    if query.light is not None:
        found += _shines(query.light, col(Case.stage_warn_at), col(Case.stage_due_at), query.now)
        if query.light is not Light.NONE:
            # Says the same once more of the columns that the index of open cases is made of.
            found.append(col(Case.closed_at).is_(None))
            red = query.light is Light.RED
            begin, end = (None, query.now) if red else (query.now, NO_LIMIT)
            found += [] if begin is None else [col(Case.due_order) >= begin]
            found.append(col(Case.due_order) < end)
    if query.total_light is not None:
        found.append(col(Case.closed_at).is_(None))
        found += _shines(
            query.total_light, col(Case.total_warn_at), col(Case.total_due_at), query.now
        )
    return found


def _shines(light: Light, warn_at: Any, due_at: Any, now: datetime) -> list[Any]:
    """The light's definition as conditions on its two instants."""
    return {
        Light.NONE: [due_at.is_(None)],
        Light.RED: [due_at < now],
        Light.YELLOW: [due_at >= now, warn_at <= now],
        Light.GREEN: [due_at >= now, warn_at > now],
    }[light]
