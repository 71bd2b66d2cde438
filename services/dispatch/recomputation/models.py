"""The job, and what it moved."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field

from services.dispatch.base import DispatchTable
from shared.ids import uuid7


class Recomputation(DispatchTable, table=True):
    """One pass over all open cases under one calendar.

    Attributes:
        calendar: digest of the calendar that it reckons by.
        open_cases: how many there were when it began.
        reached: id of the last case that was looked at; a pass that was broken off goes on here.
        looked_at: cases looked at so far; moved: those of them with a due time that moved.
    """

    __tablename__ = "recomputations"
    __table_args__ = (sa.Index("ix_recomputations_started_at_id", "started_at", "id"),)

    id: UUID = Field(default_factory=uuid7, primary_key=True)
    calendar: str = Field(max_length=64)
    asked_by: str = Field(max_length=80)
    started_at: datetime
    finished_at: datetime | None = None
    open_cases: int
    reached: UUID | None = None
    looked_at: int = 0
    moved: int = 0


class MovedDeadline(DispatchTable, table=True):
    """A case whose due times a pass moved: before and after."""

    __tablename__ = "moved_deadlines"

    recomputation_id: UUID = Field(primary_key=True, foreign_key="recomputations.id")
    case_id: UUID = Field(primary_key=True)
    case_number: str = Field(max_length=40)
    unit: str | None = Field(default=None, max_length=60)
    handling_before: datetime | None = None
    handling_after: datetime | None = None
    stage_before: datetime | None = None
    stage_after: datetime | None = None
    whole_before: datetime | None = None
    whole_after: datetime | None = None
