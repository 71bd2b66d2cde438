"""Call-backs as the API takes and shows them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from services.hotline.callbacks.domain import CallbackState
from services.hotline.callbacks.models import Callback, CallbackAttempt
from services.hotline.callers.schemas import CallerView
from services.hotline.tickets.domain import Progress, TicketState
from services.hotline.tickets.models import Ticket
from shared.events.hotline import CallbackOutcome, Satisfaction
from shared.web.fields import Paragraph

Note = Annotated[Paragraph, StringConstraints(max_length=1_000)]


class Attempt(BaseModel):
    """How a try to reach the caller went."""

    model_config = ConfigDict(extra="forbid")

    outcome: CallbackOutcome
    satisfaction: Satisfaction | None = Field(default=None, description="of a caller reached")
    note: Note | None = Field(
        default=None, description="without personal data; the reason when the case is reopened"
    )
    retry_at: AwareDatetime | None = Field(default=None, description="when the caller has time")
    reopen: bool = Field(default=False, strict=True, description="the case has to go on")


class AttemptView(BaseModel):
    attempt: int
    at: datetime
    agent: str
    outcome: CallbackOutcome
    satisfaction: Satisfaction | None
    note: str | None


class CallbackView(BaseModel):
    """A call-back with what the agent needs for it; the caller is masked."""

    id: UUID
    state: CallbackState
    due_at: datetime
    closing: int
    attempts: int
    satisfaction: Satisfaction | None
    reopened: bool
    ended_at: datetime | None
    caller: CallerView
    ticket_id: UUID
    ticket_number: str
    ticket_state: TicketState
    progress: Progress
    description: str
    case_id: UUID | None
    case_number: str | None
    unit: str | None
    conclusion: str | None
    allowed: list[str]
    version: int


class CallbackDetail(CallbackView):
    history: list[AttemptView]


def callback_view(callback: Callback, ticket: Ticket, caller: CallerView) -> CallbackView:
    return CallbackView(
        id=callback.id,
        state=callback.state,
        due_at=callback.due_at,
        closing=callback.closing,
        attempts=callback.attempts,
        satisfaction=callback.satisfaction,
        reopened=callback.reopened,
        ended_at=callback.ended_at,
        caller=caller,
        ticket_id=ticket.id,
        ticket_number=ticket.number,
        ticket_state=ticket.state,
        progress=ticket.progress,
        description=ticket.description,
        case_id=callback.case_id,
        case_number=ticket.case_number,
        unit=ticket.unit,
        conclusion=ticket.conclusion,
        allowed=["attempt"] if callback.state == CallbackState.WAITING else [],
        version=callback.version,
    )


def callback_detail(view: CallbackView, attempts: Sequence[CallbackAttempt]) -> CallbackDetail:
    history = [
        AttemptView(**{name: getattr(attempt, name) for name in AttemptView.model_fields})
        for attempt in attempts
    ]
    return CallbackDetail(**dict(view), history=history)
