"""The courier over RabbitMQ: confirmed publishing, batches with one acknowledgement, dead letters.

Works alike on RabbitMQ 3.10 to 4.x: durable quorum queues only, delivery limits and dead-lettering
always said outright, no TTL, no lazy mode, no global prefetch.

Three kinds of connection are kept apart, because one blocked or broken connection takes everything
on it along: one for publishing (a broker short of memory or disk stops reading from it), one for
each consumed queue (a queue without a leader closes the connection of whoever consumes it), and
short visits for installing, counting and redriving.
"""

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TypeVar
from uuid import uuid4

import aio_pika
from aio_pika.abc import (
    AbstractChannel,
    AbstractConnection,
    AbstractExchange,
    AbstractIncomingMessage,
    AbstractQueue,
)
from aiormq.exceptions import (
    ChannelNotFoundEntity,
    ChannelPreconditionFailed,
    DeliveryError,
    PublishError,
)
from pamqp.commands import Basic
from pamqp.common import FieldTable
from yarl import URL

from shared.bus.transport import (
    EXCHANGE,
    BusUnavailable,
    Delivery,
    OutgoingMessage,
    Queue,
    QueueDepth,
    Receive,
    Unroutable,
)

DEAD_EXCHANGE = "minqing.dead"

# Routing keys travel as short strings; a longer one fails in the library before it is sent.
_MAX_ROUTING_KEY = 255
# All headers must fit one frame of 128 KiB or the broker closes the whole connection.
_MAX_HEADERS = 64 * 1024
# Broker 4.x refuses more than 16 MiB by closing the channel under everybody else's messages.
_MAX_BODY = 8 * 1024 * 1024
# RabbitMQ 4 gives quorum queues a limit of 20 where none is said; dead letters must not die again.
_NO_DELIVERY_LIMIT = 1_000_000

_PROBE_HEADER = "minqing_probe"
_EVENT_HEADER = "event_id"
_REPLY_QUEUE = "amq.rabbitmq.reply-to"

T = TypeVar("T")

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Settings:
    url: str
    prefix: str
    name: str
    publish_timeout_s: float
    heartbeat_s: int
    batch_size: int
    batch_wait_s: float
    prefetch: int
    delivery_limit: int
    settle_s: float
    reconnect_first_s: float
    reconnect_max_s: float
    pause_first_s: float
    pause_max_s: float
    timeout_s: float
    probe_again_s: float

    @property
    def address(self) -> str:
        """Where the broker is, without the password."""
        url = URL(self.url)
        return f"{url.host}:{url.port or 5672}{url.path}"

    @property
    def exchange(self) -> str:
        return self.prefix + EXCHANGE

    @property
    def dead_exchange(self) -> str:
        return self.prefix + DEAD_EXCHANGE

    def queue_name(self, queue: Queue) -> str:
        return self.prefix + queue.name

    def dead_name(self, queue: Queue) -> str:
        return self.prefix + queue.dead_name

    def queue_arguments(self, queue: Queue) -> FieldTable:
        return {
            "x-queue-type": "quorum",
            "x-delivery-limit": self.delivery_limit,
            "x-dead-letter-exchange": self.dead_exchange,
            "x-dead-letter-routing-key": self.queue_name(queue),
            # Without reject-publish the broker falls back to at-most-once without a word.
            "x-dead-letter-strategy": "at-least-once",
            "x-overflow": "reject-publish",
        }


def _probe_key(queue: Queue) -> str:
    return f"probe.{queue.name}"


async def _guarded(awaitable: Awaitable[T], doing: str, timeout_s: float | None) -> T:
    """Await the library and turn every way in which it fails into `BusUnavailable`.

    The library throws CancelledError into callers whom nobody cancelled when it notices a dead
    connection, so `except Exception` is not enough: a worker task would end without a trace. It
    also swallows a real cancellation that meets a connection being closed: then the task would go
    on for ever. So the task's own count of cancellations decides, not what came out.
    """
    task = asyncio.current_task()
    before = task.cancelling() if task else 0

    def cancelled() -> bool:
        return task is not None and task.cancelling() > before

    try:
        async with asyncio.timeout(timeout_s):
            result = await awaitable
    except asyncio.CancelledError as error:
        if cancelled():
            raise
        raise BusUnavailable(f"{doing}: the connection to the broker was lost") from error
    except Exception as error:  # the library rejects its futures even with a bare Exception
        if cancelled():
            raise asyncio.CancelledError from error
        explained = _explained(error, doing)
        if explained is error:
            raise
        raise explained from error
    if cancelled():
        raise asyncio.CancelledError
    return result


