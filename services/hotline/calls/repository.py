"""Calls in the database."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from services.hotline.callers.models import Caller
from services.hotline.calls.domain import CallOutcome, CallState, Direction
from services.hotline.calls.errors import CallNotFound
from services.hotline.calls.models import Call
from shared.web.paging import PageRequest, after


@dataclass(frozen=True, slots=True)
class CallFilter:
    """What a list of calls is narrowed to; None leaves it open."""

    state: CallState | None = None
    direction: Direction | None = None
    outcome: CallOutcome | None = None
    agent: str | None = None
    caller_id: UUID | None = None
    started_from: datetime | None = None
    started_to: datetime | None = None


class CallRepository:
    def __init__(self, session: AsyncSession) -> None:
        self.session = session

    async def get(self, call_id: UUID) -> Call:
        """The call of an id.

        Raises:
            CallNotFound: there is none.
        """
        call = await self.session.get(Call, call_id)
        if call is None:
            raise CallNotFound("There is no such call.")
        return call

    async def by_external_id(self, external_id: str) -> Call | None:
        statement = select(Call).where(Call.external_id == external_id)
        return (await self.session.exec(statement)).first()

    async def read(self, call_id: UUID) -> tuple[Call, Caller | None]:
        """A call with its caller.

        Raises:
            CallNotFound: there is none.
        """
        statement = _with_caller().where(Call.id == call_id)
        found = (await self.session.exec(statement)).first()
        if found is None:
            raise CallNotFound("There is no such call.")
        return found[0], found[1]

    async def page(
        self, wanted: CallFilter, request: PageRequest
    ) -> Sequence[tuple[Call, Caller | None]]:
        """Calls with their callers, newest first."""
        statement = _with_caller()
        equal = {
            Call.state: wanted.state,
            Call.direction: wanted.direction,
            Call.outcome: wanted.outcome,
            Call.agent: wanted.agent,
            Call.caller_id: wanted.caller_id,
        }
        for column, value in equal.items():
            if value is not None:
                statement = statement.where(column == value)
        if wanted.started_from is not None:
            statement = statement.where(col(Call.started_at) >= wanted.started_from)
        if wanted.started_to is not None:
            statement = statement.where(col(Call.started_at) < wanted.started_to)
        statement = after(statement, [Call.started_at, Call.id], request, descending=True)
        return (await self.session.exec(statement)).all()  # type: ignore[no-any-return]


def _with_caller() -> Any:  # SQLModel keeps the type of its SELECT to itself
    return select(Call, Caller).join(Caller, col(Caller.id) == col(Call.caller_id), isouter=True)
