"""Calls as the API takes and shows them."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from services.hotline.callers.schemas import CallerView, PersonName, PhoneNumber
from services.hotline.calls.domain import CallOutcome, CallState, Direction, allowed_actions
from services.hotline.calls.models import Call
from shared.web.fields import Line

AccountId = Annotated[Line, Field(max_length=80, description="account id")]


class CallOpening(BaseModel):
    """A call that rings or has just been taken."""

    model_config = ConfigDict(extra="forbid")

    direction: Direction = Direction.INBOUND
    number: PhoneNumber | None = None
    caller_id: UUID | None = Field(
        default=None, description="instead of `number`, for calling back somebody already known"
    )
    name: PersonName | None = None
    agent: AccountId | None = Field(
        default=None, description="who has it; the one who sends this, unless that is the exchange"
    )
    external_id: Annotated[Line, Field(max_length=100)] | None = Field(
        default=None, description="the exchange's id; the same id again is the same call"
    )
    started_at: AwareDatetime | None = Field(default=None, description="first ring, if not now")
    ringing: bool | None = Field(
        default=None,
        strict=True,
        description="nobody has answered yet; by default so when the exchange sends it",
    )


class CallAnswering(BaseModel):
    model_config = ConfigDict(extra="forbid")

    agent: AccountId | None = Field(default=None, description="for the exchange to say who")


class CallEnding(BaseModel):
    model_config = ConfigDict(extra="forbid")

    outcome: CallOutcome | None = Field(
        default=None, description="if not what the tickets of the call say"
    )
    recording: Line | None = Field(default=None, description="where the recording is kept")


class CallView(BaseModel):
    """A call; the caller is masked."""

    id: UUID
    external_id: str | None
    direction: Direction
    state: CallState
    caller_id: UUID | None
    caller: CallerView | None = Field(description="null where the number was withheld")
    agent: str | None
    started_at: datetime
    answered_at: datetime | None
    ended_at: datetime | None
    seconds_to_answer: float | None
    seconds: float
    outcome: CallOutcome
    recording: str | None
    allowed: list[str]
    version: int


def call_view(call: Call, caller: CallerView | None) -> CallView:
    return CallView(
        id=call.id,
        external_id=call.external_id,
        direction=call.direction,
        state=call.state,
        caller_id=call.caller_id,
        caller=caller,
        agent=call.agent or None,
        started_at=call.started_at,
        answered_at=call.answered_at,
        ended_at=call.ended_at,
        seconds_to_answer=call.seconds_to_answer,
        seconds=call.seconds,
        outcome=call.outcome,
        recording=call.recording,
        allowed=allowed_actions(call.state),
        version=call.version,
    )
