"""The clock of a case: which spans of time count for whom, and when a limit runs out.

A case's time is cut into segments without gaps: waiting for dispatch, with a unit, put off,
checked, sent out, verified, waiting for closing. Deadlines, lights and the figures in events are
all computed from these segments by the functions below; nothing else counts time. How much time
a segment holds is the calendar's business (`shared.worktime`).

The rules of counting for a unit:

- Its own handling counts; time with the centre and the collectors does not.
- A return granted and dispatched to the same unit goes on with the time used; another unit
  begins anew.
- The second dispatch after a failed verification adds the unit's two handling spans; from the
  third on (`ClockRules.whole_time_from`) everything since the first dispatch of that run counts,
  until the end.
- A unit with command duty has the wait for its dispatch on its own clock.
- A granted deferral stops the clock until its date; an undecided request stops nothing.
- A reopened case begins a new run: what was verified and closed is not held against the unit twice.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from fractions import Fraction
from functools import lru_cache

from shared.events.vocabulary import DispatchReason
from shared.worktime import Calendar, Limit, LimitKind, WorkingDayRule

LIMITS_KEPT = 1_024
"""Limits whose part before the warning is worked out once: a city has a few dozen of them."""

_HOUR = timedelta(hours=1)
_MICROSECOND = timedelta(microseconds=1)


class SegmentKind(StrEnum):
    """Where a case can be."""

    DISPATCH = "dispatch"
    COORDINATION = "coordination"
    HANDLING = "handling"
    DEFERRAL = "deferral"
    SUPERVISION = "supervision"
    SENDING_OUT = "sending-out"
    VERIFICATION = "verification"
    CLOSING = "closing"


class CountRule(StrEnum):
    """Why a segment counts for a unit."""

    OWN_HANDLING = "own-handling"
    COMMAND_DUTY = "command-duty"
    WHOLE_TIME = "whole-time"


class Light(StrEnum):
    """How much of a limit is left; never stored, because it changes with nothing but time."""

    GREEN = "green"
    YELLOW = "yellow"
    RED = "red"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class ClockRules:
    """Parameters of counting.

    Attributes:
        warn_share: the last share of a limit, in which the light is yellow.
        whole_time_from: the dispatch of a run from which on everything counts.
    """

    warn_share: Fraction
    whole_time_from: int = 3


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of a case's life in one place.

    Attributes:
        holder: code of the unit, or the post of the centre, where the case lies.
        assignment: number of the latest dispatch when it began; 0 before the first.
        ended_at: None while it lasts.
        reason: what began it.
        limited: whether the stage has a limit at all.
    """

    kind: SegmentKind
    holder: str
    assignment: int
    started_at: datetime
    ended_at: datetime | None
    reason: str
    limited: bool = True


@dataclass(frozen=True, slots=True)
class Charge:
    """A dispatch as the clock sees it.

    Attributes:
        number: n-th dispatch of the case.
        run: number of the dispatch with which the unit's clock began.
        repeat: n-th dispatch of the run, counted by failed verifications.
        limit: extensions included.
        released_at: when the case left the unit for good, by return, closing or voiding.
    """

    number: int
    unit: str
    run: int
    repeat: int
    limit: Limit
    command_duty: bool
    released_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Span:
    """Time that counts, from one instant to another or to no end yet."""

    started_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class Counted:
    """A segment that counts for a unit, and the rule that makes it count."""

    segment: Segment
    rule: CountRule

    @property
    def span(self) -> Span:
        return Span(self.segment.started_at, self.segment.ended_at)


@dataclass(frozen=True, slots=True)
class Deadline:
    """When a limit turns yellow and when it runs out."""

    warn_at: datetime
    due_at: datetime
    provisional: bool


@dataclass(frozen=True, slots=True)
class Reading:
    """A unit's handling clock at an instant.

    Attributes:
        used: counted time so far.
        allowed: the limit in counted time, extensions included.
        deadline: as things stand; while put off, as it will be after the pause.
        paused: put off, so that nothing counts now.
    """

    charge: Charge
    used: timedelta
    allowed: timedelta
    deadline: Deadline
    paused: bool


def light(warn_at: datetime | None, due_at: datetime | None, now: datetime) -> Light:
    """The light of a limit; what is done at the very instant it is due is in time."""
    if due_at is None:
        return Light.NONE
    if now > due_at:
        return Light.RED
    return Light.YELLOW if warn_at is not None and now >= warn_at else Light.GREEN


def continuous_counterpart(limit: Limit) -> Limit:
    """The limit of an urgent case: the same amount, day and night."""
    kinds = {LimitKind.WORKING_HOURS: LimitKind.HOURS, LimitKind.WORKING_DAYS: LimitKind.DAYS}
    return Limit(limit.amount, kinds.get(limit.kind, limit.kind))


def continues_clock(previous: Charge | None, unit: str, reason: DispatchReason) -> bool:
    """Whether a dispatch goes on with the clock of the one before it."""
    going_on = reason in {DispatchReason.AFTER_RETURN, DispatchReason.AFTER_FAILED_VERIFICATION}
    return going_on and previous is not None and previous.unit == unit


