"""How suggested units are shown."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from services.dispatch.case_files.schemas import TextView
from services.dispatch.responsibility.domain import ReasonKind
from shared.web.fields import Paragraph

RevocationReason = Annotated[Paragraph, StringConstraints(max_length=1_000)]


class ReasonView(BaseModel):
    kind: ReasonKind = Field(description="stable code of the reason")
    zh: str
    en: str
    reference: str | None = Field(
        description="what it rests on, if that has a name: a precedent's id, a component's code"
    )


class SuggestedUnitView(BaseModel):
    """A unit that the case may belong to, and why."""

    unit: str = Field(description="code, as in the dispatch command")
    name: TextView
    rank: int = Field(ge=1, description="1 is the first to think of")
    command_duty: bool
    higher_level: bool
    reasons: list[ReasonView]


class RevocationCommand(BaseModel):
    """The decision is not to be offered any more."""

    model_config = ConfigDict(extra="forbid")

    reason: RevocationReason


class PrecedentView(BaseModel):
    """A decision that is offered first when the same class and ground come up again."""

    id: UUID
    version: int
    class_key: str
    grid: str
    unit: str
    basis: str
    coordination_id: UUID
    case_id: UUID
    by_office: bool
    decided_at: datetime
    decided_by: str
    revoked_at: datetime | None
    revoked_by: str | None
    revocation_reason: str | None
