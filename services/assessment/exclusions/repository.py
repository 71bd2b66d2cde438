"""Exclusions in the database."""

from collections.abc import Sequence
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from services.assessment.exclusions.domain import ExclusionState
from services.assessment.exclusions.models import Exclusion
from services.assessment.facts.models import AssignmentFactsRow
from shared.web.paging import PageRequest, after

STANDING = (ExclusionState.PROPOSED, ExclusionState.GRANTED)


class ExclusionRepository:
    """Reads and writes exclusions."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    def add(self, exclusion: Exclusion) -> None:
        self._session.add(exclusion)

    async def get(self, exclusion_id: UUID) -> Exclusion | None:
        return await self._session.get(Exclusion, exclusion_id)

    async def standing(self, case_id: UUID, unit: str) -> Exclusion | None:
        """What is proposed or granted for a case of a unit."""
        statement = select(Exclusion).where(
            Exclusion.case_id == case_id,
            Exclusion.unit == unit,
            col(Exclusion.state).in_(STANDING),
        )
        return (await self._session.exec(statement)).first()

    async def granted(self) -> set[tuple[UUID, str]]:
        """Case and unit of everything that is left out now."""
        statement = sa.select(col(Exclusion.case_id), col(Exclusion.unit)).where(
            col(Exclusion.state) == ExclusionState.GRANTED
        )
        connection = await self._session.connection()
        return {(row.case_id, row.unit) for row in await connection.execute(statement)}

    async def was_with(self, case_id: UUID, unit: str) -> bool:
        """Whether a case ever was with a unit."""
        statement = select(AssignmentFactsRow.ordinal).where(
            AssignmentFactsRow.case_id == case_id, AssignmentFactsRow.unit == unit
        )
        return (await self._session.exec(statement)).first() is not None

    async def page(
        self, state: ExclusionState | None, unit: str | None, page: PageRequest
    ) -> Sequence[Exclusion]:
        """Exclusions, oldest first."""
        statement = select(Exclusion)
        if state is not None:
            statement = statement.where(Exclusion.state == state)
        if unit is not None:
            statement = statement.where(Exclusion.unit == unit)
        rows: Sequence[Exclusion] = (
            await self._session.exec(after(statement, [col(Exclusion.id)], page))
        ).all()
        return rows