def charge_of(
    previous: Charge | None,
    *,
    unit: str,
    reason: DispatchReason,
    limit: Limit,
    command_duty: bool,
) -> Charge:
    """The next dispatch of a case, on a new clock or on that of the one before it.

    Args:
        previous: the dispatch before, if any.
        unit: code of the unit.
        reason: why the case is dispatched now.
        limit: for a clock that goes on, the whole limit of that clock.
        command_duty: whether the unit has the wait for dispatch on its clock.
    """
    number = 1 if previous is None else previous.number + 1
    if previous is None or not continues_clock(previous, unit, reason):
        return Charge(number, unit, number, 1, limit, command_duty)
    repeated = reason is DispatchReason.AFTER_FAILED_VERIFICATION
    return Charge(number, unit, previous.run, previous.repeat + repeated, limit, command_duty)


def counted_segments(
    segments: Sequence[Segment], charges: Sequence[Charge], number: int, rules: ClockRules
) -> list[Counted]:
    """The segments on the clock of a dispatch, oldest first, each with the rule that puts it there.

    Args:
        segments: of the case, oldest first.
        charges: the dispatches of the case, the first one first.
        number: which dispatch is asked about.
        rules: parameters.
    """
    charge = charges[number - 1]
    run = [item.number for item in charges if item.run == charge.run and item.number <= number]
    whole = charge.repeat >= rules.whole_time_from
    found = []
    for segment in segments:
        rule = _rule_for(segment, charge, run, whole=whole)
        if rule is not None:
            found.append(Counted(segment, rule))
    return found


def _rule_for(segment: Segment, charge: Charge, run: list[int], *, whole: bool) -> CountRule | None:
    if whole and run[0] <= segment.assignment <= charge.number:
        released = charge.released_at is not None and segment.started_at >= charge.released_at
        paused = segment.kind is SegmentKind.DEFERRAL
        return None if released or paused else CountRule.WHOLE_TIME
    if segment.kind is SegmentKind.HANDLING and segment.assignment in run:
        return CountRule.OWN_HANDLING
    waits_for_it = segment.kind is SegmentKind.DISPATCH and segment.assignment + 1 in run
    return CountRule.COMMAND_DUTY if charge.command_duty and waits_for_it else None


def read_clock(
    calendar: Calendar,
    segments: Sequence[Segment],
    charges: Sequence[Charge],
    number: int,
    rules: ClockRules,
    *,
    at: datetime,
    resumes_at: datetime | None = None,
) -> Reading:
    """A unit's clock as it stands at an instant.

    Args:
        calendar: of the city.
        segments: of the case, oldest first.
        charges: the dispatches of the case.
        number: which dispatch.
        rules: parameters.
        at: not before the last segment's beginning.
        resumes_at: end of the pause, while the case is put off.
    """
    charge = charges[number - 1]
    spans = counted_spans(segments, charges, number, rules, resumes_at=resumes_at)
    last = segments[-1]
    paused = last.kind is SegmentKind.DEFERRAL and last.ended_at is None
    kind = charge.limit.kind
    deadline = deadline_over(calendar, spans, charge.limit, rules.warn_share)
    return Reading(
        charge=charge,
        used=counted_time(calendar, spans, kind, at),
        allowed=_allowed(calendar, spans, charge.limit, deadline.due_at),
        deadline=deadline,
        paused=paused,
    )


def counted_spans(
    segments: Sequence[Segment],
    charges: Sequence[Charge],
    number: int,
    rules: ClockRules,
    *,
    resumes_at: datetime | None = None,
) -> list[Span]:
    """The time on the clock of a dispatch, touching spans made one.

    While the case is put off, what follows the end of the pause at `resumes_at` is the last span.
    """
    spans = merged(item.span for item in counted_segments(segments, charges, number, rules))
    last = segments[-1]
    if last.kind is SegmentKind.DEFERRAL and last.ended_at is None and resumes_at is not None:
        spans.append(Span(resumes_at, None))
    return spans


def deadline_of(
    calendar: Calendar, started_at: datetime, limit: Limit | None, rules: ClockRules
) -> Deadline | None:
    """When a stage that began at `started_at` runs out; None for a stage without limit."""
    if limit is None:
        return None
    return deadline_over(calendar, [Span(started_at, None)], limit, rules.warn_share)


def whole_deadline(
    calendar: Calendar,
    started_at: datetime,
    limits: Iterable[Limit | None],
    pauses: Sequence[Span],
    rules: ClockRules,
) -> Deadline | None:
    """When the whole way of a case runs out: the limits of its stages one after the other.

    Args:
        calendar: of the city.
        started_at: registration, or the reopening.
        limits: of the stages in their order; None for a stage without limit.
        pauses: time that does not count: deferrals, and stages without a limit. The last may
            be open; then there is no deadline for now.
        rules: parameters.
    """
    if any(pause.ended_at is None for pause in pauses):
        return None
    given = [limit for limit in limits if limit is not None]
    spans = without_pauses(started_at, pauses)
    due, provisional = _reach_in_turn(calendar, spans, given)
    warn, _ = _reach_in_turn(
        calendar, spans, [_until_warning(limit, rules.warn_share) for limit in given]
    )
    return Deadline(warn, due, provisional)


