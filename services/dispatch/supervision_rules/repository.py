"""What the rules look up: openings, complaints of a caller, dispatches that are watched."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from services.dispatch.case_files.models import AttachedReport, Case
from services.dispatch.supervision.models import SupervisionOrder
from services.dispatch.supervision_rules.models import (
    AcceptanceWatch,
    ComplaintRow,
    OpenedByRule,
    WaitingInstruction,
)
from shared.vocabulary import SupervisionCause


class RuleRepository:
    """All SQL of the rules."""

    def __init__(self, session: AsyncSession) -> None:
        self.session = session

    def add(self, row: Any) -> None:
        self.session.add(row)

    async def opened(self, cause: SupervisionCause, case_id: UUID, run: int) -> OpenedByRule | None:
        return await self.session.get(OpenedByRule, (case_id, cause, run))

    async def watch(self, watch_id: UUID) -> AcceptanceWatch | None:
        return await self.session.get(AcceptanceWatch, watch_id)

    async def complaint(self, report_id: UUID) -> ComplaintRow | None:
        return await self.session.get(ComplaintRow, report_id)

    async def complaints(
        self, caller: str, since: datetime, until: datetime
    ) -> Sequence[ComplaintRow]:
        """What a caller complained of in a stretch of time, both ends included."""
        statement = select(ComplaintRow).where(
            ComplaintRow.caller == caller,
            col(ComplaintRow.at) >= since,
            col(ComplaintRow.at) <= until,
        )
        return (await self.session.exec(statement)).all()

    async def remove(self, row: Any) -> None:
        await self.session.delete(row)

    async def case(self, case_id: UUID) -> Case | None:
        return await self.session.get(Case, case_id)

    async def case_of_ticket(self, ticket_id: UUID) -> Case | None:
        """The case that a ticket became, or was merged into."""
        case = (await self.session.exec(select(Case).where(Case.ticket_id == ticket_id))).first()
        if case is not None:
            return case
        statement = (
            select(Case)
            .join(AttachedReport, col(AttachedReport.into_report_id) == col(Case.report_id))
            .where(AttachedReport.ticket_id == ticket_id)
        )
        return (await self.session.exec(statement)).first()

    async def waiting_instructions(self, case: Case) -> Sequence[WaitingInstruction]:
        """Instructions on the tickets of a case, oldest first."""
        merged = select(AttachedReport.ticket_id).where(
            AttachedReport.into_report_id == case.report_id
        )
        ticket = col(WaitingInstruction.ticket_id)
        statement = (
            select(WaitingInstruction)
            .where(
                sa.or_(
                    col(WaitingInstruction.case_id) == case.id,
                    ticket == case.ticket_id,
                    ticket.in_(merged),
                )
            )
            .order_by(col(WaitingInstruction.given_at))
        )
        return (await self.session.exec(statement)).all()

    async def open_order(self, order_id: UUID) -> SupervisionOrder | None:
        """An order, if it still stands on the ledger."""
        order = await self.session.get(SupervisionOrder, order_id)
        return order if order is not None and order.struck_off_at is None else None
