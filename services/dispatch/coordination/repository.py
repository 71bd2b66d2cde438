"""Finding coordinations: one with its papers, those of a case, pages for the centre and units."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from services.dispatch.coordination.domain import CoordinationKind, CoordinationState
from services.dispatch.coordination.models import Coordination, Invitation, Minutes, Position
from shared.web.paging import PageRequest, after


class CoordinationRepository:
    """All SQL on coordinations."""

    def __init__(self, session: AsyncSession) -> None:
        self.session = session

    def add(self, row: Any) -> None:
        self.session.add(row)

    async def coordination(self, coordination_id: UUID) -> Coordination | None:
        return await self.session.get(Coordination, coordination_id)

    async def open_of(self, case_id: UUID) -> Coordination | None:
        statement = select(Coordination).where(
            Coordination.case_id == case_id, col(Coordination.ended_at).is_(None)
        )
        return (await self.session.exec(statement)).first()

    async def of_case(self, case_id: UUID) -> Sequence[Coordination]:
        """All coordinations of a case, oldest first."""
        statement = (
            select(Coordination)
            .where(Coordination.case_id == case_id)
            .order_by(col(Coordination.id))
        )
        return (await self.session.exec(statement)).all()

    async def invitation(self, coordination_id: UUID, unit: str) -> Invitation | None:
        return await self.session.get(Invitation, (coordination_id, unit))

    async def invitations(self, coordination_id: UUID) -> list[Invitation]:
        statement = (
            select(Invitation)
            .where(Invitation.coordination_id == coordination_id)
            .order_by(col(Invitation.invited_at), col(Invitation.unit))
        )
        return list((await self.session.exec(statement)).all())

    async def positions(self, coordination_id: UUID) -> Sequence[Position]:
        """Everything stated, in the order in which it was."""
        statement = (
            select(Position)
            .where(Position.coordination_id == coordination_id)
            .order_by(col(Position.stated_at), col(Position.unit), col(Position.number))
        )
        return (await self.session.exec(statement)).all()

    async def minutes(self, coordination_id: UUID) -> Sequence[Minutes]:
        statement = (
            select(Minutes)
            .where(Minutes.coordination_id == coordination_id)
            .order_by(col(Minutes.number))
        )
        return (await self.session.exec(statement)).all()

    async def page(
        self,
        request: PageRequest,
        *,
        state: CoordinationState | None,
        kind: CoordinationKind | None,
        unit: str | None,
        awaiting: bool | None,
    ) -> Sequence[Coordination]:
        """Coordinations, those to be decided first coming first.

        Args:
            request: which page.
            state: where they stand.
            kind: what is not clear.
            unit: invited to it.
            awaiting: somebody invited (`unit`, if given) has, or has not, a position to state.
        """
        statement = select(Coordination)
        if state is not None:
            statement = statement.where(Coordination.state == state)
        if kind is not None:
            statement = statement.where(Coordination.kind == kind)
        invited = select(Invitation.unit).where(Invitation.coordination_id == Coordination.id)
        if unit is not None:
            invited = invited.where(Invitation.unit == unit)
            statement = statement.where(invited.exists())
        if awaiting is not None:
            silent = invited.where(col(Invitation.stated_at).is_(None)).exists()
            statement = statement.where(silent if awaiting else ~silent)
            statement = statement.where(col(Coordination.ended_at).is_(None))
        statement = after(statement, [Coordination.due_at, Coordination.id], request)
        return list((await self.session.exec(statement)).all())
