"""Facts, the board and the ledger as the API shows them. All instants are UTC."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.assessment.facts.domain import CaseState
from services.assessment.facts.models import RebuildState


class AssignmentView(BaseModel):
    """A unit's part in a case: one run of its clock, from a dispatch until the case left it."""

    model_config = ConfigDict(from_attributes=True)

    ordinal: int
    unit: str
    dispatched_at: datetime
    due_at: datetime = Field(description="with extensions and deferrals as granted")
    limit_seconds: int | None = Field(
        description="counted seconds as dispatched, without extensions; null: no limit"
    )
    used_seconds: int = Field(description="counted seconds, pauses left out")
    closed_at: datetime | None
    extension_seconds: int
    extension_granted_at: datetime | None
    deferral_seconds: int = Field(description="counted seconds that the clock was stopped")
    deferral_granted_at: datetime | None
    second_dispatch_at: datetime | None
    dispatches: int
    returned_to_same: int
    returned_to_other: int
    returns_refused: int
    feedback_refused: int
    awaiting_dispatch: bool
    passed_on: bool
    voided: bool


class StageView(BaseModel):
    """A stage that is over, by the post that ended it."""

    model_config = ConfigDict(from_attributes=True)

    case_id: UUID
    stage: str
    ordinal: int
    post: str
    started_at: datetime
    ended_at: datetime
    used_seconds: int = Field(description="counted under the kind of the stage's limit")
    kept: bool | None = Field(description="within the limit; null where the stage has none")


class CaseView(BaseModel):
    """The facts of a case in one line."""

    model_config = ConfigDict(from_attributes=True)

    case_id: UUID
    state: CaseState
    number: str | None
    source: str | None
    class_scheme: str | None
    class_kind: str | None
    class_code: str | None
    condition: str | None
    grid: str | None
    urgent: bool
    special: bool
    report_id: UUID | None
    ticket_id: UUID | None
    received_at: datetime | None
    registered_at: datetime | None
    by_rule: bool
    opened_at: datetime | None
    dispatched_at: datetime | None
    closed_at: datetime | None
    closed_in_time: bool | None = Field(
        description="before its whole way had run out; null until it is closed"
    )
    voided_at: datetime | None
    redispatches: int
    failed_verifications: int
    reopenings: int
    events: int = Field(description="different facts that this was folded from")


class CaseFactsView(CaseView):
    """The facts of a case with everything below it."""

    assignments: list[AssignmentView]
    stages: list[StageView]


class BoardView(BaseModel):
    """The day so far and what is open now; the day is the city's own."""

    at: datetime
    since: datetime = Field(description="midnight of the city")
    reported: int
    registered: int
    rejected: int
    merged: int
    dispatched: int
    closed: int
    redispatched: int = Field(description="dispatched to the same unit once more")
    open: int
    overdue: int = Field(description="with a unit, not closed, limit run out")
    behind: int = Field(description="subjects with news that is not counted yet")


class LedgerSet(BaseModel):
    """A set of things that can be compared with another service's."""

    count: int
    checksum: str = Field(
        description="SHA-256 of the ids in lower case, sorted, joined by line feeds"
    )


class LedgerView(BaseModel):
    """How many of everything, and which: equal sets have equal checksums."""

    reports_received: LedgerSet
    reports_registered: LedgerSet
    reports_merged: LedgerSet
    reports_rejected: LedgerSet
    cases_opened: LedgerSet
    cases_closed: LedgerSet
    cases_voided: LedgerSet
    cases_redispatched: LedgerSet = Field(
        description="cases dispatched again after a failed verification"
    )
    redispatches: int = Field(description="such dispatches in all")
    events: dict[str, int] = Field(description="different facts stored, by type; of all time")
    behind: int = Field(description="marks that are not folded yet; compare only when 0")


class RebuildView(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    version: int
    state: RebuildState
    subjects: int
    started_at: datetime
    finished_at: datetime | None
