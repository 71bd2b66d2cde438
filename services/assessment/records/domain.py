"""What a fact about a case says for the figures of units: one record of fixed width.

Instants are whole microseconds since 1970 in UTC, spans whole counted seconds as the clock of the
case gave them; nothing is counted here again.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from functools import singledispatch
from hashlib import blake2b
from typing import TYPE_CHECKING
from uuid import UUID

import numpy as np
import numpy.typing as npt

from services.assessment.scoring.domain import NEVER
from shared.events.dispatch import (
    CaseClosed,
    CaseDispatched,
    CaseHandled,
    CaseVerified,
    CaseVoided,
    DeadlinesMoved,
    DeferralDecided,
    DeferralEnded,
    ExtensionDecided,
    FeedbackRefused,
    ReturnDecided,
)
from shared.events.vocabulary import ClockReading, DispatchReason

if TYPE_CHECKING:
    from shared.events.envelope import Event

GREATEST_SPAN = int(np.iinfo(np.int32).max)
GREATEST_NUMBER = int(np.iinfo(np.uint16).max)
COHORT_BITS = 18
"""Of an id that begins with milliseconds in 48 bits these are steps of some twelve days."""

RECORDED_TYPES = frozenset(
    event.TYPE
    for event in (
        CaseDispatched,
        CaseHandled,
        FeedbackRefused,
        CaseVerified,
        CaseClosed,
        CaseVoided,
        ReturnDecided,
        ExtensionDecided,
        DeferralDecided,
        DeferralEnded,
        DeadlinesMoved,
    )
)
"""Types of events that records are made of."""

_BITS_OF_AN_ID = 128
_NO_SPAN = -1
_LOW_HALF = 2**64 - 1
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

RECORD = np.dtype(
    [
        ("case_high", "<u8"),
        ("case_low", "<u8"),
        ("unit", "<u8"),
        ("at", "<i8"),
        ("due_at", "<i8"),
        ("sequence", "<u4"),
        ("limit_seconds", "<i4"),
        ("used_seconds", "<i4"),
        ("paused_seconds", "<i4"),
        ("added_seconds", "<i4"),
        ("assignment", "<u2"),
        ("fact", "u1"),
        ("version", "u1"),
    ]
)
"""One fact: 64 bytes, the same on every machine.

Fields:
    case_high, case_low: the two halves of the case's id; together they sort as ids do.
    unit: `unit_key` of the unit.
    at: when it happened; for a closing, when the case was closed.
    due_at: when the limit runs out after this fact; `NEVER` where the fact says nothing of it.
    sequence: of the event among those of its case.
    limit_seconds: as dispatched, or as a changed calendar made it; extensions granted before
        included; -1 for none.
    used_seconds, paused_seconds: the clock of the unit at this fact; -1 where it was not read.
    added_seconds: by a granted extension.
    assignment: number of the case's latest dispatch.
    fact: a code of `Fact`.
    version: of the event's type; of two tellings of one fact the newer one counts.
"""

Records = npt.NDArray[np.void]


class Fact(IntEnum):
    """What a record tells. The codes are stored and never change their meaning."""

    DISPATCHED_ANEW = 1
    DISPATCHED_AFTER_RETURN = 2
    DISPATCHED_AFTER_FAILURE = 3
    CLOCK_READ = 10
    FEEDBACK_REFUSED = 11
    RETURN_GRANTED = 12
    RETURN_REFUSED = 13
    EXTENSION_GRANTED = 14
    DEFERRAL_GRANTED = 15
    DEFERRAL_ENDED = 16
    CLOSED = 17
    VOIDED = 18
    DEADLINES_MOVED = 19


_DISPATCHES = {
    DispatchReason.AFTER_RETURN: Fact.DISPATCHED_AFTER_RETURN,
    DispatchReason.AFTER_FAILED_VERIFICATION: Fact.DISPATCHED_AFTER_FAILURE,
}


def unit_key(code: str) -> int:
    """A unit's code as a number of 63 bits, the same in every city and on every machine."""
    return int.from_bytes(blake2b(code.encode(), digest_size=8).digest(), "big") >> 1


def microseconds(instant: datetime) -> int:
    """Whole microseconds since 1970 in UTC; exact."""
    return (instant - _EPOCH) // _MICROSECOND


def instant(moment: int) -> datetime | None:
    """The instant of so many microseconds since 1970; None for `NEVER`."""
    return None if moment == NEVER else _EPOCH + moment * _MICROSECOND


def case_halves(case_id: UUID) -> tuple[int, int]:
    return case_id.int >> 64, case_id.int & _LOW_HALF


