"""What a courier must be able to do, whichever way it carries the messages."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from shared.errors import Unavailable

EXCHANGE = "minqing.events"


class BusUnavailable(Unavailable):
    """The broker did not confirm in time: the outcome is unknown, try later."""

    code = "bus-unavailable"


class Unroutable(BusUnavailable):
    """The broker is well, but no queue is bound for this message."""

    code = "bus-unroutable"


@dataclass(frozen=True, slots=True)
class OutgoingMessage:
    """One event on its way out; `body` is the envelope as frozen when its transaction committed."""

    event_id: str
    routing_key: str
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message as handed to a consumer.

    `redelivered` is only a hint that an earlier try may have died; False proves nothing.
    """

    body: bytes
    redelivered: bool = False
    event_id: str | None = None


@dataclass(frozen=True, slots=True)
class Queue:
    """One durable queue of one consuming service.

    Attributes:
        name: with its version, e.g. `dispatch.events.v1`; a poisoned name is left behind by
            raising it.
        bindings: topic patterns over whole aggregates, e.g. `intake.report.#`.
    """

    name: str
    bindings: tuple[str, ...]

    @property
    def dead_name(self) -> str:
        return f"{self.name}.dead"


@dataclass(frozen=True, slots=True)
class QueueDepth:
    ready: int
    dead: int


Receive = Callable[[Sequence[Delivery]], Awaitable[None]]


class Transport(Protocol):
    """The courier. Implementations: `shared.bus.rabbit` and `shared.bus.memory`."""

    async def start(self) -> None:
        """Begin connecting; returns at once, also when the broker is away."""

    async def stop(self) -> None:
        """Stop consuming, let running receives finish, close connections."""

    async def declare(self, queues: Sequence[Queue]) -> None:
        """Install exchange, queues, dead-letter queues and bindings (idempotent).

        Raises:
            BusUnavailable: the broker is away, or a queue exists with other arguments; the message
                says which.
        """

    async def publish(self, messages: Sequence[OutgoingMessage]) -> list[BusUnavailable | None]:
        """Publish all, pipelined; one outcome per message in order, None for a confirmed one.

        Never raises for the fault of a message or of the broker, and always returns within the
        configured timeout.
        """

    async def consume(self, queue: Queue, receive: Receive) -> None:
        """Hand deliveries to `receive` in batches until cancelled.

        `receive` returning means: committed, acknowledge them all. `receive` raising means: give
        the
        whole batch back to the queue, after a short growing pause so that a broken database does
        not spin.
        """

    async def probe(self, queue: Queue) -> None:
        """Send a message through this very queue and see it come back.

        Raises:
            BusUnavailable: with the queue's name and what failed.
        """

    def faults(self) -> list[str]:
        """What is wrong now, in words for an operator; empty when all is well."""

    async def depth(self, queue: Queue) -> QueueDepth:
        """How many messages wait in the queue and in its dead-letter queue."""

    async def redrive(self, queue: Queue) -> int:
        """Move every dead letter back into the queue it died in; returns how many."""
