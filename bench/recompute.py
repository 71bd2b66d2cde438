"""Deadlines of a million open cases under a changed calendar, on one core.

    python bench/recompute.py [--cases 1000000] [--rounds 3]

Each case has a handling clock (one span, or up to three after returns and failed verifications,
one in five), and the clock of its whole way; of both the yellow and the red instant are computed,
four answers a case. Limits are those of the pack's registration conditions, spread over a year of
beginnings. A sample is held against `deadline_over`, one clock after the other. The second figure
is what a recomputation asks for each chunk: the same for rows as they come from the database,
compared with what is stored. Prints a table, then one line of JSON.
"""

import argparse
import json
import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))

from machine import kind_of_machine

from services.dispatch.clocks.domain import Span, deadline_over
from services.dispatch.recomputation.domain import ClockQuestion, moved, sum_in_columns
from shared.pack.loader import load_pack
from shared.worktime import Limit
from shared.worktime.arrays import Clocks, due_over_spans, in_columns

TARGET = 200_000
SAMPLE = 2_000
YEAR_BEGINS = datetime(2025, 11, 1, tzinfo=UTC)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MINUTE = 60_000_000
STAGES = ("0.5 working-hours",) * 4 + ("1 working-hours",)


def limits_of(pack: Any) -> list[Limit]:
    """The distinct handling limits of the pack that columns answer for."""
    found = {item.limit for item in pack.conditions if in_columns(pack.calendar, item.limit)}
    return sorted(found, key=str)


def clocks(count: int, limits: list[Limit], seed: int) -> Clocks:
    """Handling clocks of open cases: most with one span, one in five with two or three."""
    chance = np.random.default_rng(seed)
    sizes = np.where(chance.random(count) < 0.8, 1, chance.integers(2, 4, count))
    firsts = np.cumsum(sizes) - sizes
    begin = (YEAR_BEGINS - EPOCH) // timedelta(microseconds=1)
    first_start = begin + chance.integers(0, 360 * 24 * 60, count) * MINUTE
    gaps = chance.integers(30, 2_000, int(sizes.sum())) * MINUTE
    lengths = chance.integers(5, 600, int(sizes.sum())) * MINUTE
    walked = np.cumsum(gaps + lengths)
    at = walked - (walked - gaps - lengths)[firsts].repeat(sizes)
    starts = first_start.repeat(sizes) + at - lengths
    which = chance.integers(0, len(limits), count)
    return Clocks(starts, starts + lengths, firsts, limits, which)


def scaled(limits: list[Limit], share: Any) -> list[Limit]:
    return [limit.scaled(1 - share) for limit in limits]


def check(calendar: Any, asked: Clocks, due: Any, warned: Any, share: Any) -> bool:
    """A sample against the rule itself."""
    lasts = asked.lasts()
    step = max(1, asked.firsts.size // SAMPLE)
    for row in range(0, asked.firsts.size, step):
        spans = [
            Span(_instant(asked.starts[at]), _instant(asked.ends[at]) if at < lasts[row] else None)
            for at in range(asked.firsts[row], lasts[row] + 1)
        ]
        found = deadline_over(calendar, spans, asked.limits[asked.which[row]], share)
        if (found.due_at, found.warn_at) != (_instant(due[row]), _instant(warned[row])):
            return False
    return True


def _instant(microseconds: Any) -> datetime:
    return EPOCH + timedelta(microseconds=int(microseconds))


def as_rows(asked: Clocks, due: Any, warned: Any, count: int) -> list[ClockQuestion]:
    """The first clocks as a recomputation gets them from the database."""
    lasts = asked.lasts()
    rows = []
    for row in range(count):
        spans = [
            Span(_instant(asked.starts[at]), _instant(asked.ends[at]) if at < lasts[row] else None)
            for at in range(asked.firsts[row], lasts[row] + 1)
        ]
        limit = asked.limits[asked.which[row]]
        rows.append(
            ClockQuestion(
                spans, limit, _instant(warned[row]), _instant(due[row]), provisional=False
            )
        )
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    pack = load_pack(Path("packs/qilihe"))
    calendar, share = pack.calendar, pack.stages.warn_share
    limits = limits_of(pack)
    handling = clocks(options.cases, limits, 1)
    one_span = handling.starts[handling.firsts]
    stages = [Limit.parse(text) for text in STAGES]
    whole_limits = [sum_in_columns(calendar, [limit, *stages]) or limit for limit in limits]
    whole = Clocks(one_span, one_span, np.arange(options.cases), whole_limits, handling.which)

    best, answers = float("inf"), []
    for _ in range(options.rounds):
        begun = perf_counter()
        answers = [
            due_over_spans(calendar, asked._replace(limits=some)).instants
            for asked in (handling, whole)
            for some in (scaled(list(asked.limits), share), list(asked.limits))
        ]
        best = min(best, perf_counter() - begun)
    agreed = check(calendar, handling, answers[1], answers[0], share)
    agreed &= check(calendar, whole, answers[3], answers[2], share)

    count = min(options.cases, 100_000)
    rows = as_rows(handling, answers[1], answers[0], count)
    begun = perf_counter()
    still = sum(moved(calendar, rows, share))
    of_rows = count / (perf_counter() - begun)

    rate = options.cases / best
    print(kind_of_machine())
    print(f"{options.cases:,} cases, {handling.starts.size:,} spans, 4 answers each, one core")
    print(f"columns:  {best:6.2f} s  {rate:12,.0f} cases/s  (target {TARGET:,})")
    print(f"rows as they are stored, compared: {of_rows:12,.0f} clocks/s; moved: {still}")
    print(f"a sample of {SAMPLE:,} agrees with the rule, one clock after the other: {agreed}")
    print(
        json.dumps(
            {
                "bench": "recompute",
                "cases": options.cases,
                "cases_per_second": round(rate),
                "clocks_compared_per_second": round(of_rows),
                "target": TARGET,
                "agree": agreed,
            }
        )
    )
    if not agreed or rate < TARGET:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
