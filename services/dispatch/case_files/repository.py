"""Finding case files: a case with its clock in one round trip, other rows by index."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from services.dispatch.case_files.models import (
    Assignment,
    AttachedReport,
    Case,
    Feedback,
    SegmentRow,
    Verification,
    WithdrawnTicket,
)
from shared.db.changes import objects_of
from shared.db.pipeline import Statement, run_on

Latest = Feedback | Verification


@dataclass
class FileRows:
    """The rows of a case file.

    Attributes:
        segments: oldest first.
        assignments: oldest first.
        latest: the last feedback and verification, as far as they were asked for.
    """

    case: Case
    segments: list[SegmentRow] = field(default_factory=list)
    assignments: list[Assignment] = field(default_factory=list)
    latest: dict[type[Latest], Any] = field(default_factory=dict)

    def has(self, model: type[Latest]) -> bool:
        """Whether the latest of these rows is known, be it that there is none."""
        return model in self.latest


def _of_case(model: Any, key: str, order: str | None = None, *, latest: bool = False) -> Statement:
    table: sa.Table = model.__table__
    clause = sa.select(table).where(table.c[key] == sa.bindparam("case_id", type_=sa.Uuid()))
    if order is not None:
        clause = clause.order_by(table.c[order].desc() if latest else table.c[order])
    return Statement(clause.limit(1) if latest else clause)


_OF_CASE: dict[Any, Statement] = {
    Case: _of_case(Case, "id"),
    SegmentRow: _of_case(SegmentRow, "case_id", "number"),
    Assignment: _of_case(Assignment, "case_id", "number"),
    Feedback: _of_case(Feedback, "case_id", "number", latest=True),
    Verification: _of_case(Verification, "case_id", "round", latest=True),
}


_KNOWN = Statement(
    sa.select(col(Case.id)).where(col(Case.id) == sa.bindparam("case_id", type_=sa.Uuid()))
)
_ATTACHED = Statement(
    sa.select(AttachedReport.__table__)  # type: ignore[attr-defined]
    .where(col(AttachedReport.into_report_id) == sa.bindparam("report_id", type_=sa.Uuid()))
    .order_by(col(AttachedReport.attached_at))
)


class CaseFileRepository:
    """All SQL on the rows of case files."""

    def __init__(self, session: AsyncSession) -> None:
        self.session = session

    async def case(self, case_id: UUID) -> Case | None:
        return await self.session.get(Case, case_id)

    async def case_by_number(self, number: str) -> Case | None:
        return (await self.session.exec(select(Case).where(Case.number == number))).first()

    async def case_by_ticket(self, ticket_id: UUID) -> Case | None:
        return (await self.session.exec(select(Case).where(Case.ticket_id == ticket_id))).first()

    async def case_by_report(self, report_id: UUID) -> Case | None:
        return (await self.session.exec(select(Case).where(Case.report_id == report_id))).first()

    async def rows(self, case_id: UUID, *also: type[Latest]) -> FileRows | None:
        """Case, segments and dispatches, oldest first, in one round trip.

        What this session has in hand already, it gets again as it is: changed, not yet written.

        Args:
            case_id: which.
            also: of which further rows the latest is wanted.
        """
        held: FileRows | None = self._in_hand.get(case_id)
        if held is not None and all(held.has(model) for model in also):
            return held
        wanted: list[Any] = [Case, SegmentRow, Assignment, *also]
        steps = [(_OF_CASE[model], [{"case_id": case_id}]) for model in wanted]
        # Past the session: what it has not written yet of this case, it has in hand.
        found = await run_on(await self.session.connection(), steps)
        cases, segments, assignments, *further = [
            objects_of(self.session.sync_session, model, rows)
            for model, rows in zip(wanted, found, strict=True)
        ]
        if not cases:
            return None
        if held is None:
            held = FileRows(cases[0], segments, assignments)
            self.hold(held)
        for model, rows in zip(also, further, strict=True):
            held.latest[model] = rows[0] if rows else None
        return held

    async def before_opening(
        self, case_id: UUID, report_id: UUID
    ) -> tuple[bool, list[AttachedReport]]:
        """Whether a case is known, and what is attached to its report, in one round trip."""
        session = self.session
        changed = (*session.new, *session.dirty, *session.deleted)
        if any(isinstance(item, AttachedReport) for item in changed):
            await session.flush()
        known, attached = await run_on(
            await session.connection(),
            [(_KNOWN, [{"case_id": case_id}]), (_ATTACHED, [{"report_id": report_id}])],
        )
        # Past the session: a case that it has not written yet, it has in hand.
        is_known = bool(known) or case_id in self._in_hand
        return is_known, objects_of(session.sync_session, AttachedReport, attached)

    def hold(self, rows: FileRows) -> None:
        """Keep a file in hand until the work is done, so that it is the same if taken again."""
        self._in_hand[rows.case.id] = rows

    @property
    def _in_hand(self) -> dict[UUID, FileRows]:
        files: dict[UUID, FileRows] = self.session.info.setdefault("case files", {})
        return files

    async def assignments(self, case_id: UUID) -> Sequence[Assignment]:
        """The dispatches of a case, oldest first."""
        statement = (
            select(Assignment).where(Assignment.case_id == case_id).order_by(col(Assignment.number))
        )
        return (await self.session.exec(statement)).all()

    async def feedbacks(self, case_id: UUID) -> Sequence[Feedback]:
        statement = (
            select(Feedback).where(Feedback.case_id == case_id).order_by(col(Feedback.number))
        )
        return (await self.session.exec(statement)).all()

    async def verification_of_task(self, task_id: UUID) -> Verification | None:
        statement = select(Verification).where(Verification.task_id == task_id)
        return (await self.session.exec(statement)).first()

    async def verifications(self, case_id: UUID) -> Sequence[Verification]:
        statement = (
            select(Verification)
            .where(Verification.case_id == case_id)
            .order_by(col(Verification.round))
        )
        return (await self.session.exec(statement)).all()

    async def attached(self, report_id: UUID) -> AttachedReport | None:
        return await self.session.get(AttachedReport, report_id)

    async def attached_to(self, report_id: UUID) -> Sequence[AttachedReport]:
        statement = (
            select(AttachedReport)
            .where(AttachedReport.into_report_id == report_id)
            .order_by(col(AttachedReport.attached_at))
        )
        return (await self.session.exec(statement)).all()

    async def redirect_attached(self, from_report: UUID, to_report: UUID) -> None:
        """Reports merged into one that is merged itself belong to where that one went."""
        await self.session.exec(
            sa.update(AttachedReport)
            .where(col(AttachedReport.into_report_id) == from_report)
            .values(into_report_id=to_report)
        )

    async def withdrawn_ticket(self, ticket_id: UUID) -> WithdrawnTicket | None:
        return await self.session.get(WithdrawnTicket, ticket_id)

    def add(self, row: Any) -> None:
        self.session.add(row)

    async def remove(self, row: Any) -> None:
        await self.session.delete(row)
