"""Sessions as the API takes and shows them."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.identity.passwords.schemas import LoginText, Password
from services.identity.second_factors.schemas import FactorCode
from services.identity.sessions.domain import Must


class SignIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    login: LoginText
    password: Password
    code: FactorCode | None = Field(
        default=None, description="of the authenticator, if there is one"
    )


class Refresh(BaseModel):
    model_config = ConfigDict(extra="forbid")

    refresh_token: Annotated[str, Field(min_length=1, max_length=200)]


class Tokens(BaseModel):
    """What a sign-in gives. The refresh token works once; the answer to it brings the next one."""

    access_token: str
    token_type: str = "Bearer"  # noqa: S105 - RFC 6750
    expires_in: int = Field(description="seconds", examples=[600])
    refresh_token: str
    session_id: UUID
    account_id: UUID
    must: list[Must] = Field(
        description="to be done first; until then the access token carries no role"
    )


class SessionView(BaseModel):
    id: UUID
    started_at: datetime
    last_used_at: datetime
    source_address: str | None
    current: bool


class Me(BaseModel):
    """Who one is, as the tokens in use say it."""

    id: str
    login: str | None
    name_zh: str | None
    name_en: str | None
    unit: str | None
    language: str | None
    roles: list[str] = Field(description="what this token allows")
    must: list[Must]
    session_id: str | None
