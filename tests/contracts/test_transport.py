"""What every courier must do, asked of each of them with the same questions."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from uuid import uuid4

import aio_pika
import pytest

from shared.bus.memory import MemoryExchange, MemoryTransport
from shared.bus.rabbit import DEAD_EXCHANGE, RabbitTransport
from shared.bus.transport import (
    EXCHANGE,
    BusUnavailable,
    Delivery,
    OutgoingMessage,
    Queue,
    QueueDepth,
    Receive,
    Transport,
    Unroutable,
)

RABBIT_URL = os.environ.get("MINQING_TEST_RABBIT_URL", "amqp://guest:guest@127.0.0.1:5672/")


class Courier:
    """A broker or exchange of the test's own, and as many transports on it as the test asks for."""

    holds_messages: bool

    def __init__(self) -> None:
        self.transports: list[Transport] = []
        self.queues: set[str] = set()

    def build(self, batch_size: int) -> Transport:
        raise NotImplementedError

    async def transport(self, *queues: Queue, batch_size: int = 200) -> Transport:
        made = self.build(batch_size)
        self.transports.append(made)
        await made.start()
        self.queues.update(queue.name for queue in queues)
        await made.declare(queues)
        return made

    async def clear(self) -> None:
        for made in self.transports:
            await made.stop()


class InProcess(Courier):
    holds_messages = False

    def __init__(self) -> None:
        super().__init__()
        self.exchange = MemoryExchange()

    def build(self, batch_size: int) -> Transport:
        return MemoryTransport(self.exchange, batch_size=batch_size, pause_first_s=0.01)


class Rabbit(Courier):
    holds_messages = True

    def __init__(self) -> None:
        super().__init__()
        self.prefix = f"test-{uuid4().hex[:10]}."

    def build(self, batch_size: int) -> Transport:
        return RabbitTransport(
            RABBIT_URL,
            prefix=self.prefix,
            batch_size=batch_size,
            settle_s=0.0,
            pause_first_s=0.01,
            delivery_limit=50,
        )

    async def clear(self) -> None:
        await super().clear()
        connection = await aio_pika.connect(RABBIT_URL)
        async with connection, connection.channel() as channel:
            for name in self.queues:
                await channel.queue_delete(self.prefix + name)
                await channel.queue_delete(f"{self.prefix}{name}.dead")
            for name in (EXCHANGE, DEAD_EXCHANGE):
                await channel.exchange_delete(self.prefix + name)


@pytest.fixture(
    params=[pytest.param(InProcess), pytest.param(Rabbit, marks=pytest.mark.rabbit)],
    ids=["memory", "rabbit"],
)
async def courier(request: pytest.FixtureRequest) -> AsyncIterator[Courier]:
    made: Courier = request.param()
    try:
        yield made
    finally:
        await made.clear()


@dataclass
class Receiver:
    """Keeps what it was handed; `fails` is asked before each batch is taken."""

    batches: list[list[Delivery]] = field(default_factory=list)
    attempts: list[list[Delivery]] = field(default_factory=list)
    fails: Callable[[Sequence[Delivery]], bool] = lambda _: False
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def __call__(self, deliveries: Sequence[Delivery]) -> None:
        async with self.changed:
            self.attempts.append(list(deliveries))
            self.changed.notify_all()
            if self.fails(deliveries):
                raise RuntimeError("the database is away")
            self.batches.append(list(deliveries))

    @property
    def bodies(self) -> list[bytes]:
        return [each.body for batch in self.batches for each in batch]

    async def until(self, holds: Callable[["Receiver"], bool]) -> None:
        async with asyncio.timeout(20), self.changed:
            await self.changed.wait_for(lambda: holds(self))


class Gate(Receiver):
    """A receiver that is in the middle of its work until it is let through."""

    def __init__(self) -> None:
        super().__init__()
        self.entered = asyncio.Event()
        self.open = asyncio.Event()

    async def __call__(self, deliveries: Sequence[Delivery]) -> None:
        self.entered.set()
        await self.open.wait()
        await super().__call__(deliveries)


