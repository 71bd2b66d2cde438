"""Whole columns of clocks in several spans: the same as adding span after span by hand."""

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.worktime import Calendar, Limit, LimitKind, load_calendar
from shared.worktime.arrays import Clocks, due_over_spans, in_columns, instants_from

CALENDAR = load_calendar(Path(__file__).parents[3] / "packs" / "qilihe")
BEGIN = datetime(2026, 9, 20, tzinfo=UTC)
LIMITS = [
    Limit(Fraction(amount), kind)
    for amount, kind in (
        (Fraction(1, 2), LimitKind.WORKING_HOURS),
        (Fraction(7, 2), LimitKind.WORKING_HOURS),
        (Fraction(60), LimitKind.WORKING_HOURS),
        (Fraction(3), LimitKind.WORKING_DAYS),
        (Fraction(700), LimitKind.WORKING_HOURS),
        (Fraction(5), LimitKind.HOURS),
        (Fraction(90), LimitKind.MINUTES),
    )
]
Spans = list[tuple[datetime, datetime]]


def _spans(parts: list[tuple[int, int]]) -> Spans:
    found, at = [], BEGIN
    for pause, length in parts:
        begin = at + timedelta(minutes=pause)
        at = begin + timedelta(minutes=length)
        found.append((begin, at))
    return found


clocks = st.tuples(
    st.lists(st.tuples(st.integers(0, 9_000), st.integers(0, 3_000)), min_size=1, max_size=5),
    st.integers(0, len(LIMITS) - 1),
)


def _one_by_one(calendar: Calendar, spans: Spans, limit: Limit) -> tuple[datetime, bool]:
    unsure = False
    for begin, end in spans[:-1]:
        due = calendar.due(begin, limit, provisional=True)
        if due.instant <= end:
            return due.instant, unsure or due.provisional
        if end > begin:
            unsure |= not limit.continuous and calendar.is_provisional(begin, end)
            limit = limit.minus(calendar.used(limit.kind, begin, end, provisional=True))
    due = calendar.due(spans[-1][0], limit, provisional=True)
    return due.instant, unsure or due.provisional


@given(st.lists(clocks, min_size=1, max_size=20))
@settings(max_examples=200, deadline=None)
def test_columns_of_clocks_answer_as_one_clock_after_the_other(
    rows: list[tuple[list[tuple[int, int]], int]],
) -> None:
    spans = [_spans(parts) for parts, _ in rows]
    flat = [span for row in spans for span in row]
    sizes = np.array([len(row) for row in spans])
    found = due_over_spans(
        CALENDAR,
        Clocks(
            instants_from([begin for begin, _ in flat]),
            instants_from([end for _, end in flat]),
            np.cumsum(sizes) - sizes,
            LIMITS,
            np.array([which for _, which in rows]),
        ),
    )
    expected = [
        _one_by_one(CALENDAR, row, LIMITS[which])
        for row, (_, which) in zip(spans, rows, strict=True)
    ]
    assert found.instants.tolist() == instants_from([due for due, _ in expected]).tolist()
    assert found.provisional.tolist() == [unsure for _, unsure in expected]


def test_no_clocks_have_no_answers() -> None:
    nothing = np.zeros(0, np.int64)
    index = np.zeros(0, np.intp)
    assert due_over_spans(CALENDAR, Clocks(nothing, nothing, index, LIMITS, index))[0].size == 0


def test_days_of_one_length_are_answered_in_columns() -> None:
    assert all(in_columns(CALENDAR, limit) for limit in LIMITS)
