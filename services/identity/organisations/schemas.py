"""Organisations as the API takes and shows them."""

from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from shared.pack.model import UnitKind
from shared.web.fields import Line

Code = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,59}$", examples=["cgj"])]


class OrganisationCreate(BaseModel):
    model_config = ConfigDict(extra="forbid")

    code: Code
    name_zh: Line = Field(examples=["城管执法局"])
    name_en: Line = Field(examples=["Urban Management Bureau"])
    kind: UnitKind
    parent: Code | None = None


class OrganisationChange(BaseModel):
    """Only what is named is changed."""

    model_config = ConfigDict(extra="forbid")

    name_zh: Line | None = None
    name_en: Line | None = None
    kind: UnitKind | None = None
    parent: Code | None = None
    active: bool | None = Field(default=None, strict=True)


class OrganisationView(BaseModel):
    id: UUID
    code: str
    name_zh: str
    name_en: str
    kind: str
    parent: str | None
    active: bool
    version: int
