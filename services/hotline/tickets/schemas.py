"""Tickets as the API takes and shows them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.hotline.callers.schemas import CallerInput, CallerView
from services.hotline.tickets.domain import Competence, Progress, TicketState, allowed_actions
from services.hotline.tickets.models import Ticket, TicketStep
from shared.events.hotline import AppealKind, Urgency
from shared.events.vocabulary import ClassRef, Place
from shared.vocabulary import ClassKind
from shared.web.fields import Line, Paragraph

Description = Annotated[
    Paragraph, Field(description="the matter, without names, numbers or other personal data")
]


class _Command(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ClassInput(_Command):
    """A class by its whole key."""

    scheme: Annotated[Line, Field(max_length=60, examples=["GB/T 47678.5-2026"])]
    kind: ClassKind
    code: Annotated[Line, Field(max_length=30, examples=["01001"])]

    @property
    def ref(self) -> ClassRef:
        return ClassRef(scheme=self.scheme, kind=self.kind, code=self.code)


class PlaceInput(_Command):
    """Where it is: an address, a position on the map (WGS 84), or both."""

    longitude: float | None = Field(default=None, strict=True, ge=-180, le=180)
    latitude: float | None = Field(default=None, strict=True, ge=-90, le=90)
    accuracy_m: float | None = Field(default=None, strict=True, ge=0, le=100_000)
    address: Line | None = None


class TicketRecording(_Command):
    """What a caller wants, as the agent hears it."""

    description: Description
    appeal_kind: AppealKind
    competence: Competence = Competence.GOVERNMENT
    class_ref: ClassInput | None = None
    call_id: UUID | None = None
    caller: CallerInput | None = Field(
        default=None, description="for a matter without a call, or a name learnt in it"
    )
    caller_id: UUID | None = None
    confidential: bool = Field(default=False, strict=True)
    callback_consent: bool = Field(
        default=True, strict=True, description="the caller may be rung up about the result"
    )


class Classification(_Command):
    appeal_kind: AppealKind
    competence: Competence = Competence.GOVERNMENT
    class_ref: ClassInput | None = None


class Answer(_Command):
    """What the caller was told: an entry of the knowledge base, own words, or both."""

    knowledge_id: Annotated[Line, Field(max_length=80)] | None = None
    language: str | None = Field(default=None, max_length=12, description="of the entry")
    text: Paragraph | None = None


class Referral(_Command):
    to: Line = Field(description="the right address", examples=["区信访局"])
    competence: Competence | None = Field(default=None, description="corrects the classification")


class Submission(_Command):
    """Into the case pipeline."""

    description: Description | None = Field(
        default=None, description="if it changed since recorded"
    )
    class_ref: ClassInput | None = None
    place: PlaceInput
    urgency: Urgency = Urgency.ROUTINE
    confidential: bool | None = Field(
        default=None, strict=True, description="the unit shall not learn who called"
    )
    direct_unit: Annotated[Line, Field(max_length=60)] | None = Field(
        default=None,
        description="of an emergency: code of the unit it is sent to at once; papers follow",
    )


class Withdrawal(_Command):
    reason: Line


class StepView(BaseModel):
    """One line of the timeline."""

    kind: Progress
    at: datetime
    unit: str | None
    text: str | None


class TicketView(BaseModel):
    """A ticket; the caller is masked."""

    id: UUID
    number: str
    state: TicketState
    progress: Progress
    appeal_kind: AppealKind
    competence: Competence
    class_ref: ClassRef | None
    description: str
    place: Place
    urgency: Urgency
    confidential: bool
    callback_consent: bool
    call_id: UUID | None
    caller_id: UUID | None
    caller: CallerView | None
    agent: str
    recorded_at: datetime
    submitted_at: datetime | None
    knowledge_id: str | None
    answer: str | None
    referred_to: str | None
    report_number: str | None
    case_id: UUID | None
    case_number: str | None
    unit: str | None
    closed_at: datetime | None
    outcome: str | None
    conclusion: str | None
    closings: int
    allowed: list[str] = Field(description="what may be done with it now")
    version: int


class TicketDetail(TicketView):
    timeline: list[StepView] = Field(description="oldest first")


def ticket_view(ticket: Ticket, caller: CallerView | None, *, hide_caller: bool) -> TicketView:
    """A ticket as shown; without the caller for those who are not to learn who called."""
    own = {
        name: getattr(ticket, name)
        for name in TicketView.model_fields
        if name not in {"caller", "caller_id", "allowed"}
    }
    return TicketView(
        **own,
        caller_id=None if hide_caller else ticket.caller_id,
        caller=None if hide_caller else caller,
        allowed=allowed_actions(ticket.state, ticket.competence),
    )


def ticket_detail(view: TicketView, steps: Sequence[TicketStep]) -> TicketDetail:
    timeline = [
        StepView(kind=step.kind, at=step.at, unit=step.unit, text=step.text) for step in steps
    ]
    return TicketDetail(**dict(view), timeline=timeline)
