"""Shifts as the API takes and shows them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from services.hotline.shifts.models import HandoverNote, Shift
from shared.web.fields import Line, Paragraph

AccountId = Annotated[Line, Field(max_length=80)]
Agents = Annotated[list[AccountId], Field(max_length=200, description="account ids")]


class _Command(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ShiftPlan(_Command):
    starts_at: AwareDatetime
    ends_at: AwareDatetime
    leader: AccountId
    agents: Agents


class Roster(_Command):
    leader: AccountId
    agents: Agents


class NoteInput(_Command):
    text: Paragraph = Field(description="without personal data: name the ticket instead")
    ticket_id: UUID | None = None


class NoteView(BaseModel):
    id: UUID
    at: datetime
    author: str
    text: str
    ticket_id: UUID | None
    acknowledged_at: datetime | None
    acknowledged_by: str | None


class ShiftView(BaseModel):
    id: UUID
    starts_at: datetime
    ends_at: datetime
    leader: str
    agents: list[str]
    version: int


class ShiftDetail(ShiftView):
    notes: list[NoteView] = Field(description="oldest first")


def note_view(note: HandoverNote) -> NoteView:
    return NoteView(**{name: getattr(note, name) for name in NoteView.model_fields})


def shift_view(shift: Shift) -> ShiftView:
    return ShiftView(**{name: getattr(shift, name) for name in ShiftView.model_fields})


def shift_detail(shift: Shift, notes: Sequence[HandoverNote]) -> ShiftDetail:
    return ShiftDetail(**dict(shift_view(shift)), notes=[note_view(note) for note in notes])
