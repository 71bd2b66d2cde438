"""Finding requests: one to decide, those of a case, the centre's queue."""

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from services.dispatch.requests.domain import RequestKind, RequestState
from services.dispatch.requests.models import Request
from shared.web.paging import PageRequest, after


class RequestRepository:
    """All SQL on requests."""

    def __init__(self, session: AsyncSession) -> None:
        self.session = session

    async def request(self, request_id: UUID) -> Request | None:
        return await self.session.get(Request, request_id)

    async def of_case(self, case_id: UUID) -> Sequence[Request]:
        """All requests of a case, oldest first."""
        statement = select(Request).where(Request.case_id == case_id).order_by(col(Request.id))
        return (await self.session.exec(statement)).all()

    async def pending(self, case_id: UUID, kinds: Collection[RequestKind]) -> Sequence[Request]:
        statement = select(Request).where(
            Request.case_id == case_id,
            Request.state == RequestState.ASKED,
            col(Request.kind).in_(kinds),
        )
        return (await self.session.exec(statement)).all()

    async def page(
        self,
        request: PageRequest,
        *,
        state: RequestState | None,
        kind: RequestKind | None,
        unit: str | None,
    ) -> Sequence[Request]:
        """Requests in the order in which they have to be decided."""
        statement = select(Request)
        if state is not None:
            statement = statement.where(Request.state == state)
        if kind is not None:
            statement = statement.where(Request.kind == kind)
        if unit is not None:
            statement = statement.where(Request.unit == unit)
        statement = after(statement, [Request.due_order, Request.id], request)
        return list((await self.session.exec(statement)).all())

    def add(self, row: Request) -> None:
        self.session.add(row)