def deadline_over(
    calendar: Calendar, spans: Sequence[Span], limit: Limit, warn_share: Fraction
) -> Deadline:
    """When a limit has been used up over these spans; the last one counts on without end."""
    due, provisional = _reach(calendar, spans, limit)
    nth_day = calendar.rules.working_day is WorkingDayRule.END_OF_NTH_DAY
    if limit.kind is LimitKind.WORKING_DAYS and nth_day:
        allowed = counted_time(calendar, _open_ended(spans), limit.kind, due)
        limit = Limit(
            Fraction(allowed // _MICROSECOND, _HOUR // _MICROSECOND), LimitKind.WORKING_HOURS
        )
    warn, _ = _reach(calendar, spans, _until_warning(limit, warn_share))
    return Deadline(warn, due, provisional)


def counted_time(
    calendar: Calendar, spans: Sequence[Span], kind: LimitKind, at: datetime
) -> timedelta:
    """Time of the spans until `at`, as a limit of `kind` counts it."""
    total = timedelta(0)
    for span in spans:
        end = at if span.ended_at is None else min(span.ended_at, at)
        if end > span.started_at:
            total += calendar.elapsed_under(kind, span.started_at, end, provisional=True)
    return total


def paused_time(
    calendar: Calendar,
    segments: Sequence[Segment],
    charges: Sequence[Charge],
    number: int,
    *,
    at: datetime,
) -> timedelta:
    """Time for which granted deferrals stopped the clock of a dispatch, as its limit counts it.

    Args:
        calendar: of the city.
        segments: of the case, oldest first.
        charges: the dispatches of the case.
        number: which dispatch; pauses of earlier ones on the same clock are among them.
        at: a pause that still lasts is counted until then.
    """
    charge = charges[number - 1]
    run = {item.number for item in charges if item.run == charge.run and item.number <= number}
    pauses = [
        Span(segment.started_at, segment.ended_at)
        for segment in segments
        if segment.kind is SegmentKind.DEFERRAL and segment.assignment in run
    ]
    return counted_time(calendar, pauses, charge.limit.kind, at)


def merged(spans: Iterable[Span]) -> list[Span]:
    """The same time with touching spans made one."""
    found: list[Span] = []
    for span in spans:
        if found and found[-1].ended_at == span.started_at:
            found[-1] = replace(found[-1], ended_at=span.ended_at)
        else:
            found.append(span)
    return found


@lru_cache(maxsize=LIMITS_KEPT)
def _until_warning(limit: Limit, warn_share: Fraction) -> Limit:
    """The part of a limit before its light turns yellow."""
    return limit.scaled(1 - warn_share)


def _allowed(
    calendar: Calendar, spans: Sequence[Span], limit: Limit, due_at: datetime
) -> timedelta:
    """A limit in counted time; how long a working day is depends on the days it falls on."""
    if limit.kind is not LimitKind.WORKING_DAYS:
        return timedelta(microseconds=limit.microseconds)
    return counted_time(calendar, _open_ended(spans), limit.kind, due_at)


def _open_ended(spans: Sequence[Span]) -> list[Span]:
    return [*spans[:-1], replace(spans[-1], ended_at=None)]


def _reach(calendar: Calendar, spans: Sequence[Span], limit: Limit) -> tuple[datetime, bool]:
    """The instant at which a limit is used up, and whether it rests on holidays not known yet."""
    *earlier, last = spans
    provisional = False
    for span in earlier:
        due = calendar.due(span.started_at, limit, provisional=True)
        if span.ended_at is None or due.instant <= span.ended_at:
            return due.instant, provisional or due.provisional
        used = calendar.used(limit.kind, span.started_at, span.ended_at, provisional=True)
        provisional |= not limit.continuous and calendar.is_provisional(
            span.started_at, span.ended_at
        )
        limit = limit.minus(used)
    due = calendar.due(last.started_at, limit, provisional=True)
    return due.instant, provisional or due.provisional


def _reach_in_turn(
    calendar: Calendar, spans: Sequence[Span], limits: Iterable[Limit]
) -> tuple[datetime, bool]:
    instant, provisional = spans[0].started_at, False
    for limit in limits:
        instant, guessed = _reach(calendar, _from(instant, spans), limit)
        provisional |= guessed
    return instant, provisional


def _from(instant: datetime, spans: Sequence[Span]) -> list[Span]:
    """The part of the spans after an instant that lies in one of them."""
    return [
        replace(span, started_at=max(span.started_at, instant))
        for span in spans
        if span.ended_at is None or span.ended_at > instant
    ]


def without_pauses(started_at: datetime, pauses: Sequence[Span]) -> list[Span]:
    """Time from an instant on, with the pauses cut out."""
    spans, begin = [], started_at
    for pause in pauses:
        if pause.ended_at is None or pause.ended_at <= begin:
            continue
        if pause.started_at > begin:
            spans.append(Span(begin, pause.started_at))
        begin = pause.ended_at
    return [*spans, Span(begin, None)]
