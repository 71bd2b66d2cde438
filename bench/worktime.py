"""Working time against ``businesstimedelta``: the same questions, the same answers, one run.

    python bench/worktime.py [--questions 300] [--columns 2000000]

The calendar is one that both can state: one season with a noon pause, a weekly rest day, and a
list of holidays (seasons and make-up workdays are beyond the other library). Times are per
answer; the best of several rounds is taken for ours and a single round for the other, which
would otherwise take minutes. Its time grows with the limit, ours does not; "due soon" is the part
of the questions whose limit is at most one working day. Prints a table, then one line of JSON.
"""

import argparse
import json
import random
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from fractions import Fraction
from pathlib import Path
from time import perf_counter
from typing import Any

import businesstimedelta
import numpy as np
import pytz

from shared.worktime import Limit, LimitKind, load_calendar
from shared.worktime.arrays import due_many, elapsed_many, instants_from

ZONE = "Asia/Shanghai"
HOLIDAYS_OF = range(2024, 2027)
CALENDAR = """
zone = "Asia/Shanghai"
rest_weekdays = ["sunday"]
[holidays]
source = "china"
make_up_days_work = false
[[season]]
from = "01-01"
to = "12-31"
hours = ["08:30-11:30", "14:00-17:30"]
"""
TARGETS = {"scalar": 1_000, "columns": 100_000}
ROUNDS = 5
ONE_DAY = 23_400


def our_calendar() -> Any:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "calendar.toml").write_text(CALENDAR, encoding="utf-8")
        return load_calendar(folder)


def their_rules(calendar: Any) -> Any:
    zone = pytz.timezone(ZONE)
    week = [0, 1, 2, 3, 4, 5]
    off = sorted(
        plan.date
        for year in HOLIDAYS_OF
        for plan in calendar.rules.plan_year(year, guess=False)
        if plan.kind == "holiday"
    )
    return businesstimedelta.Rules(
        [
            businesstimedelta.WorkDayRule(time(8, 30), time(11, 30), week, tz=zone),
            businesstimedelta.WorkDayRule(time(14, 0), time(17, 30), week, tz=zone),
            businesstimedelta.HolidayRule(set(off), tz=zone),
        ]
    )


def questions(count: int, calendar: Any) -> list[tuple[datetime, int, datetime]]:
    """Starts at any second of a year and a half; limits from minutes to two months of work."""
    chance = random.Random(20260930)  # noqa: S311  the same questions in every run
    begin = datetime(2024, 2, 1, tzinfo=UTC)
    asked = []
    for _ in range(count):
        start = begin + timedelta(seconds=chance.randrange(540 * 86_400))
        seconds = chance.choice([1800, 7200, 23_400, 70_200, 163_800, 351_000, 1_170_000])
        end = start + timedelta(seconds=chance.randrange(90 * 86_400))
        asked.append((start.astimezone(calendar.zone), seconds, end.astimezone(calendar.zone)))
    return asked


def timed(work: Callable[[], list[Any]], rounds: int, count: int) -> tuple[float, list[Any]]:
    best, answers = float("inf"), []
    for _ in range(rounds):
        begun = perf_counter()
        answers = work()
        best = min(best, perf_counter() - begun)
    return best / count, answers


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--questions", type=int, default=300)
    parser.add_argument("--columns", type=int, default=2_000_000)
    options = parser.parse_args()

    calendar = our_calendar()
    rules = their_rules(calendar)
    asked = questions(options.questions, calendar)
    limits = {
        seconds: Limit(Fraction(seconds, 3600), LimitKind.WORKING_HOURS) for _, seconds, _ in asked
    }
    ours_asked = [(start, limits[seconds], end) for start, seconds, end in asked]
    deltas = [
        businesstimedelta.BusinessTimeDelta(rules, seconds=seconds) for _, seconds, _ in asked
    ]

    distinct = list(limits.values())
    chosen = np.array([distinct.index(limit) for _, limit, _ in ours_asked])
    starts = instants_from([start for start, _, _ in asked])
    ends = instants_from([end for _, _, end in asked])
    copies = -(-options.columns // len(asked))
    shuffle = np.random.default_rng(1).permutation(copies * len(asked))
    many_starts, many_ends = np.tile(starts, copies)[shuffle], np.tile(ends, copies)[shuffle]
    many_chosen = np.tile(chosen, copies)[shuffle]

    figures: dict[str, dict[str, float]] = {}
    agreed = True
    due_theirs, due_answers = timed(
        lambda: [start + delta for (start, _, _), delta in zip(ours_asked, deltas, strict=True)],
        1,
        len(asked),
    )
    short = [row for row, (_, seconds, _) in enumerate(asked) if seconds <= ONE_DAY]
    short_theirs, _ = timed(
        lambda: [ours_asked[row][0] + deltas[row] for row in short], 1, len(short)
    )
    short_ours, _ = timed(
        lambda: [calendar.due(ours_asked[row][0], ours_asked[row][1]) for row in short],
        ROUNDS,
        len(short),
    )
    elapsed_theirs, elapsed_answers = timed(
        lambda: [rules.difference(start, end).timedelta for start, _, end in asked], 1, len(asked)
    )
    due_ours, ours = timed(
        lambda: [calendar.due(start, limit).instant for start, limit, _ in ours_asked],
        ROUNDS,
        len(asked),
    )
    agreed &= ours == due_answers
    elapsed_ours, ours = timed(
        lambda: [calendar.elapsed(start, end) for start, _, end in asked], ROUNDS, len(asked)
    )
    agreed &= ours == elapsed_answers

    expected = instants_from(due_answers)[np.arange(copies * len(asked)) % len(asked)][shuffle]
    due_column, column = timed(
        lambda: [due_many(calendar, many_starts, distinct, many_chosen).instants],
        ROUNDS,
        many_starts.size,
    )
    agreed &= bool((column[0] == expected).all())
    one_limit, _ = timed(
        lambda: [due_many(calendar, many_starts, distinct[0]).instants], ROUNDS, many_starts.size
    )
    elapsed_column, column = timed(
        lambda: [elapsed_many(calendar, many_starts, many_ends)], ROUNDS, many_starts.size
    )
    seconds = np.array([answer // timedelta(microseconds=1) for answer in elapsed_answers])
    agreed &= bool((column[0] == np.tile(seconds, copies)[shuffle]).all())

    for name, theirs, scalar, columns in (
        ("due", due_theirs, due_ours, due_column),
        ("due soon", short_theirs, short_ours, due_column),
        ("elapsed", elapsed_theirs, elapsed_ours, elapsed_column),
    ):
        figures[name] = {
            "businesstimedelta_us": round(theirs * 1e6, 1),
            "scalar_us": round(scalar * 1e6, 3),
            "columns_ns": round(columns * 1e9, 2),
            "scalar_times_faster": round(theirs / scalar),
            "columns_times_faster": round(theirs / columns),
        }
    print(f"{'':8} {'theirs':>12} {'ours':>10} {'columns':>11} {'scalar x':>10} {'columns x':>11}")
    for name, row in figures.items():
        print(
            f"{name:8} {row['businesstimedelta_us']:9.1f} us {row['scalar_us']:7.3f} us "
            f"{row['columns_ns']:8.2f} ns {row['scalar_times_faster']:10,} "
            f"{row['columns_times_faster']:11,}"
        )
    print(f"due with one limit for the whole column: {one_limit * 1e9:.2f} ns")
    print(f"answers agree: {agreed}; targets: {TARGETS}")
    print(json.dumps({"bench": "worktime", "agree": agreed, "targets": TARGETS, **figures}))
    if not agreed:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
