"""Closed periods and the facts that were frozen with them."""

import zlib
from collections.abc import Mapping, Sequence
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from services.assessment.periods.domain import PeriodKind
from services.assessment.periods.models import ClosedPeriod, FrozenFacts
from shared.web.paging import PageRequest, after


class PeriodRepository:
    """Reads and writes closed periods."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def by_key(self, key: str) -> ClosedPeriod | None:
        statement = select(ClosedPeriod).where(ClosedPeriod.key == key)
        return (await self._session.exec(statement)).first()

    async def page(self, kind: PeriodKind | None, page: PageRequest) -> Sequence[ClosedPeriod]:
        """Closed periods, those closed last first."""
        statement = select(ClosedPeriod)
        if kind is not None:
            statement = statement.where(ClosedPeriod.kind == kind)
        rows: Sequence[ClosedPeriod] = (
            await self._session.exec(
                after(statement, [col(ClosedPeriod.id)], page, descending=True)
            )
        ).all()
        return rows

    def add(self, closed: ClosedPeriod, texts: Mapping[str, str]) -> None:
        self._session.add(closed)
        for unit, text in texts.items():
            self._session.add(
                FrozenFacts(period_id=closed.id, unit=unit, lines=zlib.compress(text.encode()))
            )

    async def frozen(self, period_id: UUID, unit: str | None = None) -> dict[str, str]:
        """The frozen lines by unit; of one unit if it is given."""
        statement = sa.select(col(FrozenFacts.unit), col(FrozenFacts.lines)).where(
            col(FrozenFacts.period_id) == period_id
        )
        if unit is not None:
            statement = statement.where(col(FrozenFacts.unit) == unit)
        connection = await self._session.connection()
        rows = (await connection.execute(statement)).all()
        return {row.unit: zlib.decompress(row.lines).decode() for row in rows}

    async def parked_events(self, held: sa.Table, consumer: str, state: str) -> int:
        """Events that were told and could not be taken in, so that figures lack them."""
        statement = (
            sa.select(sa.func.count())
            .select_from(held)
            .where(held.c.consumer == consumer, held.c.state == state)
        )
        connection = await self._session.connection()
        return int((await connection.execute(statement)).scalar_one())
