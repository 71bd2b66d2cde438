"""Commands on shifts."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from services.hotline.callers.service import CallerService
from services.hotline.shifts.domain import check_times
from services.hotline.shifts.errors import NoteAcknowledged
from services.hotline.shifts.models import HandoverNote, Shift
from services.hotline.shifts.repository import ShiftRepository
from shared.work import UnitOfWork


class ShiftService:
    def __init__(self, work: UnitOfWork, callers: CallerService) -> None:
        self.work = work
        self.shifts = ShiftRepository(work.session)
        self._callers = callers

    def plan_shift(
        self, *, starts_at: datetime, ends_at: datetime, leader: str, agents: Sequence[str]
    ) -> Shift:
        """Put a shift on the roster.

        Raises:
            ShiftTimesInvalid: it ends before it begins, or lasts longer than a day.
        """
        check_times(starts_at, ends_at)
        shift = Shift(starts_at=starts_at, ends_at=ends_at, leader=leader, agents=list(agents))
        self.work.session.add(shift)
        self.work.record(shift, "plan")
        return shift

    def change_roster(self, shift: Shift, *, leader: str, agents: Sequence[str]) -> Shift:
        """Somebody else leads or answers."""
        self.work.record(shift, "roster", details={"leader": leader, "agents": len(agents)})
        shift.leader, shift.agents = leader, list(agents)
        return shift

    def leave_note(self, shift: Shift, *, text: str, ticket_id: UUID | None) -> HandoverNote:
        """Leave word for the next shift.

        Raises:
            PersonalDataInText: it names somebody; the ticket knows who it is.
        """
        self._callers.refuse_personal_data(text, "text")
        note = HandoverNote(
            shift_id=shift.id,
            at=self.work.now(),
            author=self.work.actor.id,
            text=text,
            ticket_id=ticket_id,
        )
        self.work.session.add(note)
        self.work.record(shift, "note")
        return note

    def take_over_note(self, shift: Shift, note: HandoverNote) -> HandoverNote:
        """Somebody of the next shift has read it and sees to it.

        Raises:
            NoteAcknowledged: another one does already.
        """
        if note.acknowledged_at is not None:
            raise NoteAcknowledged("It is being seen to.", state="acknowledged", allowed=[])
        note.acknowledged_at, note.acknowledged_by = self.work.now(), self.work.actor.id
        self.work.record(shift, "take-over-note", details={"note": str(note.id)})
        return note
