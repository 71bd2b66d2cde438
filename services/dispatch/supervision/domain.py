"""The states of a supervision order, its time, and what makes two orders the same matter.

An order stands in a ledger: one matter, one entry; handed over, followed, struck off only when it
is done, and published. What may be done when is one table; what is not in it is refused.
"""

import hashlib
import unicodedata
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from services.dispatch.case_files.errors import SeparationOfDuties
from services.dispatch.clocks.domain import ClockRules, Deadline, Light, light
from services.dispatch.supervision.errors import (
    OrderDateOver,
    OrderNotAllowedNow,
    OrderSourceMissing,
    OrderSubjectMissing,
)
from shared.vocabulary import SupervisionCause
from shared.worktime import Calendar, LimitKind


class OrderState(StrEnum):
    """Where an order stands."""

    ORDERED = "ordered"
    ACKNOWLEDGED = "acknowledged"
    ANSWERED = "answered"
    SENT_BACK = "sent-back"
    ACCEPTED = "accepted"
    STRUCK_OFF = "struck-off"
    PUBLISHED = "published"


class OrderAction(StrEnum):
    """What moves an order, or needs it to stand somewhere."""

    ACKNOWLEDGE = "acknowledge"
    ANSWER = "answer"
    ACCEPT = "accept"
    SEND_BACK = "send-back"
    STRIKE_OFF = "strike-off"
    PUBLISH = "publish"
    ASK_EXTENSION = "ask-extension"
    GRANT_EXTENSION = "grant-extension"


class OrderKind(StrEnum):
    """The kinds that the trade tells apart; a kind follows from the cause."""

    TIME_OUT = "time-out"
    INSTRUCTION = "instruction"
    MEETING = "meeting"
    IMPORTANT = "important"


class ExtensionState(StrEnum):
    """What became of a problem report; `lapsed` when the unit answered before the decision."""

    ASKED = "asked"
    GRANTED = "granted"
    REFUSED = "refused"
    LAPSED = "lapsed"


INSTANT_AFTER = timedelta(microseconds=1)
"""At the due time itself all is still in time."""

S, A = OrderState, OrderAction

TRANSITIONS: Mapping[OrderAction, Mapping[OrderState, OrderState]] = {
    A.ACKNOWLEDGE: {S.ORDERED: S.ACKNOWLEDGED},
    A.ANSWER: {S.ACKNOWLEDGED: S.ANSWERED, S.SENT_BACK: S.ANSWERED},
    A.ACCEPT: {S.ANSWERED: S.ACCEPTED},
    A.SEND_BACK: {S.ANSWERED: S.SENT_BACK},
    A.STRIKE_OFF: {S.ACCEPTED: S.STRUCK_OFF},
    A.PUBLISH: {S.STRUCK_OFF: S.PUBLISHED},
    A.ASK_EXTENSION: {S.ACKNOWLEDGED: S.ACKNOWLEDGED, S.SENT_BACK: S.SENT_BACK},
    A.GRANT_EXTENSION: {S.ACKNOWLEDGED: S.ACKNOWLEDGED, S.SENT_BACK: S.SENT_BACK},
}
"""Action -> state before -> state after. What is not here is not allowed."""

OFFERED = frozenset(OrderAction) - {OrderAction.GRANT_EXTENSION}
"""An extension is granted through its problem report, which may not be there."""

AWAITING_ACKNOWLEDGEMENT = frozenset({S.ORDERED})
AWAITING_ANSWER = frozenset({S.ORDERED, S.ACKNOWLEDGED, S.SENT_BACK})
"""The unit owes something; its time runs."""
OFF_THE_LEDGER = frozenset({S.STRUCK_OFF, S.PUBLISHED})

KIND_OF: Mapping[SupervisionCause, OrderKind] = {
    SupervisionCause.RED_LIGHT: OrderKind.TIME_OUT,
    SupervisionCause.NOT_ACCEPTED: OrderKind.TIME_OUT,
    SupervisionCause.INSTRUCTION: OrderKind.INSTRUCTION,
    SupervisionCause.MEETING: OrderKind.MEETING,
    SupervisionCause.FAILED_VERIFICATION: OrderKind.IMPORTANT,
    SupervisionCause.SHIRKING: OrderKind.IMPORTANT,
    SupervisionCause.REPEATED_COMPLAINT: OrderKind.IMPORTANT,
    SupervisionCause.IMPORTANT: OrderKind.IMPORTANT,
}
QUOTED = frozenset({SupervisionCause.INSTRUCTION, SupervisionCause.MEETING})
"""Causes that have a paper behind them, whose number the order has to name."""


def allowed_order_actions(state: OrderState) -> list[str]:
    """What people may do with an order in this state, as the API names it."""
    return sorted(action.value for action in OFFERED if state in TRANSITIONS[action])


def next_order_state(state: OrderState, action: OrderAction) -> OrderState:
    """The state after an action.

    Raises:
        OrderNotAllowedNow: the table has no such step; it names the state and what is allowed.
    """
    after = TRANSITIONS[action].get(state)
    if after is None:
        allowed = allowed_order_actions(state)
        raise OrderNotAllowedNow(
            f"An order that is {state} does not allow {action}."
            f" Allowed now: {', '.join(allowed) or 'nothing'}.",
            state=state.value,
            allowed=allowed,
        )
    return after


