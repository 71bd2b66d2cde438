"""Figures of people and posts as the API shows them. Rates have six decimals; null of nothing."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.assessment.fieldwork.domain import AttemptOutcome, ReportState


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
    """A grid leader's or courtyard head's reports; counted, not ranked."""

    login: str
    territory: list[str]
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


class PostsView(BaseModel):
    period: str
    posts: list[PostStageView]


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
