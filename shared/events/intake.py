"""What intake tells: reports, what became of them, and the work of the collectors."""

from typing import ClassVar
from uuid import UUID

from pydantic import Field

from shared.events.envelope import Event
from shared.events.vocabulary import ClassRef, Finding, Instant, Place, Sha256, Source, TaskKind

EMERGENCY_RULE = "emergency"
"""The rule that registers marked emergencies at once; papers follow."""


class ReportReceived(Event):
    """A report from any source is stored. Its text stays at home until somebody has read it."""

    TYPE: ClassVar[str] = "intake.report.received.v1"

    number: str = Field(
        description="report number told to the reporter", examples=["R2026112200001"]
    )
    source: Source
    channel: str | None = Field(
        default=None, description="finer than source, e.g. phone, app, camera id"
    )
    reporter_id: str | None = Field(
        default=None, description="opaque id of the reporting account or caller"
    )
    ticket_id: UUID | None = Field(default=None, description="the hotline ticket that it came from")
    external_id: str | None = Field(default=None, description="id in the reporting system")
    class_ref: ClassRef | None = None
    place: Place
    observed_at: Instant = Field(description="when it was seen, by the reporter's clock")
    received_at: Instant = Field(description="when it was stored, by ours; limits count from here")
    urgent: bool = False
    emergency: bool = Field(default=False, description="marked as one; then it is urgent, too")
    media: tuple[Sha256, ...] = ()


class ReportRegistered(Event):
    """A report was accepted: it is a case from now on."""

    TYPE: ClassVar[str] = "intake.report.registered.v1"

    case_id: UUID
    case_number: str = Field(
        description="6 division, 8 date, 5 or more sequence", examples=["6201032026112200001"]
    )
    report_number: str
    source: Source
    ticket_id: UUID | None = None
    reporter_id: str | None = None
    class_ref: ClassRef
    condition: str = Field(
        description="code of the registration condition that holds", examples=["01001-1"]
    )
    place: Place
    description: str = Field(max_length=4_000, description="the problem, without personal data")
    urgent: bool
    special: bool = Field(description="seen only at certain times; sending out has no limit")
    confidential: bool = False
    emergency: bool = Field(default=False, description="marked as one; then it is urgent, too")
    observed_at: Instant
    received_at: Instant
    registered_at: Instant
    by_rule: str | None = Field(
        default=None, description="the pack's rule that registered it; null: an operator"
    )
    class_assumed: bool = Field(
        default=False, description="class or condition stands in until an operator confirms it"
    )
    direct_unit: str | None = Field(
        default=None, description="of an emergency: the unit it goes to, past the dispatcher"
    )
    direct_by: str | None = Field(
        default=None, description="account id of the agent or shift leader who named that unit"
    )
    media: tuple[Sha256, ...] = ()


class ReportRejected(Event):
    """A report was not accepted; the reporter is told why."""

    TYPE: ClassVar[str] = "intake.report.rejected.v1"

    ticket_id: UUID | None = None
    reporter_id: str | None = None
    source: Source
    reason_code: str = Field(examples=["not-found-on-the-spot"])
    reason: str = Field(max_length=1_000)


class ReportMerged(Event):
    """A report tells of what another one already told; its reporter stays attached."""

    TYPE: ClassVar[str] = "intake.report.merged.v1"

    into_report_id: UUID
    into_case_id: UUID | None = Field(
        default=None, description="if the other one is a case already"
    )
    ticket_id: UUID | None = None
    reporter_id: str | None = None
    source: Source


class ReportUnmerged(Event):
    """A merge was wrong and is undone; the report stands for itself again."""

    TYPE: ClassVar[str] = "intake.report.unmerged.v1"

    from_report_id: UUID
    ticket_id: UUID | None = None
    reason: str = Field(max_length=1_000)


class TaskIssued(Event):
    """A collector is sent out to check before registration or to verify after handling."""

    TYPE: ClassVar[str] = "intake.task.issued.v1"

    kind: TaskKind
    report_id: UUID | None = Field(default=None, description="for a check")
    case_id: UUID | None = Field(default=None, description="for a verification")
    round: int = Field(ge=1, description="the case's n-th verification, or 1")
    collector: str = Field(description="account name")
    grid: str | None = None
    due_at: Instant | None = Field(description="null: no limit")
    attempt: int = Field(ge=1, description="n-th issue of this task, after expiry or release")


class TaskAccepted(Event):
    """The collector has the task and is on the way."""

    TYPE: ClassVar[str] = "intake.task.accepted.v1"

    kind: TaskKind
    collector: str


class TaskCompleted(Event):
    """The collector was there and says what is to be seen."""

    TYPE: ClassVar[str] = "intake.task.completed.v1"

    kind: TaskKind
    report_id: UUID | None = None
    case_id: UUID | None = None
    round: int = Field(ge=1)
    collector: str
    finding: Finding
    note: str | None = Field(default=None, max_length=1_000)
    media: tuple[Sha256, ...] = ()
    distance_m: float | None = Field(
        default=None, ge=0, description="metres from the reported place"
    )
    in_time: bool
    completed_at: Instant


class TaskExpired(Event):
    """Nobody completed the task in time; it is issued again, to another one if possible."""

    TYPE: ClassVar[str] = "intake.task.expired.v1"

    kind: TaskKind
    collector: str
    attempt: int = Field(ge=1)
    expired_at: Instant


class TaskDueTimeMoved(Event):
    """Another calendar holds, for instance by a new holiday notice; an open task is due anew."""

    TYPE: ClassVar[str] = "intake.task.due_time_moved.v1"

    kind: TaskKind
    case_id: UUID | None = None
    round: int = Field(ge=1, description="the case's n-th verification, or 1")
    attempt: int = Field(ge=1, description="n-th issue of this task, from which the time counts")
    due_at: Instant | None = Field(description="null: no limit")


class TaskCancelled(Event):
    """The task is no longer needed, e.g. because the case was voided."""

    TYPE: ClassVar[str] = "intake.task.cancelled.v1"

    kind: TaskKind
    reason: str = Field(max_length=1_000)


class PatrolRecorded(Event):
    """Which grids a collector covered in a stretch of patrol; no track, no distance."""

    TYPE: ClassVar[str] = "intake.patrol.recorded.v1"

    collector: str
    started_at: Instant
    ended_at: Instant
    grids: tuple[str, ...] = Field(description="grids with at least one position in them")
