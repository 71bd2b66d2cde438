"""How suggested units are shown."""

from pydantic import BaseModel, Field

from services.dispatch.case_files.schemas import TextView
from services.dispatch.responsibility.domain import ReasonKind


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
