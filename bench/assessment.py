"""A year of cases folded again and scored, and a month computed again, beside the machine's limit.

    python bench/assessment.py [--cases 5000000] [--month 100000] [--processes 2] [--rounds 3]

Cases are made up and written as records into a scratch database of PostgreSQL, in blocks as a
running service writes them: by time of arrival, some thirty records of one cohort to a block, one
in a hundred told twice. About one case in six is extended, deferred, returned or dispatched again.

- *year*: every record is read from the database and folded, and all units of the year are scored.
- *limit*: the same processes read the same records and sort them by case and sequence, no more.
- *month*: the assignments due in a month are read from the table of facts and scored.

Wall clock and processor time are both given, because others may use the machine. Memory is what all
processes of the measurement hold together (proportional set size), the database left out.
"""

import argparse
import asyncio
import json
import multiprocessing
import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import machine
import numpy as np
import psycopg
import sqlalchemy as sa
import town
from psycopg import sql
from rich.progress import Progress

from services.assessment.app import service
from services.assessment.assignments.domain import (
    AssignmentColumns,
    columns_to_score,
    fold_assignments,
)
from services.assessment.assignments.service import chunks_of, fold_recorded
from services.assessment.periods.domain import Period, parse_period
from services.assessment.records.domain import RECORD, Fact, Records, microseconds, unit_key
from services.assessment.records.repository import RecordReader
from services.assessment.scoring.domain import NEVER, judge, rule_of, scorecards
from services.assessment.scoring.repository import AssignmentReader
from shared.db.database import Database
from shared.pack.loader import load_pack
from shared.pack.model import AssessmentParameters

ZONE = ZoneInfo("Asia/Shanghai")
YEAR, MONTH = parse_period("2026", ZONE), parse_period("2026-05", ZONE)
UNITS = [f"unit-{number:02}" for number in range(60)]
KEYS = np.array([unit_key(unit) for unit in UNITS], np.uint64)
MINUTE = 60_000_000
DAY = 24 * 60 * MINUTE
RECORDS_A_BLOCK = 30
CASES_AT_ONCE = 100_000
REPEATED_SHARE = 0.01


