"""What is sent and shown about exclusions."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StrictBool

from services.assessment.exclusions.domain import ExclusionState
from shared.web.fields import Line, Paragraph


class Command(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ExclusionCommand(Command):
    """Leave a case of a unit out of its scores."""

    case_id: UUID
    unit: Line = Field(examples=["water"], description="whose scores the case is left out of")
    reason: Paragraph = Field(examples=["The road was closed by the flood of 3 May."])


class ExclusionDecision(Command):
    granted: StrictBool
    reason: Paragraph = Field(examples=["Seen in the flood report."])


class LiftingCommand(Command):
    reason: Paragraph = Field(examples=["The case was another one."])


class ExclusionView(BaseModel):
    """An exclusion as it stands; its steps are in the journal."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    case_id: UUID
    unit: str
    state: ExclusionState
    reason: str
    proposed_by: str
    proposed_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    decision_reason: str | None
