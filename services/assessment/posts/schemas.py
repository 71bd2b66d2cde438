"""Figures of people and posts as the API shows them. Rates have six decimals; null of nothing."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.assessment.fieldwork.domain import AttemptOutcome, ReportState, TicketOutcome
from services.assessment.posts.domain import Duty


class ReportFigure(StrEnum):
    """Figures that list the reports behind them."""

    REPORTED = "reported"
    VALID = "valid"
    REJECTED = "rejected"
    MERGED = "merged"


class TaskFigure(StrEnum):
    """Figures that list the field tasks behind them."""

    ISSUED = "issued"
    IN_TIME = "in-time"
    LATE = "late"
    EXPIRED = "expired"


class WorkCounts(BaseModel):
    """What was reported and verified."""

    reported: int
    valid: int = Field(description="registered as cases")
    validity_rate: float | None = Field(description="有效上报率: valid / reported")
    checks: int = Field(description="checks before registration that were issued")
    checks_in_time: int
    check_rate: float | None = Field(description="按期核实率: in time / ended")
    verifications: int = Field(description="verifications after handling that were issued")
    verifications_in_time: int
    verification_rate: float | None = Field(description="按期核查率: in time / ended")


class CollectorView(WorkCounts):
    """A collector's own figures; they are for that person and the shift leader."""

    login: str
    period: str
    grids_assigned: int
    grids_covered: int = Field(description="assigned grids patrolled at least once")
    coverage_rate: float | None
    missed: int = Field(description="漏报数: found by others in a grid on a day of patrol there")


class CompanyView(WorkCounts):
    """A collection company: the sum of its collectors."""

    company: str
    name_zh: str
    name_en: str
    collectors: int
    grids_assigned: int
    grids_covered: int
    coverage_rate: float | None


class GridLeaderView(BaseModel):
    """A grid leader's or courtyard head's own reports; for that person and the shift leader."""

    login: str
    territory: list[str]
    reported: int
    valid: int
    validity_rate: float | None


class GridLeadersSumView(BaseModel):
    """All grid leaders and courtyard heads together, as it is published every quarter."""

    period: str
    leaders: int
    reported: int
    valid: int
    validity_rate: float | None


class AgentView(BaseModel):
    """An agent's own figures; they are for that person and the shift leader."""

    login: str
    period: str
    calls: int
    answered: int
    answered_in_time: int = Field(description="within 15 seconds")
    mean_seconds_to_answer: float | None
    handled_at_once: int = Field(description="tickets answered on the spot")
    referred: int
    submitted: int
    callbacks: int
    reached: int
    satisfied: int = Field(description="satisfied and very satisfied, and basically satisfied")
    satisfaction_rate: float | None = Field(description="满意率: satisfied / rated")


class HotlineView(BaseModel):
    """The hotline as a whole."""

    period: str
    inbound: int
    answered: int
    connection_rate: float | None = Field(description="接通率: answered / inbound")
    answered_in_time: int = Field(description="within 15 seconds")
    submitted: int
    handled_at_once: int
    referred: int
    withdrawn: int
    callbacks: int
    reached: int
    satisfied: int
    rated: int
    satisfaction_rate: float | None = Field(description="满意率")


class PostStageView(BaseModel):
    """One stage as one post did it."""

    stage: str
    post: str = Field(description="role in which the stage was ended; program: a rule or timer")
    stages: int
    limited: int = Field(description="of these, those with a limit")
    kept: int = Field(description="within the limit")
    kept_rate: float | None = Field(
        description="按期受理率, 按时立案率, 按期派遣率, 按期核查率 or 按时结案率, by stage"
    )
    mean_seconds: float | None
    longest_seconds: int | None


class DutyView(BaseModel):
    """How often a decision of a post was right; decisions of rules are left out."""

    duty: Duty
    done: int = Field(description="受理数, 立案数 or 派遣数")
    right: int = Field(description="not taken back: reports decided, registrations, dispatches")
    accuracy_rate: float | None = Field(
        description="准确受理率, 准确立案率 or 准确派遣率: right / done"
    )
    in_time_rate: float | None = Field(
        description="按期受理率 for reception; of the others it is the `kept_rate` of their stage"
    )


class PostsView(BaseModel):
    period: str
    posts: list[PostStageView]
    duties: list[DutyView]


class WrongView(BaseModel):
    """A decision that was taken back; who took it is not told."""

    report_id: UUID | None
    case_id: UUID | None
    number: str | None = Field(description="of the report, for reception; else of the case")
    unit: str | None = Field(description="for a dispatch: where it went wrongly")
    at: datetime


class CallView(BaseModel):
    """One call behind an agent's figure."""

    model_config = ConfigDict(from_attributes=True)

    subject: str
    sequence: int
    direction: str
    ended_at: datetime
    seconds_to_answer: float | None
    seconds: float
    outcome: str


class TicketView(BaseModel):
    """One ticket behind an agent's figure."""

    model_config = ConfigDict(from_attributes=True)

    ticket_id: UUID
    number: str | None
    outcome: TicketOutcome
    settled_at: datetime | None


class CallbackView(BaseModel):
    """One call-back behind an agent's figure."""

    model_config = ConfigDict(from_attributes=True)

    ticket_id: UUID
    sequence: int
    at: datetime
    outcome: str
    satisfaction: str | None


class MissedView(BaseModel):
    """A problem that others found in a grid on a day on which the collector patrolled it."""

    model_config = ConfigDict(from_attributes=True)

    report_id: UUID
    number: str | None
    grid: str
    observed_at: datetime
    case_id: UUID | None


class ReportView(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    report_id: UUID
    number: str | None
    source: str | None
    state: ReportState
    grid: str | None
    received_at: datetime | None
    case_id: UUID | None


class TaskView(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    task_id: UUID
    attempt: int
    kind: str
    issued_at: datetime
    ended_at: datetime | None
    outcome: AttemptOutcome
    in_time: bool | None
    case_id: UUID | None
    report_id: UUID | None
