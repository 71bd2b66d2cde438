"""What runs in the background: restarted when it dies, told when it fails, ended in time."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa

from shared.db.core import execute
from shared.testing import ServiceUnderTest
from shared.worker import Worker, prune


def _run(worker: Worker, job: Callable[[], Awaitable[None]]) -> asyncio.Task[None]:
    task = asyncio.create_task(worker._supervise("toy", job))
    worker._tasks.append(task)
    return task


async def test_a_task_that_failed_once_and_works_since_is_no_fault_for_ever(
    sut: ServiceUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.worker.RESTART_PAUSE", 0.0)
    monkeypatch.setattr("shared.worker.FAULT_SECONDS", 0.2)
    worker = Worker(sut.runtime)
    failed, works = False, asyncio.Event()

    async def job() -> None:
        nonlocal failed
        if not failed:
            failed = True
            raise RuntimeError("once")
        works.set()
        await asyncio.Event().wait()

    _run(worker, job)
    await works.wait()
    assert worker.faults() == ["the background task toy keeps failing"]
    async with asyncio.timeout(5):
        while worker.faults():  # noqa: ASYNC110 - it ends by the clock, and nobody tells
            await asyncio.sleep(0)
    await worker.stop()


async def test_stopping_gets_through_to_a_task_that_swallows_its_cancellation(
    sut: ServiceUnderTest,
) -> None:
    begun = asyncio.Event()

    async def swallows() -> None:
        begun.set()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.Event().wait()

    worker = Worker(sut.runtime)
    _run(worker, swallows)
    await begun.wait()
    async with asyncio.timeout(10):
        await worker.stop()


async def test_stopping_ends_although_a_task_does_not(
    sut: ServiceUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.worker.STOP_SECONDS", 0.2)
    begun, released = asyncio.Event(), asyncio.Event()

    async def stuck() -> None:
        begun.set()
        while not released.is_set():
            with contextlib.suppress(asyncio.CancelledError):
                await released.wait()

    worker = Worker(sut.runtime)
    task = _run(worker, stuck)
    await begun.wait()
    started = time.monotonic()
    async with asyncio.timeout(10):
        await worker.stop()
    assert time.monotonic() - started < 5
    released.set()
    await asyncio.wait({task})


async def test_a_backlog_is_pruned_to_its_end_although_keys_repeat(
    sut: ServiceUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.worker.PRUNE_BATCH", 3)
    table = sut.runtime.tables.idempotency
    async with sut.runtime.database.transaction() as session:
        rows = [
            {
                "principal": f"p{number}",
                "method": "POST",
                "path": "/lamps",
                "key": f"key-{number % 2}",
                "fingerprint": b"",
                "status": 200,
                "headers": {},
                "body": b"",
                "created_at": sut.runtime.clock.now() + timedelta(minutes=number % 2),
            }
            for number in range(20)
        ]
        await execute(session, sa.insert(table), rows)
    sut.runtime.clock.advance(timedelta(days=30))
    await prune(sut.runtime)

    async with sut.runtime.database.reading() as session:
        assert (await execute(session, sa.select(table))).all() == []
