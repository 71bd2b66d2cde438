"""What dispatch tells about cases: reporters follow, collectors are sent out and called back."""

from typing import Any

from services.intake.registration.repository import Numbers
from services.intake.reports.service import ReportService
from services.intake.tasks.service import task_service
from shared.events import Event, Received
from shared.events.dispatch import (
    CaseAccepted,
    CaseClosed,
    CaseDispatched,
    CaseHandled,
    CaseOpened,
    CaseReopened,
    CaseVerified,
    CaseVoided,
    DeferralDecided,
    DeferralEnded,
    FeedbackRefused,
    ReturnDecided,
    VerificationAsked,
)
from shared.service import Runtime
from shared.work import UnitOfWork

CASE_STATES: dict[type[Event], str] = {
    CaseOpened: "opened",
    CaseDispatched: "dispatched",
    CaseAccepted: "accepted",
    CaseHandled: "handled",
    FeedbackRefused: "feedback-refused",
    VerificationAsked: "being-verified",
    CaseVerified: "verified",
    CaseClosed: "closed",
    CaseVoided: "voided",
    CaseReopened: "reopened",
    ReturnDecided: "returned",
    DeferralDecided: "deferred",
    DeferralEnded: "accepted",
}
"""How a case stands after a fact, in words for its reporters."""


def _state_after(event: Event) -> str | None:
    if isinstance(event, ReturnDecided | DeferralDecided) and not event.granted:
        return None
    if isinstance(event, CaseVerified) and not event.passed:
        return "verification-failed"
    return CASE_STATES[type(event)]


async def on_case_fact(received: Received[Event], work: UnitOfWork, runtime: Runtime) -> None:
    """The reports of a case say how it stands; cases that did not come from here have none."""
    event = received.event
    state = _state_after(event)
    if state is not None:
        conclusion = event.conclusion if isinstance(event, CaseClosed) else None
        reports = ReportService(work, runtime.pack, Numbers.of(runtime))
        await reports.follow_case(received.subject, state, received.happened_at, conclusion)


async def on_verification_asked(
    received: Received[VerificationAsked], work: UnitOfWork, runtime: Runtime
) -> None:
    """A collector is sent out, once for each round of a case."""
    await task_service(work, runtime).ask_verification(received.subject, received.event)
    await on_case_fact(Received(received.event, received.envelope), work, runtime)


async def on_case_ended(received: Received[Any], work: UnitOfWork, runtime: Runtime) -> None:
    """Nobody needs to go there any more."""
    state = CASE_STATES[type(received.event)]
    await task_service(work, runtime).cancel_of_case(received.subject, f"the case was {state}")
    await on_case_fact(received, work, runtime)