def _explained(error: Exception, doing: str) -> BusUnavailable:
    """The library's error in words that say what to do."""
    match error:
        case BusUnavailable():
            return error
        case PublishError():
            return Unroutable(f"{doing}: no queue is bound for it")
        case TimeoutError():
            reason = "no answer from the broker in time"
        case DeliveryError():
            reason = "the broker refused it"
        case ChannelPreconditionFailed():
            reason = (
                "it exists with other arguments; raise the version in its name, or remove it once "
                f"it is empty ({error})"
            )
        case ChannelNotFoundEntity():
            reason = f"it is not declared ({error})"
        case _:
            reason = str(error) or type(error).__name__
    return BusUnavailable(f"{doing}: {reason}")


async def _connect(settings: _Settings, purpose: str) -> AbstractConnection:
    # Not connect_robust: its interval is fixed (no backoff, no jitter), it restores all or nothing,
    # so that one broken queue starves every consumer beside it, and what fails shows in logs only.
    return await _guarded(
        aio_pika.connect(
            settings.url,
            heartbeat=settings.heartbeat_s,
            client_properties={"connection_name": f"{settings.name} {purpose}"},
        ),
        f"connecting to {settings.address}",
        settings.timeout_s,
    )


async def _close(connection: AbstractConnection) -> None:
    with suppress(BusUnavailable):
        await _guarded(connection.close(), "closing", 5)


def _on_loss(connection: AbstractConnection, react: Callable[[], None]) -> None:
    """Call `react` when the connection is lost, also if that happened a moment ago."""
    connection.close_callbacks.add(lambda *_: react())
    if connection.transport is None or connection.transport.connection.is_closed:
        react()


class _Backoff:
    """Growing waits with jitter, so that a city's processes do not come back in step."""

    def __init__(self, first_s: float, max_s: float) -> None:
        self._first_s = first_s
        self._max_s = max_s
        self._next_s = first_s

    def reset(self) -> None:
        self._next_s = self._first_s

    def next(self) -> float:
        wait_s, self._next_s = self._next_s, min(self._next_s * 2, self._max_s)
        return wait_s * random.uniform(0.6, 1.0)  # noqa: S311 - no secret


