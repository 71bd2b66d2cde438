"""Sessions and their refresh tokens as they are stored."""

from datetime import datetime
from uuid import UUID

from sqlmodel import Field

from services.identity.base import IdentityAggregate, IdentityTable


class Session(IdentityAggregate, table=True):
    """One sign-in; its id is the `sid` of every token that comes from it."""

    __tablename__ = "sessions"

    account_id: UUID = Field(foreign_key="accounts.id", index=True)
    started_at: datetime
    last_used_at: datetime = Field(index=True)
    ended_at: datetime | None = None
    end_reason: str | None = Field(default=None, max_length=20)
    source_address: str | None = Field(default=None, max_length=64)


class RefreshToken(IdentityTable, table=True):
    """A refresh token by its digest; each can be used once."""

    __tablename__ = "refresh_tokens"

    digest: str = Field(primary_key=True, max_length=64)
    session_id: UUID = Field(foreign_key="sessions.id", index=True)
    issued_at: datetime = Field(index=True)
    used_at: datetime | None = None
