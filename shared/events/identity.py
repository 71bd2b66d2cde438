"""What identity tells: who may sign in as what. Names and passwords stay at home."""

from typing import ClassVar
from uuid import UUID

from pydantic import Field

from shared.events.envelope import Event
from shared.events.vocabulary import Instant


class AccountChanged(Event):
    """An account was made or changed, opened or closed."""

    TYPE: ClassVar[str] = "identity.account.changed.v1"

    login: str = Field(description="account name of the city pack", examples=["collector-xz-01"])
    roles: tuple[str, ...] = Field(examples=[["collector"]])
    unit: str | None = Field(
        default=None, description="code of the unit, company or system it belongs to"
    )
    active: bool = Field(description="false: may not sign in any more")
    tokens_valid_after: Instant | None = Field(
        default=None, description="tokens issued up to this instant no longer count"
    )


class SessionEnded(Event):
    """Somebody signed out, or a session was ended for them."""

    TYPE: ClassVar[str] = "identity.account.session_ended.v1"

    session_id: UUID = Field(description="`sid` of the tokens that no longer count")
    ended_at: Instant


class OrganisationChanged(Event):
    """A unit, company or office of the city was made or changed."""

    TYPE: ClassVar[str] = "identity.organisation.changed.v1"

    code: str = Field(examples=["620103-cgj"])
    name: str = Field(examples=["城管执法局"])
    kind: str = Field(examples=["bureau"])
    active: bool = True
