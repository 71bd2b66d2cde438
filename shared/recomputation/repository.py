"""Finding the jobs of a service."""

from collections.abc import Sequence
from typing import Generic, TypeVar
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from shared.recomputation.models import RecomputationJob
from shared.web.paging import PageRequest, after

J = TypeVar("J", bound=RecomputationJob)


class JobRepository(Generic[J]):
    """All SQL of the jobs in one table."""

    def __init__(self, session: AsyncSession, table: type[J]) -> None:
        self.session = session
        self._table = table

    async def job(self, job_id: UUID, *, lock: bool = False) -> J | None:
        return await self.session.get(self._table, job_id, with_for_update=lock or None)

    async def latest(self) -> J | None:
        statement = select(self._table).order_by(
            col(self._table.started_at).desc(), col(self._table.id).desc()
        )
        return (await self.session.exec(statement.limit(1))).first()

    async def page(self, request: PageRequest) -> Sequence[J]:
        """Newest first would need another order; they are few, so oldest first."""
        statement = after(select(self._table), [self._table.started_at, self._table.id], request)
        return list((await self.session.exec(statement)).all())
