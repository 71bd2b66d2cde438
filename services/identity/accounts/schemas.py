"""Accounts as the API takes and shows them."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.identity.accounts.domain import LOGIN
from services.identity.organisations.schemas import Code
from shared.vocabulary import Role
from shared.web.fields import Line

Login = Annotated[str, Field(pattern=LOGIN, examples=["dispatcher05"])]
Roles = Annotated[list[Role], Field(min_length=1, max_length=len(Role), examples=[["dispatcher"]])]
Language = Annotated[str, Field(pattern=r"^[a-z]{2}(-[A-Za-z0-9]{2,8})?$", examples=["zh"])]


class AccountCreate(BaseModel):
    model_config = ConfigDict(extra="forbid")

    login: Login
    name_zh: Line = Field(examples=["韩志远"])
    name_en: Line = Field(examples=["Zhiyuan Han"])
    roles: Roles
    unit: Code | None = None
    language: Language = "zh"


class AccountChange(BaseModel):
    """Only what is named is changed."""

    model_config = ConfigDict(extra="forbid")

    name_zh: Line | None = None
    name_en: Line | None = None
    roles: Roles | None = None
    unit: Code | None = None
    language: Language | None = None


class Reasoned(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: Line = Field(examples=["left the centre"])


class AccountView(BaseModel):
    id: UUID
    login: str
    name_zh: str
    name_en: str
    roles: list[str]
    unit: str | None
    language: str
    active: bool
    created_at: datetime
    version: int
