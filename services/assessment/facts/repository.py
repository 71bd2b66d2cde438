"""Writes folded facts over older ones, and reads them for lists, board and ledger."""

import hashlib
from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from services.assessment.facts.models import (
    AssignmentFactsRow,
    CaseFactsRow,
    Rebuild,
    RebuildState,
    StageFactsRow,
)
from services.assessment.facts.schemas import LedgerSet
from services.assessment.fieldwork.domain import ReportState
from services.assessment.fieldwork.models import ReportFacts
from shared.web.paging import PageRequest, after

Row = dict[str, Any]

CASE_FIGURES: dict[str, Any] = {
    "registered": CaseFactsRow.registered_at,
    "opened": CaseFactsRow.opened_at,
    "dispatched": CaseFactsRow.dispatched_at,
    "closed": CaseFactsRow.closed_at,
    "voided": CaseFactsRow.voided_at,
}
"""Figures of cases by the instant that places a case in a period."""


def table_of(model: type[SQLModel]) -> sa.Table:
    table: sa.Table = model.__table__  # type: ignore[attr-defined]
    return table


class FactWriter:
    """Puts folded rows in the place of those that were folded from fewer events."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def put(self, model: type[SQLModel], rows: Sequence[Row]) -> None:
        """Insert or replace rows of a table that has an `events` column."""
        if rows:
            connection = await self._session.connection()
            await connection.execute(self._upsert(connection.dialect.name, model), rows)

    async def put_cases(
        self, cases: Sequence[Row], assignments: Sequence[Row], stages: Sequence[Row]
    ) -> None:
        """Replace cases whole, with their assignments and stages.

        A case that another worker has meanwhile folded from more events is left as it is.
        """
        if not cases:
            return
        connection = await self._session.connection()
        statement = self._upsert(connection.dialect.name, CaseFactsRow)
        returned = await connection.execute(
            statement.returning(table_of(CaseFactsRow).c.case_id), cases
        )
        taken = {row.case_id for row in returned}
        for model, rows in ((AssignmentFactsRow, assignments), (StageFactsRow, stages)):
            table = table_of(model)
            await connection.execute(sa.delete(table).where(table.c.case_id.in_(taken)))
            kept = [row for row in rows if row["case_id"] in taken]
            if kept:
                await connection.execute(sa.insert(table), kept)

    @staticmethod
    def _upsert(dialect: str, model: type[SQLModel]) -> Any:
        table = table_of(model)
        insert: Any = (sqlite if dialect == "sqlite" else postgresql).insert(table)
        keys = list(table.primary_key)
        return insert.on_conflict_do_update(
            index_elements=keys,
            set_={
                column.name: insert.excluded[column.name]
                for column in table.c
                if column not in keys
            },
            where=insert.excluded.events >= table.c.events,
        )


class FactReader:
    """Reads the facts of cases."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def case(self, case_id: UUID) -> CaseFactsRow | None:
        return await self._session.get(CaseFactsRow, case_id)

    async def assignments(self, case_id: UUID) -> Sequence[AssignmentFactsRow]:
        statement = select(AssignmentFactsRow).where(AssignmentFactsRow.case_id == case_id)
        return (await self._session.exec(statement.order_by(col(AssignmentFactsRow.ordinal)))).all()

    async def stages(self, case_id: UUID) -> Sequence[StageFactsRow]:
        statement = select(StageFactsRow).where(StageFactsRow.case_id == case_id)
        order = (col(StageFactsRow.started_at), col(StageFactsRow.ordinal))
        return (await self._session.exec(statement.order_by(*order))).all()

    async def cases_page(
        self, figure: str, start: datetime, end: datetime, page: PageRequest
    ) -> Sequence[CaseFactsRow]:
        """Cases that count for a figure, by the instant at which they did."""
        at = CASE_FIGURES[figure]
        statement = select(CaseFactsRow).where(at >= start, at < end)
        rows: Sequence[CaseFactsRow] = (
            await self._session.exec(after(statement, [at, CaseFactsRow.case_id], page))
        ).all()
        return rows

    async def board(self, since: datetime, now: datetime) -> dict[str, int]:
        """The figures of the board in one statement, each over an index."""
        report, case, assignment = (
            table_of(ReportFacts),
            table_of(CaseFactsRow),
            table_of(AssignmentFactsRow),
        )

        def decided(state: ReportState) -> Any:
            return _count(report, report.c.state == state, report.c.decided_at >= since)

        figures = {
            "reported": _count(report, report.c.received_at >= since),
            "registered": decided(ReportState.REGISTERED),
            "rejected": decided(ReportState.REJECTED),
            "merged": decided(ReportState.MERGED),
            "dispatched": _count(case, case.c.dispatched_at >= since),
            "closed": _count(case, case.c.closed_at >= since),
            "redispatched": _count(assignment, assignment.c.second_dispatch_at >= since),
            "open": _count(
                case,
                case.c.closed_at.is_(None),
                case.c.voided_at.is_(None),
                case.c.opened_at.is_not(None),
            ),
            "overdue": _count(
                assignment,
                assignment.c.closed_at.is_(None),
                sa.not_(assignment.c.voided),
                sa.not_(assignment.c.passed_on),
                sa.not_(assignment.c.awaiting_dispatch),
                assignment.c.due_at < now,
            ),
        }
        statement = sa.select(*(figure.label(name) for name, figure in figures.items()))
        connection = await self._session.connection()
        return dict((await connection.execute(statement)).one()._mapping)  # noqa: SLF001 - public name

    async def reports_in(self, state: ReportState | None, since: datetime | None) -> LedgerSet:
        table = table_of(ReportFacts)
        conditions: list[Any] = [table.c.received_at.is_not(None)]
        if state is not None:
            conditions.append(table.c.state == state)
        if since is not None:
            conditions.append(table.c.received_at >= since)
        return await self._set(table.c.report_id, conditions)

    async def cases_in(self, figure: Any, since: datetime | None) -> LedgerSet:
        """Cases for which `figure` holds, registered from `since` on."""
        conditions = [figure]
        if since is not None:
            conditions.append(col(CaseFactsRow.registered_at) >= since)
        return await self._set(table_of(CaseFactsRow).c.case_id, conditions)

    async def redispatches(self, since: datetime | None) -> int:
        table = table_of(CaseFactsRow)
        statement = sa.select(sa.func.coalesce(sa.func.sum(table.c.redispatches), 0))
        if since is not None:
            statement = statement.where(table.c.registered_at >= since)
        connection = await self._session.connection()
        return int((await connection.execute(statement)).scalar_one())

    async def _set(self, column: Any, conditions: Sequence[Any]) -> LedgerSet:
        connection = await self._session.connection()
        found = (await connection.execute(sa.select(column).where(*conditions))).scalars()
        return ledger_set(found.all())


class RebuildRepository:
    """Rebuilds, of which at most one is running."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def running(self) -> Rebuild | None:
        statement = select(Rebuild).where(Rebuild.state == RebuildState.RUNNING)
        return (await self._session.exec(statement.with_for_update())).first()

    async def get(self, rebuild_id: UUID) -> Rebuild | None:
        return await self._session.get(Rebuild, rebuild_id)

    def add(self, rebuild: Rebuild) -> None:
        self._session.add(rebuild)


def ledger_set(ids: Sequence[UUID]) -> LedgerSet:
    """Count and checksum of a set of ids."""
    text = "\n".join(sorted(str(id_) for id_ in ids))
    return LedgerSet(count=len(ids), checksum=hashlib.sha256(text.encode()).hexdigest())


def row_of(fold: Any, events: int) -> Row:
    """A fold as a row of a table with an `events` column."""
    return {**plain(fold), "events": events}


def plain(fold: Any) -> Row:
    """The fields of a dataclass by name; what is below them stays as it is."""
    return {item.name: getattr(fold, item.name) for item in fields(fold)}


def _count(table: sa.Table, *conditions: Any) -> Any:
    return sa.select(sa.func.count()).select_from(table).where(*conditions).scalar_subquery()