class _Publisher:
    """The connection that only publishes, kept up in the background."""

    def __init__(self, settings: _Settings) -> None:
        self._settings = settings
        self._connection: AbstractConnection | None = None
        self._channel: AbstractChannel | None = None
        self._exchange: AbstractExchange | None = None
        self._opening = asyncio.Lock()
        # Set while no attempt to connect is under way: only then is the fault known.
        self._settled = asyncio.Event()
        self._settled.set()
        self._link_fault: str | None = "not started"
        self._confirm_fault: str | None = None

    @property
    def fault(self) -> str | None:
        return self._link_fault or self._confirm_fault

    def begin(self) -> None:
        self._settled.clear()
        self._link_fault = f"connecting to {self._settings.address}"

    async def keep_up(self) -> None:
        backoff = _Backoff(self._settings.reconnect_first_s, self._settings.reconnect_max_s)
        clock = asyncio.get_running_loop()
        while True:
            self._settled.clear()
            try:
                connection = await _connect(self._settings, "publish")
            except BusUnavailable as error:
                self._note(str(error))
            else:
                since = clock.time()
                await self._hold(connection)
                if clock.time() - since > self._settings.reconnect_max_s:
                    backoff.reset()
            self._settled.set()
            await asyncio.sleep(backoff.next())

    async def _hold(self, connection: AbstractConnection) -> None:
        lost = asyncio.Event()
        self._connection = connection
        self._note(None)
        self.confirmed()
        self._settled.set()
        try:
            _on_loss(connection, lost.set)
            await lost.wait()
            self._note("the connection to the broker was lost")
        finally:
            self._connection = self._channel = self._exchange = None
            self._link_fault = self._link_fault or "stopped"
            await _close(connection)

    def _note(self, fault: str | None) -> None:
        if fault != self._link_fault:
            log.log(
                logging.WARNING if fault else logging.INFO, "publishing: %s", fault or "connected"
            )
        self._link_fault = fault

    async def new_channel(self) -> AbstractChannel:
        """Open one more confirming channel on this connection."""
        await self._settled.wait()
        if self._connection is None:
            raise BusUnavailable(self._link_fault or "not connected")
        channel = self._connection.channel(on_return_raises=True)
        await _guarded(channel.initialize(), "opening a channel", None)
        return channel

    async def exchanges(self) -> tuple[AbstractExchange, AbstractExchange]:
        """The topic exchange and the default exchange on a channel that is open."""
        async with self._opening:
            if self._channel is None or self._exchange is None or self._channel.is_closed:
                channel = await self.new_channel()
                self._exchange = await channel.get_exchange(self._settings.exchange, ensure=False)
                self._channel = channel
            return self._exchange, self._channel.default_exchange

    async def publish(self, messages: Sequence[OutgoingMessage]) -> list[BusUnavailable | None]:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._settings.publish_timeout_s
        try:
            exchange, _ = await _guarded(
                self.exchanges(), "publishing", self._settings.publish_timeout_s
            )
        except BusUnavailable as error:
            if self._link_fault is None:
                self._confirm_fault = str(error)
            return [error] * len(messages)
        left_s = max(deadline - loop.time(), 0.001)
        outcomes = await asyncio.gather(*(_send(exchange, each, left_s) for each in messages))
        self._judge(outcomes)
        return outcomes

    def _judge(self, outcomes: Sequence[BusUnavailable | None]) -> None:
        """Remember whether the broker confirms; a message without a queue is no fault of its."""
        refused = [each for each in outcomes if each is not None and type(each) is not Unroutable]
        if refused:
            self._confirm_fault = str(refused[0])
        else:
            self.confirmed()

    def confirmed(self) -> None:
        """The broker has confirmed something, or starts afresh: forget the last failure."""
        self._confirm_fault = None


def _unsendable(message: OutgoingMessage) -> str | None:
    """Why this message would take the channel or connection of all others down with it."""
    if len(message.routing_key.encode()) > _MAX_ROUTING_KEY:
        return f"routing key longer than {_MAX_ROUTING_KEY} bytes"
    if sum(len(k.encode()) + len(v.encode()) for k, v in message.headers.items()) > _MAX_HEADERS:
        return f"headers larger than {_MAX_HEADERS} bytes"
    if len(message.body) > _MAX_BODY:
        return f"body larger than {_MAX_BODY} bytes; send a reference instead"
    return None


def _persistent(body: bytes, headers: dict[str, str], **properties: str) -> aio_pika.Message:
    return aio_pika.Message(
        body,
        content_type="application/json",
        delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
        # New for every attempt: the library finds the publish that a returned message belongs to
        # by this id; with two of one id under way the unroutable one is reported as confirmed.
        message_id=str(uuid4()),
        headers=dict(headers),
        **properties,  # type: ignore[arg-type] # reply_to and correlation_id, both text
    )


async def _send(
    exchange: AbstractExchange, message: OutgoingMessage, timeout_s: float
) -> BusUnavailable | None:
    if reason := _unsendable(message):
        return Unroutable(f"event {message.event_id} cannot be sent: {reason}")
    headers = {**message.headers, _EVENT_HEADER: message.event_id}
    try:
        confirmation = await _guarded(
            exchange.publish(
                _persistent(message.body, headers),
                message.routing_key,
                mandatory=True,
                timeout=timeout_s,
            ),
            f"publishing event {message.event_id} as {message.routing_key}",
            None,
        )
    except BusUnavailable as error:
        return error
    if not isinstance(confirmation, Basic.Ack):
        return BusUnavailable(f"event {message.event_id} was not confirmed: {confirmation!r}")
    return None


