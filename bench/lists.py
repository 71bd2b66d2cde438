"""A page of 50 of the case list and of the report list, at ten thousand rows and at a million.

    python bench/lists.py [--sizes 10000 1000000] [--requests 100] [--rounds 3] [--archived 0.9]

The rows are written by the database itself into scratch databases that a migration has laid out;
nine of ten lie in the archive. Every list is asked for over HTTP by one caller, with changing
values of its filter; p50 and p99 in milliseconds, of several rounds the one with the best p99.
Beside it stand the machine's own limit, an empty answer of the same server; the same statement in
a bare session; and the processor time of server and database a page, which holds also where others
use the machine. The plan of every statement is looked at: how many rows and blocks were read.
"""

import argparse
import asyncio
import json
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import load
import machine
import psycopg
import sqlalchemy as sa
import town
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.expression import ClauseElement, Executable

from services.dispatch.case_files.domain import CaseState
from services.dispatch.cases.repository import CaseQuery, page_statement
from services.dispatch.clocks.domain import Light, SegmentKind
from services.intake.clocks.domain import Light as ReportLight
from services.intake.reports.domain import ReportState
from services.intake.reports.repository import ReportFilter, list_reports
from shared.pack.model import CityPack
from shared.vocabulary import Role
from shared.web.paging import PageRequest

PAGE = PageRequest(limit=50)
TARGET_MS = 30
MOST_ROWS_READ = 2_000
"""For a page of 50: a filter that has no index of its own may look at some more."""
MADE_ID = """(lpad(to_hex((1760000000000 + i * 20)::bigint), 12, '0') || '7' ||
    substr(md5(i::text), 1, 3) || '8' || substr(md5(i::text), 4, 15))::uuid"""
"""Ids that grow with time, as the suite's own do."""

OPEN_STATES = [state.value for state in CaseState if state not in {"closed", "voided"}]

CASES = """
INSERT INTO cases (id, version, event_sequence, number, report_id, report_number, source, reporters,
    confidential, class_key, condition, description, place, grid, urgent, special, media,
    observed_at, registered_at, state, stage_started_at, stage_warn_at, stage_due_at,
    total_started_at, total_warn_at, total_due_at, due_order, provisional, closed_at, outcome, unit,
    dispatch_reason, segments, assignments, feedbacks, rounds, failed_verifications,
    returns_granted, returns_refused, coordination_needed, category, pending_requests,
    open_orders)
SELECT made_id, 1, 1, 'B' || i, made_id, 'R' || i, 'collector', 1,
    false, (%(classes)s::text[])[1 + i %% cardinality(%(classes)s::text[])], '1',
    '人行道上的井盖破损,缺了一角,夜间行人较多。',
    jsonb_build_object('longitude', 103.7, 'latitude', 36.1, 'accuracy_m', 6.5,
        'position_source', 'gnss', 'address', '西津西路北侧人行道', 'grid', grid),
    grid, i %% 50 = 0, false, '[]'::jsonb,
    at, at, CASE WHEN open THEN (%(states)s::text[])[1 + (i / 7) %% cardinality(%(states)s::text[])]
        ELSE 'closed' END,
    at, CASE WHEN open THEN due - interval '4 hours' END, CASE WHEN open THEN due END,
    at, due, due + interval '1 day',
    CASE WHEN open THEN due ELSE timestamptz '9999-12-31 00:00:00+00' END, false,
    CASE WHEN NOT open THEN at + interval '1 day' END, CASE WHEN NOT open THEN 'resolved' END,
    (%(units)s::text[])[1 + (i / 3) %% cardinality(%(units)s::text[])],
    'first', 1, 1, 0, 0, 0, 0, 0, open AND (i / 1000) %% 5 = 2, 'ordinary', 0, 0
FROM (SELECT i, {made_id} AS made_id,
        now() - (%(size)s - i) * interval '30 seconds' AS at,
        now() + ((i * 7919) %% 20000 - 6000) * interval '1 minute' AS due,
        (i * 2654435761) %% 1000 >= %(archived)s * 1000 AS open,
        (%(grids)s::text[])[1 + i %% cardinality(%(grids)s::text[])] AS grid
    FROM generate_series(1::bigint, %(size)s) AS i) AS made
"""

