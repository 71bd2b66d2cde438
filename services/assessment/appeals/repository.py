"""Appeals in the database."""

from collections.abc import Sequence
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from services.assessment.appeals.domain import AppealState
from services.assessment.appeals.models import Appeal
from shared.web.paging import PageRequest, after


class AppealRepository:
    """Reads and writes appeals."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    def add(self, appeal: Appeal) -> None:
        self._session.add(appeal)

    async def get(self, appeal_id: UUID) -> Appeal | None:
        return await self._session.get(Appeal, appeal_id)

    async def alive(self, period_id: UUID, unit: str, case_id: UUID, ordinal: int) -> Appeal | None:
        """The appeal about an assignment that was not withdrawn."""
        statement = select(Appeal).where(
            Appeal.period_id == period_id,
            Appeal.unit == unit,
            Appeal.case_id == case_id,
            Appeal.ordinal == ordinal,
            Appeal.state != AppealState.WITHDRAWN,
        )
        return (await self._session.exec(statement)).first()

    async def granted(self, period_id: UUID) -> Sequence[Appeal]:
        """The granted appeals of a period, in the order in which they were filed."""
        statement = (
            select(Appeal)
            .where(Appeal.period_id == period_id, Appeal.state == AppealState.GRANTED)
            .order_by(col(Appeal.id))
        )
        return (await self._session.exec(statement)).all()

    async def page(
        self, *, state: AppealState | None, unit: str | None, period: str | None, page: PageRequest
    ) -> Sequence[Appeal]:
        """Appeals, oldest first."""
        statement = select(Appeal)
        if state is not None:
            statement = statement.where(Appeal.state == state)
        if unit is not None:
            statement = statement.where(Appeal.unit == unit)
        if period is not None:
            statement = statement.where(Appeal.period_key == period)
        rows: Sequence[Appeal] = (
            await self._session.exec(after(statement, [col(Appeal.id)], page))
        ).all()
        return rows
