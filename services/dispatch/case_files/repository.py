"""Finding case files: one case with its clock in two statements, pages of cases by index."""

from collections.abc import Sequence
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

    async def clock_of(self, case_id: UUID) -> tuple[list[SegmentRow], list[Assignment]]:
        """Segments and dispatches, oldest first; every dispatch began a segment, so a join does."""
        statement = (
            select(SegmentRow, Assignment)
            .outerjoin(
                Assignment,
                sa.and_(
                    col(Assignment.case_id) == col(SegmentRow.case_id),
                    col(Assignment.number) == col(SegmentRow.assignment),
                ),
            )
            .where(SegmentRow.case_id == case_id)
            .order_by(col(SegmentRow.number))
        )
        rows = (await self.session.exec(statement)).all()
        segments = [segment for segment, _ in rows]
        # The outer join is typed as always there; before the first dispatch it is not.
        found: list[Assignment | None] = [assignment for _, assignment in rows]
        assignments = {item.number: item for item in found if item is not None}
        return segments, [assignments[number] for number in sorted(assignments)]

    async def feedback(self, case_id: UUID, number: int) -> Feedback | None:
        return await self.session.get(Feedback, (case_id, number))

    async def feedbacks(self, case_id: UUID) -> Sequence[Feedback]:
        statement = (
            select(Feedback).where(Feedback.case_id == case_id).order_by(col(Feedback.number))
        )
        return (await self.session.exec(statement)).all()

    async def verification(self, case_id: UUID, round_: int) -> Verification | None:
        return await self.session.get(Verification, (case_id, round_))

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
