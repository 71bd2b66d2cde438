"""The rules of counting, against a clock kept minute by minute."""

from dataclasses import replace
from datetime import datetime, timedelta
from fractions import Fraction
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.dispatch.clocks.domain import (
    Charge,
    ClockRules,
    Light,
    Segment,
    SegmentKind,
    Span,
    charge_of,
    continues_clock,
    continuous_counterpart,
    counted_segments,
    deadline_of,
    deadline_over,
    light,
    paused_time,
    read_clock,
    whole_deadline,
)
from shared.events.vocabulary import DispatchReason
from shared.worktime import Limit, LimitKind, load_calendar
from tests.dispatch.minutes import FULL_DAY, MINUTE, CaseLog, count, reach, worked

CALENDAR = load_calendar(Path(__file__).parents[3] / "packs" / "qilihe")
ZONE = ZoneInfo("Asia/Shanghai")
START = datetime(2026, 6, 1, 9, tzinfo=ZONE)
RULES = ClockRules(warn_share=Fraction(1, 5))
REASONS = {
    "first": DispatchReason.FIRST,
    "returned": DispatchReason.AFTER_RETURN,
    "failed": DispatchReason.AFTER_FAILED_VERIFICATION,
}
DUTY = {"a": False, "b": True}
HOUR = 60

gaps = st.integers(min_value=0, max_value=150)
steps = st.lists(
    st.tuples(
        st.sampled_from(["fail", "fail", "fail", "return", "refuse", "defer", "extend"]),
        gaps,
        gaps,
        gaps,
        st.sampled_from(["a", "a", "b"]),
    ),
    min_size=1,
    max_size=7,
)


class History:
    """A case's segments and dispatches, written down together with the log of the oracle."""

    def __init__(self) -> None:
        self.now = START
        self.log = CaseLog(START)
        self.segments: list[Segment] = []
        self.charges: list[Charge] = []
        self._begin(SegmentKind.DISPATCH)

    def wait(self, minutes: int) -> None:
        self.now += minutes * MINUTE

    def _begin(self, kind: SegmentKind) -> None:
        if self.segments:
            self.segments[-1] = replace(self.segments[-1], ended_at=self.now)
        self.segments.append(Segment(kind, "", len(self.charges), self.now, None, ""))

    def dispatch(self, unit: str, why: str) -> None:
        previous = self.charges[-1] if self.charges else None
        going_on = continues_clock(previous, unit, REASONS[why])
        limit = previous.limit if previous and going_on else Limit.parse("4 working-hours")
        charge = charge_of(
            previous, unit=unit, reason=REASONS[why], limit=limit, command_duty=DUTY[unit]
        )
        self.charges.append(charge)
        self._begin(SegmentKind.HANDLING)
        self.log.dispatched(self.now, unit, duty=DUTY[unit], why=why)
        self.log.limit = int(limit.amount * HOUR)

    def centre(self, *minutes: int) -> None:
        """Feedback is checked, sent out and looked at, as far as there are minutes for it."""
        self.log.note(self.now, "centre")
        kinds = (SegmentKind.SUPERVISION, SegmentKind.SENDING_OUT, SegmentKind.VERIFICATION)
        for kind, wait in zip(kinds, minutes, strict=False):
            self._begin(kind)
            self.wait(wait)

    def back(self) -> None:
        self._begin(SegmentKind.HANDLING)
        self.log.note(self.now, "unit")

    def await_dispatch(self) -> None:
        self._begin(SegmentKind.DISPATCH)
        self.log.note(self.now, "dispatch")

    def pause(self, minutes: int) -> None:
        self._begin(SegmentKind.DEFERRAL)
        self.log.note(self.now, "paused")
        self.wait(minutes)
        self.back()

    def release(self) -> None:
        self.charges[-1] = replace(self.charges[-1], released_at=self.now)

    def extend(self, hours: int) -> None:
        limit = self.charges[-1].limit.plus(Limit(Fraction(hours), LimitKind.WORKING_HOURS))
        self.charges[-1] = replace(self.charges[-1], limit=limit)
        self.log.limit += hours * HOUR


def live(history: History, step: str, waits: tuple[int, int, int], unit: str) -> None:
    """One thing that happens to a case that is with a unit."""
    history.wait(waits[0])
    if step == "extend":
        history.extend(1 + waits[1] % 3)
    elif step == "defer":
        history.pause(60 * waits[1])
    elif step == "refuse":
        history.centre(waits[1])
        history.back()
    elif step == "return":
        history.release()
        history.await_dispatch()
        history.wait(waits[1])
        history.dispatch(unit, "returned")
    else:
        history.centre(waits[1], waits[2], 15)
        history.await_dispatch()
        history.wait(waits[2])
        history.dispatch(history.log.dispatches[-1][0], "failed")


@given(first=st.sampled_from(["a", "b"]), wait=gaps, happenings=steps)
@settings(max_examples=150, deadline=None)
def test_every_history_counts_as_the_minutes_do(
    first: str, wait: int, happenings: list[tuple[str, int, int, int, str]]
) -> None:
    history = History()
    history.wait(wait)
    history.dispatch(first, "first")
    for step, one, two, three, unit in happenings:
        live(history, step, (one, two, three), unit)
        if history.now > START + timedelta(days=12):
            break
    number = len(history.charges)
    reading = read_clock(CALENDAR, history.segments, history.charges, number, RULES, at=history.now)
    assert reading.used == history.log.used(history.now) * MINUTE
    assert reading.allowed == history.log.limit * MINUTE
    assert reading.deadline.due_at == history.log.due()
    paused = paused_time(CALENDAR, history.segments, history.charges, number, at=history.now)
    assert paused == history.log.paused(history.now) * MINUTE


