"""The job, and what it moved."""

from datetime import datetime
from uuid import UUID

from sqlmodel import Field

from services.dispatch.base import DispatchTable
from shared.recomputation.models import RecomputationJob


class Recomputation(DispatchTable, RecomputationJob, table=True):
    """One pass over all open cases under one calendar.

    Attributes:
        open_cases: how many there were when it began.
    """

    open_cases: int


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
