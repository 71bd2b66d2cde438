"""What is sent and shown about coordinations."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from services.dispatch.case_files.schemas import CaseView
from services.dispatch.clocks.domain import Light
from services.dispatch.coordination.domain import (
    CoordinationKind,
    CoordinationState,
    Outcome,
    Stance,
    Standing,
)
from services.dispatch.requests.schemas import LimitInput
from shared.events.vocabulary import Sha256
from shared.web.fields import Line, Paragraph

Reason = Annotated[Paragraph, StringConstraints(max_length=1_000)]
UnitCode = Annotated[Line, StringConstraints(max_length=60)]
Units = Annotated[list[UnitCode], Field(min_length=1, max_length=30)]
MediaList = Annotated[
    list[Sha256], Field(max_length=50, description="content addresses of papers and photographs")
]


class Command(BaseModel):
    model_config = ConfigDict(extra="forbid")


class OpeningCommand(Command):
    """Hear the units whose case it may be."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"units": ["telecom", "mobile"], "reason": "Both say it is the other's."}]
        },
    )

    units: Units = Field(description="codes of the units to be heard; see suggested-units")
    reason: Reason = Field(description="what is not clear; told to the units")
    kind: CoordinationKind = Field(
        default=CoordinationKind.UNCLEAR,
        description="illegal-act goes to the leading group's office at once",
    )
    position_within: LimitInput | None = Field(
        default=None, description="time to state a position, if not the city's"
    )


class InvitingCommand(Command):
    """Hear further units, on a time of their own."""

    units: Units
    position_within: LimitInput | None = None


class PositionCommand(Command):
    """What the unit says about its own part, and the rule it rests on."""

    stance: Stance
    basis: Line = Field(description="regulation, duty list or agreement it rests on")
    statement: Reason | None = None
    suggested_unit: UnitCode | None = Field(
        default=None, description="code of the unit whose it is, in the unit's opinion"
    )
    media: MediaList = Field(default_factory=list)


class MinutesCommand(Command):
    """What was said and agreed in a meeting."""

    held_at: AwareDatetime
    text: Paragraph
    media: MediaList = Field(default_factory=list)


class PassingUpCommand(Command):
    reason: Reason


class WithdrawalCommand(Command):
    reason: Reason


class CoordinationDecisionCommand(Command):
    """Whose it is. A case that waits goes to the unit at once."""

    unit: UnitCode | None = Field(
        default=None, description="code of the one responsible unit; null: nobody is responsible"
    )
    assisting: Annotated[list[UnitCode], Field(max_length=30)] = Field(
        default_factory=list, description="units that share in it and assist"
    )
    basis: Line = Field(description="the rule it rests on; kept with the precedent")
    reason: Reason = Field(description="why; the decision in words, as the minutes have it")
    early_reason: Reason | None = Field(
        default=None, description="why a unit that has time left, or was not invited, is not heard"
    )
    limit: LimitInput | None = Field(default=None, description="another limit than the condition's")
    note: Reason | None = Field(default=None, description="for the handler")


class PositionView(BaseModel):
    number: int
    stance: Stance
    basis: str
    statement: str | None
    suggested_unit: str | None
    media: list[str]
    stated_at: datetime
    stated_by: str


class InvitedUnitView(BaseModel):
    """An invited unit, how it stands with its time, and everything it stated."""

    unit: str
    standing: Standing
    invited_at: datetime
    due_at: datetime
    light: Light = Field(description="of its time to state a position, or as it was when it did")
    stance: Stance | None = Field(description="its latest position")
    positions: list[PositionView] = Field(description="oldest first")


class MinutesView(BaseModel):
    number: int
    held_at: datetime
    text: str
    media: list[str]
    written_at: datetime
    written_by: str


class CoordinationSummary(BaseModel):
    """A coordination as lists show it."""

    id: UUID
    version: int
    case_id: UUID
    case_number: str
    kind: CoordinationKind
    state: CoordinationState
    class_key: str
    grid: str | None
    urgent: bool
    beside: bool = Field(description="the case is handled meanwhile")
    reason: str
    by_rule: str | None
    opened_at: datetime
    opened_by: str
    due_at: datetime = Field(description="until when it is to be decided")
    light: Light = Field(description="of the decision: now, or as it was when it ended")
    passed_up_at: datetime | None
    passed_up_by: str | None
    passing_reason: str | None
    ended_at: datetime | None
    ended_by: str | None
    outcome: Outcome | None
    unit: str | None = Field(description="the responsible unit, once it is decided")
    assisting: list[str]
    basis: str | None
    ending_reason: str | None
    early_reason: str | None
    by_office: bool
    dispatched: bool = Field(description="the decision sent the case to the unit")
    precedent_id: UUID | None


class CoordinationView(CoordinationSummary):
    """A coordination with its units, positions, minutes, and the case it is about."""

    units: list[InvitedUnitView]
    minutes: list[MinutesView]
    case: CaseView