async def _install(
    settings: _Settings, channel: AbstractChannel, queue: Queue, bindings: Sequence[str]
) -> AbstractQueue:
    """Declare everything that one queue needs; what is there already with the same face stays."""
    wait_s = settings.timeout_s
    name, dead_name = settings.queue_name(queue), settings.dead_name(queue)
    events = await _guarded(
        channel.declare_exchange(settings.exchange, aio_pika.ExchangeType.TOPIC, durable=True),
        f"declaring exchange {settings.exchange}",
        wait_s,
    )
    dead = await _guarded(
        channel.declare_exchange(
            settings.dead_exchange, aio_pika.ExchangeType.DIRECT, durable=True
        ),
        f"declaring exchange {settings.dead_exchange}",
        wait_s,
    )
    dead_queue = await _guarded(
        channel.declare_queue(
            dead_name,
            durable=True,
            arguments={"x-queue-type": "quorum", "x-delivery-limit": _NO_DELIVERY_LIMIT},
        ),
        f"declaring queue {dead_name}",
        wait_s,
    )
    await _guarded(dead_queue.bind(dead, name), f"binding queue {dead_name}", wait_s)
    broker_queue = await _guarded(
        channel.declare_queue(name, durable=True, arguments=settings.queue_arguments(queue)),
        f"declaring queue {name}",
        wait_s,
    )
    for pattern in (_probe_key(queue), *bindings):
        await _guarded(
            broker_queue.bind(events, pattern), f"binding queue {name} to {pattern}", wait_s
        )
    return broker_queue


class _Arrivals:
    """Messages that arrived and wait for their batch; no more than the prefetch can be here."""

    def __init__(self, batch_size: int, batch_wait_s: float) -> None:
        self._batch_size = batch_size
        self._batch_wait_s = batch_wait_s
        self._waiting: list[AbstractIncomingMessage] = []
        self._some = asyncio.Event()
        self._full = asyncio.Event()
        self._ended = False
        self._loss: str | None = None

    def put(self, message: AbstractIncomingMessage) -> None:
        self._waiting.append(message)
        self._some.set()
        if len(self._waiting) >= self._batch_size:
            self._full.set()

    def end(self, loss: str | None = None) -> None:
        """No batch after this one. What still waits was not acknowledged: the broker keeps it."""
        if not self._ended:
            self._ended, self._loss = True, loss
        self._some.set()
        self._full.set()

    async def take(self) -> list[AbstractIncomingMessage]:
        """The next batch, empty after a wanted end.

        Raises:
            BusUnavailable: after a loss.
        """
        await self._some.wait()
        with suppress(TimeoutError):
            async with asyncio.timeout(self._batch_wait_s):
                await self._full.wait()
        if self._loss is not None:
            raise BusUnavailable(self._loss)
        if self._ended:
            return []
        batch, self._waiting = self._waiting[: self._batch_size], self._waiting[self._batch_size :]
        if not self._waiting:
            self._some.clear()
        if len(self._waiting) < self._batch_size:
            self._full.clear()
        return batch


