"""How a recomputation and what it moved are shown."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from shared.recomputation.schemas import RecomputationJobView


class RecomputationView(RecomputationJobView):
    """A pass over all open cases, and how far it is."""

    open_cases: int = Field(description="when it began")


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
