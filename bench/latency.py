"""How long a fact takes from one service to the next, at a steady rate of events.

    python bench/latency.py [--events 200] [--seconds 20]

Collectors' reports that the city's rule registers come in at even intervals: two events each, and
the opened case tells a third. For every pair of publisher and consumer the time is taken from
`outbox.created_at`, written in the publisher's transaction, to `inbox.received_at`, written in the
consumer's: both are of one machine's clock. An observer reads the consumers' inboxes every 20 ms,
so that it is also known when others could see the row, that is: after the consumer's commit.

The least that this can take here is measured beside it while the suite is idle: a bare insert, a
bare confirmed message, a bare insert.
"""

import argparse
import asyncio
import tempfile
import time
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import load
import machine
import psycopg
import town

OBSERVE_SECONDS = 0.02
SETTLE_SECONDS = 60.0
TARGET_P99_MS = 150
PUBLISHERS = ("intake", "dispatch")
CONSUMERS = ("dispatch", "intake", "hotline", "assessment")


class Observer:
    """Notes when inbox rows of a database become visible."""

    def __init__(self, url: str) -> None:
        self._url = url.replace("+psycopg", "")
        self.seen: dict[UUID, datetime] = {}
        self._since = datetime.now(UTC)

    async def watch(self) -> None:
        """Look until cancelled."""
        connection = await psycopg.AsyncConnection.connect(self._url, autocommit=True)
        async with connection:
            while True:
                found = await connection.execute(
                    "SELECT event_id, received_at FROM inbox WHERE received_at >= %s", [self._since]
                )
                rows = await found.fetchall()
                now = datetime.now(UTC)
                for event_id, received_at in rows:
                    if event_id not in self.seen:
                        self.seen[event_id] = now
                        self._since = max(self._since, received_at)
                await asyncio.sleep(OBSERVE_SECONDS)


async def _sent(line: load.Line, token: str, body: town.Json) -> None:
    """Send a report, again while the service says that it is overloaded, as handsets do."""
    key = str(uuid4())
    while True:
        try:
            await line.post("/api/intake/v1/reports", token, body, key=key)
        except load.Refused as error:
            if error.status != 503:
                raise
            await asyncio.sleep(0.2)
        else:
            return


async def send_evenly(
    place: town.Town, photographs: dict[str, str], per_second: float, seconds: float
) -> tuple[int, float]:
    """Send reports at even intervals from open connections; how many, in how many seconds."""
    grids = place.grids(len(photographs))
    lines = [load.Line(place.suite.url("intake")) for _ in range(32)]
    free: asyncio.Queue[load.Line] = asyncio.Queue()
    for line in lines:
        free.put_nowait(await line.__aenter__())

    async def one(number: int) -> None:
        grid = grids[number % len(grids)]
        line = await free.get()
        try:
            body = place.report(grid, [photographs[grid.owner]])
            await _sent(line, place.token(grid.owner), body)
        finally:
            free.put_nowait(line)

    begun = time.perf_counter()
    tasks = []
    for number in range(int(per_second * seconds)):
        await asyncio.sleep(max(begun + number / per_second - time.perf_counter(), 0))
        tasks.append(asyncio.create_task(one(number)))
    await asyncio.gather(*tasks)
    for line in lines:
        await line.__aexit__(None, None, None)
    return len(tasks), time.perf_counter() - begun


def read(url: str, statement: str, since: datetime) -> dict[UUID, Any]:
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        return {row[0]: row[1:] for row in connection.execute(statement, [since]).fetchall()}


def passages(
    place: town.Town, since: datetime, observers: dict[str, Observer]
) -> dict[str, dict[str, list[float]]]:
    """Milliseconds by way, e.g. `intake to dispatch`: until received, and until visible."""
    told = {
        service: read(
            place.suite.database_url(service),
            "SELECT event_id, created_at FROM outbox WHERE created_at >= %s",
            since,
        )
        for service in PUBLISHERS
    }
    found: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for consumer in CONSUMERS:
        received = read(
            place.suite.database_url(consumer),
            "SELECT event_id, received_at FROM inbox WHERE received_at >= %s",
            since,
        )
        for publisher, events in told.items():
            way = found[f"{publisher} to {consumer}"]
            for event_id in events.keys() & received.keys():
                created_at = events[event_id][0]
                way["received"].append((received[event_id][0] - created_at).total_seconds() * 1e3)
                seen = observers[consumer].seen.get(event_id)
                if seen is not None:
                    way["visible"].append((seen - created_at).total_seconds() * 1e3)
    return {way: times for way, times in found.items() if times["received"]}