class _Consumer:
    """One consumed queue on a connection of its own, attached again whenever it is lost."""

    def __init__(
        self,
        settings: _Settings,
        queue: Queue,
        receive: Receive,
        answer: Callable[[str, str], Awaitable[None]],
    ) -> None:
        self.queue = queue
        self.fault: str | None = "not attached yet"
        self.finished = asyncio.Event()
        self._settings = settings
        self._receive = receive
        self._answer = answer
        self._stopping = asyncio.Event()
        self._arrivals: _Arrivals | None = None
        self._pause = _Backoff(settings.pause_first_s, settings.pause_max_s)
        self._reattach = _Backoff(settings.reconnect_first_s, settings.reconnect_max_s)
        self._watchers: list[asyncio.Future[None]] = []

    def stop(self) -> None:
        """Take no further batch; the running one is finished and acknowledged."""
        self._stopping.set()
        if self._arrivals is not None:
            self._arrivals.end()

    def next_delivery(self) -> asyncio.Future[None]:
        """Done when the queue hands over anything at all, a probe included."""
        watcher: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._watchers = [*(each for each in self._watchers if not each.done()), watcher]
        return watcher

    async def run(self) -> None:
        try:
            while not self._stopping.is_set():
                try:
                    await self._attached()
                except BusUnavailable as error:
                    self._note(str(error))
                    await self._stopped_within(self._reattach.next())
        finally:
            self.fault = "stopped"
            self.finished.set()

    async def _stopped_within(self, wait_s: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(wait_s):
                await self._stopping.wait()

    def _note(self, fault: str | None) -> None:
        if fault != self.fault:
            level = logging.WARNING if fault else logging.INFO
            log.log(level, "queue %s: %s", self.queue.name, fault or "attached")
        self.fault = fault

    async def _attached(self) -> None:
        connection = await _connect(self._settings, f"consume {self.queue.name}")
        since = asyncio.get_running_loop().time()
        arrivals = _Arrivals(self._settings.batch_size, self._settings.batch_wait_s)
        try:
            _on_loss(connection, lambda: arrivals.end("the connection to the broker was lost"))
            await self._subscribe(connection, arrivals)
            self._arrivals = arrivals
            if self._stopping.is_set():
                return
            self._note(None)
            await self._drain(arrivals)
        finally:
            self._arrivals = None
            # A queue that goes down again at once must not be tried again at once.
            if asyncio.get_running_loop().time() - since > self._settings.reconnect_max_s:
                self._reattach.reset()
            await _close(connection)

    async def _subscribe(self, connection: AbstractConnection, arrivals: _Arrivals) -> None:
        wait_s, name = self._settings.timeout_s, self._settings.queue_name(self.queue)
        channel = connection.channel(publisher_confirms=False)
        await _guarded(channel.initialize(), f"opening a channel for {name}", wait_s)
        await _guarded(
            channel.set_qos(prefetch_count=self._settings.prefetch), "setting the prefetch", wait_s
        )
        # The queue may have been deleted meanwhile: what is missing is declared again.
        broker_queue = await _install(self._settings, channel, self.queue, self.queue.bindings)
        underlay = await channel.get_underlay_channel()
        underlay.on_consumer_cancel_callbacks.add(
            lambda _: arrivals.end("the broker cancelled the consumer; was the queue deleted?")
        )
        channel.close_callbacks.add(
            lambda _, error: arrivals.end(f"the broker closed the channel ({error})")
        )

        async def arrive(message: AbstractIncomingMessage) -> None:
            while self._watchers:
                watcher = self._watchers.pop()
                if not watcher.done():
                    watcher.set_result(None)
            if _PROBE_HEADER in message.headers:
                await self._settle_probe(message)
            else:
                arrivals.put(message)

        await _guarded(broker_queue.consume(arrive), f"consuming {name}", wait_s)

    async def _settle_probe(self, message: AbstractIncomingMessage) -> None:
        """Probes never reach the receiver nor wait behind it; whoever sent this one is told."""
        with suppress(BusUnavailable):
            await _guarded(message.ack(), "acknowledging a probe", self._settings.timeout_s)
            # A queue bound to everything sees the probes of the other queues too.
            mine = message.headers[_PROBE_HEADER] == self.queue.name
            if mine and message.reply_to and message.correlation_id:
                await self._answer(message.reply_to, message.correlation_id)

    async def _drain(self, arrivals: _Arrivals) -> None:
        # One batch at a time: only then does acknowledging "up to here" mean this batch.
        while batch := await arrivals.take():
            if await self._handed_over(batch):
                self._pause.reset()
                await self._settle(batch[-1].ack(multiple=True))
            else:
                await self._stopped_within(self._pause.next())
                await self._settle(batch[-1].nack(multiple=True, requeue=True))

    async def _handed_over(self, batch: Sequence[AbstractIncomingMessage]) -> bool:
        """Whether the receiver committed. A cancelled process leaves its messages to the broker."""
        task = asyncio.current_task()
        try:
            await self._receive([_delivery(each) for each in batch])
        except asyncio.CancelledError:
            if task is not None and task.cancelling():
                raise
            log.warning("queue %s: the receiver cancelled itself", self.queue.name)
            return False
        except Exception:
            log.exception("queue %s: %d messages not received", self.queue.name, len(batch))
            return False
        return True

    async def _settle(self, settling: Awaitable[None]) -> None:
        # After a commit a lost acknowledgement costs a redelivery that the inbox absorbs.
        try:
            await _guarded(settling, "settling", self._settings.timeout_s)
        except BusUnavailable as error:
            log.debug("queue %s: not settled: %s", self.queue.name, error)


def _delivery(message: AbstractIncomingMessage) -> Delivery:
    event_id = message.headers.get(_EVENT_HEADER)
    return Delivery(
        body=message.body,
        redelivered=bool(message.redelivered),
        event_id=None if event_id is None else str(event_id),
    )


class _Prober:
    """Sends probes and hears from whichever process saw them, by the broker's direct reply-to.

    At most one unanswered probe per queue is under way, so that probing a queue that nobody drains
    does not fill it.
    """

    def __init__(self, settings: _Settings, publisher: _Publisher) -> None:
        self._settings = settings
        self._publisher = publisher
        self._channel: AbstractChannel | None = None
        self._opening = asyncio.Lock()
        self._under_way: dict[str, tuple[str, float, asyncio.Future[None]]] = {}

    async def send(self, queue: Queue, again_after_s: float) -> asyncio.Future[None]:
        """Publish a probe, unless a young one is under way; the future is done when it was seen."""
        wait_s, loop = self._settings.timeout_s, asyncio.get_running_loop()
        doing = f"probing queue {self._settings.queue_name(queue)}"
        channel = await _guarded(self._open_channel(), doing, wait_s)
        if known := self._under_way.get(queue.name):
            _, sent_at, seen = known
            if not seen.done() and loop.time() - sent_at < again_after_s:
                return seen
        probe_id, seen = str(uuid4()), loop.create_future()
        exchange = await channel.get_exchange(self._settings.exchange, ensure=False)
        probe = _persistent(
            b"{}", {_PROBE_HEADER: queue.name}, reply_to=_REPLY_QUEUE, correlation_id=probe_id
        )
        self._under_way[queue.name] = probe_id, loop.time(), seen
        try:
            await _guarded(exchange.publish(probe, _probe_key(queue), timeout=wait_s), doing, None)
        except BusUnavailable:
            self._under_way.pop(queue.name, None)
            raise
        self._publisher.confirmed()
        return seen

    async def _open_channel(self) -> AbstractChannel:
        async with self._opening:
            if self._channel is None or self._channel.is_closed:
                channel = await self._publisher.new_channel()
                replies = await channel.get_queue(_REPLY_QUEUE, ensure=False)
                await replies.consume(self._heard, no_ack=True)
                self._channel = channel
                self._under_way.clear()
            return self._channel

    async def _heard(self, message: AbstractIncomingMessage) -> None:
        for probe_id, _, seen in self._under_way.values():
            if probe_id == message.correlation_id and not seen.done():
                seen.set_result(None)

    async def answer(self, reply_to: str, probe_id: str) -> None:
        """Tell the sender of a probe that it was seen.

        Not from the consuming connection: that one must never publish, or a broker short of memory
        would block its acknowledgements too.
        """
        wait_s = self._settings.timeout_s
        _, default = await _guarded(self._publisher.exchanges(), "answering a probe", wait_s)
        await _guarded(
            default.publish(
                aio_pika.Message(b"", correlation_id=probe_id),
                reply_to,
                mandatory=False,
                timeout=wait_s,
            ),
            "answering a probe",
            None,
        )


class RabbitTransport:
    """The courier of `shared.bus.transport.Transport` over RabbitMQ.

    Args:
        url: `amqp://user:password@host:port/vhost`, or `amqps`.
        prefix: put before every exchange and queue name: several cities can share a broker.
        name: shown by the broker as the name of the connections.
        publish_timeout_s: after this a publish without confirm has an unknown outcome.
        heartbeat_s: a dead connection is noticed after 3 to 3.8 times this.
        batch_size: most messages handed over together.
        batch_wait_s: how long the first message of a batch waits for company.
        prefetch: most messages held here without acknowledgement; two batches keep it busy.
        delivery_limit: tries before a message becomes a dead letter. Every lost connection costs
            each prefetched message one, hence not a small number.
        settle_s: how long a new quorum queue is left alone before it is proved; a broker that
            crashes within a second of the declaration may leave a queue without leader for good.
        reconnect_first_s: first wait after a loss; doubled up to the next, always with jitter.
        reconnect_max_s: longest wait between two attempts.
        pause_first_s: first wait before a batch that was not received goes back to the queue.
        pause_max_s: longest such wait.
        timeout_s: for every other conversation with the broker.
        probe_again_s: an unanswered probe older than this is given up and sent again.
    """

    def __init__(
        self,
        url: str,
        *,
        prefix: str = "",
        name: str = "minqing",
        publish_timeout_s: float = 5.0,
        heartbeat_s: int = 10,
        batch_size: int = 200,
        batch_wait_s: float = 0.02,
        prefetch: int = 400,
        delivery_limit: int = 1_000,
        settle_s: float = 2.0,
        reconnect_first_s: float = 0.2,
        reconnect_max_s: float = 10.0,
        pause_first_s: float = 0.2,
        pause_max_s: float = 30.0,
        timeout_s: float = 5.0,
        probe_again_s: float = 30.0,
    ) -> None:
        self._settings = _Settings(
            url=url,
            prefix=prefix,
            name=name,
            publish_timeout_s=publish_timeout_s,
            heartbeat_s=heartbeat_s,
            batch_size=batch_size,
            batch_wait_s=batch_wait_s,
            prefetch=prefetch,
            delivery_limit=delivery_limit,
            settle_s=settle_s,
            reconnect_first_s=reconnect_first_s,
            reconnect_max_s=reconnect_max_s,
            pause_first_s=pause_first_s,
            pause_max_s=pause_max_s,
            timeout_s=timeout_s,
            probe_again_s=probe_again_s,
        )
        self._publisher = _Publisher(self._settings)
        self._prober = _Prober(self._settings, self._publisher)
        self._consumers: list[_Consumer] = []
        self._keeping_up: asyncio.Task[None] | None = None

    async def start(self) -> None:
        if self._keeping_up is None:
            self._publisher.begin()
            self._keeping_up = asyncio.create_task(self._publisher.keep_up(), name="bus publisher")

    async def stop(self) -> None:
        for consumer in self._consumers:
            consumer.stop()
        for consumer in list(self._consumers):
            await consumer.finished.wait()
        if self._keeping_up is not None:
            self._keeping_up.cancel()
            await asyncio.wait({self._keeping_up})
            self._keeping_up = None

    def faults(self) -> list[str]:
        """What is wrong with the courier right now, one sentence each; empty means ready."""
        found = [f"publishing: {self._publisher.fault}"] if self._publisher.fault else []
        found += [
            f"queue {each.queue.name}: {each.fault}" for each in self._consumers if each.fault
        ]
        if self._keeping_up is not None and self._keeping_up.done():
            found.append("publishing: the task that keeps the connection has ended")
        return found

    async def publish(self, messages: Sequence[OutgoingMessage]) -> list[BusUnavailable | None]:
        return await self._publisher.publish(messages) if messages else []

    async def consume(self, queue: Queue, receive: Receive) -> None:
        consumer = _Consumer(self._settings, queue, receive, self._prober.answer)
        self._consumers.append(consumer)
        try:
            await consumer.run()
        finally:
            self._consumers.remove(consumer)

    async def declare(self, queues: Sequence[Queue]) -> None:
        async with self._visit("install") as connection:
            fresh = [queue for queue in queues if await self._is_missing(connection, queue)]
            async with self._channel(connection) as channel:
                for queue in queues:
                    # A new queue gets no events before it is proved, so that the proof may read it.
                    bindings = () if queue in fresh else queue.bindings
                    await _install(self._settings, channel, queue, bindings)
                if fresh:
                    await asyncio.sleep(self._settings.settle_s)
                for queue in fresh:
                    await self._prove(channel, queue)
                    await _install(self._settings, channel, queue, queue.bindings)

    async def probe(self, queue: Queue) -> None:
        """See `Transport.probe`.

        A process that consumes the queue is satisfied when the queue handed it anything after the
        probe went in, or when a competing consumer reports to have seen the probe. A process that
        does not consume it is satisfied with routed and confirmed.
        """
        name = self._settings.queue_name(queue)
        local = [each for each in self._consumers if each.queue.name == queue.name]
        if local and all(each.fault for each in local):
            raise BusUnavailable(f"probing queue {name}: {local[0].fault}")
        deliveries = [each.next_delivery() for each in local]
        again_after_s = self._settings.probe_again_s if local else float("inf")
        try:
            answer = await self._prober.send(queue, again_after_s)
            if not local:
                await self.depth(queue)  # the confirm may be an old one: is the queue still there?
                return
            seen, _ = await asyncio.wait(
                {answer, *deliveries},
                timeout=self._settings.timeout_s,
                return_when=asyncio.FIRST_COMPLETED,
            )
        finally:
            for each in deliveries:
                each.cancel()
        if not seen:
            raise BusUnavailable(f"probing queue {name}: the probe went in but did not come back")

    async def depth(self, queue: Queue) -> QueueDepth:
        async with self._visit("depth") as connection, self._channel(connection) as channel:
            return QueueDepth(
                ready=await self._waiting(channel, self._settings.queue_name(queue)),
                dead=await self._waiting(channel, self._settings.dead_name(queue)),
            )

    async def redrive(self, queue: Queue) -> int:
        """See `Transport.redrive`. At least once: a crash may leave a letter in both queues.

        Moves what lay there at the beginning, so that a letter which dies again is not chased.
        """
        name, dead_name = self._settings.queue_name(queue), self._settings.dead_name(queue)
        wait_s, moved = self._settings.timeout_s, 0
        async with self._visit("redrive") as connection, self._channel(connection) as channel:
            there = await self._waiting(channel, dead_name)
            dead_queue = await channel.get_queue(dead_name, ensure=False)
            while moved < there:
                letter = await _guarded(
                    dead_queue.get(fail=False, timeout=wait_s), f"reading queue {dead_name}", None
                )
                if letter is None:
                    break
                headers = {k: str(v) for k, v in letter.headers.items() if not k.startswith("x-")}
                # To this queue alone: the other queues received their copy when it was sent.
                await _guarded(
                    channel.default_exchange.publish(
                        _persistent(letter.body, headers), name, mandatory=True, timeout=wait_s
                    ),
                    f"redriving into queue {name} after {moved} letters",
                    None,
                )
                await _guarded(letter.ack(), f"removing from queue {dead_name}", wait_s)
                moved += 1
        return moved

    @asynccontextmanager
    async def _visit(self, purpose: str) -> AsyncIterator[AbstractConnection]:
        connection = await _connect(self._settings, purpose)
        try:
            yield connection
        finally:
            await _close(connection)

    @asynccontextmanager
    async def _channel(self, connection: AbstractConnection) -> AsyncIterator[AbstractChannel]:
        channel = connection.channel(on_return_raises=True)
        await _guarded(channel.initialize(), "opening a channel", self._settings.timeout_s)
        try:
            yield channel
        finally:
            if not channel.is_closed:
                with suppress(BusUnavailable):
                    await _guarded(channel.close(), "closing a channel", self._settings.timeout_s)

    async def _waiting(self, channel: AbstractChannel, name: str) -> int:
        found = await _guarded(
            channel.declare_queue(name, passive=True),
            f"asking for queue {name}",
            self._settings.timeout_s,
        )
        return found.declaration_result.message_count or 0

    async def _is_missing(self, connection: AbstractConnection, queue: Queue) -> bool:
        name = self._settings.queue_name(queue)
        async with self._channel(connection) as channel:  # asking for a missing queue closes it
            try:
                await self._waiting(channel, name)
            except BusUnavailable as error:
                if isinstance(error.__cause__, ChannelNotFoundEntity):
                    return True
                raise
        return False

    async def _prove(self, channel: AbstractChannel, queue: Queue) -> None:
        """Send a message through a new queue and its dead-letter queue and take it out again."""
        name, wait_s = self._settings.queue_name(queue), self._settings.timeout_s
        for exchange_name, key, queue_name in (
            (self._settings.exchange, _probe_key(queue), name),
            (self._settings.dead_exchange, name, self._settings.dead_name(queue)),
        ):
            doing = f"proving queue {queue_name}"
            exchange = await channel.get_exchange(exchange_name, ensure=False)
            probe = _persistent(b"{}", {_PROBE_HEADER: queue.name})
            await _guarded(exchange.publish(probe, key, timeout=wait_s), doing, None)
            broker_queue = await channel.get_queue(queue_name, ensure=False)
            found = await _guarded(broker_queue.get(fail=False, timeout=wait_s), doing, None)
            # Nothing there: a consumer that attached meanwhile has it, which proves as much.
            if found is not None and _PROBE_HEADER in found.headers:
                await _guarded(found.ack(), doing, wait_s)
            elif found is not None:
                await _guarded(found.nack(requeue=True), doing, wait_s)
