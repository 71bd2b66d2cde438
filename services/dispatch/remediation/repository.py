"""Finding remediations, their costs and claims."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from services.dispatch.remediation.domain import CostState, RecoveryState, RemediationState
from services.dispatch.remediation.models import Cost, Recovery, Remediation
from shared.web.paging import PageRequest, after


class RemediationRepository:
    """All SQL on remediations."""

    def __init__(self, session: AsyncSession) -> None:
        self.session = session

    def add(self, row: Any) -> None:
        self.session.add(row)

    async def remediation(self, remediation_id: UUID) -> Remediation | None:
        return await self.session.get(Remediation, remediation_id)

    async def ordered_for(self, case_id: UUID) -> Remediation | None:
        statement = select(Remediation).where(
            Remediation.case_id == case_id, Remediation.state == RemediationState.ORDERED
        )
        return (await self.session.exec(statement)).first()

    async def cost(self, cost_id: UUID) -> Cost | None:
        return await self.session.get(Cost, cost_id)

    async def costs(self, remediation_id: UUID) -> Sequence[Cost]:
        statement = (
            select(Cost).where(Cost.remediation_id == remediation_id).order_by(col(Cost.number))
        )
        return (await self.session.exec(statement)).all()

    async def undecided(self, remediation_id: UUID) -> Sequence[int]:
        """Numbers of the costs that wait for their decision."""
        statement = (
            select(Cost.number)
            .where(Cost.remediation_id == remediation_id, Cost.state == CostState.RECORDED)
            .order_by(col(Cost.number))
        )
        return (await self.session.exec(statement)).all()

    async def recovery(self, recovery_id: UUID) -> Recovery | None:
        return await self.session.get(Recovery, recovery_id)

    async def recoveries(self, remediation_id: UUID) -> Sequence[Recovery]:
        statement = (
            select(Recovery)
            .where(Recovery.remediation_id == remediation_id)
            .order_by(col(Recovery.id))
        )
        return (await self.session.exec(statement)).all()

    async def page(
        self,
        request: PageRequest,
        *,
        state: RemediationState | None,
        unit: str | None,
        year: int | None,
        case_id: UUID | None,
    ) -> Sequence[Remediation]:
        """Remediations, the latest first."""
        statement = select(Remediation)
        if state is not None:
            statement = statement.where(Remediation.state == state)
        if unit is not None:
            statement = statement.where(Remediation.unit == unit)
        if year is not None:
            statement = statement.where(Remediation.year == year)
        if case_id is not None:
            statement = statement.where(Remediation.case_id == case_id)
        statement = after(statement, [Remediation.id], request, descending=True)
        return list((await self.session.exec(statement)).all())

    async def page_of_costs(
        self, request: PageRequest, *, state: CostState | None
    ) -> Sequence[Cost]:
        """Costs of all remediations, the oldest first: the office's queue."""
        statement = select(Cost)
        if state is not None:
            statement = statement.where(Cost.state == state)
        return list((await self.session.exec(after(statement, [Cost.id], request))).all())

    async def page_of_recoveries(
        self, request: PageRequest, *, state: RecoveryState | None
    ) -> Sequence[Recovery]:
        """Claims, the oldest first."""
        statement = select(Recovery)
        if state is not None:
            statement = statement.where(Recovery.state == state)
        return list((await self.session.exec(after(statement, [Recovery.id], request))).all())