@given(
    waits=st.lists(gaps, min_size=4, max_size=4),
    resumed=st.integers(min_value=1, max_value=4000),
)
@settings(max_examples=60, deadline=None)
def test_while_put_off_nothing_counts_and_the_due_time_is_that_after_the_pause(
    waits: list[int], resumed: int
) -> None:
    history = History()
    history.wait(waits[0])
    history.dispatch("b", "first")
    history.wait(waits[1])
    history._begin(SegmentKind.DEFERRAL)
    history.log.note(history.now, "paused")
    history.log.until = history.now + resumed * MINUTE
    reading = read_clock(
        CALENDAR,
        history.segments,
        history.charges,
        1,
        RULES,
        at=history.now + min(waits[2], resumed) * MINUTE,
        resumes_at=history.log.until,
    )
    assert reading.paused
    assert reading.used == history.log.used(history.now) * MINUTE
    assert reading.deadline.due_at == history.log.due()


def _spans(parts: list[tuple[int, int]]) -> list[Span]:
    """Disjoint spans with pauses between them; the last one is open."""
    found, at = [], START
    for pause, length in parts:
        begin = at + pause * MINUTE
        at = begin + length * MINUTE
        found.append(Span(begin, at))
    found[-1] = replace(found[-1], ended_at=None)
    return found


spans = st.lists(st.tuples(st.integers(0, 700), st.integers(0, 700)), min_size=1, max_size=5).map(
    _spans
)


def _inside(span: Span, minute: datetime) -> bool:
    return span.started_at <= minute and (span.ended_at is None or minute < span.ended_at)


@given(
    spans=spans,
    amount=st.integers(min_value=1, max_value=1500),
    kind=st.sampled_from([LimitKind.WORKING_HOURS, LimitKind.WORKING_DAYS, LimitKind.HOURS]),
)
@settings(max_examples=150, deadline=None)
def test_a_limit_runs_out_where_the_minutes_say(
    spans: list[Span], amount: int, kind: LimitKind
) -> None:
    unit = FULL_DAY if kind is LimitKind.WORKING_DAYS else HOUR
    limit = Limit(Fraction(amount, unit), kind)

    def counts(minute: datetime) -> bool:
        during = any(_inside(span, minute) for span in spans)
        return during and (kind.continuous or worked(minute))

    deadline = deadline_over(CALENDAR, spans, limit, Fraction(1, 5))
    begin = spans[0].started_at
    assert deadline.due_at == reach(begin, amount, counts)
    if amount % 5 == 0:
        assert deadline.warn_at == reach(begin, amount * 4 // 5, counts)


@given(
    limits=st.lists(st.integers(1, 300), min_size=1, max_size=6),
    pauses=spans,
    unlimited=st.booleans(),
)
@settings(max_examples=100, deadline=None)
def test_the_whole_is_the_sum_of_its_stages_without_the_pauses(
    limits: list[int], pauses: list[Span], *, unlimited: bool
) -> None:
    ended = pauses[:-1]
    given_limits = [Limit(Fraction(amount, HOUR), LimitKind.WORKING_HOURS) for amount in limits]
    stages = [*given_limits, None] if unlimited else given_limits

    def counts(minute: datetime) -> bool:
        return worked(minute) and not any(_inside(pause, minute) for pause in ended)

    deadline = whole_deadline(CALENDAR, START, stages, ended, RULES)
    assert deadline is not None
    expected = reach(START, sum(limits), counts)
    # A stage that ends where a pause begins may be told as the end of the pause; no minute differs.
    assert count(START, deadline.due_at, counts) == count(START, expected, counts)
    assert deadline.due_at >= expected
    assert whole_deadline(CALENDAR, START, stages, pauses, RULES) is None


class TestLight:
    WARN, DUE = START, START + timedelta(minutes=30)

    @pytest.mark.parametrize(
        ("seconds", "expected"),
        [
            (-1, Light.GREEN),
            (0, Light.YELLOW),
            (1800, Light.YELLOW),
            (1801, Light.RED),
        ],
    )
    def test_it_turns_at_its_instants(self, seconds: int, expected: Light) -> None:
        assert light(self.WARN, self.DUE, START + timedelta(seconds=seconds)) is expected

    def test_without_a_limit_there_is_none(self) -> None:
        assert light(None, None, START) is Light.NONE


def test_a_stage_without_limit_has_no_deadline() -> None:
    assert deadline_of(CALENDAR, START, None, RULES) is None


@pytest.mark.parametrize(
    ("limit", "expected"),
    [
        ("4 working-hours", "4 hours"),
        ("2 working-days", "2 days"),
        ("90 minutes", "90 minutes"),
        ("2 hours", "2 hours"),
    ],
)
def test_urgent_limits_run_day_and_night(limit: str, expected: str) -> None:
    assert str(continuous_counterpart(Limit.parse(limit))) == expected


def test_a_unit_back_after_another_begins_anew() -> None:
    history = History()
    history.dispatch("a", "first")
    for unit in ("b", "a"):
        history.wait(30)
        history.release()
        history.await_dispatch()
        history.dispatch(unit, "returned")
    assert [charge.run for charge in history.charges] == [1, 2, 3]


def test_the_number_of_the_dispatch_from_which_all_counts_is_a_parameter() -> None:
    history = History()
    history.dispatch("a", "first")
    history.wait(10)
    history.centre(10, 10, 10)
    history.await_dispatch()
    history.dispatch("a", "failed")
    by_default = counted_segments(history.segments, history.charges, 2, RULES)
    strict = replace(RULES, whole_time_from=2)
    from_second = counted_segments(history.segments, history.charges, 2, strict)
    assert len(by_default) == 2
    assert len(from_second) == 6
