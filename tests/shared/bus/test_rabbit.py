"""How the RabbitMQ courier bears broken networks, deleted queues and wrong topology."""

import asyncio
import os
import socket
import struct
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Self
from uuid import uuid4

import aio_pika
import pytest
from pamqp import commands, frame
from yarl import URL

from shared.bus.rabbit import DEAD_EXCHANGE, RabbitTransport, _Backoff
from shared.bus.transport import (
    EXCHANGE,
    BusUnavailable,
    Delivery,
    OutgoingMessage,
    Queue,
    QueueDepth,
    Unroutable,
)

pytestmark = pytest.mark.rabbit

RABBIT_URL = os.environ.get("MINQING_TEST_RABBIT_URL", "amqp://guest:guest@127.0.0.1:5672/")

REPORTS = Queue("reports.v1", ("intake.report.#",))
CASES = Queue("cases.v1", ("dispatch.case.#",))


class Proxy:
    """A wire to the broker that a test can cut, freeze or tamper with."""

    def __init__(self) -> None:
        self.accepting = True
        self.attempts = 0
        self.relayed = 0
        self.drop_down = False
        self.frozen = False
        self._links: set[tuple[asyncio.StreamWriter, asyncio.StreamWriter]] = set()
        self._pumps: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self.port = 0
        await self.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def open(self) -> None:
        self.frozen = False
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Cut every connection and take no other."""
        self._server.close()
        self.frozen = False
        self.reset()
        await asyncio.gather(*self._pumps, return_exceptions=True)
        await self._server.wait_closed()

    @property
    def url(self) -> str:
        return str(URL(RABBIT_URL).with_host("127.0.0.1").with_port(self.port))

    async def _accept(self, reader: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        self.attempts += 1
        if not self.accepting:
            client.transport.abort()
            return
        target = URL(RABBIT_URL)
        answers, broker = await asyncio.open_connection(target.host, target.port or 5672)
        link = (client, broker)
        self._links.add(link)
        up = asyncio.create_task(self._pump(reader, broker, down=False))
        down = asyncio.create_task(self._pump(answers, client, down=True))
        self._pumps |= {up, down}
        await asyncio.wait({up, down}, return_when=asyncio.FIRST_COMPLETED)
        while self.frozen:  # noqa: ASYNC110 - a dead wire does not tell one end that the other left
            await asyncio.sleep(0.02)
        for writer in link:
            writer.transport.abort()
        await asyncio.wait({up, down})
        self._links.discard(link)

    async def _pump(
        self, source: asyncio.StreamReader, target: asyncio.StreamWriter, *, down: bool
    ) -> None:
        with suppress(OSError):
            while data := await source.read(65536):
                if self.frozen or (down and self.drop_down):
                    continue
                self.relayed += 1
                target.write(data)
                await target.drain()

    def reset(self) -> None:
        """Cut every connection the hard way, with a TCP reset."""
        for client, broker in self._links:
            for writer in (client, broker):
                with suppress(OSError, AttributeError):
                    writer.get_extra_info("socket").setsockopt(
                        socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
                    )
                writer.transport.abort()

    def say_to_broker(self, data: bytes) -> None:
        """Put words into the mouth of every connected client."""
        for _, broker in self._links:
            broker.write(data)


class Inbox:
    """A receiver that keeps what it was handed, once per event, and can be told to fail."""

    def __init__(self) -> None:
        self.seen: dict[str | None, bytes] = {}
        self.handed = 0
        self.failing = False

    async def __call__(self, deliveries: Sequence[Delivery]) -> None:
        self.handed += len(deliveries)
        if self.failing:
            raise RuntimeError("the database is away")
        self.seen.update({each.event_id: each.body for each in deliveries})


class Broker:
    """Names of this test's own on the shared broker, removed afterwards."""

    def __init__(self) -> None:
        self.prefix = f"test-{uuid4().hex[:10]}."
        self.transports: list[RabbitTransport] = []
        self.tasks: list[asyncio.Task[None]] = []

    def transport(self, url: str = RABBIT_URL, **options: float) -> RabbitTransport:
        made = RabbitTransport(
            url,
            prefix=self.prefix,
            **{"settle_s": 0.0, "pause_first_s": 0.01, "reconnect_max_s": 1.0, **options},  # type: ignore[arg-type]
        )
        self.transports.append(made)
        return made

    async def started(
        self, url: str = RABBIT_URL, queues: Sequence[Queue] = (REPORTS,), **options: float
    ) -> RabbitTransport:
        made = self.transport(url, **options)
        await made.start()
        await made.declare(queues)
        await eventually(lambda: now(not made.faults()))
        return made

    async def consume(
        self, transport: RabbitTransport, inbox: Inbox, queue: Queue = REPORTS
    ) -> asyncio.Task[None]:
        task = asyncio.create_task(transport.consume(queue, inbox))
        self.tasks.append(task)
        await asyncio.sleep(0)  # its first step: the transport knows of it
        return task

    @asynccontextmanager
    async def channel(self) -> AsyncIterator[aio_pika.abc.AbstractChannel]:
        connection = await aio_pika.connect(RABBIT_URL)
        async with connection, connection.channel(on_return_raises=True) as channel:
            yield channel

    async def clear(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        for made in self.transports:
            await made.stop()
        async with self.channel() as channel:
            for queue in (REPORTS, CASES, Queue("all.v1", ())):
                await channel.queue_delete(self.prefix + queue.name)
                await channel.queue_delete(self.prefix + queue.dead_name)
            for name in (EXCHANGE, DEAD_EXCHANGE):
                await channel.exchange_delete(self.prefix + name)


@pytest.fixture
async def broker() -> AsyncIterator[Broker]:
    made = Broker()
    try:
        yield made
    finally:
        await made.clear()


@pytest.fixture
async def proxy() -> AsyncIterator[Proxy]:
    async with Proxy() as made:
        yield made


def events(count: int, key: str = "intake.report.received.v1") -> list[OutgoingMessage]:
    return [OutgoingMessage(f"e{number}", key, f"{number}".encode()) for number in range(count)]


async def now(value: bool) -> bool:  # noqa: FBT001
    return value


async def eventually(holds: Callable[[], Awaitable[bool]], within_s: float = 20) -> None:
    async with asyncio.timeout(within_s):
        while not await holds():  # noqa: ASYNC110 - the broker sends no signal for it
            await asyncio.sleep(0.02)


async def deliver(transport: RabbitTransport, messages: Sequence[OutgoingMessage]) -> None:
    """Publish as a relay does: what was not confirmed is sent again."""
    unsent = list(messages)
    async with asyncio.timeout(30):
        while unsent:
            outcomes = await transport.publish(unsent)
            unsent = [each for each, outcome in zip(unsent, outcomes, strict=True) if outcome]
            await asyncio.sleep(0.02 if unsent else 0)


async def test_a_reset_in_the_middle_of_publishing_loses_nothing_confirmed(
    broker: Broker, proxy: Proxy
) -> None:
    """Every publish under way ends at once, and publishing works again within two seconds."""
    transport = await broker.started(proxy.url)
    inbox = Inbox()
    await broker.consume(await broker.started(), inbox)
    confirmed: set[str] = set()
    failed = 0
    for round_ in range(3):
        batch = [
            OutgoingMessage(f"{round_}-{n}", "intake.report.v1", b"x" * 1000) for n in range(500)
        ]
        publishing = asyncio.create_task(transport.publish(batch))
        await eventually(lambda: now(inbox.handed > 0))
        proxy.reset()
        start = time.monotonic()
        outcomes = await publishing
        assert time.monotonic() - start < 1
        failed += sum(outcome is not None for outcome in outcomes)
        assert all(outcome is None or type(outcome) is BusUnavailable for outcome in outcomes)
        confirmed |= {m.event_id for m, outcome in zip(batch, outcomes, strict=True) if not outcome}
        start = time.monotonic()
        await deliver(transport, batch)
        assert time.monotonic() - start < 3
        inbox.handed = 0
    await eventually(lambda: now(len(inbox.seen) == 1500))

    assert failed > 0
    assert confirmed <= set(inbox.seen)


async def test_lost_confirms_end_as_unknown_in_time(broker: Broker, proxy: Proxy) -> None:
    """Publishing returns by its timeout, says nothing was confirmed, and readiness shows it."""
    transport = await broker.started(proxy.url, publish_timeout_s=0.5)
    assert await transport.publish(events(1)) == [None]
    proxy.drop_down = True
    start = time.monotonic()
    outcomes = await transport.publish(events(50))

    assert time.monotonic() - start < 1.5
    assert {type(each) for each in outcomes} == {BusUnavailable}
    assert transport.faults()

    proxy.drop_down = False
    proxy.reset()
    await deliver(transport, events(50))
    assert transport.faults() == []


async def test_a_dead_wire_is_noticed_by_heartbeat_and_kills_no_task(
    broker: Broker, proxy: Proxy
) -> None:
    """The library cancels callers when it notices a dead wire; here that is an ordinary outcome."""
    transport = await broker.started(proxy.url, heartbeat_s=1, publish_timeout_s=30, timeout_s=1)
    inbox = Inbox()
    consuming = await broker.consume(transport, inbox)
    await deliver(transport, events(1))
    await eventually(lambda: now(bool(inbox.seen)))
    proxy.frozen = True
    async with asyncio.timeout(15):
        outcomes = await transport.publish(events(20))
    assert {type(each) for each in outcomes} == {BusUnavailable}
    await eventually(lambda: now(len(transport.faults()) == 2))
    proxy.frozen = False
    await deliver(transport, events(20))
    await eventually(lambda: now(len(inbox.seen) == 20 and not transport.faults()))

    assert not consuming.done()


@pytest.mark.parametrize("steps", [0, 1, 2, 3, 5, 8, 13, 21, 34])
async def test_a_consumer_cancelled_while_its_connection_is_cut_ends(
    broker: Broker, proxy: Proxy, steps: int
) -> None:
    """The library may swallow a cancellation that meets a closing connection; the task ends."""
    await broker.started()
    transport = broker.transport(proxy.url)
    for attached in (True, False):
        before = proxy.relayed
        task = await broker.consume(transport, Inbox())
        if attached:
            await eventually(lambda: now(not transport._consumers[0].fault))
        else:
            await eventually(lambda before=before: now(proxy.relayed >= before + 2 + steps % 5))
            proxy.frozen = True
        await proxy.close()
        for _ in range(steps):
            await asyncio.sleep(0)
        task.cancel()
        done, _ = await asyncio.wait({task}, timeout=5)
        assert done
        assert task.cancelled()
        await proxy.open()


async def test_starting_without_a_broker_connects_later(broker: Broker, proxy: Proxy) -> None:
    """start() returns at once, publishing fails without waiting, faults name the address."""
    await broker.started()
    proxy.accepting = False
    transport, inbox = broker.transport(proxy.url), Inbox()
    start = time.monotonic()
    await transport.start()
    await broker.consume(transport, inbox)
    outcomes = await transport.publish(events(2))

    assert time.monotonic() - start < 1
    assert {type(each) for each in outcomes} == {BusUnavailable}
    assert str(proxy.port) in "".join(transport.faults())
    assert "guest@" not in "".join(transport.faults())
    with pytest.raises(BusUnavailable, match=str(proxy.port)):
        await transport.declare([REPORTS])

    proxy.accepting = True
    await deliver(transport, events(2))
    await eventually(lambda: now(len(inbox.seen) == 2))
    assert transport.faults() == []


async def test_a_broker_that_refuses_is_not_asked_without_end(broker: Broker, proxy: Proxy) -> None:
    """Waits between attempts grow up to the maximum."""
    proxy.accepting = False
    transport = broker.transport(proxy.url, reconnect_first_s=0.05, reconnect_max_s=10.0)
    await transport.start()
    start = time.monotonic()
    await eventually(lambda: now(proxy.attempts >= 5))

    # Four waits of 0.05, 0.1, 0.2 and 0.4 s, each shortened by jitter to no less than 0.6 of it.
    assert time.monotonic() - start > 0.75 * 0.6


async def test_a_wrong_password_is_a_fault_that_keeps_the_password_to_itself(
    broker: Broker,
) -> None:
    """The fault names the broker, not the secret."""
    transport = broker.transport(str(URL(RABBIT_URL).with_password("not-it-at-all")))
    await transport.start()
    await transport.publish(events(1))

    assert transport.faults()
    assert "not-it-at-all" not in "".join(transport.faults())


async def test_consumers_come_back_after_the_connection_is_cut(
    broker: Broker, proxy: Proxy
) -> None:
    """Messages under way are handed over again; none is missing."""
    await broker.started()
    publisher = await broker.started()
    transport, inbox = broker.transport(proxy.url), Inbox()
    await broker.consume(transport, inbox)
    for round_ in range(3):
        batch = [OutgoingMessage(f"{round_}-{n}", "intake.report.v1", b"") for n in range(300)]
        await deliver(publisher, batch)
        proxy.reset()
    await eventually(lambda: now(len(inbox.seen) == 900))


async def test_a_consumer_comes_back_after_its_channel_is_closed(
    broker: Broker, proxy: Proxy
) -> None:
    """The broker closes the channel for an acknowledgement out of nowhere; consuming goes on."""
    publisher = await broker.started()
    transport, inbox = broker.transport(proxy.url), Inbox()
    await broker.consume(transport, inbox)
    await deliver(publisher, events(1))
    await eventually(lambda: now(len(inbox.seen) == 1))
    attempts = proxy.attempts
    proxy.say_to_broker(frame.marshal(commands.Basic.Ack(delivery_tag=999_999), 1))
    await eventually(lambda: now(proxy.attempts > attempts))
    await deliver(publisher, events(5))
    await eventually(lambda: now(len(inbox.seen) == 5))


async def test_a_deleted_queue_is_declared_again_and_consumed(broker: Broker) -> None:
    """An operator's mistake costs what lay in the queue, not the consumer."""
    transport, inbox = await broker.started(), Inbox()
    await broker.consume(transport, inbox)
    await deliver(transport, events(1))
    await eventually(lambda: now(len(inbox.seen) == 1))
    async with broker.channel() as channel:
        await channel.queue_delete(broker.prefix + REPORTS.name)
    start = time.monotonic()
    await deliver(transport, events(10))
    await eventually(lambda: now(len(inbox.seen) == 10))

    assert time.monotonic() - start < 5
    assert transport.faults() == []


async def test_a_queue_with_other_arguments_is_reported_and_harms_no_other(
    broker: Broker,
) -> None:
    """Installing fails by name; a consumer stays away and says why; its neighbour works."""
    await broker.started(queues=[REPORTS, CASES])
    async with broker.channel() as channel:
        await channel.queue_delete(broker.prefix + CASES.name)
        await channel.declare_queue(broker.prefix + CASES.name, durable=True)
    transport, well, ill = broker.transport(), Inbox(), Inbox()
    await transport.start()
    with pytest.raises(BusUnavailable, match=r"cases\.v1.*other arguments"):
        await transport.declare([REPORTS, CASES])
    await broker.consume(transport, well, REPORTS)
    await broker.consume(transport, ill, CASES)
    await deliver(transport, events(3))
    await eventually(lambda: now(len(well.seen) == 3))
    await eventually(lambda: now("other arguments" in "".join(transport.faults())))

    assert len(transport.faults()) == 1
    with pytest.raises(BusUnavailable, match=r"cases\.v1"):
        await transport.probe(CASES)
    await transport.probe(REPORTS)


async def test_publishing_recovers_from_a_missing_exchange(broker: Broker) -> None:
    """The broker closes the channel for it, and the connection for what is pipelined behind."""
    transport = await broker.started()
    async with broker.channel() as channel:
        await channel.exchange_delete(broker.prefix + EXCHANGE)
    outcomes = await transport.publish(events(3))
    assert {type(each) for each in outcomes} == {BusUnavailable}
    await transport.declare([REPORTS])
    start = time.monotonic()
    await deliver(transport, events(3))

    assert time.monotonic() - start < 1
    assert (await transport.depth(REPORTS)).ready == 3


async def test_one_event_published_twice_at_once_gets_two_right_outcomes(broker: Broker) -> None:
    """An unroutable twin is not mistaken for the confirmed one."""
    transport = await broker.started()
    keys = ["nobody.wants.it", "intake.report.v1"] * 50
    outcomes = await transport.publish([OutgoingMessage("same", key, b"") for key in keys])

    assert [type(each) for each in outcomes] == [Unroutable, type(None)] * 50
    assert transport.faults() == []


@pytest.mark.parametrize(
    "bad",
    [
        OutgoingMessage("bad", "intake.report." + "x" * 300, b""),
        OutgoingMessage("bad", "intake.report.v1", b"", {"h": "x" * 200_000}),
        OutgoingMessage("bad", "intake.report.v1", b"x" * (9 * 1024 * 1024)),
    ],
    ids=["key", "header", "body"],
)
async def test_a_message_too_large_fails_alone(broker: Broker, bad: OutgoingMessage) -> None:
    """It would close the channel or connection under its neighbours, so it is not sent."""
    transport = await broker.started()
    outcomes = await transport.publish([*events(20), bad, *events(20)])

    assert type(outcomes[20]) is Unroutable
    assert outcomes[:20] + outcomes[21:] == [None] * 40


async def test_messages_are_persistent_and_carry_their_event_in_a_header(broker: Broker) -> None:
    """The message id belongs to the attempt, the event id to the event."""
    transport = await broker.started()
    await transport.publish([OutgoingMessage("e1", "intake.report.v1", b"{}", {"trace": "t"})] * 2)
    async with broker.channel() as channel:
        queue = await channel.get_queue(broker.prefix + REPORTS.name)
        first, second = await queue.get(), await queue.get()

    assert [each.delivery_mode for each in (first, second)] == [2, 2]
    assert {"trace": "t", "event_id": "e1"}.items() <= first.headers.items()
    assert {"trace": "t", "event_id": "e1"}.items() <= second.headers.items()
    assert len({first.message_id, second.message_id, "e1"}) == 3


async def test_queues_are_quorum_queues_with_a_dead_letter_net(broker: Broker) -> None:
    """Declaring them once more with these very arguments is accepted, so these they have."""
    await broker.started(delivery_limit=77)
    name = broker.prefix + REPORTS.name
    async with broker.channel() as channel:
        await channel.declare_queue(
            name,
            durable=True,
            arguments={
                "x-queue-type": "quorum",
                "x-delivery-limit": 77,
                "x-dead-letter-exchange": f"{broker.prefix}minqing.dead",
                "x-dead-letter-routing-key": name,
                "x-dead-letter-strategy": "at-least-once",
                "x-overflow": "reject-publish",
            },
        )
        await channel.declare_exchange(f"{broker.prefix}minqing.events", "topic", durable=True)
        await channel.declare_exchange(f"{broker.prefix}minqing.dead", "direct", durable=True)


async def test_a_new_queue_is_left_to_settle_and_proved_without_a_trace(broker: Broker) -> None:
    """The first declaration takes the settling time, the second does not."""
    transport = broker.transport(settle_s=0.4)
    await transport.start()
    start = time.monotonic()
    await transport.declare([REPORTS])
    first_s = time.monotonic() - start
    start = time.monotonic()
    await transport.declare([REPORTS])

    assert first_s >= 0.4 > time.monotonic() - start
    assert await transport.depth(REPORTS) == QueueDepth(ready=0, dead=0)


async def test_dead_letters_are_kept_and_driven_back_to_their_own_queue(broker: Broker) -> None:
    """What died by the delivery limit is received after redriving, by this queue alone."""
    everything = Queue("all.v1", ("#",))
    transport = await broker.started(queues=[REPORTS, everything], delivery_limit=1)
    inbox, other = Inbox(), Inbox()
    inbox.failing = True
    await broker.consume(transport, inbox)
    await broker.consume(transport, other, everything)
    await deliver(transport, events(5))

    async def all_dead() -> bool:
        return (await transport.depth(REPORTS)).dead == 5

    await eventually(all_dead)
    await eventually(lambda: now(len(other.seen) == 5))
    handed_to_other = other.handed
    inbox.failing = False

    assert await transport.redrive(REPORTS) == 5
    await eventually(lambda: now(len(inbox.seen) == 5))
    assert await transport.redrive(REPORTS) == 0
    assert await transport.depth(REPORTS) == QueueDepth(ready=0, dead=0)
    assert other.handed == handed_to_other
    assert inbox.seen == {f"e{n}": f"{n}".encode() for n in range(5)}


async def test_a_probe_is_answered_by_a_competing_consumer(broker: Broker) -> None:
    """With several workers on one queue each of them is ready, whoever gets the probe."""
    one, two = await broker.started(timeout_s=2), await broker.started(timeout_s=2)
    inbox = Inbox()
    for transport in (one, two):
        await broker.consume(transport, inbox)
        await eventually(lambda transport=transport: now(not transport.faults()))
    for _ in range(10):
        await one.probe(REPORTS)
        await two.probe(REPORTS)

    assert inbox.handed == 0


async def test_a_receiver_at_work_does_not_hold_up_the_probe(broker: Broker) -> None:
    """A slow database is not a broken queue."""
    transport = await broker.started(timeout_s=2)
    entered, gate = asyncio.Event(), asyncio.Event()

    async def slow(_: Sequence[Delivery]) -> None:
        entered.set()
        await gate.wait()

    task = asyncio.create_task(transport.consume(REPORTS, slow))
    broker.tasks.append(task)
    await deliver(transport, events(1))
    await entered.wait()
    await transport.probe(REPORTS)

    assert not gate.is_set()
    gate.set()


async def test_a_probe_that_does_not_come_back_is_an_error(broker: Broker, proxy: Proxy) -> None:
    """The probe goes in, but the wire to the consumer swallows it."""
    await broker.started()
    transport = broker.transport(proxy.url, timeout_s=1)
    await broker.consume(transport, Inbox())
    await eventually(lambda: now("reports" not in "".join(transport.faults())))
    proxy.frozen = True
    # Only the consuming connection is frozen: the publishing one is made around the proxy.
    direct = await broker.started(timeout_s=1)
    transport._publisher, transport._prober = direct._publisher, direct._prober

    with pytest.raises(BusUnavailable, match=r"reports\.v1.*did not come back"):
        await transport.probe(REPORTS)
    proxy.reset()


async def test_probes_do_not_pile_up_in_a_queue_that_nobody_drains(broker: Broker) -> None:
    """Ten probes without a consumer leave one message, which no receiver ever sees."""
    transport, inbox = await broker.started(), Inbox()
    for _ in range(10):
        await transport.probe(REPORTS)
    assert (await transport.depth(REPORTS)).ready == 1
    await broker.consume(transport, inbox)
    await deliver(transport, events(1))
    await eventually(lambda: now(len(inbox.seen) == 1))

    assert inbox.handed == 1


async def test_a_queue_bound_to_everything_keeps_the_probes_of_others_to_itself(
    broker: Broker,
) -> None:
    """It sees them, acknowledges them, and does not answer in the other queue's name."""
    everything = Queue("all.v1", ("#",))
    transport = await broker.started(queues=[REPORTS, everything], timeout_s=1)
    inbox = Inbox()
    await broker.consume(transport, inbox, everything)
    await eventually(lambda: now(not transport.faults()))
    answer = await transport._prober.send(REPORTS, again_after_s=0)
    await transport.probe(everything)

    assert not answer.done()
    assert inbox.handed == 0


async def test_a_broken_receiver_is_asked_at_growing_intervals(broker: Broker) -> None:
    """A database that is away is not hammered."""
    transport = await broker.started(pause_first_s=0.1)
    inbox = Inbox()
    inbox.failing = True
    start = time.monotonic()
    await broker.consume(transport, inbox)
    await deliver(transport, events(1))
    await eventually(lambda: now(inbox.handed >= 4))

    assert time.monotonic() - start > (0.1 + 0.2 + 0.4) * 0.6


async def test_stopping_while_the_receiver_is_paused_gives_the_batch_back(broker: Broker) -> None:
    """stop() does not wait for the end of the pause."""
    transport, inbox = await broker.started(pause_first_s=60, pause_max_s=60), Inbox()
    inbox.failing = True
    await broker.consume(transport, inbox)
    await deliver(transport, events(2))
    await eventually(lambda: now(inbox.handed > 0))
    async with asyncio.timeout(5):
        await transport.stop()

    async def back() -> bool:
        return (await transport.depth(REPORTS)).ready == 2

    await eventually(back)


def test_waits_double_up_to_the_maximum_with_jitter() -> None:
    """Each wait lies between 0.6 and 1 of its step."""
    backoff = _Backoff(0.2, 1.0)
    waits = [backoff.next() for _ in range(5)]
    backoff.reset()
    waits.append(backoff.next())

    for wait_s, step_s in zip(waits, [0.2, 0.4, 0.8, 1.0, 1.0, 0.2], strict=True):
        assert 0.6 * step_s <= wait_s <= step_s
