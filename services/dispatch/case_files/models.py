"""The rows of a case file: the case, its segments, its dispatches, feedback and verifications."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field

from services.dispatch.base import DispatchAggregate, DispatchTable
from services.dispatch.case_files.domain import CaseCategory, CaseState
from services.dispatch.clocks.domain import SegmentKind
from shared.db import enum_column, json_column
from shared.events.vocabulary import DispatchReason, Finding, Source

NO_LIMIT = datetime(9999, 12, 31, tzinfo=UTC)
"""Place in the queue of what has no limit: behind everything that has one."""


class Case(DispatchAggregate, table=True):
    """A case from its registration to the archive; its id is the one that registration gave.

    Attributes:
        report_id: the report that became the case.
        reporters: people and systems that reported it, merged reports included.
        class_key: `scheme:kind:code`.
        place: as it was registered; `grid` repeats its grid for lists.
        stage_due_at: when the limit of the present stage runs out, if it has one.
        total_due_at: when the limit of the whole way runs out.
        due_order: `stage_due_at`, the end of the pause, or `NO_LIMIT`: what lists are ordered by.
        timer_at: when something about this case is to be told or done by itself next: a limit
            that turns yellow or red, or a pause that ends.
        limits_told: what was told about its limits, see `limits.domain.Told`; null: nothing yet.
        provisional: a deadline rests on holidays that are not known officially yet.
        unit: code of the unit that has the case, or had it last before the present stage.
        assignments: number of dispatches so far.
        rounds: number of verifications asked for so far.
        open_orders: supervision orders about the case that stand on the ledger.
        coordination_id: the open coordination about it, if there is one.
        category: what it is filed under, apart from its class.
        dispatch_reason: why the next dispatch, or the last one, was needed.
    """

    __tablename__ = "cases"
    __table_args__ = (
        sa.Index("ix_cases_due_order_id", "due_order", "id"),
        sa.Index(
            "ix_cases_open_due_order_id",
            "due_order",
            "id",
            postgresql_where=sa.text("closed_at IS NULL"),
            sqlite_where=sa.text("closed_at IS NULL"),
        ),
        sa.Index(
            "ix_cases_open_unit_due_order_id",
            "unit",
            "due_order",
            "id",
            postgresql_where=sa.text("closed_at IS NULL"),
            sqlite_where=sa.text("closed_at IS NULL"),
        ),
        sa.Index("ix_cases_registered_at_id", "registered_at", "id"),
        sa.Index("ix_cases_unit_due_order_id", "unit", "due_order", "id"),
        sa.Index("ix_cases_unit_registered_at_id", "unit", "registered_at", "id"),
        sa.Index("ix_cases_state_due_order_id", "state", "due_order", "id"),
        sa.Index("ix_cases_grid_due_order_id", "grid", "due_order", "id"),
        sa.Index("ix_cases_class_key_due_order_id", "class_key", "due_order", "id"),
        sa.Index(
            "ix_cases_no_subject_due_order_id",
            "due_order",
            "id",
            postgresql_where=sa.text("category <> 'ordinary'"),
            sqlite_where=sa.text("category <> 'ordinary'"),
        ),
        sa.Index(
            "ix_cases_coordination_due_order_id",
            "due_order",
            "id",
            postgresql_where=sa.text("coordination_needed"),
            sqlite_where=sa.text("coordination_needed"),
        ),
        sa.Index(
            "ix_cases_timer_at",
            "timer_at",
            postgresql_where=sa.text("timer_at IS NOT NULL"),
            sqlite_where=sa.text("timer_at IS NOT NULL"),
        ),
    )

    number: str = Field(max_length=40, unique=True)
    report_id: UUID = Field(unique=True)
    report_number: str = Field(max_length=40)
    ticket_id: UUID | None = Field(default=None, index=True)
    source: Source = Field(sa_column=sa.Column(enum_column(Source), nullable=False))
    reporter_id: str | None = Field(default=None, max_length=80)
    reporters: int = 1
    confidential: bool = False
    class_key: str = Field(max_length=120)
    condition: str = Field(max_length=40)
    description: str = Field(sa_column=sa.Column(sa.Text(), nullable=False))
    place: dict[str, Any] = Field(sa_column=sa.Column(json_column(), nullable=False))
    grid: str | None = Field(default=None, max_length=30)
    urgent: bool = False
    special: bool = False
    media: list[str] = Field(
        default_factory=list, sa_column=sa.Column(json_column(), nullable=False)
    )
    observed_at: datetime
    registered_at: datetime

    state: CaseState = Field(sa_column=sa.Column(enum_column(CaseState), nullable=False))
    stage_started_at: datetime
    stage_warn_at: datetime | None = None
    stage_due_at: datetime | None = None
    total_started_at: datetime
    total_warn_at: datetime | None = None
    total_due_at: datetime | None = None
    due_order: datetime = NO_LIMIT
    timer_at: datetime | None = None
    limits_told: dict[str, Any] | None = Field(default=None, sa_type=json_column())
    provisional: bool = False
    deferred_until: datetime | None = None
    closed_at: datetime | None = None
    outcome: str | None = Field(default=None, max_length=40)
    conclusion: str | None = Field(default=None, sa_column=sa.Column(sa.Text()))

    unit: str | None = Field(default=None, max_length=60)
    dispatch_reason: DispatchReason = Field(
        default=DispatchReason.FIRST,
        sa_column=sa.Column(enum_column(DispatchReason), nullable=False),
    )
    segments: int = 0
    assignments: int = 0
    feedbacks: int = 0
    rounds: int = 0
    failed_verifications: int = 0
    returns_granted: int = 0
    returns_refused: int = 0
    coordination_needed: bool = False
    coordination_id: UUID | None = None
    category: CaseCategory = Field(
        default=CaseCategory.ORDINARY,
        sa_column=sa.Column(enum_column(CaseCategory), nullable=False),
    )
    pending_requests: int = 0
    open_orders: int = 0


class SegmentRow(DispatchTable, table=True):
    """A segment of a case's clock; `due_at` is the deadline that its stage had."""

    __tablename__ = "segments"

    case_id: UUID = Field(primary_key=True, foreign_key="cases.id")
    number: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    kind: SegmentKind = Field(sa_column=sa.Column(enum_column(SegmentKind), nullable=False))
    holder: str = Field(max_length=60)
    assignment: int
    started_at: datetime
    ended_at: datetime | None = None
    reason: str = Field(max_length=40)
    limited: bool = True
    warn_at: datetime | None = None
    due_at: datetime | None = None


