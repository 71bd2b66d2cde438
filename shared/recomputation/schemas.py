"""How a recomputation is shown; each service adds what it had open."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field


class RecomputationJobView(BaseModel):
    """A pass over everything open, and how far it is."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    calendar: str = Field(description="digest of the calendar that it reckons by")
    asked_by: str
    started_at: datetime
    finished_at: datetime | None = Field(description="null while it goes on")
    looked_at: int
    moved: int = Field(description="how many have a due time that moved")