def record_of(
    event: "Event", *, case_id: UUID, sequence: int, at: datetime
) -> tuple[int, ...] | None:
    """The record of a fact about a case, field by field; None if no figure of a unit needs it.

    Args:
        event: what was told.
        case_id: the case it was told about.
        sequence: of the event among those of the case.
        at: when it happened.
    """
    told = _told(event)
    if told is None:
        return None
    high, low = case_halves(case_id)
    moment = event.closed_at if isinstance(event, CaseClosed) else at
    due_at, clock = told.due_at, told.clock
    return (
        high,
        low,
        unit_key(told.unit) if told.unit is not None else 0,
        microseconds(moment),
        NEVER if due_at is None else microseconds(due_at),
        sequence,
        _NO_SPAN if told.limit_seconds is None else _span(told.limit_seconds),
        _NO_SPAN if told.used_seconds is None else _span(told.used_seconds),
        _NO_SPAN if clock is None else _span(clock.paused_seconds),
        _span(told.added_seconds),
        min(told.assignment, GREATEST_NUMBER),
        told.fact,
        int(event.TYPE.rpartition(".v")[2]),
    )


def cohort_of(case_id: UUID) -> int:
    """The cohort of a case: its first bits, which for our ids are the days in which it began.

    All records of a case are in one cohort, so that cohorts can be folded one by one.
    """
    return case_id.int >> _BITS_OF_AN_ID - COHORT_BITS


def cohort_bounds(cohort: int) -> tuple[UUID, UUID]:
    """The smallest and the greatest id of the cases of a cohort."""
    shift = _BITS_OF_AN_ID - COHORT_BITS
    return UUID(int=cohort << shift), UUID(int=((cohort + 1) << shift) - 1)


def records(rows: list[tuple[int, ...]]) -> Records:
    """Records as one array, in the order given."""
    return np.array(rows, dtype=RECORD)


@dataclass(frozen=True, slots=True)
class _Told:
    fact: Fact
    assignment: int
    unit: str | None = None
    clock: ClockReading | None = None
    due_at: datetime | None = None
    limit_seconds: int | None = None
    used_seconds: int | None = None
    added_seconds: int = 0


@singledispatch
def _told(_event: object) -> _Told | None:
    """What a record of the event says; most events say nothing about a unit's figures."""
    return None


@_told.register
def _(event: CaseDispatched) -> _Told | None:
    return _Told(
        _DISPATCHES.get(event.reason, Fact.DISPATCHED_ANEW),
        event.assignment,
        unit=event.unit,
        due_at=event.due_at,
        limit_seconds=event.limit_seconds,
        used_seconds=event.used_seconds,
    )


@_told.register(CaseHandled)
@_told.register(CaseVerified)
def _(event: CaseHandled | CaseVerified) -> _Told | None:
    return _read(Fact.CLOCK_READ, event.clock)


@_told.register
def _(event: FeedbackRefused) -> _Told | None:
    return _Told(Fact.FEEDBACK_REFUSED, event.assignment)


@_told.register
def _(event: ReturnDecided) -> _Told | None:
    fact = Fact.RETURN_GRANTED if event.granted else Fact.RETURN_REFUSED
    return _read(fact, event.clock)


@_told.register
def _(event: ExtensionDecided) -> _Told | None:
    if not event.granted:
        return _read(Fact.CLOCK_READ, event.clock)
    due_at = event.new_due_at or event.clock.due_at
    return _read(Fact.EXTENSION_GRANTED, event.clock, due_at, event.added_seconds or 0)


@_told.register
def _(event: DeferralDecided) -> _Told | None:
    if not event.granted:
        return _read(Fact.CLOCK_READ, event.clock)
    return _read(Fact.DEFERRAL_GRANTED, event.clock, event.new_due_at or event.until)


@_told.register
def _(event: DeferralEnded) -> _Told | None:
    return _read(Fact.DEFERRAL_ENDED, event.clock, event.clock.due_at)


@_told.register
def _(event: CaseClosed) -> _Told | None:
    return _read(Fact.CLOSED, event.clock)


@_told.register
def _(event: DeadlinesMoved) -> _Told | None:
    if not event.assignment or event.due_at is None:
        return None  # only the times of the centre have moved
    return _Told(
        Fact.DEADLINES_MOVED,
        event.assignment,
        due_at=event.due_at,
        limit_seconds=event.limit_seconds,
    )


@_told.register
def _(_event: CaseVoided) -> _Told | None:
    return _Told(Fact.VOIDED, 0)


def _read(
    fact: Fact, clock: ClockReading, due_at: datetime | None = None, added_seconds: int = 0
) -> _Told:
    return _Told(
        fact,
        clock.assignment,
        clock=clock,
        due_at=due_at,
        used_seconds=clock.used_seconds,
        added_seconds=added_seconds,
    )


def _span(seconds: int) -> int:
    """Seconds as a record keeps them: sixty-eight years and everything above."""
    return min(seconds, GREATEST_SPAN)
