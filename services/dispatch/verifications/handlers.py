"""Facts about the collectors' verification tasks."""

from services.dispatch.verifications.service import VerificationService
from shared.events.envelope import Received
from shared.events.intake import TaskCompleted, TaskDueTimeMoved, TaskExpired, TaskIssued
from shared.events.vocabulary import TaskKind
from shared.service import Runtime
from shared.work import UnitOfWork


async def on_task_issued(
    received: Received[TaskIssued], work: UnitOfWork, runtime: Runtime
) -> None:
    """A verification task was issued: the on-site stage begins."""
    fact = received.event
    if fact.kind is TaskKind.VERIFICATION and fact.case_id is not None:
        service = VerificationService.of(work, runtime)
        await service.begin(fact.case_id, received.subject, fact, received.happened_at)


async def on_task_completed(
    received: Received[TaskCompleted], work: UnitOfWork, runtime: Runtime
) -> None:
    """The finding of a verification decides how the case goes on."""
    fact = received.event
    if fact.kind is TaskKind.VERIFICATION and fact.case_id is not None:
        service = VerificationService.of(work, runtime)
        finder = received.envelope.actorid
        await service.complete(fact.case_id, received.subject, fact, finder)


async def on_task_expired(
    received: Received[TaskExpired], work: UnitOfWork, runtime: Runtime
) -> None:
    """Noted in the journal; intake issues the task again."""
    if received.event.kind is TaskKind.VERIFICATION:
        await VerificationService.of(work, runtime).note_expiry(received.subject, received.event)


async def on_task_due_time_moved(
    received: Received[TaskDueTimeMoved], work: UnitOfWork, runtime: Runtime
) -> None:
    """The calendar has changed: the case file shows until when the collector has time now."""
    if received.event.kind is TaskKind.VERIFICATION:
        service = VerificationService.of(work, runtime)
        await service.move_due_time(received.subject, received.event)
