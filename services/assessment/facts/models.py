"""The facts of cases as rows, made by folding; and the rebuild that folds all of them again."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field

from services.assessment.base import AssessmentAggregate, AssessmentTable
from services.assessment.facts.domain import CaseState
from shared.db import enum_column

_OPEN = sa.text("closed_at IS NULL AND voided_at IS NULL AND opened_at IS NOT NULL")
_RUNNING = sa.text("closed_at IS NULL AND NOT voided AND NOT passed_on AND NOT awaiting_dispatch")


class CaseFactsRow(AssessmentTable, table=True):
    """A case. `events` counts what it was folded from; see the rows of assignments and stages."""

    __tablename__ = "case_facts"
    __table_args__ = (
        sa.Index("ix_case_facts_registered", "registered_at", "case_id"),
        sa.Index("ix_case_facts_opened", "opened_at", "case_id"),
        sa.Index("ix_case_facts_dispatched", "dispatched_at", "case_id"),
        sa.Index("ix_case_facts_closed", "closed_at", "case_id"),
        sa.Index("ix_case_facts_voided", "voided_at", "case_id"),
        sa.Index("ix_case_facts_open", "opened_at", postgresql_where=_OPEN, sqlite_where=_OPEN),
    )

    case_id: UUID = Field(primary_key=True)
    state: CaseState = Field(sa_type=enum_column(CaseState))
    number: str | None = Field(default=None, max_length=40)
    source: str | None = Field(default=None, max_length=40)
    class_scheme: str | None = Field(default=None, max_length=60)
    class_kind: str | None = Field(default=None, max_length=20)
    class_code: str | None = Field(default=None, max_length=30)
    condition: str | None = Field(default=None, max_length=60)
    grid: str | None = Field(default=None, max_length=30)
    urgent: bool
    special: bool
    report_id: UUID | None = None
    ticket_id: UUID | None = None
    received_at: datetime | None = None
    registered_at: datetime | None = None
    by_rule: bool
    opened_at: datetime | None = None
    dispatched_at: datetime | None = None
    closed_at: datetime | None = None
    closed_in_time: bool | None = None
    voided_at: datetime | None = None
    redispatches: int
    failed_verifications: int
    reopenings: int
    events: int


class AssignmentFactsRow(AssessmentTable, table=True):
    """A unit's part in a case: what scorecards are computed from. Seconds are counted ones."""

    __tablename__ = "assignment_facts"
    __table_args__ = (
        sa.Index("ix_assignment_facts_due", "due_at", "case_id", "ordinal"),
        sa.Index("ix_assignment_facts_unit", "unit", "due_at", "case_id", "ordinal"),
        sa.Index("ix_assignment_facts_repeat", "second_dispatch_at"),
        sa.Index(
            "ix_assignment_facts_running",
            "due_at",
            postgresql_where=_RUNNING,
            sqlite_where=_RUNNING,
        ),
    )

    case_id: UUID = Field(primary_key=True)
    ordinal: int = Field(primary_key=True)
    unit: str = Field(max_length=80)
    dispatched_at: datetime
    due_at: datetime
    limit_seconds: int | None = None
    used_seconds: int
    closed_at: datetime | None = None
    extension_seconds: int
    extension_granted_at: datetime | None = None
    deferral_seconds: int
    deferral_granted_at: datetime | None = None
    second_dispatch_at: datetime | None = None
    dispatches: int
    returned_to_same: int
    returned_to_other: int
    returns_refused: int
    feedback_refused: int
    awaiting_dispatch: bool
    passed_on: bool
    voided: bool


class StageFactsRow(AssessmentTable, table=True):
    """A stage of a case that is over, kept per post; nobody's name is in it."""

    __tablename__ = "stage_facts"
    __table_args__ = (sa.Index("ix_stage_facts_ended", "ended_at", "case_id", "stage", "ordinal"),)

    case_id: UUID = Field(primary_key=True)
    stage: str = Field(primary_key=True, max_length=40)
    ordinal: int = Field(primary_key=True)
    post: str = Field(max_length=40)
    started_at: datetime
    ended_at: datetime
    used_seconds: int
    kept: bool | None = None


class RebuildState(StrEnum):
    RUNNING = "running"
    DONE = "done"


class Rebuild(AssessmentAggregate, table=True):
    """A walk through the whole event store that has every subject folded again.

    Attributes:
        cursor: id of the last event passed.
        subjects: marks set so far; a subject met again later is marked again.
    """

    __tablename__ = "rebuilds"
    __table_args__ = (
        sa.Index(
            "ix_rebuilds_running",
            "state",
            unique=True,
            postgresql_where=sa.text("state = 'running'"),
            sqlite_where=sa.text("state = 'running'"),
        ),
    )

    state: RebuildState = Field(
        default=RebuildState.RUNNING,
        sa_type=enum_column(RebuildState),
    )
    cursor: UUID | None = None
    subjects: int = 0
    started_at: datetime
    finished_at: datetime | None = None
