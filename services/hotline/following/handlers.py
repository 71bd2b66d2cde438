"""Facts of intake and dispatch that callers care about."""

from datetime import datetime
from typing import Any

from services.hotline.following.service import CaseFact, FollowingService
from services.hotline.tickets.domain import Progress, Step
from shared.events import Received
from shared.events.dispatch import (
    CaseAccepted,
    CaseClosed,
    CaseDispatched,
    CaseHandled,
    CaseOpened,
    CaseReopened,
    CaseVerified,
    CaseVoided,
)
from shared.events.intake import (
    ReportMerged,
    ReportReceived,
    ReportRegistered,
    ReportRejected,
    ReportUnmerged,
)
from shared.service import Runtime
from shared.work import UnitOfWork


def _step(
    received: Received[Any],
    kind: Progress,
    *,
    at: datetime | None = None,
    unit: str | None = None,
    text: str | None = None,
) -> Step:
    """A line of the timeline, named by the fact's subject and number."""
    source = f"{received.subject} {received.envelope.sequence}"
    return Step(kind=kind, at=at or received.happened_at, source=source, unit=unit, text=text)


async def on_report_received(
    received: Received[ReportReceived], work: UnitOfWork, runtime: Runtime
) -> None:
    event = received.event
    if event.ticket_id is None:
        return
    await FollowingService.of(work, runtime).report_received(
        received.subject,
        ticket_id=event.ticket_id,
        number=event.number,
        step=_step(received, Progress.RECEIVED, at=event.received_at, text=event.number),
    )


async def on_report_registered(
    received: Received[ReportRegistered], work: UnitOfWork, runtime: Runtime
) -> None:
    event = received.event
    step = _step(received, Progress.REGISTERED, at=event.registered_at, text=event.case_number)
    await FollowingService.of(work, runtime).report_registered(
        received.subject, case_id=event.case_id, step=step
    )


async def on_report_rejected(
    received: Received[ReportRejected], work: UnitOfWork, runtime: Runtime
) -> None:
    step = _step(received, Progress.REJECTED, text=received.event.reason)
    await FollowingService.of(work, runtime).report_rejected(received.subject, step=step)


async def on_report_merged(
    received: Received[ReportMerged], work: UnitOfWork, runtime: Runtime
) -> None:
    await FollowingService.of(work, runtime).report_merged(
        received.subject,
        into=received.event.into_report_id,
        into_case=received.event.into_case_id,
        step=_step(received, Progress.MERGED),
    )


async def on_report_unmerged(
    received: Received[ReportUnmerged], work: UnitOfWork, runtime: Runtime
) -> None:
    step = _step(received, Progress.UNMERGED, text=received.event.reason)
    await FollowingService.of(work, runtime).report_unmerged(
        received.subject, out_of=received.event.from_report_id, step=step
    )


async def on_case_opened(
    received: Received[CaseOpened], work: UnitOfWork, runtime: Runtime
) -> None:
    event = received.event
    fact = CaseFact(
        _step(received, Progress.OPENED), number=event.number, ticket_id=event.ticket_id
    )
    await FollowingService.of(work, runtime).case_changed(received.subject, fact)


async def on_case_dispatched(
    received: Received[CaseDispatched], work: UnitOfWork, runtime: Runtime
) -> None:
    event = received.event
    fact = CaseFact(_step(received, Progress.DISPATCHED, unit=event.unit), number=event.number)
    await FollowingService.of(work, runtime).case_changed(received.subject, fact)


async def on_case_accepted(
    received: Received[CaseAccepted], work: UnitOfWork, runtime: Runtime
) -> None:
    fact = CaseFact(_step(received, Progress.ACCEPTED, unit=received.event.unit))
    await FollowingService.of(work, runtime).case_changed(received.subject, fact)


async def on_case_handled(
    received: Received[CaseHandled], work: UnitOfWork, runtime: Runtime
) -> None:
    event = received.event
    fact = CaseFact(_step(received, Progress.HANDLED, at=event.handled_at, unit=event.unit))
    await FollowingService.of(work, runtime).case_changed(received.subject, fact)


async def on_case_verified(
    received: Received[CaseVerified], work: UnitOfWork, runtime: Runtime
) -> None:
    event = received.event
    kind = Progress.VERIFIED if event.passed else Progress.VERIFICATION_FAILED
    fact = CaseFact(_step(received, kind, unit=event.unit))
    await FollowingService.of(work, runtime).case_changed(received.subject, fact)


async def on_case_closed(
    received: Received[CaseClosed], work: UnitOfWork, runtime: Runtime
) -> None:
    event = received.event
    step = _step(
        received, Progress.CLOSED, at=event.closed_at, unit=event.unit, text=event.conclusion
    )
    fact = CaseFact(step, number=event.number, outcome=event.outcome, ticket_id=event.ticket_id)
    await FollowingService.of(work, runtime).case_changed(received.subject, fact)


async def on_case_voided(
    received: Received[CaseVoided], work: UnitOfWork, runtime: Runtime
) -> None:
    event = received.event
    step = _step(received, Progress.VOIDED, text=event.reason)
    fact = CaseFact(step, number=event.number, outcome="voided", ticket_id=event.ticket_id)
    await FollowingService.of(work, runtime).case_changed(received.subject, fact)


async def on_case_reopened(
    received: Received[CaseReopened], work: UnitOfWork, runtime: Runtime
) -> None:
    event = received.event
    step = _step(received, Progress.REOPENED, text=event.reason)
    fact = CaseFact(step, number=event.number, ticket_id=event.ticket_id)
    await FollowingService.of(work, runtime).case_changed(received.subject, fact)