REPORTS = """
INSERT INTO reports (id, version, event_sequence, number, state, source, reporter_id,
    class_scheme, class_kind, class_code, condition, description, urgent, special, emergency,
    confidential, longitude, latitude, accuracy_m, position_source, address, grid, cell,
    needs_place, media, observed_at, received_at, stage_due_at, stage_warn_at,
    stage_provisional, reporters)
SELECT made_id, 1, 1, 'R' || i,
    CASE WHEN open THEN (ARRAY['received', 'checking', 'checked'])[1 + i %% 3]
        ELSE (ARRAY['registered', 'registered', 'rejected'])[1 + i %% 3] END,
    (ARRAY['collector', 'hotline', 'web'])[1 + (i / 5) %% 3], 'person-' || (i %% 300),
    split_part(class, ':', 1), split_part(class, ':', 2), split_part(class, ':', 3), '1',
    '人行道上的井盖破损,缺了一角,夜间行人较多。', i %% 50 = 0, false, i %% 5000 = 0,
    false, 103.7, 36.1, 6.5, 'gnss', '西津西路北侧人行道',
    (%(grids)s::text[])[1 + i %% cardinality(%(grids)s::text[])], i %% 5000, i %% 2000 = 3,
    '[]'::jsonb, at, at, due, due - interval '10 minutes', false, 1
FROM (SELECT i, {made_id} AS made_id,
        now() - (%(size)s - i) * interval '30 seconds' AS at,
        now() + ((i * 7919) %% 20000 - 6000) * interval '1 minute' AS due,
        (i * 2654435761) %% 1000 >= %(archived)s * 1000 AS open,
        (%(classes)s::text[])[1 + i %% cardinality(%(classes)s::text[])] AS class
    FROM generate_series(1::bigint, %(size)s) AS i) AS made
"""


class _Explain(Executable, ClauseElement):
    """The plan of a SELECT instead of its rows."""

    inherit_cache = False

    def __init__(self, statement: Any) -> None:
        self.statement = statement


@compiles(_Explain)
def _explained(element: _Explain, compiler: Any, **given: Any) -> str:
    inner: str = compiler.process(element.statement, **given)
    return f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {inner}"


def fill(url: str, table: str, statement: str, values: dict[str, Any]) -> float:
    """Write the rows; its indexes are taken down meanwhile. Returns the seconds it took."""
    begun = time.perf_counter()
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("SET maintenance_work_mem = '512MB'")
        indexes = connection.execute(
            "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = %s AND indexname NOT IN"
            " (SELECT conname FROM pg_constraint)",
            [table],
        ).fetchall()
        for name, _ in indexes:
            connection.execute(
                psycopg.sql.SQL("DROP INDEX {}").format(psycopg.sql.Identifier(name))
            )
        connection.execute(statement.format(made_id=MADE_ID), values)
        for _, definition in indexes:
            connection.execute(definition)
        connection.execute(f"VACUUM ANALYZE {table}")
    return time.perf_counter() - begun


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for inner in plan.get("Plans", ()):
        yield from nodes(inner)


@dataclass(frozen=True)
class Plan:
    """How the database got a page.

    Attributes:
        steps: e.g. `Index Scan ix_cases_due_order_id`.
        rows_read: rows that its scans looked at, whatever became of them.
        blocks: of 8 KiB that it touched; noise does not change it.
        by_index: no table was read from end to end, and few rows were read for a page.
    """

    steps: str
    rows_read: int
    blocks: int
    by_index: bool


def plan_of(engine: sa.Engine, statement: Any) -> Plan:
    """Run a statement and look at how it was done."""
    with engine.connect() as connection:
        (found,) = connection.execute(_Explain(statement)).one()
    plan = (found if isinstance(found, list) else json.loads(found))[0]["Plan"]
    steps = [node for node in nodes(plan) if node["Node Type"] != "Limit"]
    rows = sum(
        (step["Actual Rows"] + step.get("Rows Removed by Filter", 0)) * step["Actual Loops"]
        for step in steps
        if "Scan" in step["Node Type"]
    )
    whole = any(step["Node Type"] == "Seq Scan" for step in steps)
    return Plan(
        steps=" < ".join(
            " ".join(filter(None, (step["Node Type"], step.get("Index Name")))) for step in steps
        ),
        rows_read=round(rows),
        blocks=plan["Shared Hit Blocks"] + plan["Shared Read Blocks"],
        by_index=not whole and rows <= MOST_ROWS_READ,
    )