@asynccontextmanager
async def consuming(
    transport: Transport, queue: Queue, receive: Receive
) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(transport.consume(queue, receive))
    try:
        yield task
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def events(count: int, key: str = "intake.report.received.v1") -> list[OutgoingMessage]:
    return [OutgoingMessage(f"e{number}", key, f"{number}".encode()) for number in range(count)]


async def deliver(transport: Transport, messages: Sequence[OutgoingMessage]) -> None:
    """Publish as a relay does: what was not confirmed is sent again, in order."""
    unsent = list(messages)
    async with asyncio.timeout(20):
        while unsent:
            outcomes = await transport.publish(unsent)
            unsent = [each for each, outcome in zip(unsent, outcomes, strict=True) if outcome]
            await asyncio.sleep(0.005 if unsent else 0)


async def eventually(holds: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(20):
        while not await holds():  # noqa: ASYNC110 - the broker sends no signal for it
            await asyncio.sleep(0.02)


REPORTS = Queue("intake-reports.v1", ("intake.report.#",))


@pytest.mark.parametrize(
    ("pattern", "taken"),
    [
        ("intake.report.#", {"intake.report", "intake.report.received.v1"}),
        ("intake.*.received.v1", {"intake.report.received.v1", "intake.task.received.v1"}),
        (
            "#",
            {
                "intake.report",
                "intake.report.received.v1",
                "intake.task.received.v1",
                "dispatch.case.closed.v1",
            },
        ),
        ("#.closed.*", {"dispatch.case.closed.v1"}),
        ("*.case.#", {"dispatch.case.closed.v1"}),
    ],
)
async def test_a_pattern_takes_its_routing_keys(
    courier: Courier, pattern: str, taken: set[str]
) -> None:
    """A queue gets what its pattern takes and nothing else."""
    queue, rest = Queue("picked.v1", (pattern,)), Queue("rest.v1", ("#",))
    transport = await courier.transport(queue, rest)
    keys = [
        "intake.report",
        "intake.report.received.v1",
        "intake.task.received.v1",
        "dispatch.case.closed.v1",
    ]
    picked, everything = Receiver(), Receiver()
    async with consuming(transport, queue, picked), consuming(transport, rest, everything):
        await deliver(transport, [OutgoingMessage(key, key, key.encode()) for key in keys])
        await everything.until(lambda each: set(each.bodies) == {key.encode() for key in keys})
        await picked.until(lambda each: len(set(each.bodies)) >= len(taken))

    assert {body.decode() for body in picked.bodies} == taken


async def test_two_queues_each_get_a_copy(courier: Courier) -> None:
    """One event reaches every queue that is bound for it."""
    first, second = Queue("first.v1", ("intake.#",)), Queue("second.v1", ("#.v1",))
    transport = await courier.transport(first, second)
    one, other = Receiver(), Receiver()
    async with consuming(transport, first, one), consuming(transport, second, other):
        await deliver(transport, events(5))
        await one.until(lambda each: len(set(each.bodies)) == 5)
        await other.until(lambda each: len(set(each.bodies)) == 5)

    assert set(one.bodies) == set(other.bodies) == {b"0", b"1", b"2", b"3", b"4"}


async def test_the_order_of_publishing_is_kept_for_one_consumer(courier: Courier) -> None:
    """Messages published together arrive in their order."""
    transport = await courier.transport(REPORTS, batch_size=70)
    receiver = Receiver()
    async with consuming(transport, REPORTS, receiver):
        await deliver(transport, events(500))
        await receiver.until(lambda each: len(each.bodies) >= 500)

    assert [int(body) for body in receiver.bodies] == list(range(500))


async def test_batches_are_no_larger_than_asked_for(courier: Courier) -> None:
    """Many messages come in full batches, never in larger ones."""
    transport = await courier.transport(REPORTS, batch_size=16)
    receiver = Receiver()
    async with consuming(transport, REPORTS, receiver):
        await deliver(transport, events(200))
        await receiver.until(lambda each: len(each.bodies) >= 200)

    sizes = [len(batch) for batch in receiver.batches]
    assert max(sizes) == 16


async def test_a_delivery_names_its_event(courier: Courier) -> None:
    """The event id travels beside the body, which arrives byte for byte."""
    transport = await courier.transport(REPORTS)
    receiver = Receiver()
    body = b'{"text": "\xe4\xba\x95\xe7\x9b\x96\x00"}'
    async with consuming(transport, REPORTS, receiver):
        await deliver(transport, [OutgoingMessage("0199-a", "intake.report.v1", body)])
        await receiver.until(lambda each: bool(each.batches))

    assert (receiver.batches[0][0].event_id, receiver.batches[0][0].body) == ("0199-a", body)


async def test_outcomes_come_in_the_order_of_the_messages(courier: Courier) -> None:
    """A message without a queue fails alone; its neighbours are confirmed."""
    transport = await courier.transport(REPORTS)
    receiver = Receiver()
    async with consuming(transport, REPORTS, receiver):
        await deliver(transport, events(1))
        outcomes = await transport.publish(
            [
                OutgoingMessage("a", "intake.report.x", b"a"),
                OutgoingMessage("b", "nobody.wants.this", b"b"),
                OutgoingMessage("c", "intake.report.x", b"c"),
                OutgoingMessage("b", "nor.this", b"d"),
            ]
        )
        await receiver.until(lambda each: {b"a", b"c"} <= set(each.bodies))

    assert [type(each) for each in outcomes] == [type(None), Unroutable, type(None), Unroutable]
    assert {b"b", b"d"}.isdisjoint(receiver.bodies)


async def test_publishing_nothing_is_fine(courier: Courier) -> None:
    """An empty list has an empty list of outcomes."""
    transport = await courier.transport(REPORTS)

    assert await transport.publish([]) == []


async def test_a_batch_that_was_not_received_comes_again(courier: Courier) -> None:
    """Raising twice costs nothing but two tries, and the later ones are marked."""
    transport = await courier.transport(REPORTS)
    receiver = Receiver()
    receiver.fails = lambda _: len(receiver.attempts) < 3
    async with consuming(transport, REPORTS, receiver):
        await deliver(transport, events(3))
        await receiver.until(lambda each: len(set(each.bodies)) == 3)

    assert set(receiver.bodies) == {b"0", b"1", b"2"}
    assert len(receiver.attempts) >= 3
    assert all(each.redelivered for each in receiver.attempts[-1])


async def test_a_message_at_work_in_a_consumer_that_dies_goes_to_the_next(courier: Courier) -> None:
    """Cancelling a consumer in the middle of its batch loses nothing."""
    transport = await courier.transport(REPORTS)
    dying, heir = Gate(), Receiver()
    async with consuming(transport, REPORTS, dying) as task:
        publishing = asyncio.create_task(deliver(transport, events(4)))
        async with asyncio.timeout(20):
            await dying.entered.wait()
        task.cancel()
        await asyncio.wait({task})
        async with consuming(transport, REPORTS, heir):
            await publishing
            await heir.until(lambda each: len(set(each.bodies)) == 4)

    assert dying.bodies == []
    assert set(heir.bodies) == {b"0", b"1", b"2", b"3"}
    assert heir.batches[0][0].redelivered


async def test_stopping_lets_the_running_batch_finish(courier: Courier) -> None:
    """stop() waits for the receiver; what it committed is not handed over again."""
    transport = await courier.transport(REPORTS)
    gate, later = Gate(), Receiver()
    async with consuming(transport, REPORTS, gate) as task:
        publishing = asyncio.create_task(deliver(transport, events(2)))
        async with asyncio.timeout(20):
            await gate.entered.wait()
        stopping = asyncio.create_task(transport.stop())
        done, _ = await asyncio.wait({stopping, task}, timeout=0.1)
        assert not done
        gate.open.set()
        async with asyncio.timeout(20):
            await stopping
            await task
        first = set(gate.bodies)

    other = await courier.transport(REPORTS)
    async with consuming(other, REPORTS, later):
        publishing.cancel()
        await asyncio.wait({publishing})
        await deliver(other, [OutgoingMessage("z", "intake.report.z", b"z")])
        await later.until(lambda each: b"z" in each.bodies)

    assert first
    assert first.isdisjoint(later.bodies)


async def test_a_confirmed_message_survives_until_it_is_received(courier: Courier) -> None:
    """Without a consumer a message either waits in the queue or is not confirmed."""
    transport = await courier.transport(REPORTS)
    receiver = Receiver()
    outcomes = await transport.publish(events(1))
    async with consuming(transport, REPORTS, receiver):
        if courier.holds_messages:
            assert outcomes == [None]
        else:
            assert isinstance(outcomes[0], BusUnavailable)
            assert not isinstance(outcomes[0], Unroutable)
            await deliver(transport, events(1))
        await receiver.until(lambda each: bool(each.batches))

    assert receiver.bodies == [b"0"]


async def test_competing_consumers_share_the_work(courier: Courier) -> None:
    """Two consumers of one queue receive each message once between them."""
    transport = await courier.transport(REPORTS, batch_size=5)
    other = await courier.transport(REPORTS, batch_size=5)
    one, two = Receiver(), Receiver()
    async with consuming(transport, REPORTS, one), consuming(other, REPORTS, two):
        sent = 0
        async with asyncio.timeout(20):
            while not (one.batches and two.batches):
                batch = [
                    OutgoingMessage(f"e{n}", "intake.report.v1", f"{n}".encode())
                    for n in range(sent, sent + 20)
                ]
                await deliver(transport, batch)
                sent += 20
        await eventually(lambda: _holds(len(one.bodies) + len(two.bodies) >= sent))

    assert sorted(int(body) for body in one.bodies + two.bodies) == list(range(sent))


async def _holds(value: bool) -> bool:  # noqa: FBT001
    return value


async def test_a_probe_goes_through_and_the_receiver_never_sees_it(courier: Courier) -> None:
    """Probing works with and without a consumer, and leaves the events alone."""
    transport = await courier.transport(REPORTS)
    receiver = Receiver()
    await transport.probe(REPORTS)
    async with consuming(transport, REPORTS, receiver):
        await deliver(transport, events(3))
        await receiver.until(lambda each: len(set(each.bodies)) == 3)
        for _ in range(5):
            await transport.probe(REPORTS)

    assert set(receiver.bodies) == {b"0", b"1", b"2"}


async def test_probing_a_queue_that_is_not_there_says_which(courier: Courier) -> None:
    """The error names the queue."""
    transport = await courier.transport(REPORTS)

    with pytest.raises(BusUnavailable, match="nowhere"):
        await transport.probe(Queue("nowhere.v1", ("x.#",)))


async def test_depth_counts_what_waits(courier: Courier) -> None:
    """Confirmed messages that nobody took are counted; afterwards nothing waits."""
    transport = await courier.transport(REPORTS)
    outcomes = await transport.publish(events(7))
    confirmed = outcomes.count(None)
    assert confirmed == (7 if courier.holds_messages else 0)
    await eventually(lambda: _depth_is(transport, QueueDepth(ready=confirmed, dead=0)))
    receiver = Receiver()
    async with consuming(transport, REPORTS, receiver):
        await deliver(transport, events(2))
        await receiver.until(lambda each: len(each.bodies) >= confirmed + 2)
        await eventually(lambda: _depth_is(transport, QueueDepth(ready=0, dead=0)))


async def _depth_is(transport: Transport, expected: QueueDepth) -> bool:
    return await transport.depth(REPORTS) == expected


async def test_depth_of_an_undeclared_queue_is_an_error(courier: Courier) -> None:
    """A wrong name is not reported as an empty queue."""
    transport = await courier.transport(REPORTS)

    with pytest.raises(BusUnavailable, match="nowhere"):
        await transport.depth(Queue("nowhere.v1", ("x.#",)))


async def test_redriving_nothing_moves_nothing(courier: Courier) -> None:
    """A healthy queue has no dead letters."""
    transport = await courier.transport(REPORTS)

    assert await transport.redrive(REPORTS) == 0


async def test_declaring_twice_changes_nothing(courier: Courier) -> None:
    """The install step may run at every start."""
    transport = await courier.transport(REPORTS)
    await transport.declare([REPORTS])
    receiver = Receiver()
    async with consuming(transport, REPORTS, receiver):
        await deliver(transport, events(3))
        await receiver.until(lambda each: len(each.bodies) >= 3)

    assert receiver.bodies == [b"0", b"1", b"2"]
