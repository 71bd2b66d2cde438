"""Likely duplicates on their way out, merges on their way in."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import BaseModel, Field

from services.intake.reports.domain import ReportState
from services.intake.reports.models import Report
from services.intake.reports.schemas import Input
from shared.events.vocabulary import ClassRef
from shared.web.fields import Paragraph

Reason = Annotated[Paragraph, Field(max_length=1_000)]


class MergeCommand(Input):
    into: UUID = Field(description="the report that tells of the same matter")


class UnmergeCommand(Input):
    reason: Reason


class DuplicateView(BaseModel):
    """A report that may tell of the same matter."""

    id: UUID
    number: str
    state: ReportState
    class_ref: ClassRef | None
    distance_m: float = Field(description="metres between the two places")
    age_seconds: float = Field(
        description="seconds between the two receipts; positive: it was first"
    )
    received_at: datetime
    urgent: bool
    reporters: int
    case_id: UUID | None
    case_number: str | None
    case_state: str | None
    media: list[str]
    description: str | None = Field(description="only for the centre: it may name people")

    @classmethod
    def of(cls, report: Report, distance: float, at: datetime, *, with_text: bool) -> Self:
        return cls(
            id=report.id,
            number=report.number,
            state=report.state,
            class_ref=report.class_ref,
            distance_m=round(distance, 1),
            age_seconds=(at - report.received_at).total_seconds(),
            received_at=report.received_at,
            urgent=report.urgent,
            reporters=report.reporters,
            case_id=report.case_id,
            case_number=report.case_number,
            case_state=report.case_state,
            media=report.media,
            description=report.description if with_text else None,
        )
