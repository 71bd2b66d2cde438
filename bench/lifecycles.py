"""Whole lifecycles a second, through the HTTP APIs of five services in ten processes.

    python bench/lifecycles.py [--drivers 48] [--seconds 20] [--grids 24] [--rounds 2]

A lifecycle is a collector's report that the city's rule registers, dispatched to a unit, accepted,
handled, its feedback checked, verified on the spot by the collector who gets the task, and closed:
eight commands by five people. What a desk waits for it sees in its lists, as people do: one board
for all drivers asks for the open work several times a second. Photographs are uploaded beforehand,
one a person, and the unit is the one suggested for the class.

So many drivers go through lifecycles one after the other; after a warm-up, what they complete
within the time is counted. Processor time by process shows where it goes, and holds also where
others use the machine. The machine's own limit beside it is a bare insert behind the same kind of
server, measured while the suite is idle.
"""

import argparse
import asyncio
import contextlib
import json
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import load
import machine
import town

from shared.vocabulary import Role

BOARD_SECONDS = 0.1
WARM_UP = 5.0
IDLE_SECONDS = 5.0


@dataclass
class Board:
    """The lists of open work, read for everybody."""

    place: town.Town
    dispatcher: str
    operator: str
    requests: int = 0
    _waiting: dict[tuple[str, str], asyncio.Future[town.Json]] = field(default_factory=dict)

    async def seen(self, what: str, case_id: str) -> town.Json:
        """Wait until a list shows the case: `dispatch`, `verification` or `closing`."""
        future: asyncio.Future[town.Json] = asyncio.get_running_loop().create_future()
        self._waiting[what, case_id] = future
        return await future

    async def watch(self) -> None:
        """Read the lists until cancelled."""
        suite = self.place.suite
        lists = (
            ("dispatch", "dispatch", "/cases?state=awaiting-dispatch&order=newest&limit=200", "id"),
            ("closing", "dispatch", "/cases?state=verified&order=newest&limit=200", "id"),
            ("verification", "intake", "/tasks?state=issued&limit=200", "case_id"),
        )
        async with load.Line(suite.url("dispatch")) as cases, load.Line(suite.url("intake")) as own:
            while True:
                begun = time.perf_counter()
                for what, service, path, name in lists:
                    if not any(wanted == what for wanted, _ in self._waiting):
                        continue
                    line = cases if service == "dispatch" else own
                    token = self.place.token(
                        self.dispatcher if service == "dispatch" else self.operator
                    )
                    answer = json.loads(await line.get(f"/api/{service}/v1{path}", token))
                    self.requests += 1
                    for item in answer["items"]:
                        found = self._waiting.pop((what, str(item[name])), None)
                        if found is not None and not found.done():
                            found.set_result(item)
                spent = time.perf_counter() - begun
                await asyncio.sleep(max(BOARD_SECONDS - spent, 0.01))


@dataclass
class Counts:
    """What the drivers have done so far."""

    finished: list[tuple[float, float]] = field(default_factory=list)
    commands: int = 0
    refused: int = 0


