"""How a recomputation and what it moved are shown."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.intake.recomputation.models import MovedKind
from shared.recomputation.schemas import RecomputationJobView


class RecomputationView(RecomputationJobView):
    """A pass over all open reports and field tasks, and how far it is."""

    open_reports: int = Field(description="when it began")
    open_tasks: int


class MovedDeadlineView(BaseModel):
    """A due time before and after; null where there was or is none."""

    model_config = ConfigDict(from_attributes=True)

    kind: MovedKind
    subject_id: UUID = Field(description="the report or the task")
    number: str | None = Field(description="of the report, or of the case that a task verifies")
    collector: str | None = Field(description="login of whoever has the task")
    due_before: datetime | None = Field(description="registration, or the time on the spot")
    due_after: datetime | None
    expires_before: datetime | None = Field(description="when the task goes to somebody else")
    expires_after: datetime | None
