"""What is sent and shown about appeals."""

from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StrictBool, model_validator

from services.assessment.appeals.domain import AppealState, Correction
from shared.web.fields import Line, Paragraph

MOST_EVIDENCE = 20


class Command(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Evidence(Command):
    """A piece of evidence: a text, or a photograph by its content address."""

    text: Paragraph | None = Field(default=None, examples=["Receipt 17 of the repair, 6 May."])
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = None

    @model_validator(mode="after")
    def _something(self) -> Self:
        if self.text is None and self.sha256 is None:
            raise ValueError("evidence is a text or a photograph, or both")
        return self


class AppealCommand(Command):
    """Appeal against how a case counted."""

    period: Line = Field(examples=["2026-05"], description="a closed period")
    case_id: UUID
    ordinal: int = Field(
        default=1, ge=1, description="as the explanation of the scorecard tells it"
    )
    statement: Paragraph = Field(examples=["Handled on 6 May; the road was closed for the check."])
    evidence: list[Evidence] = Field(min_length=1, max_length=MOST_EVIDENCE)


class ProposalCommand(Command):
    """What the first person proposes to the second."""

    granted: StrictBool
    correction: Correction | None = Field(default=None, description="needed if granted")
    reason: Paragraph


class AppealDecisionCommand(Command):
    """The second person agrees, or sends it back for another proposal."""

    agreed: StrictBool
    reason: Paragraph


class AppealWithdrawal(Command):
    reason: Paragraph


class AppealView(BaseModel):
    """An appeal as it stands; its steps are in the journal."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    period: str = Field(validation_alias="period_key")
    unit: str
    case_id: UUID
    ordinal: int
    state: AppealState
    statement: str
    evidence: list[dict[str, Any]]
    filed_by: str
    filed_at: datetime
    proposed_grant: bool | None
    correction: Correction | None
    proposal_reason: str | None
    proposed_by: str | None
    proposed_at: datetime | None
    decided_by: str | None
    decided_at: datetime | None
    decision_reason: str | None
