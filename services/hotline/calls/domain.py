"""The rules of a call: ringing, answered, ended, and what came of it."""

from datetime import datetime, timedelta
from enum import StrEnum

from services.hotline.calls.errors import CallBeganInFuture, CallStateForbids

CLOCK_TOLERANCE = timedelta(seconds=30)
"""The exchange's clock may run that far ahead of ours."""


class Direction(StrEnum):
    INBOUND = "inbound"
    OUTBOUND = "outbound"


class CallState(StrEnum):
    RINGING = "ringing"
    ANSWERED = "answered"
    ENDED = "ended"


class CallOutcome(StrEnum):
    """What came of a call, the weightiest last."""

    NONE = "none"
    APPENDED = "appended"
    ANSWERED = "answered"
    REFERRED = "referred"
    TICKET = "ticket"


_ALLOWED = {
    CallState.RINGING: ["answer", "end"],
    CallState.ANSWERED: ["end"],
    CallState.ENDED: [],
}
_WEIGHT = {outcome: weight for weight, outcome in enumerate(CallOutcome)}


def allowed_actions(state: CallState) -> list[str]:
    return list(_ALLOWED[state])


def check_allowed(state: CallState, action: str) -> None:
    """Refuse what a call in this state does not allow.

    Raises:
        CallStateForbids: naming what it does allow.
    """
    allowed = _ALLOWED[state]
    if action not in allowed:
        raise CallStateForbids(
            f"The call is {state}; allowed now: {', '.join(allowed) or 'nothing more'}.",
            state=state.value,
            allowed=allowed,
        )


def weightier(one: CallOutcome, other: CallOutcome) -> CallOutcome:
    """Of two results of one call the one that it counts as."""
    return max(one, other, key=_WEIGHT.__getitem__)


def beginning(started_at: datetime | None, now: datetime) -> datetime:
    """When a call began to ring.

    Raises:
        CallBeganInFuture: farther ahead than clocks differ.
    """
    if started_at is None:
        return now
    if started_at > now + CLOCK_TOLERANCE:
        raise CallBeganInFuture("`started_at` lies in the future: set the exchange's clock.")
    return min(started_at, now)
