"""Takes in whatever the other services tell, whole batches at a time, in any order."""

from collections.abc import Sequence

from services.assessment.events.repository import EventStore
from shared.events.envelope import Envelope
from shared.service import Runtime
from shared.work import UnitOfWork


async def on_events(envelopes: Sequence[Envelope], work: UnitOfWork, _runtime: Runtime) -> None:
    """Store the batch and mark what has to be folded again: two statements, whatever its size."""
    await EventStore(work.session).append(envelopes)