@dataclass
class Drivers:
    """The people of the town, each with a photograph in the pocket."""

    place: town.Town
    board: Board
    counts: Counts
    unit: str
    handler: str
    photographs: dict[str, str]

    async def run(self, number: int, until: float) -> None:
        """One lifecycle after the other."""
        grids = self.place.grids(len(self.photographs))
        suite = self.place.suite
        async with load.Line(suite.url("intake")) as own, load.Line(suite.url("dispatch")) as cases:
            while time.perf_counter() < until:
                grid = grids[(number + len(self.counts.finished)) % len(grids)]
                begun = time.perf_counter()
                await self._lifecycle(own, cases, grid)
                self.counts.finished.append((time.perf_counter(), time.perf_counter() - begun))

    async def _lifecycle(self, own: load.Line, cases: load.Line, grid: Any) -> None:
        reported = await self._do(
            own,
            "/api/intake/v1/reports",
            grid.owner,
            self.place.report(grid, [self.photographs[grid.owner]]),
        )
        assert reported["state"] == "registered", reported
        case_id = reported["case"]["id"]
        path = f"/api/dispatch/v1/cases/{case_id}"
        dispatcher = self.board.dispatcher
        await self.board.seen("dispatch", case_id)
        await self._do(cases, f"{path}/dispatch", dispatcher, {"unit": self.unit})
        await self._do(cases, f"{path}/acceptance", self.handler, {})
        done = {"text": "已更换井盖并复平路面。", "media": [self.photographs[grid.owner]]}
        await self._do(cases, f"{path}/feedback", self.handler, done)
        await self._do(cases, f"{path}/feedback-check", dispatcher, {"accepted": True})
        task = await self.board.seen("verification", case_id)
        collector, spot = task["collector"], task["place"]
        await self._do(own, f"/api/intake/v1/tasks/{task['id']}/accept", collector, {})
        finding = {
            "finding": "passed",
            "note": "同一角度拍摄。",
            "media": [self.photographs[grid.owner]],
            "position": {
                "longitude": spot["longitude"],
                "latitude": spot["latitude"],
                "accuracy_m": 5,
            },
        }
        await self._do(own, f"/api/intake/v1/tasks/{task['id']}/complete", collector, finding)
        await self.board.seen("closing", case_id)
        closing = {"conclusion": "井盖已更换。"}
        await self._do(cases, f"{path}/closing", self.board.operator, closing)

    async def _do(self, line: load.Line, path: str, login: str, body: town.Json) -> town.Json:
        key = str(uuid4())
        while True:
            try:
                answer = await line.post(path, self.place.token(login), body, key=key)
            except load.Refused as error:
                if error.status != 503:
                    raise
                self.counts.refused += 1
                await asyncio.sleep(0.2)
            else:
                break
        self.counts.commands += 1
        found: town.Json = json.loads(answer)
        return found


async def one_round(drivers: Drivers, options: argparse.Namespace) -> dict[str, Any]:
    """Run the drivers; figures of the time after the warm-up."""
    drivers.counts = Counts()
    board = asyncio.create_task(drivers.board.watch())
    started = time.perf_counter()
    until = started + WARM_UP + options.seconds
    running = [asyncio.create_task(drivers.run(number, until)) for number in range(options.drivers)]
    try:
        await asyncio.sleep(WARM_UP)
        groups = drivers.place.groups(tuple(drivers.place.suite.processes))
        meter = machine.Meter(groups)
        commands, asked = drivers.counts.commands, drivers.board.requests
        begun = time.perf_counter()
        await asyncio.wait(
            [board, *running], timeout=options.seconds, return_when=asyncio.FIRST_EXCEPTION
        )
        if board.done():
            board.result()
        ended = time.perf_counter()
        commands, asked = drivers.counts.commands - commands, drivers.board.requests - asked
        cpu = meter.stop()
        await asyncio.wait_for(asyncio.gather(*running), 60)
    finally:
        for task in [board, *running]:
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(board, *running, return_exceptions=True)
    return _figures(
        drivers.counts, begun=begun, ended=ended, commands=commands, asked=asked, cpu=cpu
    )


def _figures(
    counts: Counts, *, begun: float, ended: float, commands: int, asked: int, cpu: dict[str, float]
) -> dict[str, Any]:
    elapsed = ended - begun
    took = sorted(took for at, took in counts.finished if begun <= at < ended)
    assert took, "no lifecycle came to its end within the time"
    spent = sum(used for name, used in cpu.items() if name not in {"others", "elapsed"})
    return {
        "lifecycles_per_second": round(len(took) / elapsed, 1),
        "p50_s": round(load.percentile(took, 0.5), 2),
        "p99_s": round(load.percentile(took, 0.99), 2),
        "commands_per_second": round(commands / elapsed, 1),
        "lists_per_second": round(asked / elapsed, 1),
        "refused_as_overload": counts.refused,
        "cpu_ms_per_lifecycle": round(spent / len(took) * 1e3, 1),
        "cores_used": round(spent / elapsed, 2),
        "cores_used_by_others": round(cpu["others"] / elapsed, 2),
        "cpu_ms_per_lifecycle_by_process": {
            name: round(used / len(took) * 1e3, 2)
            for name, used in cpu.items()
            if name != "elapsed"
        },
    }


