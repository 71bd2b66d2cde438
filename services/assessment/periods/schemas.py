"""Closed periods and comparisons as the API shows them."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.assessment.periods.domain import PeriodKind
from services.assessment.scorecards.schemas import ParametersView, ScoreView
from shared.web.fields import Paragraph


class ClosingCommand(BaseModel):
    """Close a period for good."""

    model_config = ConfigDict(extra="forbid")

    reason: Paragraph = Field(examples=["Bulletin of May, approved on 3 June."])


class ClosedPeriodView(BaseModel):
    """A closed period; its figures are those of its scorecards."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    key: str
    kind: PeriodKind
    start_at: datetime
    end_at: datetime
    trial: bool
    parameters_version: str
    computed_at: datetime
    appeal_until: datetime
    closed_by: str
    assignments: int
    facts_sha256: str


class PairView(BaseModel):
    """A unit computed in two ways."""

    unit: str
    held: ScoreView | None = Field(description="as shown; null: not among the units then")
    other: ScoreView | None
    changed: bool


class SideView(BaseModel):
    """One side of a comparison."""

    parameters: ParametersView
    computed_at: datetime
    facts_sha256: str | None = Field(description="null: facts of now, of a period that is open")


class ComparisonView(BaseModel):
    """Two ways to compute a period, side by side, by unit."""

    period: str
    held: SideView
    other: SideView
    units: list[PairView]
