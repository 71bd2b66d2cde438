"""Durable intake of reports: how many a second, and how that compares with the machine's own limit.

    python bench/intake.py [--seconds 5] [--rounds 2] [--callers 1 16 64] [--processes 1 2]

API processes of intake on PostgreSQL against a bare insert of the same rows behind the same kind
of server, in turns within one run; the best round of each counts. `registered` are reports with a
photograph, which the city's rule turns into a case at once: two events and two journal rows each.
The broker's own limit, bare confirmed publishing, is printed beside. Processor time of server and
database a request is taken from the system's books: it holds also where others use the machine.
"""

import argparse
import asyncio
import tempfile
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import load
import machine
import town

from shared.testing.processes import RunningProcess, wait_for

API = "intake-api"


def restart(place: town.Town, workers: int) -> None:
    """Run intake's API in so many processes."""
    api = place.suite.processes[API]
    api.stop()
    api.command = [part for part in api.command if part != "--workers"]
    if api.command[-1] != api.url.rpartition(":")[2]:
        api.command = api.command[:-1]
    api.command = [*api.command, "--workers", str(workers)]
    api.start()
    wait_for("intake ready", api.is_ready, seconds=90)


def measure(folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    results: dict[str, Any] = {}
    with town.town(folder, "identity-api", API) as place:
        grid = place.grids(1)[0]
        token = place.token(grid.owner)
        sha = place.photograph(grid.owner)
        place.suite.processes["identity-api"].stop()
        bodies: dict[str, Callable[[], town.Json]] = {
            "bare": lambda: place.report(grid),
            "received": lambda: place.report(grid),
            "registered": lambda: place.report(grid, [sha]),
        }
        ours = f"{place.suite.url('intake')}/api/intake/v1/reports"
        first = load.run(ours, token, bodies["received"], callers=1, seconds=0.2, warm_up=0)
        assert asyncio.run(first).requests
        for processes in options.processes:
            if processes > 1:
                # The keys of identity are fetched once by each new process.
                identity = place.suite.processes["identity-api"]
                identity.start()
                wait_for("identity ready", identity.is_ready, seconds=90)
                restart(place, processes)
                warm = load.run(ours, token, bodies["received"], callers=16, seconds=1)
                asyncio.run(warm)
                identity.stop()
            with town.bare_server(place.suite, folder, workers=processes) as (address, bare):
                urls = {"bare": f"{address}/bare", "received": ours, "registered": ours}
                api = place.suite.processes[API]
                servers = {"bare": bare, "received": api, "registered": api}
                results[str(processes)] = _rounds(
                    place=place,
                    urls=urls,
                    servers=servers,
                    token=token,
                    bodies=bodies,
                    processes=processes,
                    options=options,
                )
    broker = asyncio.run(machine.bare_publishing(town.RABBIT))
    print(
        f"bare confirmed publishing {broker.per_second:.0f}/s in hundreds,"
        f" {broker.one_at_a_time_ms:.1f} ms one at a time"
    )
    results["bare_publishing_per_second"] = round(broker.per_second)
    return results


def _measured(
    place: town.Town, server: RunningProcess, run: Coroutine[Any, Any, load.Figures]
) -> tuple[load.Figures, float]:
    """The figures of a run, and milliseconds of processor a request, its database's included."""
    database = place.suite.database("intake")
    meter = machine.Meter(
        {
            "server": lambda: town.pids_of(server),
            "postgres": lambda: machine.backends(town.POSTGRES, database),
        }
    )
    figures = asyncio.run(run)
    cpu = meter.stop()
    sent = figures.per_second * cpu["elapsed"]
    return figures, (cpu["server"] + cpu["postgres"]) / max(sent, 1) * 1e3


def _rounds(
    *,
    place: town.Town,
    urls: dict[str, str],
    servers: dict[str, RunningProcess],
    token: str,
    bodies: dict[str, Callable[[], town.Json]],
    processes: int,
    options: argparse.Namespace,
) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for callers in options.callers:
        rows: dict[str, list[load.Figures]] = {name: [] for name in urls}
        costs: dict[str, list[float]] = {name: [] for name in urls}
        for _ in range(options.rounds):
            for name, url in urls.items():
                run = load.run(url, token, bodies[name], callers=callers, seconds=options.seconds)
                figures, cost = _measured(place, servers[name], run)
                line = figures.line(f"{name}, {processes} process(es)")
                print(f"{line}  {cost:5.2f} ms of processor", flush=True)
                rows[name].append(figures)
                costs[name].append(cost)
        best = {name: max(runs, key=lambda run: run.per_second) for name, runs in rows.items()}
        limit = best["bare"].per_second
        found[str(callers)] = {
            "bare": round(limit),
            "bare_p99_ms": round(best["bare"].p99_ms, 1),
            "bare_cpu_ms": round(min(costs["bare"]), 2),
            **{
                name: {
                    "per_second": round(best[name].per_second),
                    "ratio": round(best[name].per_second / limit, 2),
                    "p50_ms": round(best[name].p50_ms, 1),
                    "p99_ms": round(best[name].p99_ms, 1),
                    "cpu_ms": round(min(costs[name]), 2),
                    "cpu_ratio": round(min(costs["bare"]) / min(costs[name]), 2),
                }
                for name in ("received", "registered")
            },
        }
        for name in ("received", "registered"):
            row = found[str(callers)][name]
            print(
                f"{'':<34} {callers:>3} callers {name} to bare {row['ratio']:.2f},"
                f" by processor time {row['cpu_ratio']:.2f}",
                flush=True,
            )
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--callers", type=int, nargs="+", default=[1, 16, 64])
    parser.add_argument("--processes", type=int, nargs="+", default=[1, 2])
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        town.print_result("intake", measure(Path(name), options))


if __name__ == "__main__":
    main()
