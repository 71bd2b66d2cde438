"""Deadlines and durations agree with a map of the year that was filled minute by minute."""

from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from shared.worktime import Calendar, Limit, LimitKind, explain_due, explain_elapsed
from shared.worktime.arrays import due_many, elapsed_many, instants_from
from shared.worktime.instants import EPOCH, microseconds_of

MINUTES = 523_000
NAMES = st.sampled_from(["qilihe", "new-york", "nights"])
# Near the changes of season and clock and the long holidays as often as anywhere else.
INTERESTING = [60_000, 96_000, 171_000, 261_000, 371_000, 390_000, 393_000, 437_000]
STARTS = st.one_of(
    st.integers(0, MINUTES),
    st.tuples(st.sampled_from(INTERESTING), st.integers(-9_000, 9_000)).map(sum),
)
fast = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def days_limit(share: Fraction) -> Limit:
    return Limit(share, LimitKind.WORKING_DAYS)


@fast
@given(name=NAMES, start=STARTS, length=st.integers(0, 90_000))
def test_elapsed_counts_the_same_minutes(
    checked: dict[str, Any], name: str, start: int, length: int
) -> None:
    case = checked[name]
    end = min(start + length, MINUTES)
    assume(start <= end)

    assert case.calendar.elapsed(case.map.at(start), case.map.at(end)) == case.map.elapsed(
        start, end
    )


@fast
@given(name=NAMES, start=STARTS, minutes=st.integers(1, 20_000))
def test_working_hours_are_due_at_the_same_minute(
    checked: dict[str, Any], name: str, start: int, minutes: int
) -> None:
    case = checked[name]
    expected = case.map.due_after_minutes(start, minutes)
    assume(expected is not None)

    limit = Limit(Fraction(minutes, 60), LimitKind.WORKING_HOURS)

    assert case.calendar.due(case.map.at(start), limit).instant == case.map.at(expected)


