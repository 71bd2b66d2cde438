"""The courier within one process: every published event is handed straight to its receivers.

Only the outbox is on disk here, so a message counts as sent when every receiver has committed it,
and not before: a process that dies in between leaves the row unsent, and the inbox absorbs what is
then handed over a second time.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from functools import lru_cache

from shared.bus.transport import (
    BusUnavailable,
    Delivery,
    OutgoingMessage,
    Queue,
    QueueDepth,
    Receive,
    Unroutable,
)

log = logging.getLogger(__name__)


@lru_cache(maxsize=4096)
def matches(pattern: str, routing_key: str) -> bool:
    """Whether a topic pattern takes a routing key: `*` is one word, `#` any number or none."""
    return _words_match(tuple(pattern.split(".")), tuple(routing_key.split(".")))


def _words_match(pattern: tuple[str, ...], words: tuple[str, ...]) -> bool:
    # `reached` holds how many words of the key the pattern so far can have used up.
    reached = {0}
    for part in pattern:
        if part == "#":
            reached = set(range(min(reached), len(words) + 1))
        else:
            reached = {at + 1 for at in reached if at < len(words) and part in ("*", words[at])}
        if not reached:
            return False
    return len(words) in reached


class _MemoryConsumer:
    """One receiver at one queue; it works on one batch at a time."""

    def __init__(
        self, queue: "_MemoryQueue", receive: Receive, pause_first_s: float, pause_max_s: float
    ) -> None:
        self.stopped = asyncio.Event()
        self._queue = queue
        self._receive = receive
        self._pause_first_s = pause_first_s
        self._pause_max_s = pause_max_s
        self._pause_s = pause_first_s
        self._paused_until = 0.0
        self._turn = asyncio.Lock()
        self._running: asyncio.Task[None] | None = None
        # The process may have been started again because one of these first messages killed it.
        self._fresh = True

    async def hand(self, messages: Sequence[OutgoingMessage], deadline: float) -> None:
        """Have the receiver commit these messages.

        Raises:
            BusUnavailable: it did not, or not in time; then it may still do so later.
        """
        loop = asyncio.get_running_loop()
        name = self._queue.name
        try:
            async with asyncio.timeout_at(deadline):
                await self._turn.acquire()
        except TimeoutError as error:
            raise BusUnavailable(f"queue {name}: the receiver is busy") from error
        if self.stopped.is_set() or loop.time() < self._paused_until:
            self._turn.release()
            raise BusUnavailable(
                f"queue {name}: the receiver pauses after a failure or has stopped"
            )
        # A task of its own: the publisher may give up or be cancelled, a commit half done may not.
        self._running = asyncio.create_task(self._work(messages))
        done, _ = await asyncio.wait({self._running}, timeout=max(deadline - loop.time(), 0))
        if not done:
            raise BusUnavailable(f"queue {name}: still at work, the outcome is not known yet")
        for finished in done:
            if finished.cancelled():
                raise BusUnavailable(f"queue {name}: the receiver was cancelled")
            if (cause := finished.exception()) is not None:
                reason = str(cause) or type(cause).__name__
                raise BusUnavailable(f"queue {name}: {reason}") from cause

    async def _work(self, messages: Sequence[OutgoingMessage]) -> None:
        fresh, self._fresh = self._fresh, False
        failed = self._queue.failed
        deliveries = [
            Delivery(
                body=each.body,
                redelivered=fresh or each.event_id in failed,
                event_id=each.event_id,
            )
            for each in messages
        ]
        failed.update(each.event_id for each in messages)
        try:
            await self._receive(deliveries)
        except Exception:
            log.exception("queue %s: %d messages not received", self._queue.name, len(messages))
            self._paused_until = asyncio.get_running_loop().time() + self._pause_s
            self._pause_s = min(self._pause_s * 2, self._pause_max_s)
            raise
        else:
            failed.difference_update(each.event_id for each in messages)
            self._pause_s = self._pause_first_s
        finally:
            self._turn.release()

    async def finish(self) -> None:
        """Take nothing more and wait for the batch at work."""
        self.stopped.set()
        if self._running is not None and not self._running.done():
            await asyncio.wait({self._running})

    async def abandon(self) -> None:
        """Take nothing more and break off the batch at work, as a dying process would."""
        self.stopped.set()
        if self._running is not None and not self._running.done():
            self._running.cancel()
            await asyncio.wait({self._running})


class _MemoryQueue:
    def __init__(self, name: str) -> None:
        self.name = name
        self.bindings: tuple[str, ...] = ()
        # Handed over and not known to be committed.
        self.failed: set[str] = set()
        self._consumers: list[_MemoryConsumer] = []

    def bind(self, bindings: Sequence[str]) -> None:
        self.bindings = tuple(dict.fromkeys((*self.bindings, *bindings)))

    def takes(self, routing_key: str) -> bool:
        return any(matches(pattern, routing_key) for pattern in self.bindings)

    def add(self, consumer: _MemoryConsumer) -> None:
        self._consumers.append(consumer)

    def remove(self, consumer: _MemoryConsumer) -> None:
        if consumer in self._consumers:
            self._consumers.remove(consumer)

    def next_consumer(self) -> _MemoryConsumer | None:
        """Competing consumers take turns."""
        if not self._consumers:
            return None
        self._consumers.append(self._consumers.pop(0))
        return self._consumers[-1]


class MemoryExchange:
    """Where the transports of one process meet; make one and give it to each of them."""

    def __init__(self) -> None:
        self._queues: dict[str, _MemoryQueue] = {}

    def declare(self, queue: Queue) -> _MemoryQueue:
        declared = self._queues.setdefault(queue.name, _MemoryQueue(queue.name))
        declared.bind(queue.bindings)
        return declared

    def find(self, queue: Queue) -> _MemoryQueue:
        """The declared queue.

        Raises:
            BusUnavailable: it is not declared.
        """
        if queue.name not in self._queues:
            raise BusUnavailable(f"queue {queue.name} is not declared")
        return self._queues[queue.name]

    def bound(self, routing_key: str) -> list[_MemoryQueue]:
        return [queue for queue in self._queues.values() if queue.takes(routing_key)]


class MemoryTransport:
    """The courier of `shared.bus.transport.Transport` within one process.

    It holds no messages: a receiver that fails or is missing leaves the message with the publisher,
    whose outbox tries again. So nothing waits here, nothing dies, and there is nothing to redrive.

    Args:
        exchange: shared by all services of the process.
        batch_size: most messages handed over together.
        publish_timeout_s: after this the outcome is unknown; a receiver at work is not broken off.
        pause_first_s: how long a queue refuses messages after its receiver raised; doubles.
        pause_max_s: longest such pause.
    """

    def __init__(
        self,
        exchange: MemoryExchange,
        *,
        batch_size: int = 200,
        publish_timeout_s: float = 30.0,
        pause_first_s: float = 0.2,
        pause_max_s: float = 30.0,
    ) -> None:
        self._exchange = exchange
        self._batch_size = batch_size
        self._publish_timeout_s = publish_timeout_s
        self._pause_first_s = pause_first_s
        self._pause_max_s = pause_max_s
        self._consumers: list[tuple[_MemoryQueue, _MemoryConsumer]] = []

    async def start(self) -> None:
        """Nothing to connect to."""

    async def stop(self) -> None:
        for queue, consumer in list(self._consumers):
            queue.remove(consumer)
            await consumer.finish()

    def faults(self) -> list[str]:
        """Nothing can be wrong with a courier that never leaves the process."""
        return []

    async def declare(self, queues: Sequence[Queue]) -> None:
        for queue in queues:
            self._exchange.declare(queue)

    async def publish(self, messages: Sequence[OutgoingMessage]) -> list[BusUnavailable | None]:
        deadline = asyncio.get_running_loop().time() + self._publish_timeout_s
        outcomes: list[BusUnavailable | None] = [None] * len(messages)
        shares: dict[_MemoryQueue, list[int]] = {}
        for index, message in enumerate(messages):
            queues = self._exchange.bound(message.routing_key)
            if not queues:
                outcomes[index] = Unroutable(
                    f"publishing event {message.event_id} as {message.routing_key}: "
                    "no queue is bound for it"
                )
            for queue in queues:
                shares.setdefault(queue, []).append(index)

        def failed(index: int, error: BusUnavailable) -> None:
            outcomes[index] = outcomes[index] or error

        await asyncio.gather(
            *(
                self._hand_share(queue, messages, share, deadline, failed)
                for queue, share in shares.items()
            )
        )
        return outcomes

    async def _hand_share(
        self,
        queue: _MemoryQueue,
        messages: Sequence[OutgoingMessage],
        share: Sequence[int],
        deadline: float,
        failed: Callable[[int, BusUnavailable], None],
    ) -> None:
        """Hand one queue its messages in order; after the first failed batch the rest waits."""
        for start in range(0, len(share), self._batch_size):
            batch = share[start : start + self._batch_size]
            consumer = queue.next_consumer()
            try:
                if consumer is None:
                    raise BusUnavailable(f"queue {queue.name}: nobody consumes it yet")  # noqa: TRY301
                await consumer.hand([messages[index] for index in batch], deadline)
            except BusUnavailable as error:
                for index in share[start:]:
                    failed(index, error)
                return

    async def consume(self, queue: Queue, receive: Receive) -> None:
        declared = self._exchange.declare(queue)
        consumer = _MemoryConsumer(declared, receive, self._pause_first_s, self._pause_max_s)
        entry = (declared, consumer)
        self._consumers.append(entry)
        declared.add(consumer)
        try:
            await consumer.stopped.wait()
            await consumer.finish()
        except asyncio.CancelledError:
            await consumer.abandon()
            raise
        finally:
            declared.remove(consumer)
            self._consumers.remove(entry)

    async def probe(self, queue: Queue) -> None:
        self._exchange.find(queue)

    async def depth(self, queue: Queue) -> QueueDepth:
        self._exchange.find(queue)
        return QueueDepth(ready=0, dead=0)

    async def redrive(self, queue: Queue) -> int:
        self._exchange.find(queue)
        return 0
