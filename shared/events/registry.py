"""Which event classes there are, found by their type."""

from functools import cache
from importlib import import_module

from pydantic import ValidationError

from shared.events.envelope import Envelope, Event, UnreadableEvent

PUBLISHERS = ("identity", "hotline", "intake", "dispatch", "assessment")


@cache
def event_classes() -> dict[str, type[Event]]:
    """Every published event class by its type, ordered by publisher and type."""
    found: dict[str, type[Event]] = {}
    for publisher in PUBLISHERS:
        module = import_module(f"shared.events.{publisher}")
        of_module = [
            item
            for item in vars(module).values()
            if isinstance(item, type) and issubclass(item, Event) and item.TYPE
        ]
        found.update({item.TYPE: item for item in sorted(of_module, key=lambda item: item.TYPE)})
    return found


def read_event(envelope: Envelope) -> Event:
    """The typed event inside an envelope.

    Raises:
        UnreadableEvent: unknown type or version, or data that does not fit it.
    """
    event_class = event_classes().get(envelope.type)
    if event_class is None:
        raise UnreadableEvent(
            f"No event type {envelope.type} is known here; is a newer version running?"
        )
    try:
        return event_class.model_validate(envelope.data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise UnreadableEvent(f"{envelope.type}: {where}: {first['msg']}") from error
