"""What the machine itself can do, and where its time goes."""

import asyncio
import os
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import aio_pika
import psycopg

TICKS = os.sysconf("SC_CLK_TCK")
CORES = os.cpu_count() or 1

Pids = Callable[[], Iterable[int]]


def kind_of_machine() -> str:
    """Processor and number of cores, in a few words."""
    names = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    return f"{names[0] if names else 'unknown processor'}, {CORES} cores"


def cpu_seconds(pid: int) -> float:
    """Processor time of a process and of its ended children; 0 if it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return sum(map(int, fields[11:15])) / TICKS


def descendants(pid: int) -> list[int]:
    """A process and everything that it has started and that still runs."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except (FileNotFoundError, ProcessLookupError):
                continue
            children.setdefault(parent, []).append(int(entry.name))
    found, queue = [], [pid]
    while queue:
        found.append(queue.pop())
        queue += children.get(found[-1], [])
    return found


def named(program: str) -> list[int]:
    """Processes that run a program, by its name."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and (entry / "comm").read_text().strip() == program:
                found.append(int(entry.name))
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


def backends(postgres_url: str, database: str) -> list[int]:
    """The server's processes that work for a database."""
    with psycopg.connect(postgres_url.replace("+psycopg", "")) as connection:
        rows = connection.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = %s", [database]
        ).fetchall()
    return [row[0] for row in rows]


def _busy_seconds() -> float:
    user, nice, system, _idle, _wait, irq, soft, *_ = map(
        int, Path("/proc/stat").read_text().splitlines()[0].split()[1:]
    )
    return (user + nice + system + irq + soft) / TICKS


class Meter:
    """Processor time by group of processes between two moments.

    What no group accounts for is reported as "others": on a quiet machine it is next to nothing.
    """

    def __init__(self, groups: Mapping[str, Pids]) -> None:
        self._groups = {name: list(pids()) for name, pids in groups.items()}
        self._before = self._read()
        self._busy = _busy_seconds()
        self._started = time.perf_counter()

    def stop(self) -> dict[str, float]:
        """Seconds of processor time by group, largest first, with `others` and `elapsed` last."""
        elapsed = time.perf_counter() - self._started
        busy = _busy_seconds() - self._busy
        used = {name: value - self._before[name] for name, value in self._read().items()}
        ordered = dict(sorted(used.items(), key=lambda item: -item[1]))
        return {**ordered, "others": max(busy - sum(used.values()), 0.0), "elapsed": elapsed}

    def _read(self) -> dict[str, float]:
        return {name: sum(map(cpu_seconds, pids)) for name, pids in self._groups.items()}


@dataclass(frozen=True)
class Publishing:
    """Bare confirmed publishing of persistent messages to one quorum queue."""

    per_second: float
    one_at_a_time_ms: float


async def bare_publishing(
    rabbit_url: str, *, size: int = 1_000, seconds: float = 3.0, at_once: int = 100
) -> Publishing:
    """Publish with the same client library and nothing else: no database, no envelope."""
    name = f"bench.{uuid4().hex[:8]}"
    connection = await aio_pika.connect(rabbit_url)
    async with connection:
        channel = await connection.channel(publisher_confirms=True)
        queue = await channel.declare_queue(
            name, durable=True, arguments={"x-queue-type": "quorum"}
        )
        exchange = channel.default_exchange

        async def publish() -> None:
            message = aio_pika.Message(
                os.urandom(size), delivery_mode=aio_pika.DeliveryMode.PERSISTENT
            )
            await exchange.publish(message, routing_key=name)

        try:
            singles = []
            for _ in range(50):
                begun = time.perf_counter()
                await publish()
                singles.append(time.perf_counter() - begun)
            singles.sort()
            sent, begun = 0, time.perf_counter()
            while time.perf_counter() - begun < seconds:
                await asyncio.gather(*(publish() for _ in range(at_once)))
                sent += at_once
            rate = sent / (time.perf_counter() - begun)
        finally:
            await queue.delete(if_unused=False, if_empty=False)
    return Publishing(per_second=rate, one_at_a_time_ms=singles[len(singles) // 2] * 1e3)


async def bare_passage(
    postgres_url: str, rabbit_url: str, *, messages: int = 300, per_second: float = 100.0
) -> list[float]:
    """Seconds from a committed row, through one confirmed message, to a row of the consumer.

    The least that carrying an event can take here: two bare inserts and one bare message.
    """
    name = f"bench.{uuid4().hex[:8]}"
    url = postgres_url.replace("+psycopg", "")
    times: list[float] = []
    sender = await psycopg.AsyncConnection.connect(url, autocommit=True)
    receiver = await psycopg.AsyncConnection.connect(url, autocommit=True)
    table = psycopg.sql.Identifier(name.replace(".", "_"))
    create = psycopg.sql.SQL("CREATE TABLE {} (id uuid PRIMARY KEY, body bytea)").format(table)
    insert = psycopg.sql.SQL("INSERT INTO {} VALUES (%s, %s)").format(table)
    await sender.execute(create)
    connection = await aio_pika.connect(rabbit_url)
    try:
        channel = await connection.channel(publisher_confirms=True)
        await channel.set_qos(prefetch_count=100)
        queue = await channel.declare_queue(
            name, durable=True, arguments={"x-queue-type": "quorum"}
        )
        committed: dict[str, float] = {}

        async def take(message: Any) -> None:
            await receiver.execute(insert, [uuid4(), message.body])
            times.append(time.perf_counter() - committed[message.message_id])
            await message.ack()

        await queue.consume(take)

        async def pass_on(number: int) -> None:
            await asyncio.sleep(number / per_second)
            key, body = uuid4().hex, os.urandom(1_000)
            await sender.execute(insert, [uuid4(), body])
            committed[key] = time.perf_counter()
            message = aio_pika.Message(
                body, message_id=key, delivery_mode=aio_pika.DeliveryMode.PERSISTENT
            )
            await channel.default_exchange.publish(message, routing_key=name)

        await asyncio.gather(*map(pass_on, range(messages)))
        deadline = time.perf_counter() + 10
        while len(times) < messages and time.perf_counter() < deadline:  # noqa: ASYNC110 - a count
            await asyncio.sleep(0.05)
        await queue.delete(if_unused=False, if_empty=False)
    finally:
        await connection.close()
        await sender.execute(psycopg.sql.SQL("DROP TABLE {}").format(table))
        await sender.close()
        await receiver.close()
    return sorted(times)
