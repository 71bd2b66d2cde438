"""Callers as the API takes and shows them."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from services.hotline.callers.domain import mask_name, mask_number
from shared.web.fields import Line


def _short(text: str) -> str:
    if len(text) > 60:  # noqa: PLR2004 - as the number of the field's description
        raise ValueError("a name has at most 60 characters")
    return text


PersonName = Annotated[
    Line, AfterValidator(_short), Field(description="at most 60 characters", examples=["张小明"])
]
PhoneNumber = Annotated[
    str,
    Field(
        max_length=40,
        description="as dialled; empty or `anonymous` where it was withheld",
        examples=["0931-2345678"],
    ),
]


class CallerInput(BaseModel):
    """Who calls, as far as the caller says."""

    model_config = ConfigDict(extra="forbid")

    number: PhoneNumber
    name: PersonName | None = None


class NumberLookup(BaseModel):
    model_config = ConfigDict(extra="forbid")

    number: PhoneNumber


class Purpose(BaseModel):
    """Why personal data are looked at or erased; it goes on the record."""

    model_config = ConfigDict(extra="forbid")

    reason: Line = Field(examples=["回访"])


class CallerView(BaseModel):
    """A caller with number and name masked."""

    id: UUID
    number: str | None = Field(description="masked", examples=["138****1234"])
    name: str | None = Field(description="masked", examples=["张**"])
    seen_at: datetime
    erased: bool
    version: int


class RevealedCaller(BaseModel):
    """A caller in clear; that it was shown, to whom and why is on the audit record."""

    id: UUID
    number: str | None
    name: str | None


def masked(number: str | None, name: str | None) -> tuple[str | None, str | None]:
    return (
        mask_number(number) if number is not None else None,
        mask_name(name) if name is not None else None,
    )
