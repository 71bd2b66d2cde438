"""How long an emergency takes from being recorded to the board and out to people, against a minute.

    python bench/emergency.py [--emergencies 30] [--backlog 5000] [--callers 8]

Emergencies come in two ways: a ticket in the hotline, whose alarm is raised in its own transaction,
and a collector's report in intake, whose fact has to reach the hotline first. Shift leaders and
leaders have a mail address and a number; mail server and gateway are real sockets in this process.

Once without load, and once with the hotline's worker stopped until so many ordinary reports are
queued before it; then it is started, while callers go on sending reports. Times are taken from the
alarm's own rows: `recorded_at`, `raised_at`, and the `sent_at` of the last message of each alarm.
"""

import argparse
import asyncio
import contextlib
import json
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import load
import psycopg
import town

from shared.testing.processes import wait_for
from shared.testing.receivers import Gateway, MailServer, listening
from shared.vocabulary import Role

TARGET_SECONDS = 60.0
DRAIN_SECONDS = 300.0
LOOK_SECONDS = 0.5
TOLD = (Role.SHIFT_LEADER, Role.LEADER)


async def enter_contacts(place: town.Town) -> int:
    """Let everybody who is told have a number and an address; how many there are."""
    people = [one for one in place.pack.people if not one.roles.isdisjoint(TOLD)]
    async with load.Line(place.suite.url("hotline")) as line:
        for number, person in enumerate(people):
            body = {"phone": f"1380000{number:04d}", "email": f"{person.login}@example.org"}
            path = "/api/hotline/v1/duty-contacts/me"
            await line.post(path, place.token(person.login), body)
    return len(people)


async def by_ticket(place: town.Town, agent: str) -> None:
    """An emergency call, written up and submitted by the agent."""
    token = place.token(agent)
    async with load.Line(place.suite.url("hotline")) as line:
        matter = {"description": "路面塌陷，有人受伤", "appeal_kind": "help"}
        ticket = json.loads(await line.post("/api/hotline/v1/tickets", token, matter))
        submission = {"place": {"address": "西津西路 100 号"}, "urgency": "emergency"}
        await line.post(f"/api/hotline/v1/tickets/{ticket['id']}/submission", token, submission)


async def by_handset(place: town.Town, number: int) -> None:
    """An emergency that a collector reports."""
    grids = place.grids(24)
    grid = grids[number % len(grids)]
    async with load.Line(place.suite.url("intake")) as line:
        body = place.report(grid) | {"emergency": True}
        await line.post("/api/intake/v1/reports", place.token(grid.owner), body)


async def raise_all(place: town.Town, count: int) -> None:
    """So many emergencies, one after the other, half of them each way."""
    agent = place.one(Role.AGENT)
    for number in range(count):
        await (by_ticket(place, agent) if number % 2 else by_handset(place, number))


async def ordinary(place: town.Town, callers: int, wanted: Callable[[int], bool]) -> int:
    """Send ordinary reports for as long as `wanted` says so of their count."""
    sent = 0
    grid = place.grids(1)[0]
    token = place.token(grid.owner)

    async def caller() -> None:
        nonlocal sent
        async with load.Line(place.suite.url("intake")) as line:
            while wanted(sent):
                sent += 1
                await line.post("/api/intake/v1/reports", token, place.report(grid))

    await asyncio.gather(*(caller() for _ in range(callers)))
    return sent


