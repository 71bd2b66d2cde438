"""Field tasks on their way out, findings on their way in."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, Field

from services.intake.clocks.domain import Light, light_at
from services.intake.reports.schemas import Code, Input, Media, PositionInput
from services.intake.tasks.domain import WITH_SOMEBODY, TaskState, allowed_actions
from services.intake.tasks.models import FieldTask
from shared.events.vocabulary import ClassRef, Finding, Place, TaskKind
from shared.vocabulary import PositionSource
from shared.web.fields import Paragraph

Note = Annotated[Paragraph, Field(max_length=1_000)]


class CheckCommand(Input):
    note: Note | None = Field(default=None, description="what the collector should look at")


class FindingCommand(Input):
    """What is to be seen on the spot."""

    finding: Finding
    note: Note | None = Field(
        default=None, description="needed when made from afar; without personal data"
    )
    media: Media = ()
    position: PositionInput | None = None
    position_source: PositionSource = PositionSource.GNSS
    found_at: AwareDatetime | None = Field(default=None, description="by the device's clock")


class ReassignCommand(Input):
    collector: Code | None = Field(
        default=None, description="account name; without one the next best is chosen"
    )
    reason: Note


class TaskView(BaseModel):
    """A field task; `light` is null unless it is with somebody."""

    id: UUID
    version: int
    kind: TaskKind
    state: TaskState
    allowed: list[str]
    report_id: UUID | None
    case_id: UUID | None
    case_number: str | None
    round: int
    class_ref: ClassRef | None
    place: Place
    instruction: str
    photographs: list[str] = Field(description="of the report: take the new one from the same spot")
    urgent: bool
    special: bool
    collector: str | None
    attempt: int
    not_before: datetime | None
    issued_at: datetime | None
    due_at: datetime | None
    warn_at: datetime | None
    light: Light | None
    provisional: bool
    expires_at: datetime | None
    accepted_at: datetime | None
    finding: Finding | None
    note: str | None
    media: list[str]
    distance_m: float | None
    remote: bool
    in_time: bool | None
    found_at: datetime | None
    completed_at: datetime | None
    ended_reason: str | None

    @classmethod
    def of(cls, task: FieldTask, now: datetime) -> Self:
        light = light_at(now, warn_at=task.warn_at, due_at=task.due_at)
        same = {
            name: getattr(task, name)
            for name in cls.model_fields
            if name not in {"allowed", "light"}
        }
        return cls(
            **same,
            allowed=allowed_actions(task.state),
            light=light if task.state in WITH_SOMEBODY else None,
        )
