"""The rules of calling back: at decent hours, a few times, with one result."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from services.hotline.callbacks.errors import (
    CallbackStateForbids,
    ReopeningNeedsCause,
    RetryNotPossible,
    SatisfactionMismatch,
)
from shared.events.hotline import CallbackOutcome, Satisfaction

LATEST_RETRY = timedelta(days=30)

NOT_SATISFIED = frozenset({Satisfaction.DISSATISFIED, Satisfaction.VERY_DISSATISFIED})


class CallbackState(StrEnum):
    WAITING = "waiting"
    DONE = "done"
    """The caller was spoken to."""
    REFUSED = "refused"
    UNREACHED = "unreached"
    CANCELLED = "cancelled"
    """The matter goes on, so there is no result to ask about yet."""


@dataclass(frozen=True, slots=True)
class Calling:
    """When and how often callers are rung up.

    Attributes:
        opens: no earlier in the day, by the city's clock.
        closes: not at this time or later.
        retry: pause before the next try where the caller named none.
        attempts: tries before a caller counts as not reached.
    """

    zone: ZoneInfo
    opens: time
    closes: time
    retry: timedelta
    attempts: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an attempt makes of a call-back."""

    state: CallbackState
    due_at: datetime | None

    @property
    def is_final(self) -> bool:
        return self.state != CallbackState.WAITING


def check_open(state: CallbackState) -> None:
    """Refuse what is over.

    Raises:
        CallbackStateForbids: it has its result, or was cancelled.
    """
    if state != CallbackState.WAITING:
        raise CallbackStateForbids(
            f"The call-back is {state}; nothing more can be done with it.",
            state=state.value,
            allowed=[],
        )


def decent(instant: datetime, calling: Calling) -> datetime:
    """The first instant from `instant` on at which a caller may be rung up."""
    local = instant.astimezone(calling.zone)
    if calling.opens <= local.time() < calling.closes:
        return instant
    day = local.date() if local.time() < calling.opens else local.date() + timedelta(days=1)
    return datetime.combine(day, calling.opens, calling.zone).astimezone(instant.tzinfo)


def check_attempt(
    outcome: CallbackOutcome,
    satisfaction: Satisfaction | None,
    *,
    note: str | None,
    retry_at: datetime | None,
    reopen: bool,
    now: datetime,
) -> None:
    """Refuse what does not go together.

    Raises:
        SatisfactionMismatch: of a caller who was not reached, or missing of one who was.
        RetryNotPossible: after a result, in the past, or too far ahead.
        ReopeningNeedsCause: the caller is content, or did not say why not.
    """
    if (outcome == CallbackOutcome.REACHED) != (satisfaction is not None):
        raise SatisfactionMismatch("Send `satisfaction` if, and only if, the outcome is reached.")
    if retry_at is not None:
        if outcome != CallbackOutcome.NOT_REACHED:
            raise RetryNotPossible("Only a caller who was not reached is called again.")
        if not now < retry_at <= now + LATEST_RETRY:
            raise RetryNotPossible(f"`retry_at` lies in the next {LATEST_RETRY.days} days.")
    if reopen and (satisfaction not in NOT_SATISFIED or not note):
        raise ReopeningNeedsCause(
            "Reopen for a caller who is dissatisfied, and say in `note` what is wanting."
        )


def judge(
    outcome: CallbackOutcome,
    attempt: int,
    *,
    retry_at: datetime | None,
    now: datetime,
    calling: Calling,
) -> Verdict:
    """What the n-th attempt makes of a call-back; a time that the caller named is kept to."""
    if outcome == CallbackOutcome.REACHED:
        return Verdict(CallbackState.DONE, None)
    if outcome == CallbackOutcome.REFUSED:
        return Verdict(CallbackState.REFUSED, None)
    if attempt >= calling.attempts:
        return Verdict(CallbackState.UNREACHED, None)
    return Verdict(CallbackState.WAITING, retry_at or decent(now + calling.retry, calling))
