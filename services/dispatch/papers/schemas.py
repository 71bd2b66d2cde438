"""Papers as the API takes and shows them."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from services.dispatch.papers.models import PaperRow
from shared.events.vocabulary import ClassRef
from shared.pack.model import Paper
from shared.web.fields import Line, Paragraph

Remark = Annotated[Paragraph, StringConstraints(max_length=1_000)]


class _Command(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Classification(_Command):
    """The operator confirms class and condition, or says what they really are."""

    class_ref: ClassRef | None = Field(default=None, description="if another one")
    condition: Annotated[Line, StringConstraints(max_length=40)] | None = Field(
        default=None, description="if another one; needed with another class"
    )
    note: Remark | None = None


class Confirmation(_Command):
    """The dispatcher confirms the unit; if it is the wrong one, the case is returned as always."""

    note: Remark | None = None


class WrittenRecord(_Command):
    """What happened and what was done, by whoever was in charge; without personal data."""

    text: Paragraph


class PaperView(BaseModel):
    id: UUID
    case_id: UUID
    case_number: str
    kind: Paper
    assignment: int = Field(description="the direct dispatch it confirms; 0: the whole case")
    asked_at: datetime
    due_at: datetime
    overdue: bool
    completed_at: datetime | None
    completed_by: str | None
    text: str | None
    changed: bool = Field(description="the confirmation corrected something")


def paper_view(row: PaperRow, now: datetime) -> PaperView:
    overdue = row.due_at < (row.completed_at or now)
    return PaperView(**row.model_dump(include=set(PaperView.model_fields)), overdue=overdue)
