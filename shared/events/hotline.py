"""What the hotline tells: tickets and what became of them. Callers are opaque ids."""

from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from pydantic import Field

from shared.events.envelope import Event
from shared.events.vocabulary import ClassRef, Instant, Place


class AppealKind(StrEnum):
    """Kinds of appeal of GB/T 33358."""

    HELP = "help"
    COMPLAINT = "complaint"
    INQUIRY = "inquiry"
    SUGGESTION = "suggestion"
    THANKS = "thanks"
    OTHER = "other"


class Urgency(StrEnum):
    ROUTINE = "routine"
    URGENT = "urgent"
    EMERGENCY = "emergency"


class Satisfaction(StrEnum):
    """The five levels of GB/T 33358."""

    VERY_SATISFIED = "very-satisfied"
    SATISFIED = "satisfied"
    BASICALLY = "basically-satisfied"
    DISSATISFIED = "dissatisfied"
    VERY_DISSATISFIED = "very-dissatisfied"


class CallbackOutcome(StrEnum):
    REACHED = "reached"
    NOT_REACHED = "not-reached"
    REFUSED = "refused"


class CallEnded(Event):
    """A call is over and its record complete."""

    TYPE: ClassVar[str] = "hotline.call.ended.v1"

    direction: str = Field(examples=["inbound"], description="inbound or outbound")
    agent: str = Field(description="account id of the agent")
    seconds_to_answer: float | None = Field(default=None, ge=0, description="ringing time")
    seconds: float = Field(ge=0, description="length of the talk")
    outcome: str = Field(
        examples=["ticket"], description="answered, referred, ticket, appended or none"
    )


class TicketSubmitted(Event):
    """A caller's matter was submitted for the case pipeline."""

    TYPE: ClassVar[str] = "hotline.ticket.submitted.v1"

    number: str = Field(description="ticket number told to the caller", examples=["H2026112200001"])
    call_id: UUID | None = None
    caller_id: UUID | None = Field(
        default=None, description="opaque; only the hotline knows the person"
    )
    appeal_kind: AppealKind
    class_ref: ClassRef | None = Field(default=None, description="if the agent knew it")
    description: str = Field(description="the matter, without personal data", max_length=4_000)
    place: Place
    urgency: Urgency
    confidential: bool = Field(
        description="the caller asked that the unit does not learn who called"
    )
    agent: str = Field(description="account id of the agent")
    direct_unit: str | None = Field(
        default=None,
        description="of an emergency: the unit that the agent sends it to, past the dispatcher",
    )


class TicketAnswered(Event):
    """A matter was settled on the spot from the knowledge base."""

    TYPE: ClassVar[str] = "hotline.ticket.answered.v1"

    number: str
    appeal_kind: AppealKind
    knowledge_id: str | None = Field(default=None, description="entry that the answer came from")
    agent: str


class TicketReferred(Event):
    """A matter that the hotline does not accept was referred to the right address."""

    TYPE: ClassVar[str] = "hotline.ticket.referred.v1"

    number: str
    appeal_kind: AppealKind
    referred_to: str = Field(examples=["信访局"])
    agent: str


class TicketWithdrawn(Event):
    """The caller took a submitted matter back."""

    TYPE: ClassVar[str] = "hotline.ticket.withdrawn.v1"

    number: str
    reason: str


class TicketReopened(Event):
    """After the call-back the caller was not satisfied, and the matter goes on."""

    TYPE: ClassVar[str] = "hotline.ticket.reopened.v1"

    number: str
    case_id: UUID
    reason: str = Field(max_length=1_000)


class TicketInstructed(Event):
    """A leader wrote an instruction on the matter; a unit has to act on it and is followed."""

    TYPE: ClassVar[str] = "hotline.ticket.instructed.v1"

    number: str
    case_id: UUID | None = Field(default=None, description="if the ticket follows one already")
    leader: str = Field(
        max_length=300, examples=["分管副区长"], description="the office, not the person"
    )
    reference: str = Field(
        max_length=300, examples=["批示〔2026〕17 号"], description="number of the paper"
    )
    text: str = Field(
        max_length=2_000,
        examples=["请三日内办结并反馈。"],
        description="what is to be done, without personal data",
    )
    unit: str | None = Field(
        default=None, description="to whom; null: the unit that has the case, or gets it"
    )


class CallbackCompleted(Event):
    """A caller was called back after closing, or could not be reached."""

    TYPE: ClassVar[str] = "hotline.ticket.callback_completed.v1"

    number: str
    case_id: UUID | None = None
    outcome: CallbackOutcome
    satisfaction: Satisfaction | None = Field(default=None, description="null unless reached")
    attempt: int = Field(ge=1, description="n-th try")
    agent: str


class EmergencyRaised(Event):
    """Something sudden and dangerous was recorded; it goes past every queue."""

    TYPE: ClassVar[str] = "hotline.ticket.emergency_raised.v1"

    number: str
    description: str = Field(max_length=4_000)
    place: Place
    class_ref: ClassRef | None = None


class AlarmRaised(Event):
    """Something urgent is on the board, and shift leader and leaders are being told."""

    TYPE: ClassVar[str] = "hotline.alarm.raised.v1"

    number: str = Field(description="of the ticket, else of the report")
    emergency: bool = Field(description="marked as one; false: urgent by class or mark")
    ticket_id: UUID | None = None
    report_id: UUID | None = None
    case_id: UUID | None = None
    recorded_at: Instant = Field(description="when it was stored by whoever took it in")
    raised_at: Instant = Field(description="when it was on the board and the messages written")
    told: int = Field(ge=0, description="people who are told")
    unstaffed: bool = Field(description="nobody was on the roster, so everybody is told")


class AlarmEscalated(Event):
    """Nobody had acknowledged an alarm in time, and the next one is told."""

    TYPE: ClassVar[str] = "hotline.alarm.escalated.v1"

    number: str
    step: int = Field(ge=1, description="n-th escalation")


class AlarmAcknowledged(Event):
    """A shift leader or leader has taken an alarm up."""

    TYPE: ClassVar[str] = "hotline.alarm.acknowledged.v1"

    number: str
    seconds: float = Field(ge=0, description="from the recording of the emergency")
