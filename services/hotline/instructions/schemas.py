"""What is sent about an instruction."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from shared.web.fields import Line, Paragraph


class InstructionCommand(BaseModel):
    """A leader's written instruction, as it stands on the paper."""

    model_config = ConfigDict(extra="forbid")

    leader: Line = Field(examples=["分管副区长"], description="the office, not the person")
    reference: Line = Field(examples=["批示〔2026〕17 号"], description="number of the paper")
    text: Annotated[Paragraph, StringConstraints(max_length=2_000)] = Field(
        examples=["请城管局三日内办结并反馈。"]
    )
    unit: Annotated[Line, StringConstraints(max_length=60)] | None = Field(
        default=None, description="code of the unit; left out: the one that gets or has the case"
    )
