"""Clients as the API takes and shows them."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.identity.organisations.schemas import Code
from shared.vocabulary import Role
from shared.web.fields import Line

ClientName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$", examples=["one-window"])]
Scope = Annotated[str, Field(pattern=r"^[a-z]+(\.[a-z]+)+$", max_length=60)]


class ClientCreate(BaseModel):
    model_config = ConfigDict(extra="forbid")

    client_id: ClientName
    name_zh: Line = Field(examples=["政务服务一窗平台"])
    name_en: Line = Field(examples=["One-window platform"])
    roles: list[Role] = Field(min_length=1, max_length=2, examples=[["partner"]])
    scopes: list[Scope] = Field(
        min_length=1, max_length=40, examples=[["reports.write", "reports.read"]]
    )
    unit: Code | None = None


class ClientKey(BaseModel):
    """A public key for signed assertions (RFC 7523) in place of a secret."""

    model_config = ConfigDict(extra="forbid")

    jwk: dict[str, Any] = Field(
        max_length=12, description="JSON Web Key: Ed25519, P-256, or RSA of 2,048 bits or more"
    )


class ClientView(BaseModel):
    id: UUID
    client_id: str
    name_zh: str
    name_en: str
    roles: list[str]
    scopes: list[str]
    unit: str | None
    active: bool
    has_key: bool
    created_at: datetime
    version: int


class NewSecret(BaseModel):
    """Shown this once."""

    client_id: str
    client_secret: str
    older_until: datetime | None = Field(description="the one before works until then")


class ClientToken(BaseModel):
    """RFC 6749, section 5.1."""

    access_token: str
    token_type: str = "Bearer"  # noqa: S105 - RFC 6750
    expires_in: int = Field(description="seconds")
    scope: str
