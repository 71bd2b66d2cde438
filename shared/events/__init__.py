"""The published language of the suite: what services tell each other, field by field.

One module per publishing service; the envelope is the same for all.
"""

from shared.events.envelope import Envelope, Event, Received, UnreadableEvent
from shared.events.registry import event_classes, read_event

__all__ = ["Envelope", "Event", "Received", "UnreadableEvent", "event_classes", "read_event"]
