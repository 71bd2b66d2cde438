"""Which facts a service acts on, and by which function: one readable table per service."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from shared.bus.transport import Queue
from shared.events.envelope import Envelope, Event, Received

if TYPE_CHECKING:
    from shared.service import Runtime
    from shared.work import UnitOfWork

E = TypeVar("E", bound=Event)

Handler = Callable[[Received[E], "UnitOfWork", "Runtime"], Awaitable[None]]
BatchHandler = Callable[[Sequence[Envelope], "UnitOfWork", "Runtime"], Awaitable[None]]


class Subscriptions:
    """The handlers of one consuming service.

    Whole aggregates are bound, so that the numbers seen per subject have no holes; facts without a
    handler
    are stepped over.

    Args:
        consumer: name of the service.
        version: of the queue's name; raise it to leave a broken queue behind.
        ordered: apply the facts of a subject in the order of their sequence. A consumer that stores
            every fact and folds later needs no order.
    """

    def __init__(self, consumer: str, *, version: int = 1, ordered: bool = True) -> None:
        self.consumer = consumer
        self.version = version
        self.ordered = ordered
        self.handlers: dict[str, Handler[Any]] = {}
        self.batch_handler: BatchHandler | None = None
        self._aggregates: set[str] = set()

    def on(self, event_class: type[E]) -> Callable[[Handler[E]], Handler[E]]:
        """Register the handler of one event type: `async def on_…(received, work, runtime)`."""

        def register(handler: Handler[E]) -> Handler[E]:
            if event_class.TYPE in self.handlers:
                raise ValueError(f"{self.consumer} handles {event_class.TYPE} twice")
            self.handlers[event_class.TYPE] = handler
            self._aggregates.add(event_class.aggregate())
            return handler

        return register

    def everything(self, publishers: Sequence[str]) -> Callable[[BatchHandler], BatchHandler]:
        """Register one handler for all facts of these publishers, called with whole batches."""

        def register(handler: BatchHandler) -> BatchHandler:
            self.batch_handler = handler
            self._aggregates.update(publishers)
            return handler

        return register

    @property
    def queue(self) -> Queue:
        bindings = tuple(sorted(f"{aggregate}.#" for aggregate in self._aggregates))
        return Queue(name=f"{self.consumer}.events.v{self.version}", bindings=bindings)