def case_lists(pack: CityPack) -> dict[str, tuple[list[str], CaseQuery]]:
    """Name -> addresses with changing values, and the query of the first of them."""
    now = datetime.now(UTC)
    query = CaseQuery(now=now)
    units = [unit.code for unit in pack.units.values() if unit.responsible]
    grids = list(pack.grids)
    classes = [str(key) for key in pack.classes]
    half = len(OPEN_STATES) // 2
    since = now - timedelta(days=1)

    def each(name: str, values: list[str]) -> list[str]:
        return [f"?{name}={quote(value)}" for value in values]

    return {
        "all, due first": ([""], query),
        "all, newest first": (["?order=newest"], replace(query, newest=True)),
        "open": (["?open=true"], replace(query, open=True)),
        "unit": (each("unit", units), replace(query, unit=units[0])),
        "unit, newest": (
            [f"{address}&order=newest" for address in each("unit", units)],
            replace(query, unit=units[0], newest=True),
        ),
        "state": (each("state", OPEN_STATES), replace(query, state=CaseState(OPEN_STATES[half]))),
        "stage": (["?stage=handling"], replace(query, stage=SegmentKind.HANDLING)),
        "red": (["?light=red"], replace(query, light=Light.RED)),
        "yellow": (["?light=yellow"], replace(query, light=Light.YELLOW)),
        "green": (["?light=green"], replace(query, light=Light.GREEN)),
        "unit and red": (
            [f"{address}&light=red" for address in each("unit", units)],
            replace(query, unit=units[0], light=Light.RED),
        ),
        "total red": (["?total_light=red"], replace(query, total_light=Light.RED)),
        "grid": (each("grid", grids), replace(query, grid=grids[0])),
        "grid and open": (
            [f"{address}&open=true" for address in each("grid", grids)],
            replace(query, grid=grids[0], open=True),
        ),
        "street": (
            each("street", [grid[:9] for grid in grids]),
            replace(query, street=grids[0][:9]),
        ),
        "class": (each("class", classes), replace(query, class_key=classes[0])),
        "urgent": (["?urgent=true"], replace(query, urgent=True)),
        "coordination": (
            ["?coordination_needed=true"],
            replace(query, coordination_needed=True),
        ),
        "registered today": (
            [f"?registered_from={quote(since.isoformat())}&order=newest"],
            replace(query, registered_from=since, newest=True),
        ),
    }


def report_lists(pack: CityPack) -> dict[str, tuple[list[str], ReportFilter]]:
    wanted = ReportFilter(now=datetime.now(UTC))
    grids = list(pack.grids)
    return {
        "reports": ([""], wanted),
        "reports, state": (["?state=received"], replace(wanted, states=(ReportState.RECEIVED,))),
        "reports, two states": (
            ["?state=received&state=checked"],
            replace(wanted, states=(ReportState.RECEIVED, ReportState.CHECKED)),
        ),
        "reports, grid": (
            [f"?grid={quote(grid)}" for grid in grids],
            replace(wanted, grid=grids[0]),
        ),
        "reports, reporter": (
            [f"?reporter=person-{number}" for number in range(50)],
            replace(wanted, reporter_id="person-1"),
        ),
        "reports, red": (["?light=red"], replace(wanted, light=ReportLight.RED)),
        "reports, emergency": (["?emergency=true"], replace(wanted, emergency=True)),
        "reports, needs place": (["?needs_place=true"], replace(wanted, needs_place=True)),
    }


class _Taken(Exception):
    def __init__(self, statement: Any) -> None:
        self.statement = statement


class _Catcher:
    """Stands in for a session to learn which statement would be sent."""

    async def exec(self, statement: Any) -> Any:
        raise _Taken(statement)


async def report_statement(wanted: ReportFilter) -> Any:
    try:
        await list_reports(_Catcher(), wanted, PAGE)  # type: ignore[arg-type]
    except _Taken as taken:
        return taken.statement
    raise AssertionError("no statement was sent")


async def timed(ask: Callable[[int], Any], options: argparse.Namespace) -> tuple[float, float]:
    """p50 and p99 of the best round."""
    rounds = []
    for _ in range(options.rounds):
        times = []
        for number in range(options.requests + 3):
            begun = time.perf_counter()
            await ask(number)
            times.append((time.perf_counter() - begun) * 1e3)
        times = sorted(times[3:])
        rounds.append((load.percentile(times, 0.99), load.percentile(times, 0.5)))
    p99, p50 = min(rounds)
    return p50, p99


