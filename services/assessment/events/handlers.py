"""Takes in whatever the other services tell, whole batches at a time, in any order."""

from collections.abc import Sequence

from services.assessment.events.repository import EventStore
from services.assessment.records.repository import RecordStore
from shared.events.envelope import Envelope
from shared.service import Runtime
from shared.work import UnitOfWork


async def on_events(envelopes: Sequence[Envelope], work: UnitOfWork, _runtime: Runtime) -> None:
    """Store the batch and its records, and mark what has to be folded again.

    Three statements, whatever the size of the batch.
    """
    await EventStore(work.session).append(envelopes)
    await RecordStore(work.session).append(envelopes)