class Making:
    """Records of cases that begin in a stretch of time, one kind of fact after the other."""

    def __init__(self, chance: np.random.Generator, amount: int, start: int, end: int) -> None:
        self.chance = chance
        self.at = np.sort(chance.integers(start, end, amount))
        self.high = (self.at // 1_000).astype(np.uint64) << np.uint64(16) | np.uint64(0x7000)
        self.high |= chance.integers(0, 2**12, amount, np.uint64)
        self.low = np.uint64(2**63) | chance.integers(0, 2**62, amount, np.uint64)
        self.sequence = np.ones(amount, np.int64)
        self.assignment = np.zeros(amount, np.int64)
        self.unit = chance.integers(0, len(UNITS), amount)
        self.due = np.zeros(amount, np.int64)
        self.used = np.zeros(amount, np.int64)
        self.parts: list[Records] = []

    def some(self, share: float) -> np.ndarray:
        return np.flatnonzero(self.chance.random(len(self.at)) < share)

    def tell(self, cases: np.ndarray, fact: Fact, minutes: int, **changes: Any) -> None:
        """A fact about some cases, up to so many minutes after the one before it."""
        self.at[cases] += self.chance.integers(1, minutes * MINUTE, len(cases))
        self.sequence[cases] += 1
        told = np.zeros(len(cases), RECORD)
        told["case_high"], told["case_low"] = self.high[cases], self.low[cases]
        told["at"], told["sequence"] = self.at[cases], self.sequence[cases]
        told["due_at"], told["fact"], told["version"] = NEVER, fact, 1
        told["limit_seconds"] = -1
        self.used[cases] += self.chance.integers(0, 7_000, len(cases))
        told["used_seconds"] = self.used[cases]
        for name, value in changes.items():
            told[name] = value
        told["assignment"] = self.assignment[cases]
        self.parts.append(told)

    def dispatch(self, cases: np.ndarray, fact: Fact) -> None:
        self.assignment[cases] += 1
        self.due[cases] = self.at[cases] + self.chance.integers(DAY // 4, 3 * DAY, len(cases))
        self.tell(
            cases,
            fact,
            60,
            unit=KEYS[self.unit[cases]],
            due_at=self.due[cases],
            limit_seconds=14_400,
            paused_seconds=-1,
        )

    def extend(self, cases: np.ndarray) -> None:
        self.due[cases] += DAY
        self.tell(cases, Fact.EXTENSION_GRANTED, 600, due_at=self.due[cases], added_seconds=7_200)

    def defer(self, cases: np.ndarray) -> None:
        self.due[cases] += 9 * DAY
        self.tell(cases, Fact.DEFERRAL_GRANTED, 600, due_at=self.due[cases])
        self.at[cases] += 7 * DAY
        self.tell(cases, Fact.DEFERRAL_ENDED, 10, due_at=self.due[cases], paused_seconds=160_000)

    def send_back(self, cases: np.ndarray, *, other: bool) -> None:
        self.tell(cases, Fact.RETURN_GRANTED, 300)
        if other:
            self.unit[cases] = (self.unit[cases] + 1) % len(UNITS)
            self.used[cases] = 0
        self.dispatch(cases, Fact.DISPATCHED_AFTER_RETURN)

    def live(self) -> Records:
        everyone = np.arange(len(self.at))
        self.dispatch(everyone, Fact.DISPATCHED_ANEW)
        self.extend(self.some(0.04))
        self.defer(self.some(0.03))
        self.tell(self.some(0.02), Fact.RETURN_REFUSED, 300)
        self.send_back(self.some(0.03), other=False)
        self.send_back(self.some(0.03), other=True)
        self.tell(everyone, Fact.CLOCK_READ, 1_200)
        self.tell(self.some(0.02), Fact.FEEDBACK_REFUSED, 30, used_seconds=-1, paused_seconds=-1)
        failed = self.some(0.04)
        self.tell(failed, Fact.CLOCK_READ, 120)
        self.dispatch(failed, Fact.DISPATCHED_AFTER_FAILURE)
        self.tell(failed, Fact.CLOCK_READ, 1_200)
        self.tell(everyone, Fact.CLOCK_READ, 120)
        self.tell(self.some(0.97), Fact.CLOSED, 60)
        told = np.concatenate(self.parts)
        told = np.concatenate([told, told[self.chance.random(len(told)) < REPEATED_SHARE]])
        return told[np.argsort(told["at"], kind="stable")]


def made_year(cases: int) -> Iterator[Records]:
    """The year's records in the order of their arrival, as far as the stretches overlap not."""
    chance = np.random.default_rng(2026)
    start, end = microseconds(YEAR.start), microseconds(YEAR.end)
    stretches = max(1, -(-cases // CASES_AT_ONCE))
    edges = np.linspace(start, end, stretches + 1).astype(np.int64)
    amounts = np.diff(np.linspace(0, cases, stretches + 1).astype(np.int64))
    for first, last, amount in zip(edges[:-1], edges[1:], amounts, strict=True):
        yield Making(chance, int(amount), int(first), int(last)).live()


def blocks_of(told: Records) -> Iterator[tuple[int, int, bytes]]:
    """Blocks of one cohort each, of records that arrived one soon after the other."""
    cohort = (told["case_high"] >> np.uint64(46)).astype(np.int64)
    told = told[np.argsort(cohort, kind="stable")]
    cohort = np.sort(cohort)
    edges = np.flatnonzero(np.diff(cohort)) + 1
    for part in np.split(np.arange(len(told)), edges):
        for first in range(0, len(part), RECORDS_A_BLOCK):
            rows = part[first : first + RECORDS_A_BLOCK]
            yield int(cohort[rows[0]]), len(rows), told[rows[0] : rows[-1] + 1].tobytes()


def fill(url: str, cases: int) -> int:
    """Write the year's records; how many there are."""
    total = 0
    with psycopg.connect(plain(url)) as connection, Progress() as progress:
        task = progress.add_task("cases made", total=cases)
        named = "INSERT INTO recorded_units (key, code) VALUES (%s, %s)"
        rows = [(unit_key(unit), unit) for unit in UNITS]
        connection.cursor().executemany(named, rows)
        into = "COPY record_blocks (cohort, amount, records) FROM STDIN (FORMAT BINARY)"
        for told in made_year(cases):
            with connection.cursor().copy(into) as copy:
                copy.set_types(["int4", "int4", "bytea"])
                for block in blocks_of(told):
                    copy.write_row(block)
            total += len(told)
            progress.advance(task, CASES_AT_ONCE)
        connection.commit()
        connection.autocommit = True
        connection.execute("VACUUM ANALYZE record_blocks")
    return total


def fill_month(url: str, amount: int) -> None:
    """Write facts that are due in the month."""
    start, end = microseconds(MONTH.start), microseconds(MONTH.end)
    chance = np.random.default_rng(5)
    made = Making(chance, round(amount * 1.1), start - DAY // 4, end - DAY)
    columns = fold_assignments(made.live())
    columns = columns.take((columns.due_at >= start) & (columns.due_at < end))
    columns = columns.take(np.arange(min(amount, len(columns))))
    with psycopg.connect(plain(url)) as connection:
        names = [name for name in columns.__dataclass_fields__ if not name.startswith("case_")]
        into = sql.SQL("COPY assignment_facts (case_id, {}) FROM STDIN").format(
            sql.SQL(", ").join(map(sql.Identifier, names))
        )
        by_key = dict(zip(KEYS.tolist(), UNITS, strict=True))
        with connection.cursor().copy(into) as copy:
            for place in range(len(columns)):
                copy.write_row([columns.case_id(place), *row_of(columns, place, names, by_key)])
        connection.commit()
        connection.autocommit = True
        connection.execute("VACUUM ANALYZE assignment_facts")


def row_of(
    columns: AssignmentColumns, place: int, names: list[str], by_key: dict[int, str]
) -> Iterator[Any]:
    for name in names:
        value = getattr(columns, name)[place].item()
        if name == "unit":
            yield by_key[value]
        elif name.endswith("_at"):
            yield None if value == NEVER else datetime.fromtimestamp(value / 1e6, ZONE)
        else:
            yield value


def plain(url: str) -> str:
    return url.replace("+psycopg", "")


def read_and_sort(url: str, chunk: tuple[int, int, int]) -> int:
    told = RecordReader(url).read(chunk[0], chunk[1])
    order = np.lexsort((told["sequence"], told["case_low"], told["case_high"]))
    return len(order)


def limit(url: str, processes: int) -> int:
    """Read everything and sort it, in the same processes and pieces."""
    chunks = chunks_of(RecordReader(url).cohorts())
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=context) as pool:
        return sum(pool.map(partial(read_and_sort, url), chunks))


def year(url: str, processes: int, parameters: AssessmentParameters) -> dict[str, Any]:
    begun = time.perf_counter()
    edges = {"due_from": microseconds(YEAR.start), "due_until": microseconds(YEAR.end)}
    folded = fold_recorded(url, processes=processes, **edges)
    read = time.perf_counter()
    columns, codes = columns_to_score(folded.columns, folded.units)
    rule = rule_of(parameters)
    cards = scorecards(judge(columns, YEAR.start, YEAR.end, YEAR.end, rule), codes, rule)
    return {
        "assignments": len(columns),
        "due": sum(card.due for card in cards),
        "fold_seconds": read - begun,
        "score_seconds": time.perf_counter() - read,
    }


async def month(url: str, parameters: AssessmentParameters, period: Period) -> dict[str, Any]:
    database, rule = Database(url), rule_of(parameters)
    try:
        times = []
        for _ in range(5):
            begun = time.perf_counter()
            async with database.reading() as session:
                facts = await AssignmentReader(session).due_in(period)
            read = time.perf_counter()
            judged = judge(facts.columns, period.start, period.end, period.end, rule)
            cards = scorecards(judged, facts.units, rule)
            times.append((time.perf_counter() - begun, read - begun))
        best, reading = min(times)
        due = sum(card.due for card in cards)
        return {"seconds": best, "reading_seconds": reading, "due": due}
    finally:
        await database.close()


@contextmanager
def measured(into: dict[str, Any]) -> Iterator[None]:
    """Wall clock, processor time of this process and its children, and their memory at its peak."""
    stop, peak = threading.Event(), [0]

    def watch() -> None:
        while not stop.wait(0.1):
            held = sum(map(held_bytes, machine.descendants(os.getpid())))
            peak[0] = max(peak[0], held)

    watcher = threading.Thread(target=watch)
    cpu, begun = sum(os.times()[:4]), time.perf_counter()
    watcher.start()
    try:
        yield
    finally:
        into["seconds"] = time.perf_counter() - begun
        stop.set()
        watcher.join()
        into["processor_seconds"] = sum(os.times()[:4]) - cpu
        into["gigabytes"] = peak[0] / 1e9


def held_bytes(pid: int) -> int:
    """Memory of a process, what it shares with others counted by its part."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))


def best(rounds: int, run: Callable[[], Any]) -> dict[str, Any]:
    """The quickest of several rounds."""
    found: list[dict[str, Any]] = []
    for _ in range(rounds):
        told: dict[str, Any] = {}
        with measured(told):
            result = run()
        told |= result if isinstance(result, dict) else {}
        found.append(told)
    return min(found, key=lambda one: float(one["seconds"]))


@contextmanager
def scratch() -> Iterator[str]:
    """A database of its own with the service's tables, dropped in the end."""
    name = f"bench_{uuid4().hex[:8]}"
    with psycopg.connect(plain(town.POSTGRES), autocommit=True) as server:
        server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        url = f"{town.POSTGRES.rsplit('/', 1)[0]}/{name}"
        try:
            engine = sa.create_engine(url)
            service.metadata.create_all(engine)
            engine.dispose()
            yield url
        finally:
            drop = sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name))
            server.execute(drop)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--cases", type=int, default=5_000_000)
    parser.add_argument("--month", type=int, default=100_000)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    parameters = load_pack(town.PACK).assessment_on(YEAR.first_day)
    with scratch() as url:
        records = fill(url, asked.cases)
        fill_month(url, asked.month)
        figures = {
            "machine": machine.kind_of_machine(),
            "cases": asked.cases,
            "records": records,
            "limit": best(asked.rounds, partial(limit, url, asked.processes)),
            "year": best(asked.rounds, partial(year, url, asked.processes, parameters)),
            "month": asyncio.run(month(url, parameters, MONTH)),
        }
    for name in ("limit", "year"):
        one = figures[name]
        print(
            f"{name:6} {one['seconds']:7.1f} s  {one['processor_seconds']:7.1f} s processor "
            f" {one['gigabytes']:5.2f} GB  {records / one['seconds']:12,.0f} records/s"
        )
    one = figures["month"]
    print(f"month  {one['seconds']:7.2f} s, of it {one['reading_seconds']:.2f} s reading")
    print(json.dumps(figures, default=float))


if __name__ == "__main__":
    main()
