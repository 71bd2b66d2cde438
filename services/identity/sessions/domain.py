"""How long a session lasts, and what must be done before it gives rights."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class Must(StrEnum):
    """What somebody has to do first; until then their tokens carry no role."""

    CHANGE_PASSWORD = "change-password"  # noqa: S105 - the name of a duty
    ENROL_SECOND_FACTOR = "enrol-second-factor"


class EndReason(StrEnum):
    SIGNED_OUT = "signed-out"
    IDLE = "idle"
    TOO_LONG = "too-long"
    REPLAYED = "replayed"
    REVOKED = "revoked"


@dataclass(frozen=True)
class SessionLimits:
    """How long a session may last.

    Attributes:
        idle: a session not refreshed for longer is over.
        absolute: a session older than this is over, however busy.
    """

    idle: timedelta
    absolute: timedelta


def reason_to_end(
    *,
    started_at: datetime,
    last_used_at: datetime,
    revoked_at: datetime | None,
    now: datetime,
    limits: SessionLimits,
) -> EndReason | None:
    """Why a session is over now, or None while it goes on.

    Args:
        started_at: when the password was given.
        last_used_at: the last refresh.
        revoked_at: sessions of the account begun up to then were ended.
        now: the present.
        limits: of this installation.
    """
    if revoked_at is not None and started_at <= revoked_at:
        return EndReason.REVOKED
    if now - started_at > limits.absolute:
        return EndReason.TOO_LONG
    if now - last_used_at > limits.idle:
        return EndReason.IDLE
    return None


def new_refresh_token() -> str:
    return secrets.token_urlsafe(32)


def refresh_digest(token: str) -> str:
    """What is stored of a refresh token; 256 random bits need no slow hash."""
    return hashlib.sha256(token.encode()).hexdigest()