def print_round(figures: dict[str, Any]) -> None:
    """A table of one round."""
    print(
        f"{figures['lifecycles_per_second']:.1f} lifecycles/s,"
        f" {figures['commands_per_second']:.0f} commands/s,"
        f" {figures['lists_per_second']:.0f} lists/s;"
        f" {figures['cpu_ms_per_lifecycle']} ms of processor each,"
        f" {figures['cores_used']} cores used, {figures['cores_used_by_others']} by others"
    )
    for name, milliseconds in figures["cpu_ms_per_lifecycle_by_process"].items():
        print(f"    {name:<24} {milliseconds:>8.2f} ms a lifecycle")


async def measure(place: town.Town, folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    grids = place.grids(options.grids)
    photographs = {grid.owner: place.photograph(grid.owner) for grid in grids}
    dispatcher, operator = place.one(Role.DISPATCHER), place.one(Role.OPERATOR)
    # Whoever may get a task signs in beforehand: signing in costs as much as a dozen commands.
    for login in (dispatcher, operator):
        place.token(login)
    board = Board(place, dispatcher, operator)
    unit = await _suggested_unit(place, photographs, dispatcher)
    handler = place.one(Role.HANDLER, unit)
    drivers = Drivers(place, board, Counts(), unit, handler, photographs)
    place.token(handler)

    bare = await _bare(place, folder)
    meter = machine.Meter(place.groups(tuple(place.suite.processes)))
    await asyncio.sleep(IDLE_SECONDS)
    idle = meter.stop()
    resting = sum(used for name, used in idle.items() if name not in {"others", "elapsed"})
    print(f"idle: {resting / idle['elapsed']:.2f} cores used by the suite", flush=True)
    rounds = []
    for _ in range(options.rounds):
        rounds.append(await one_round(drivers, options))
        print_round(rounds[-1])
    best = max(rounds, key=lambda found: found["lifecycles_per_second"])
    commands = best["commands_per_second"]
    print(f"bare inserts {bare:.0f}/s; commands to bare inserts {commands / bare:.2f}")
    return {
        "drivers": options.drivers,
        "target_per_second": 60,
        "idle_cores": round(resting / idle["elapsed"], 2),
        "bare_inserts_per_second": round(bare),
        "commands_to_bare_inserts": round(commands / bare, 2),
        "all_rounds": [found["lifecycles_per_second"] for found in rounds],
        **best,
    }


async def _suggested_unit(place: town.Town, photographs: dict[str, str], dispatcher: str) -> str:
    grid = place.grids(1)[0]
    suite = place.suite
    async with load.Line(suite.url("intake")) as own, load.Line(suite.url("dispatch")) as cases:
        body = place.report(grid, [photographs[grid.owner]])
        answer = await own.post("/api/intake/v1/reports", place.token(grid.owner), body)
        case_id = json.loads(answer)["case"]["id"]
        path = f"/api/dispatch/v1/cases/{case_id}/suggested-units"
        deadline = time.perf_counter() + 60
        while True:
            try:
                found = json.loads(await cases.get(path, place.token(dispatcher)))
            except load.Refused:
                assert time.perf_counter() < deadline, "the first case did not get to dispatch"
                await asyncio.sleep(0.2)
            else:
                items = found["items"] if isinstance(found, dict) else found
                unit: str = items[0]["unit"]
                return unit


async def _bare(place: town.Town, folder: Path) -> float:
    grid = place.grids(1)[0]
    token = place.token(grid.owner)
    with town.bare_server(place.suite, folder) as (address, _server):
        runs = [
            await load.run(
                f"{address}/bare", token, lambda: place.report(grid), callers=16, seconds=3
            )
            for _ in range(2)
        ]
    return max(run.per_second for run in runs)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--drivers", type=int, default=48)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--grids", type=int, default=24)
    parser.add_argument("--rounds", type=int, default=2)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with town.town(folder, MINQING_INTAKE_MEDIA_PER_DAY="1000000") as place:
            town.print_result("lifecycles", asyncio.run(measure(place, folder, options)))


if __name__ == "__main__":
    main()
