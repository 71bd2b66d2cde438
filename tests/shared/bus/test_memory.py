"""What is particular to the courier within one process."""

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.bus.memory import MemoryExchange, MemoryTransport, matches
from shared.bus.transport import BusUnavailable, Delivery, OutgoingMessage, Queue

REPORTS = Queue("reports.v1", ("intake.report.#",))
REPORT = OutgoingMessage("e1", "intake.report.received.v1", b"{}")

words = st.sampled_from(["a", "b", "case", "v1"])
keys = st.lists(words, min_size=1, max_size=6).map(".".join)
patterns = st.lists(st.one_of(words, st.sampled_from(["*", "#"])), min_size=1, max_size=6).map(
    ".".join
)


def expected_match(pattern: str, key: str) -> bool:
    """The same rule as a regular expression over words that each end in a dot."""
    parts = {"*": r"[^.]+\.", "#": r"(?:[^.]+\.)*"}
    expression = "".join(parts.get(word, re.escape(word) + r"\.") for word in pattern.split("."))
    return re.fullmatch(expression, key + ".") is not None


@given(pattern=patterns, key=keys)
def test_patterns_match_as_the_topic_rule_says(pattern: str, key: str) -> None:
    """`*` is exactly one word, `#` any number of words."""
    assert matches(pattern, key) is expected_match(pattern, key)


class Consumers:
    """Consumers of one test, ended with it."""

    def __init__(self) -> None:
        self.exchange = MemoryExchange()
        self.tasks: list[asyncio.Task[None]] = []

    def transport(
        self, *, publish_timeout_s: float = 5, pause_first_s: float = 0.2
    ) -> MemoryTransport:
        return MemoryTransport(
            self.exchange, publish_timeout_s=publish_timeout_s, pause_first_s=pause_first_s
        )

    async def begin(self, transport: MemoryTransport, receive: object) -> asyncio.Task[None]:
        task = asyncio.create_task(transport.consume(REPORTS, receive))  # type: ignore[arg-type]
        self.tasks.append(task)
        await asyncio.sleep(0)
        return task


@pytest.fixture
async def consumers() -> AsyncIterator[Consumers]:
    made = Consumers()
    yield made
    for task in made.tasks:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_a_message_is_not_sent_before_every_receiver_committed(consumers: Consumers) -> None:
    """One of two queues fails: the message stays with its publisher."""
    transport = consumers.transport()
    good: list[Delivery] = []

    async def commits(deliveries: Sequence[Delivery]) -> None:
        good.extend(deliveries)

    async def raises(_: Sequence[Delivery]) -> None:
        raise RuntimeError("the database is locked")

    await consumers.begin(transport, commits)
    other = Queue("other.v1", ("#",))
    task = asyncio.create_task(transport.consume(other, raises))
    consumers.tasks.append(task)
    await asyncio.sleep(0)
    (outcome,) = await transport.publish([REPORT])

    assert isinstance(outcome, BusUnavailable)
    assert "other.v1" in str(outcome)
    assert "the database is locked" in str(outcome)
    assert len(good) == 1


async def test_the_services_of_a_process_meet_at_its_exchange(consumers: Consumers) -> None:
    """One service publishes by its transport what another receives by its own."""
    got: list[bytes] = []

    async def receive(deliveries: Sequence[Delivery]) -> None:
        got.extend(each.body for each in deliveries)

    await consumers.begin(consumers.transport(), receive)

    assert await consumers.transport().publish([REPORT]) == [None]
    assert got == [b"{}"]


async def test_a_receiver_that_takes_too_long_is_not_broken_off(consumers: Consumers) -> None:
    """The publisher is told that the outcome is unknown; the commit still comes to its end."""
    transport = consumers.transport(publish_timeout_s=0.05)
    gate, committed = asyncio.Event(), asyncio.Event()

    async def slow(_: Sequence[Delivery]) -> None:
        await gate.wait()
        committed.set()

    await consumers.begin(transport, slow)
    (first,) = await transport.publish([REPORT])
    (second,) = await transport.publish([REPORT])
    gate.set()
    async with asyncio.timeout(5):
        await committed.wait()

    assert "not known" in str(first)
    assert "busy" in str(second)


async def test_a_cancelled_publisher_leaves_the_receiver_alone(consumers: Consumers) -> None:
    """A relay that is stopped does not cancel another service's transaction."""
    transport = consumers.transport()
    entered, gate, committed = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def slow(_: Sequence[Delivery]) -> None:
        entered.set()
        await gate.wait()
        committed.set()

    await consumers.begin(transport, slow)
    publishing = asyncio.create_task(transport.publish([REPORT]))
    await entered.wait()
    publishing.cancel()
    await asyncio.wait({publishing})
    gate.set()
    async with asyncio.timeout(5):
        await committed.wait()

    assert publishing.cancelled()


async def test_a_receiver_that_failed_is_left_in_peace_for_a_while(consumers: Consumers) -> None:
    """During its pause messages are refused without asking it."""
    transport = consumers.transport(pause_first_s=60)
    asked = 0

    async def raises(_: Sequence[Delivery]) -> None:
        nonlocal asked
        asked += 1
        raise RuntimeError("the database is away")

    await consumers.begin(transport, raises)
    outcomes = [*await transport.publish([REPORT]), *await transport.publish([REPORT])]

    assert [type(each) for each in outcomes] == [BusUnavailable, BusUnavailable]
    assert asked == 1


async def test_the_first_messages_after_a_start_are_marked_as_tried_before(
    consumers: Consumers,
) -> None:
    """One of them may have killed the process; what comes later is fresh."""
    transport = consumers.transport()
    marks: list[bool] = []

    async def receive(deliveries: Sequence[Delivery]) -> None:
        marks.extend(each.redelivered for each in deliveries)

    await consumers.begin(transport, receive)
    await transport.publish([REPORT])
    await transport.publish([REPORT])

    assert marks == [True, False]


async def test_nobody_listening_yet_is_not_unroutable(consumers: Consumers) -> None:
    """A declared queue whose consumer has not started makes the message wait."""
    transport = consumers.transport()
    await transport.declare([REPORTS])
    (outcome,) = await transport.publish([REPORT])

    assert type(outcome) is BusUnavailable
