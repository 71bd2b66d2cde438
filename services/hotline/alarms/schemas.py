"""Alarms as the API takes and shows them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from services.hotline.alarms.domain import AlarmKind, AlarmState
from services.hotline.alarms.models import Alarm
from shared.events.vocabulary import Place
from shared.journal import JournalEntry
from shared.messages.message import Channel, MessageState
from shared.web.fields import Paragraph


class Acknowledgement(BaseModel):
    """Somebody takes the alarm up."""

    model_config = ConfigDict(extra="forbid")

    note: Annotated[Paragraph, StringConstraints(max_length=1_000)] | None = Field(
        default=None, description="what is being done; without personal data"
    )


class AlarmMessage(BaseModel):
    """A message of the alarm; who it is for is an account name, never an address."""

    recipient: str
    channel: Channel
    template: str
    state: MessageState
    attempts: int
    created_at: datetime
    sent_at: datetime | None
    last_error: str | None


class AlarmView(BaseModel):
    id: UUID
    state: AlarmState
    kind: AlarmKind
    source: str = Field(examples=["hotline"])
    number: str = Field(description="of the ticket, else of the report")
    case_number: str | None
    ticket_id: UUID | None
    report_id: UUID | None
    case_id: UUID | None
    class_key: str | None
    place: Place
    recorded_at: datetime = Field(description="when the emergency was stored")
    raised_at: datetime = Field(description="when it was on the board")
    shift_id: UUID | None
    unstaffed: bool = Field(description="nobody was on the roster: everybody was told")
    told: list[str] = Field(description="account names, in the order in which they were told")
    step: int = Field(description="escalations so far")
    escalate_at: datetime | None = Field(description="when the next one is told")
    exhausted: bool = Field(description="everybody was told, nobody has answered")
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    note: str | None
    ended_at: datetime | None
    outcome: str | None
    version: int


class AlarmDetail(AlarmView):
    messages: list[AlarmMessage]
    journal: list[JournalEntry]


def alarm_view(alarm: Alarm) -> AlarmView:
    return AlarmView(**{name: getattr(alarm, name) for name in AlarmView.model_fields})


def alarm_detail(alarm: Alarm, messages: Sequence[Any], journal: list[JournalEntry]) -> AlarmDetail:
    shown = [
        AlarmMessage(**{name: getattr(row, name) for name in AlarmMessage.model_fields})
        for row in messages
    ]
    return AlarmDetail(**dict(alarm_view(alarm)), messages=shown, journal=journal)
