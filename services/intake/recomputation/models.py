"""The job, and what it moved."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlmodel import Field

from services.intake.base import IntakeTable
from shared.db import enum_column
from shared.recomputation.models import RecomputationJob


class MovedKind(StrEnum):
    """What the deadline belongs to: a report's registration, or a field task."""

    REPORT = "report"
    TASK = "task"


class Recomputation(IntakeTable, RecomputationJob, table=True):
    """One pass over all open reports, then over all open field tasks, under one calendar.

    Attributes:
        open_reports, open_tasks: how many there were when it began.
        reached: id of the last report that was looked at; reached_task: of the last task.
    """

    open_reports: int
    open_tasks: int
    reached_task: UUID | None = None


class MovedDeadline(IntakeTable, table=True):
    """A report or task whose due time or expiry a pass moved: before and after.

    Attributes:
        number: of the report; of the case, where the task verifies one.
        collector: login of whoever has the task.
    """

    __tablename__ = "moved_deadlines"

    recomputation_id: UUID = Field(primary_key=True, foreign_key="recomputations.id")
    subject_id: UUID = Field(primary_key=True)
    kind: MovedKind = Field(sa_type=enum_column(MovedKind))
    number: str | None = Field(default=None, max_length=40)
    collector: str | None = Field(default=None, max_length=80)
    due_before: datetime | None = None
    due_after: datetime | None = None
    expires_before: datetime | None = None
    expires_after: datetime | None = None