async def settled(place: town.Town, since: datetime) -> bool:
    """Wait until nothing is unsent and nothing new comes in."""
    deadline, before = time.perf_counter() + SETTLE_SECONDS, -1
    while time.perf_counter() < deadline:
        unsent = sum(
            len(
                read(
                    place.suite.database_url(service),
                    "SELECT event_id FROM outbox WHERE sent_at IS NULL AND created_at >= %s",
                    since,
                )
            )
            for service in PUBLISHERS
        )
        taken = sum(
            len(
                read(
                    place.suite.database_url(service),
                    "SELECT event_id FROM inbox WHERE received_at >= %s",
                    since,
                )
            )
            for service in CONSUMERS
        )
        if not unsent and taken == before:
            return True
        before = taken
        await asyncio.sleep(1.5)
    return False


async def measure(place: town.Town, options: argparse.Namespace) -> dict[str, Any]:
    bare = await machine.bare_passage(place.suite.database_url("hotline"), town.RABBIT)
    bare_p50, bare_p99 = (load.percentile(bare, share) * 1e3 for share in (0.5, 0.99))
    print(f"bare insert, message, insert: p50 {bare_p50:.1f} ms, p99 {bare_p99:.1f} ms")
    photographs = {grid.owner: place.photograph(grid.owner) for grid in place.grids(12)}
    await send_evenly(place, photographs, 20, 2)
    await settled(place, datetime.now(UTC))

    since = datetime.now(UTC)
    observers = {name: Observer(place.suite.database_url(name)) for name in CONSUMERS}
    watching = [asyncio.create_task(observer.watch()) for observer in observers.values()]
    meter = machine.Meter(place.groups(tuple(place.suite.processes)))
    reports, took = await send_evenly(place, photographs, options.events / 2, options.seconds)
    cpu = meter.stop()
    drained = await settled(place, since)
    for task in watching:
        task.cancel()
    await asyncio.gather(*watching, return_exceptions=True)

    rate = 2 * reports / took
    print(f"{rate:.0f} events/s told by intake for {took:.0f} s; all taken in: {drained}")
    ways: dict[str, Any] = {}
    print(f"{'':26} {'events':>7} {'received p50':>13} {'p99':>8} {'committed p50':>14} {'p99':>8}")
    for way, times in passages(place, since, observers).items():
        received, visible = sorted(times["received"]), sorted(times["visible"])
        figures = {
            "events": len(received),
            "received_p50_ms": round(load.percentile(received, 0.5), 1),
            "received_p99_ms": round(load.percentile(received, 0.99), 1),
            "committed_p50_ms": round(load.percentile(visible, 0.5), 1) if visible else None,
            "committed_p99_ms": round(load.percentile(visible, 0.99), 1) if visible else None,
        }
        ways[way] = figures
        print(
            f"{way:26} {len(received):>7} {figures['received_p50_ms']:>10.1f} ms"
            f" {figures['received_p99_ms']:>5.1f} ms {figures['committed_p50_ms'] or 0:>11.1f} ms"
            f" {figures['committed_p99_ms'] or 0:>5.1f} ms"
        )
    cores = {name: round(used / cpu["elapsed"], 3) for name, used in cpu.items()}
    cores.pop("elapsed")
    print("cores used: " + ", ".join(f"{name} {used:.2f}" for name, used in cores.items() if used))
    return {
        "events_per_second": round(rate),
        "target_p99_ms": TARGET_P99_MS,
        "bare_p50_ms": round(bare_p50, 1),
        "bare_p99_ms": round(bare_p99, 1),
        "all_taken_in": drained,
        "ways": ways,
        "cores_used": cores,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=float, default=200, help="told by intake, a second")
    parser.add_argument("--seconds", type=float, default=20)
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as name,
        town.town(Path(name), MINQING_INTAKE_MEDIA_PER_DAY="1000000") as place,
    ):
        town.print_result("latency", asyncio.run(measure(place, options)))


if __name__ == "__main__":
    main()
