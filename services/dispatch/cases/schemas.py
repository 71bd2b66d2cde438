"""What is sent and shown on the way of a case."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StrictBool, StringConstraints

from services.dispatch.case_files.schemas import CaseView
from services.dispatch.requests.schemas import LimitInput, RequestView
from shared.events.vocabulary import DispatchReason, Finding, Sha256, Source
from shared.journal import JournalEntry
from shared.web.fields import Line, Paragraph

Standard = Annotated[Paragraph, StringConstraints(max_length=2_000)]
Remark = Annotated[Paragraph, StringConstraints(max_length=1_000)]
UnitCode = Annotated[Line, StringConstraints(max_length=60)]
ConditionCode = Annotated[Line, StringConstraints(max_length=40)]
MediaList = Annotated[
    list[Sha256], Field(max_length=50, description="content addresses of photographs")
]


class Command(BaseModel):
    model_config = ConfigDict(extra="forbid")


class DispatchCommand(Command):
    """To the one responsible unit; what is left out comes from the registration condition."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"unit": "urban-management"}]}
    )

    unit: UnitCode = Field(description="code of the unit in the city pack")
    condition: ConditionCode | None = Field(
        default=None, description="another condition of the class, if registration chose wrongly"
    )
    standard: Standard | None = Field(default=None, description="what must be reached for closing")
    limit: LimitInput | None = Field(default=None, description="another limit than the condition's")
    note: Remark | None = Field(default=None, description="for the handler")


class AcceptanceCommand(Command):
    """The unit takes the case."""


class FeedbackCommand(Command):
    """Done: text and photographs, from the same viewpoint where there was one."""

    text: Paragraph = Field(examples=["Cover replaced and levelled."])
    media: MediaList = Field(default_factory=list)


class FeedbackCheckCommand(Command):
    """The centre's look at the feedback, before anybody is sent out."""

    accepted: StrictBool = Field(description="false: plainly not done, back to the unit")
    reason: Remark | None = Field(default=None, description="needed when it is not accepted")
    not_before: AwareDatetime | None = Field(
        default=None, description="earliest verification, for what shows only at certain times"
    )


class VerificationCommand(Command):
    """Send somebody out again after a finding that decided nothing."""

    not_before: AwareDatetime | None = None
    note: Remark | None = None


class ClosingCommand(Command):
    """Archive a case that passed its verification."""

    conclusion: Standard | None = Field(default=None, description="what the reporter may be told")


class ResumptionCommand(Command):
    """Take a deferred case up again before its date."""

    reason: Remark | None = None


class UrgingCommand(Command):
    """Remind whoever has the case."""

    note: Remark | None = None


class AssignmentView(BaseModel):
    """A dispatch as it went."""

    number: int
    unit: str
    reason: DispatchReason
    condition: str
    standard: str
    time_limit: str = Field(examples=["4 working-hours"])
    extended_by: str | None
    extensions: int
    run: int = Field(description="the dispatch with which the unit's clock began")
    repeat: int = Field(description="n-th dispatch of that run, counted by failed verifications")
    command_duty: bool
    precedent: str | None = Field(description="why this unit")
    note: str | None
    dispatched_at: datetime
    dispatched_by: str
    direct: bool = Field(description="past the dispatcher; papers follow")
    accepted_at: datetime | None
    accepted_by: str | None
    handled_at: datetime | None
    handled_by: str | None
    used_seconds: int = Field(description="counted seconds brought along from earlier dispatches")
    limit_seconds: int | None
    warn_at: datetime | None
    due_at: datetime | None
    provisional: bool
    feedback_refused: int
    outcome: str | None


class FeedbackView(BaseModel):
    number: int
    assignment: int
    text: str
    media: list[str]
    handed_in_at: datetime
    handed_in_by: str
    accepted: bool | None = Field(description="null until it is checked")
    checked_at: datetime | None
    checked_by: str | None
    check_reason: str | None


class VerificationView(BaseModel):
    round: int
    assignment: int
    asked_at: datetime
    asked_by: str
    not_before: datetime | None
    task_id: UUID | None
    collector: str | None
    issued_at: datetime | None
    due_at: datetime | None
    attempts: int
    finding: Finding | None
    independent: bool = Field(
        description="false: found by somebody who had a part in it, so not counted"
    )
    note: str | None
    media: list[str]
    in_time: bool | None
    completed_at: datetime | None


class AttachedReportView(BaseModel):
    report_id: UUID
    source: Source
    attached_at: datetime


class CaseFileView(CaseView):
    """The whole file. Who reported is left out for units when the reporter asked for it."""

    report_id: UUID
    report_number: str
    ticket_id: UUID | None
    reporter_id: str | None = Field(description="opaque; null where it is confidential")
    confidential: bool
    observed_at: datetime
    outcome: str | None
    conclusion: str | None
    returns_refused: int = Field(description="returns that were refused as shirking")
    media: list[str]
    attached_reports: list[AttachedReportView]
    assignments: list[AssignmentView]
    requests: list[RequestView]
    feedbacks: list[FeedbackView]
    verifications: list[VerificationView]
    journal: list[JournalEntry]


Order = Literal["due", "newest"]
