"""Shifts in the database."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from services.hotline.shifts.errors import ShiftNotFound
from services.hotline.shifts.models import HandoverNote, Shift
from shared.web.paging import PageRequest, after


class ShiftRepository:
    def __init__(self, session: AsyncSession) -> None:
        self.session = session

    async def get(self, shift_id: UUID) -> Shift:
        """The shift of an id.

        Raises:
            ShiftNotFound: there is none.
        """
        shift = await self.session.get(Shift, shift_id)
        if shift is None:
            raise ShiftNotFound("There is no such shift.")
        return shift

    async def note(self, shift_id: UUID, note_id: UUID) -> HandoverNote:
        """A note of a shift.

        Raises:
            ShiftNotFound: there is none.
        """
        note = await self.session.get(HandoverNote, note_id)
        if note is None or note.shift_id != shift_id:
            raise ShiftNotFound("There is no such note in this shift.")
        return note

    async def notes(self, shift_id: UUID) -> Sequence[HandoverNote]:
        statement = (
            select(HandoverNote)
            .where(HandoverNote.shift_id == shift_id)
            .order_by(col(HandoverNote.id))
        )
        return (await self.session.exec(statement)).all()

    async def page(
        self,
        *,
        begins_from: datetime | None,
        begins_to: datetime | None,
        now_within: datetime | None,
        request: PageRequest,
    ) -> Sequence[Shift]:
        """Shifts, the latest first."""
        statement = select(Shift)
        if begins_from is not None:
            statement = statement.where(col(Shift.starts_at) >= begins_from)
        if begins_to is not None:
            statement = statement.where(col(Shift.starts_at) < begins_to)
        if now_within is not None:
            statement = statement.where(
                col(Shift.starts_at) <= now_within, col(Shift.ends_at) > now_within
            )
        statement = after(statement, [Shift.starts_at, Shift.id], request, descending=True)
        return (await self.session.exec(statement)).all()  # type: ignore[no-any-return]
