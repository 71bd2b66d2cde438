"""How a case is shown: what every list and every answer to a command carries."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.dispatch.case_files.domain import CaseCategory, CaseState
from services.dispatch.clocks.domain import Light, SegmentKind
from shared.events.vocabulary import ClassRef, DispatchReason, Place, Source


class TextView(BaseModel):
    """A name in both languages."""

    zh: str
    en: str


class ClockLight(BaseModel):
    """A running limit and its light now; without a limit the light is `none`."""

    started_at: datetime
    warn_at: datetime | None = Field(description="from here on yellow")
    due_at: datetime | None = Field(description="after this instant red")
    light: Light = Field(description="green, yellow, red or none, at the moment of the answer")


class StageLight(ClockLight):
    kind: SegmentKind | None = Field(description="where the case is; null in the archive")


class CaseView(BaseModel):
    """A case as lists and commands show it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"number": "6201032026060100001", "state": "accepted", "unit": "urban-management"}
            ]
        }
    )

    id: UUID
    version: int = Field(
        description="send it as If-Match to be sure that nothing changed meanwhile"
    )
    number: str
    state: CaseState
    allowed: list[str] = Field(
        description="actions that this state allows, for whoever may do them"
    )
    stage: StageLight
    total: ClockLight
    provisional: bool = Field(description="a deadline rests on holidays that are not official yet")
    unit: str | None
    unit_name: TextView | None
    class_ref: ClassRef
    class_name: TextView | None
    condition: str
    description: str
    place: Place
    urgent: bool
    special: bool
    source: Source
    registered_at: datetime
    closed_at: datetime | None
    deferred_until: datetime | None
    dispatches: int
    dispatch_reason: DispatchReason
    verification_round: int
    failed_verifications: int
    returns_granted: int
    coordination_needed: bool = Field(
        description="returned so often that the units must be heard together"
    )
    coordination_id: UUID | None = Field(description="of the open coordination, if there is one")
    category: CaseCategory
    pending_requests: int
    open_orders: int = Field(description="supervision orders about the case, not struck off yet")
    reporters: int