@fast
@given(
    name=NAMES, start=STARTS, days=st.fractions(Fraction(1, 20), Fraction(12), max_denominator=20)
)
def test_working_days_are_due_where_the_shares_of_days_add_up(
    checked: dict[str, Any], name: str, start: int, days: Fraction
) -> None:
    case = checked[name]
    found = case.map.due_after_days(start, days)
    assume(found is not None)
    minute, into_it = found
    microseconds = -(-into_it * 60_000_000 // 1)
    expected = case.map.at(minute) + timedelta(microseconds=int(microseconds))

    due = case.calendar.due(case.map.at(start), days_limit(days)).instant

    assert microseconds_of(due) == microseconds_of(expected)


@fast
@given(name=NAMES, start=STARTS, length=st.integers(0, 20_000))
def test_used_working_days_are_the_sum_of_the_shares(
    checked: dict[str, Any], name: str, start: int, length: int
) -> None:
    case = checked[name]
    end = min(start + length, MINUTES)
    assume(start <= end)

    used = case.calendar.used(LimitKind.WORKING_DAYS, case.map.at(start), case.map.at(end))

    assert used.amount == case.map.days(start, end)


@fast
@given(start=STARTS, count=st.integers(1, 12), count_first=st.booleans())
def test_nth_day_ends_at_its_closing(  # noqa: PLR0917  fixtures and draws
    checked: dict[str, Any],
    qilihe_by_nth_day: Calendar,
    qilihe_counting_first_day: Calendar,
    start: int,
    count: int,
    count_first: bool,  # noqa: FBT001  drawn
) -> None:
    map_ = checked["qilihe"].map
    calendar = qilihe_counting_first_day if count_first else qilihe_by_nth_day
    expected = map_.close_of_nth_day(start, count, count_first=count_first)
    assume(expected is not None)

    due = calendar.due(map_.at(start), days_limit(Fraction(count))).instant

    assert due == map_.at(expected)


@fast
@given(name=NAMES, start=STARTS, minutes=st.integers(1, 6_000))
def test_explanation_of_a_deadline_adds_up_to_the_limit(
    checked: dict[str, Any], name: str, start: int, minutes: int
) -> None:
    case = checked[name]
    assume(case.map.due_after_minutes(start, minutes) is not None)
    limit = Limit(Fraction(minutes, 60), LimitKind.WORKING_HOURS)

    explanation = explain_due(case.calendar, case.map.at(start), limit)

    spans = [span for day in explanation.days for span in day.spans]
    assert explanation.total == timedelta(minutes=minutes)
    assert sum((span.counted for span in spans), timedelta()) == explanation.total
    assert spans[-1].end == explanation.end
    for span in spans:
        first = (microseconds_of(span.start) - microseconds_of(case.map.at(0))) // 60_000_000
        last = (microseconds_of(span.end) - microseconds_of(case.map.at(0))) // 60_000_000
        assert all(case.map.works[first:last])


@fast
@given(name=NAMES, start=STARTS, length=st.integers(0, 9_000))
def test_explanation_of_a_duration_is_the_duration(
    checked: dict[str, Any], name: str, start: int, length: int
) -> None:
    case = checked[name]
    end = min(start + length, MINUTES)
    assume(start <= end)

    explanation = explain_elapsed(case.calendar, case.map.at(start), case.map.at(end))

    assert explanation.total == case.map.elapsed(start, end)
    assert explanation.working_days == case.map.days(start, end)


@fast
@given(
    name=NAMES,
    start=st.integers(0, 300_000),
    microseconds=st.integers(0, 60_000_000),
    limit=st.fractions(0, 400, max_denominator=1_000_003),
)
def test_elapsed_until_due_is_the_limit_rounded_up_to_a_microsecond(
    checked: dict[str, Any], name: str, start: int, microseconds: int, limit: Fraction
) -> None:
    calendar = checked[name].calendar
    begin = checked[name].map.at(start) + timedelta(microseconds=microseconds)

    due = calendar.due(begin, Limit(limit, LimitKind.WORKING_HOURS)).instant
    worked = calendar.elapsed(begin, due) // timedelta(microseconds=1)

    assert worked == -(-limit * 3_600_000_000 // 1)


@fast
@given(
    name=NAMES,
    start=st.integers(0, 300_000),
    first=st.fractions(Fraction(1, 100), 60, max_denominator=100),
    second=st.fractions(Fraction(1, 100), 60, max_denominator=100),
)
def test_two_limits_one_after_the_other_are_as_long_as_their_sum(
    checked: dict[str, Any], name: str, start: int, first: Fraction, second: Fraction
) -> None:
    calendar, begin = checked[name].calendar, checked[name].map.at(start)
    one, other = (Limit(amount, LimitKind.WORKING_HOURS) for amount in (first, second))

    in_two = calendar.due(calendar.due(begin, one).instant, other).instant

    # Each limit rounds up to a whole microsecond by itself.
    difference = microseconds_of(in_two) - microseconds_of(calendar.due(begin, one.plus(other))[0])
    assert abs(difference) <= 1


LIMITS = [
    Limit.parse(text)
    for text in (
        "2 working-hours",
        "0 working-hours",
        "0.37 working-days",
        "3 working-days",
        "36 hours",
        "90 minutes",
        "13.25 working-hours",
        "0 days",
        "0 working-days",
    )
]


@pytest.mark.parametrize(
    "which_calendar", ["qilihe", "new_york", "nights", "odd", "qilihe_by_nth_day"]
)
@settings(fast, max_examples=30)
@given(
    rows=st.lists(
        st.tuples(st.integers(0, 28_000_000), st.integers(0, 900_000), st.integers(0, 8)),
        min_size=1,
        max_size=40,
    )
)
def test_columns_are_answered_like_single_questions(
    request: pytest.FixtureRequest, which_calendar: str, rows: list[tuple[int, int, int]]
) -> None:
    calendar = request.getfixturevalue(which_calendar)
    begin = 1_767_240_000_000_000
    starts = np.array([begin + seconds * 1_000_000 + extra for seconds, extra, _ in rows])
    which = np.array([chosen for _, _, chosen in rows])
    moments = [calendar.advance(_moment(start), 0).instant for start in starts.tolist()]

    found = due_many(calendar, starts, LIMITS, which)
    expected = [
        microseconds_of(calendar.due(_moment(start), LIMITS[chosen]).instant)
        for start, chosen in zip(starts.tolist(), which.tolist(), strict=True)
    ]

    assert found.instants.tolist() == expected
    assert not found.provisional.any()
    one = due_many(calendar, starts, LIMITS[6])
    assert one.instants.tolist() == [
        microseconds_of(calendar.due(_moment(start), LIMITS[6]).instant)
        for start in starts.tolist()
    ]
    lengths = elapsed_many(calendar, starts, np.maximum(starts, found.instants))
    assert lengths.tolist() == [
        calendar.elapsed(_moment(start), _moment(max(start, end))) // timedelta(microseconds=1)
        for start, end in zip(starts.tolist(), expected, strict=True)
    ]
    assert instants_from(moments).dtype == np.int64


def _moment(microseconds: int) -> datetime:
    return EPOCH + timedelta(microseconds=microseconds)
