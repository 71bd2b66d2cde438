"""The form in which a case's clock is explained."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, Field

from services.dispatch.case_files.schemas import ClockLight, TextView
from services.dispatch.clocks.domain import CountRule, Light, SegmentKind
from services.dispatch.requests.domain import RequestKind, RequestState


class CountedDayView(BaseModel):
    """A local date with the spans that counted; see the working-time documents."""

    date: str
    seconds: float
    spans: list[str] = Field(examples=[["08:30-11:30", "14:00-17:30"]], description="local time")
    zh: str
    en: str


class SegmentView(BaseModel):
    """A stretch of the case's life in one place."""

    number: int
    kind: SegmentKind
    holder: str = Field(description="code of the unit, or the post of the centre")
    assignment: int
    started_at: datetime
    ended_at: datetime | None
    reason: str
    due_at: datetime | None = Field(description="deadline of the stage as it stood at its end")
    light: Light = Field(description="now, or as it was when the stage ended")
    seconds: int = Field(description="time it has taken, as its own limit counts it")
    days: list[CountedDayView]


class CountedView(BaseModel):
    """A segment on a unit's clock, day by day."""

    segment: int
    rule: CountRule
    rule_words: TextView
    seconds: int
    days: list[CountedDayView]


class HandlingClockView(BaseModel):
    """The clock of one dispatch: what counted, under which rule, and the sum."""

    assignment: int
    unit: str
    limit: str = Field(description="extensions included", examples=["6 working-hours"])
    limit_seconds: int
    used_seconds: int
    paused: bool
    warn_at: datetime | None
    due_at: datetime | None
    provisional: bool
    light: Light
    counted: list[CountedView]


class DecisionView(BaseModel):
    """What a unit asked for, and how long the centre took to decide.

    The unit's clock ran until the decision; a late one is the centre's overrun, shown by its light.
    """

    kind: RequestKind
    state: RequestState
    assignment: int
    unit: str | None
    time: str | None = Field(description="extension asked for, e.g. 2 working-days")
    until: datetime | None
    asked_at: datetime
    proposed_at: datetime | None
    decided_at: datetime | None
    due_at: datetime | None = Field(description="end of the centre's time to decide")
    light: Light = Field(description="of the decision: now, or as it was when it was decided")
    seconds: int = Field(description="time it has taken to decide, as its limit counts it")


class CaseClockView(BaseModel):
    """Everything that the lights of a case are made of."""

    id: UUID
    number: str
    at: datetime
    total: ClockLight
    segments: list[SegmentView]
    clocks: list[HandlingClockView]
    decisions: list[DecisionView] = Field(description="on what units asked, oldest first")
