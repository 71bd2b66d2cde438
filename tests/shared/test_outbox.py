"""Carrying events out: stored with their cause, sent in order until confirmed, by one leader."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
import sqlalchemy as sa
import toy

from shared.bus.transport import BusUnavailable, OutgoingMessage, Queue, QueueDepth, Unroutable
from shared.clock import ManualClock
from shared.db.core import execute
from shared.outbox.lease import Lease
from shared.outbox.relay import SHORTEST_PAUSE, Relay
from shared.testing import ServiceUnderTest
from shared.vocabulary import Role
from shared.worker import lag, prune


class Courier:
    """A transport under the test's control: notes what it was given and answers as told."""

    def __init__(self) -> None:
        self.taken: list[OutgoingMessage] = []
        self.refuse: dict[str, BusUnavailable] = {}

    async def publish(self, messages: Sequence[OutgoingMessage]) -> list[BusUnavailable | None]:
        outcomes = [self.refuse.get(message.headers["sequence"]) for message in messages]
        self.taken += [m for m, outcome in zip(messages, outcomes, strict=True) if outcome is None]
        return outcomes

    async def depth(self, queue: Queue) -> QueueDepth:
        return QueueDepth(ready=0, dead=0)


@pytest.fixture
def courier(sut: ServiceUnderTest) -> Courier:
    courier = Courier()
    sut.runtime.transport = courier  # type: ignore[assignment]
    return courier


async def _light(sut: ServiceUnderTest, count: int) -> None:
    """Tell `count` events about one lamp."""
    async with sut.client(Role.OPERATOR) as client:
        lamp = (await client.post("/lamps", json={"street": "a"})).json()["id"]
        await client.post(f"/lamps/{lamp}/light")
    for number in range(2, count + 1):
        await sut.deliver(toy.Counted(number=number), subject=lamp)


async def test_what_is_committed_is_sent_once_and_in_order(
    sut: ServiceUnderTest, courier: Courier
) -> None:
    await _light(sut, 5)
    relay = Relay(sut.runtime)

    assert await relay.relay_batch() == 5
    assert await relay.relay_batch() == 0
    assert [message.headers["sequence"] for message in courier.taken] == ["1", "2", "3", "4", "5"]
    assert courier.taken[0].routing_key == "hotline.lamp.lit.v1"


async def test_what_is_not_confirmed_stays_and_is_sent_again(
    sut: ServiceUnderTest, courier: Courier, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.outbox.relay.SHORTEST_PAUSE", 0.0)
    await _light(sut, 3)
    relay = Relay(sut.runtime)
    courier.refuse["2"] = Unroutable("nobody is bound")

    assert await relay.relay_batch() == 2
    async with sut.runtime.database.reading() as session:
        table = sut.runtime.tables.outbox
        row = (await execute(session, sa.select(table).where(table.c.sent_at.is_(None)))).one()
    assert (row.attempts, row.last_error) == (1, "nobody is bound")
    assert (await lag(sut.runtime))["unsent"] == 1

    courier.refuse.clear()
    sut.runtime.clock.advance(timedelta(seconds=2))
    assert await relay.relay_batch() == 1
    assert [message.headers["sequence"] for message in courier.taken] == ["1", "3", "2"]


async def test_events_that_nobody_takes_do_not_hold_up_the_others(
    sut: ServiceUnderTest, courier: Courier
) -> None:
    sut.runtime.settings.relay_batch = 3
    await _light(sut, 8)
    for number in ("1", "2", "3"):
        courier.refuse[number] = Unroutable("nobody is bound")
    relay = Relay(sut.runtime)

    async with asyncio.timeout(5):
        for _ in range(4):
            await relay.relay_batch()

    assert [message.headers["sequence"] for message in courier.taken] == ["4", "5", "6", "7", "8"]
    assert relay._pause == SHORTEST_PAUSE, "a bus that takes others is not waited for"


async def test_a_bus_that_takes_nothing_is_tried_again_as_soon_as_it_is_back(
    sut: ServiceUnderTest, courier: Courier
) -> None:
    await _light(sut, 3)
    for number in ("1", "2", "3"):
        courier.refuse[number] = BusUnavailable("away")
    relay = Relay(sut.runtime)

    assert await relay.relay_batch() == 0
    courier.refuse.clear()
    assert await relay.relay_batch() == 3


async def test_a_lower_number_that_commits_later_is_not_missed(
    sut: ServiceUnderTest, courier: Courier
) -> None:
    await _light(sut, 1)
    relay = Relay(sut.runtime)
    await relay.relay_batch()
    async with sut.runtime.database.transaction() as session:
        table = sut.runtime.tables.outbox
        # A transaction that drew its number long ago and commits only now.
        await execute(
            session,
            table.insert().values(
                position=-5,
                event_id=uuid4(),
                type="hotline.lamp.lit.v1",
                aggregate="hotline.lamp",
                subject="late",
                sequence=1,
                body=b"{}",
                created_at=sut.runtime.clock.now(),
            ),
        )

    assert await relay.relay_batch() == 1


async def test_one_leader_at_a_time(sut: ServiceUnderTest) -> None:
    clock = ManualClock(datetime(2026, 6, 1, tzinfo=UTC))
    runtime = sut.runtime
    first, second = (
        Lease("relay", runtime.database, runtime.tables, clock, duration=timedelta(seconds=10))
        for _ in range(2)
    )

    assert await first.hold()
    assert not await second.hold()
    clock.advance(timedelta(seconds=9))
    assert await first.hold(), "the leader renews"
    clock.advance(timedelta(seconds=11))
    assert await second.hold(), "a frozen leader loses it"
    assert not await first.hold()
    await second.release()
    assert await first.hold()


async def test_many_ask_for_the_lease_at_once_and_one_gets_it(sut: ServiceUnderTest) -> None:
    runtime = sut.runtime
    leases = [Lease("x", runtime.database, runtime.tables, runtime.clock) for _ in range(5)]

    assert sum(await asyncio.gather(*(lease.hold() for lease in leases))) == 1


async def test_only_what_was_kept_long_enough_is_pruned(
    sut: ServiceUnderTest, courier: Courier
) -> None:
    await _light(sut, 2)
    relay = Relay(sut.runtime)
    await relay.relay_batch()
    await sut.deliver(toy.Counted(number=7), subject=(await sut.told())[0].subject)

    sut.runtime.clock.advance(timedelta(days=6))
    await prune(sut.runtime)
    assert len(await sut.told()) == 3
    sut.runtime.clock.advance(timedelta(days=2))
    await prune(sut.runtime)

    assert [event.sequence for event in await sut.told()] == [3], "the unsent one stays for ever"