class Assignment(DispatchTable, table=True):
    """A dispatch of a case to a unit.

    Attributes:
        time_limit: as given with the dispatch, e.g. `4 working-hours`.
        extended_by: granted on top, of the same kind, earlier dispatches of the run included.
        run: number of the dispatch with which the unit's clock began.
        repeat: n-th dispatch of the run, counted by failed verifications.
        used_seconds: counted time brought along from earlier dispatches of the run.
        limit_seconds: the limit in counted time, extensions included.
        direct: by an agent or shift leader, past the dispatcher; papers follow.
        outcome: how it ended: `closed`, `returned`, `failed`, `voided`; None while it lasts.
        released_at: when the case left the unit for good.
    """

    __tablename__ = "assignments"
    __table_args__ = (sa.Index("ix_assignments_class_key_grid", "class_key", "grid", "outcome"),)

    case_id: UUID = Field(primary_key=True, foreign_key="cases.id")
    number: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    unit: str = Field(max_length=60)
    class_key: str = Field(max_length=120)
    grid: str | None = Field(default=None, max_length=30)
    reason: DispatchReason = Field(sa_column=sa.Column(enum_column(DispatchReason), nullable=False))
    condition: str = Field(max_length=40)
    standard: str = Field(sa_column=sa.Column(sa.Text(), nullable=False))
    time_limit: str = Field(max_length=60)
    extended_by: str | None = Field(default=None, max_length=60)
    extensions: int = 0
    run: int
    repeat: int
    command_duty: bool
    precedent: str | None = Field(default=None, max_length=500)
    note: str | None = Field(default=None, sa_column=sa.Column(sa.Text()))
    dispatched_at: datetime
    dispatched_by: str = Field(max_length=80)
    direct: bool = False
    accepted_at: datetime | None = None
    accepted_by: str | None = Field(default=None, max_length=80)
    handled_at: datetime | None = None
    handled_by: str | None = Field(default=None, max_length=80)
    used_seconds: int = 0
    limit_seconds: int | None = None
    warn_at: datetime | None = None
    due_at: datetime | None = None
    provisional: bool = False
    feedback_refused: int = 0
    outcome: str | None = Field(default=None, max_length=20)
    released_at: datetime | None = None


class Feedback(DispatchTable, table=True):
    """What a unit handed in, and what the centre made of it; unchecked: `accepted` is None."""

    __tablename__ = "feedbacks"

    case_id: UUID = Field(primary_key=True, foreign_key="cases.id")
    number: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    assignment: int
    text: str = Field(sa_column=sa.Column(sa.Text(), nullable=False))
    media: list[str] = Field(
        default_factory=list, sa_column=sa.Column(json_column(), nullable=False)
    )
    handed_in_at: datetime
    handed_in_by: str = Field(max_length=80)
    accepted: bool | None = None
    checked_at: datetime | None = None
    checked_by: str | None = Field(default=None, max_length=80)
    check_reason: str | None = Field(default=None, sa_column=sa.Column(sa.Text()))


class Verification(DispatchTable, table=True):
    """A round of looking on the spot; `finding` is None until the collector was there."""

    __tablename__ = "verifications"

    case_id: UUID = Field(primary_key=True, foreign_key="cases.id")
    round: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    assignment: int
    asked_at: datetime
    asked_by: str = Field(max_length=80)
    not_before: datetime | None = None
    task_id: UUID | None = Field(default=None, index=True)
    collector: str | None = Field(default=None, max_length=80)
    issued_at: datetime | None = None
    due_at: datetime | None = None
    attempts: int = 0
    finding: Finding | None = Field(
        default=None, sa_column=sa.Column(enum_column(Finding), nullable=True)
    )
    independent: bool = True
    note: str | None = Field(default=None, sa_column=sa.Column(sa.Text()))
    media: list[str] = Field(
        default_factory=list, sa_column=sa.Column(json_column(), nullable=False)
    )
    in_time: bool | None = None
    completed_at: datetime | None = None


class AttachedReport(DispatchTable, table=True):
    """A further report merged into one that is, or may become, a case."""

    __tablename__ = "attached_reports"

    report_id: UUID = Field(primary_key=True)
    into_report_id: UUID = Field(index=True)
    source: Source = Field(sa_column=sa.Column(enum_column(Source), nullable=False))
    reporter_id: str | None = Field(default=None, max_length=80)
    ticket_id: UUID | None = None
    attached_at: datetime


class WithdrawnTicket(DispatchTable, table=True):
    """A hotline ticket that its caller took back; noted in the journal of its case."""

    __tablename__ = "withdrawn_tickets"

    ticket_id: UUID = Field(primary_key=True)
    reason: str = Field(sa_column=sa.Column(sa.Text(), nullable=False))
    withdrawn_at: datetime
