"""Which deadlines another calendar moves: columns against one clock after the other."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from fractions import Fraction
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from services.dispatch.clocks.domain import ClockRules, Span, deadline_over, whole_deadline
from services.dispatch.recomputation.domain import (
    ClockQuestion,
    moved,
    sum_in_columns,
)
from shared.worktime import Limit, LimitKind, load_calendar
from tests.shared.worktime.calendars import with_day_off

CALENDAR = load_calendar(Path(__file__).parents[3] / "packs" / "qilihe")
BEGIN = datetime.fromisoformat("2026-06-01T09:00:00+08:00")
SHARE = Fraction(1, 5)
LIMITS = [
    Limit(Fraction(amount), kind)
    for amount, kind in (
        (Fraction(1, 2), LimitKind.WORKING_HOURS),
        (Fraction(26), LimitKind.WORKING_HOURS),
        (Fraction(7), LimitKind.WORKING_DAYS),
        (Fraction(30), LimitKind.HOURS),
    )
]


def _spans(parts: list[tuple[int, int]]) -> list[Span]:
    found, at = [], BEGIN
    for pause, length in parts:
        begin = at + timedelta(minutes=pause)
        at = begin + timedelta(minutes=length)
        found.append(Span(begin, at))
    found[-1] = replace(found[-1], ended_at=None)
    return found


spans = st.lists(
    st.tuples(st.integers(0, 3_000), st.integers(0, 3_000)), min_size=1, max_size=4
).map(_spans)


@given(
    clocks=st.lists(st.tuples(spans, st.sampled_from(LIMITS)), min_size=1, max_size=12),
    day=st.integers(1, 20),
)
@settings(max_examples=100, deadline=None)
def test_a_clock_is_named_if_and_only_if_its_deadline_moves(
    clocks: list[tuple[list[Span], Limit]], day: int
) -> None:
    other = with_day_off(CALENDAR, date(2026, 6, day))
    stored = [deadline_over(CALENDAR, one, limit, SHARE) for one, limit in clocks]
    new = [deadline_over(other, one, limit, SHARE) for one, limit in clocks]
    questions = [
        ClockQuestion(one, limit, old.warn_at, old.due_at, old.provisional)
        for (one, limit), old in zip(clocks, stored, strict=True)
    ]
    assert moved(CALENDAR, questions, SHARE) == [False] * len(questions)
    assert moved(other, questions, SHARE) == [a != b for a, b in zip(stored, new, strict=True)]


@given(
    limits=st.lists(st.sampled_from(LIMITS[:3]), min_size=1, max_size=6),
    wait=st.integers(0, 5_000),
)
@settings(max_examples=60, deadline=None)
def test_stages_one_after_the_other_are_one_limit(limits: list[Limit], wait: int) -> None:
    start = BEGIN + timedelta(minutes=wait)
    whole = whole_deadline(CALENDAR, start, limits, [], ClockRules(SHARE))
    one = sum_in_columns(CALENDAR, limits)
    assert whole is not None
    assert one is not None
    assert deadline_over(CALENDAR, [Span(start, None)], one, SHARE).due_at == whole.due_at


def test_limits_of_different_kinds_are_not_one() -> None:
    assert sum_in_columns(CALENDAR, [LIMITS[0], LIMITS[3]]) is None
    assert sum_in_columns(CALENDAR, []) is None