def check_other_person(actor: str, answerers: Collection[str], deed: str) -> None:
    """Who answered an order neither judges the answer nor strikes the order off.

    Raises:
        SeparationOfDuties: `actor` is one of `answerers`.
    """
    if actor in answerers:
        raise SeparationOfDuties(f"You answered this order: {deed} is somebody else's task.")


def check_subject(
    cause: SupervisionCause,
    *,
    cases: Collection[UUID],
    title: str | None,
    source: str | None,
    reference: str | None,
) -> None:
    """An order names its matter, and the paper that it comes from.

    Raises:
        OrderSubjectMissing: neither a case nor a title.
        OrderSourceMissing: an instruction or a decision without who gave it and its number.
    """
    if not cases and not title:
        raise OrderSubjectMissing("Name the cases that the order is about, or give it a title.")
    if cause in QUOTED and not (source and reference):
        raise OrderSourceMissing(
            "Say who gave the instruction or which meeting decided (source), and the number of"
            " the paper (reference)."
        )


def matter_of(
    cause: SupervisionCause, unit: str, *, cases: Iterable[UUID], subject: str | None
) -> str:
    """The name of a matter: equal for orders that would stand in the ledger twice.

    Args:
        cause: why the unit is chased.
        unit: code of the unit.
        cases: that it is about, in any order.
        subject: the number of the paper, else the title; it counts where there is no case, and
            where a paper is followed, for two papers on one case are two matters. Width of
            characters, capitals and white space make no other matter.
    """
    listed = sorted(str(case) for case in cases)
    if not listed or cause in QUOTED:
        plain = unicodedata.normalize("NFKC", subject or "").casefold()
        listed.append("".join(plain.split()))
    text = "\x00".join([cause.value, unit, *listed])
    return hashlib.sha256(text.encode()).hexdigest()


def deadline_until(
    calendar: Calendar, started_at: datetime, due_at: datetime, rules: ClockRules
) -> Deadline:
    """The deadline of an order that is due on a date instead of after a limit.

    The light turns yellow in the last share of the working time until then; where there is no
    working time in between, in the last share of the hours.

    Raises:
        OrderDateOver: the date has come already.
    """
    if due_at <= started_at:
        raise OrderDateOver("The date by which it is to be answered has passed: name a later one.")
    for kind in (LimitKind.WORKING_HOURS, LimitKind.HOURS):
        whole = calendar.used(kind, started_at, due_at, provisional=True)
        if whole.amount:
            break
    warn = calendar.due(started_at, whole.scaled(1 - rules.warn_share), provisional=True)
    return Deadline(warn.instant, due_at, calendar.is_provisional(started_at, due_at))


def order_light(
    warn_at: datetime, due_at: datetime, answered_at: datetime | None, now: datetime
) -> Light:
    """The colour of an order: of now while the unit owes an answer, then as it was answered."""
    return light(warn_at, due_at, answered_at or now)


def check_new_date(until: datetime, due_at: datetime, now: datetime) -> None:
    """An extension leads to a later date, and one that is still to come.

    Raises:
        OrderDateOver: it does not.
    """
    if until <= max(due_at, now):
        raise OrderDateOver(
            "The date asked for is not after the present one and to come: name a later one.",
            due_at=due_at.isoformat(),
        )


class OwedStep(StrEnum):
    """What a unit owes, and may be late with."""

    ACKNOWLEDGEMENT = "acknowledgement"
    ANSWER = "answer"


def next_overdue(
    state: OrderState, *, acknowledge_due_at: datetime, due_at: datetime, told: datetime | None
) -> datetime | None:
    """The first instant at which something owed is overdue and was not told; None if nothing is.

    Args:
        state: of the order.
        acknowledge_due_at: until when it is to be acknowledged.
        due_at: until when it is to be answered.
        told: the latest due time that was told as overdue.
    """
    owed = _owed(state, acknowledge_due_at, due_at, told)
    return min((at + INSTANT_AFTER for _, at in owed), default=None)


def overdue_steps(
    state: OrderState,
    *,
    acknowledge_due_at: datetime,
    due_at: datetime,
    told: datetime | None,
    now: datetime,
) -> list[tuple[OwedStep, datetime]]:
    """What is overdue at `now` and was not told, with its due time, oldest first."""
    owed = _owed(state, acknowledge_due_at, due_at, told)
    return sorted(((step, at) for step, at in owed if at < now), key=lambda item: item[1])


def _owed(
    state: OrderState, acknowledge_due_at: datetime, due_at: datetime, told: datetime | None
) -> list[tuple[OwedStep, datetime]]:
    owed = []
    if state in AWAITING_ACKNOWLEDGEMENT:
        owed.append((OwedStep.ACKNOWLEDGEMENT, acknowledge_due_at))
    if state in AWAITING_ANSWER:
        owed.append((OwedStep.ANSWER, due_at))
    return [(step, at) for step, at in owed if told is None or at > told]