async def outcome(place: town.Town, since: datetime, count: int) -> dict[str, Any]:
    """Wait until every alarm since then is raised and its messages are sent; the seconds taken."""
    url = place.suite.database_url("hotline").replace("+psycopg", "")
    statement = """
        SELECT a.source, extract(epoch FROM a.raised_at - a.recorded_at),
               extract(epoch FROM max(m.sent_at) - a.recorded_at), bool_and(m.state = 'sent')
        FROM alarms a JOIN messages m ON m.cause = 'alarm:' || a.id::text
        WHERE a.recorded_at >= %s GROUP BY a.id
    """
    until = time.monotonic() + DRAIN_SECONDS
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        while True:
            rows = await (await connection.execute(statement, [since])).fetchall()
            if len(rows) == count and all(done for *_, done in rows):
                break
            if time.monotonic() > until:
                raise AssertionError(f"{len(rows)} of {count} alarms within {DRAIN_SECONDS} s")
            await asyncio.sleep(LOOK_SECONDS)
    figures: dict[str, Any] = {}
    for way in ("hotline", "collector"):
        of_way = [row for row in rows if row[0] == way]
        for what, column in (("board", 1), ("messages", 2)):
            seconds = sorted(float(row[column]) for row in of_way)
            figures[f"{way} {what}"] = {
                "p50": round(load.percentile(seconds, 0.5), 3),
                "p99": round(load.percentile(seconds, 0.99), 3),
                "max": round(seconds[-1], 3),
            }
    return figures


@contextlib.contextmanager
def receivers() -> Iterator[tuple[MailServer, Gateway]]:
    """Mail server and gateway in a thread of their own, for as long as the block lasts."""
    mail, gateway = MailServer(), Gateway()
    opened, done = threading.Event(), threading.Event()

    async def serve() -> None:
        async with listening(mail), listening(gateway):
            opened.set()
            await asyncio.to_thread(done.wait)

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    opened.wait()
    try:
        yield mail, gateway
    finally:
        done.set()
        thread.join()


async def measure(place: town.Town, options: argparse.Namespace) -> dict[str, Any]:
    told = await enter_contacts(place)
    begun = datetime.now(UTC)
    await raise_all(place, options.emergencies)
    idle = await outcome(place, begun, options.emergencies)
    return {"told": told, "idle": idle, "queued": await under_load(place, options)}


async def under_load(place: town.Town, options: argparse.Namespace) -> dict[str, Any]:
    worker = place.suite.processes["hotline-worker"]
    worker.stop()
    sent = await ordinary(place, options.callers, lambda done: done < options.backlog)
    begun = datetime.now(UTC)
    going_on = True
    more = asyncio.create_task(ordinary(place, options.callers, lambda _done: going_on))
    await raise_all(place, options.emergencies)
    started = time.monotonic()
    worker.start()
    await asyncio.to_thread(wait_for, "hotline-worker ready", worker.is_ready, seconds=120)
    ready = time.monotonic() - started
    figures = await outcome(place, begun, options.emergencies)
    going_on = False
    meanwhile = await more
    return {"backlog": sent, "meanwhile": meanwhile, "worker_start": round(ready, 1), **figures}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--emergencies", type=int, default=30)
    parser.add_argument("--backlog", type=int, default=5_000, help="reports queued beforehand")
    parser.add_argument("--callers", type=int, default=8, help="who go on sending reports")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, receivers() as (mail, gateway):
        settings = {
            "MINQING_HOTLINE_SMTP_HOST": "127.0.0.1",
            "MINQING_HOTLINE_SMTP_PORT": str(mail.port),
            "MINQING_HOTLINE_SMTP_SECURITY": "none",
            "MINQING_HOTLINE_GATEWAY_URL": gateway.url,
            "MINQING_HOTLINE_GATEWAY_SECRET": "secret",
        }
        names = [f"{one}-api" for one in ("identity", "hotline", "intake")]
        names += [f"{one}-worker" for one in ("hotline", "intake")]
        with town.town(Path(folder), *names, **settings) as place:
            figures = asyncio.run(measure(place, options))
        figures["messages"] = len(mail.letters) + len(gateway.requests)
    for name in ("idle", "queued"):
        for what, one in figures[name].items():
            if isinstance(one, dict):
                verdict = "ok" if one["max"] <= TARGET_SECONDS else "TOO LATE"
                print(
                    f"{name:<7} {what:<20} p50 {one['p50']:>7.2f} s  p99 {one['p99']:>7.2f} s"
                    f"  max {one['max']:>7.2f} s  {verdict}"
                )
    town.print_result("emergency", figures)


if __name__ == "__main__":
    main()
