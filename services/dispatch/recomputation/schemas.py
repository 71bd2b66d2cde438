"""How a recomputation and what it moved are shown."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field


class RecomputationView(BaseModel):
    """A pass over all open cases, and how far it is."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    calendar: str = Field(description="digest of the calendar that it reckons by")
    asked_by: str
    started_at: datetime
    finished_at: datetime | None = Field(description="null while it goes on")
    open_cases: int = Field(description="when it began")
    looked_at: int
    moved: int = Field(description="cases with a due time that moved")


class MovedDeadlineView(BaseModel):
    """Due times of a case before and after; null where there was or is none."""

    model_config = ConfigDict(from_attributes=True)

    case_id: UUID
    case_number: str
    unit: str | None
    handling_before: datetime | None = Field(description="of the latest dispatch")
    handling_after: datetime | None
    stage_before: datetime | None = Field(description="of the present stage")
    stage_after: datetime | None
    whole_before: datetime | None = Field(description="of the whole way")
    whole_after: datetime | None