async def one_size(place: town.Town, size: int, options: argparse.Namespace) -> dict[str, Any]:
    pack = place.pack
    values = {
        "size": size,
        "archived": options.archived,
        "states": OPEN_STATES,
        "units": [unit.code for unit in pack.units.values() if unit.responsible],
        "grids": list(pack.grids),
        "classes": [str(key) for key in pack.classes],
    }
    urls = {service: place.suite.database_url(service) for service in ("dispatch", "intake")}
    took = [
        fill(urls["dispatch"], "cases", CASES, values),
        fill(urls["intake"], "reports", REPORTS, values),
    ]
    print(f"{size:,} cases and reports written in {sum(took):.0f} s", flush=True)
    wanted: list[tuple[str, str, list[str], Any]] = [
        ("dispatch", name, [f"/api/dispatch/v1/cases{one}" for one in paths], _sent(query))
        for name, (paths, query) in case_lists(pack).items()
    ]
    wanted += [
        (
            "intake",
            name,
            [f"/api/intake/v1/reports{one}" for one in paths],
            await report_statement(query),
        )
        for name, (paths, query) in report_lists(pack).items()
    ]
    token = place.token(place.one(Role.SUPERVISOR))
    found: dict[str, Any] = {}
    for service, url in urls.items():
        engine = sa.create_engine(url)
        api, database = place.suite.processes[f"{service}-api"], place.suite.database(service)
        servers: dict[str, machine.Pids] = {
            "server": lambda api=api: town.pids_of(api),  # type: ignore[misc]
            "postgres": lambda database=database: machine.backends(town.POSTGRES, database),  # type: ignore[misc]
        }
        async with load.Line(place.suite.url(service)) as line:
            empty = await timed(lambda _number, line=line: line.get("/livez"), options)
            print(f"{service + ': empty answer':<24} p50 {empty[0]:6.1f}  p99 {empty[1]:6.1f} ms")
            found[f"{service}, empty answer"] = {"p50_ms": round(empty[0], 1)}
            for of_service, name, paths, statement in wanted:
                if of_service == service:
                    figures = await _one_list(
                        line=line,
                        engine=engine,
                        token=token,
                        paths=paths,
                        statement=statement,
                        servers=servers,
                        options=options,
                    )
                    found[name] = figures
                    print(
                        f"{name:<24} p50 {figures['p50_ms']:6.1f}  p99 {figures['p99_ms']:6.1f}"
                        f"  processor {figures['cpu_ms']:5.1f}"
                        f"  bare {figures['bare_p50_ms']:5.1f} ms  {figures['rows']:>3} of"
                        f" {figures['rows_read']} rows, {figures['blocks']} blocks,"
                        f" {'' if figures['by_index'] else 'NOT BY INDEX '}{figures['plan']}",
                        flush=True,
                    )
        engine.dispose()
    return found


def _sent(query: CaseQuery) -> Any:
    return page_statement(query, PAGE)


async def _one_list(
    *,
    line: load.Line,
    engine: sa.Engine,
    token: str,
    paths: list[str],
    statement: Any,
    servers: dict[str, machine.Pids],
    options: argparse.Namespace,
) -> dict[str, Any]:
    rows = len(json.loads(await line.get(paths[0], token))["items"])
    meter = machine.Meter(servers)
    p50, p99 = await timed(lambda number: line.get(paths[number % len(paths)], token), options)
    cpu = meter.stop()
    asked = options.rounds * (options.requests + 3)
    bare_times = []
    with engine.connect() as connection:
        for _ in range(max(options.requests // 5, 5)):
            begun = time.perf_counter()
            connection.execute(statement).all()
            bare_times.append((time.perf_counter() - begun) * 1e3)
    plan = plan_of(engine, statement)
    return {
        "p50_ms": round(p50, 1),
        "p99_ms": round(p99, 1),
        "cpu_ms": round((cpu["server"] + cpu["postgres"]) / asked * 1e3, 2),
        "bare_p50_ms": round(sorted(bare_times)[len(bare_times) // 2], 1),
        "rows": rows,
        "rows_read": plan.rows_read,
        "blocks": plan.blocks,
        "plan": plan.steps,
        "by_index": plan.by_index,
    }


def measure(options: argparse.Namespace) -> dict[str, Any]:
    results: dict[str, Any] = {"target_ms": TARGET_MS}
    for size in options.sizes:
        with (
            tempfile.TemporaryDirectory() as folder,
            town.town(Path(folder), "identity-api", "dispatch-api", "intake-api") as place,
        ):
            results[str(size)] = asyncio.run(one_size(place, size, options))
    smallest, largest = str(min(options.sizes)), str(max(options.sizes))
    print(f"\n{'p50 / p99 in ms':<24} {smallest:>15} {largest:>15}  times")
    for name, large in results[largest].items():
        small = results[smallest][name]
        if "p99_ms" in large:
            print(
                f"{name:<24} {small['p50_ms']:6.1f} /{small['p99_ms']:6.1f}"
                f"  {large['p50_ms']:6.1f} /{large['p99_ms']:6.1f}"
                f"  {large['p50_ms'] / small['p50_ms']:5.2f}"
                f"  {small['cpu_ms']:5.1f} {large['cpu_ms']:5.1f} ms of processor"
                f"  {small['blocks']:>6} {large['blocks']:>6} blocks"
            )
    return results


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 1_000_000])
    parser.add_argument("--requests", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--archived", type=float, default=0.9, help="share of closed ones")
    town.print_result("lists", measure(parser.parse_args()))


if __name__ == "__main__":
    main()
