"""Queueing call-backs and keeping what came of them."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from services.hotline.callbacks.domain import (
    CallbackState,
    Calling,
    check_attempt,
    check_open,
    decent,
    judge,
)
from services.hotline.callbacks.models import Callback, CallbackAttempt
from services.hotline.callbacks.repository import CallbackRepository
from services.hotline.config import settings_of
from services.hotline.tickets.models import Ticket
from services.hotline.tickets.service import TicketService
from shared.events.hotline import CallbackCompleted, CallbackOutcome, Satisfaction
from shared.service import Runtime
from shared.work import UnitOfWork


def calling_of(runtime: Runtime) -> Calling:
    settings = settings_of(runtime)
    return Calling(
        zone=ZoneInfo(runtime.pack.city.zone),
        opens=settings.callback_from,
        closes=settings.callback_until,
        retry=timedelta(minutes=settings.callback_retry_minutes),
        attempts=settings.callback_attempts,
    )


class CallbackQueue:
    """Puts callers on the list when their matter has its result, and takes them off again."""

    def __init__(self, work: UnitOfWork, calling: Calling) -> None:
        self.work = work
        self.callbacks = CallbackRepository(work.session)
        self._calling = calling

    def add(self, ticket: Ticket) -> Callback | None:
        """Queue the caller of a ticket just closed; None where nobody may be rung up."""
        if ticket.caller_id is None or not ticket.callback_consent:
            return None
        now = self.work.now()
        callback = Callback(
            ticket_id=ticket.id,
            closing=ticket.closings,
            caller_id=ticket.caller_id,
            case_id=ticket.case_id,
            due_at=decent(now, self._calling),
            created_at=now,
        )
        self.work.session.add(callback)
        self.work.record(callback, "queue", to_state=callback.state)
        return callback

    async def cancel(self, ticket: Ticket, *, reason: str) -> None:
        """Take a caller off the list: the matter goes on."""
        for callback in await self.callbacks.waiting_of(ticket.id):
            callback.state, callback.ended_at = CallbackState.CANCELLED, self.work.now()
            self.work.record(
                callback,
                "cancel",
                from_state=CallbackState.WAITING,
                to_state=callback.state,
                reason=reason,
            )


class CallbackService:
    """Commands on call-backs."""

    def __init__(self, work: UnitOfWork, calling: Calling, tickets: TicketService) -> None:
        self.work = work
        self.callbacks = CallbackRepository(work.session)
        self.tickets = tickets
        self._calling = calling

    @classmethod
    def of(cls, work: UnitOfWork, runtime: Runtime) -> "CallbackService":
        return cls(work, calling_of(runtime), TicketService.of(work, runtime))

    async def record_attempt(
        self,
        callback: Callback,
        ticket: Ticket,
        *,
        outcome: CallbackOutcome,
        satisfaction: Satisfaction | None,
        note: str | None,
        retry_at: datetime | None,
        reopen: bool,
    ) -> Callback:
        """Keep how a try went; the last one is told, and may reopen the case.

        Raises:
            CallbackStateForbids: it has its result already.
            SatisfactionMismatch, RetryNotPossible, ReopeningNeedsCause: they do not go together.
            PersonalDataInText: the note tells who it is.
            ReopeningNotPossible: there is no closed case.
        """
        now = self.work.now()
        check_open(callback.state)
        check_attempt(outcome, satisfaction, note=note, retry_at=retry_at, reopen=reopen, now=now)
        if note is not None:
            caller = await self.tickets.callers.callers.get(callback.caller_id)
            self.tickets.callers.refuse_personal_data(note, "note", of=caller)
        callback.attempts += 1
        self.work.session.add(
            CallbackAttempt(
                callback_id=callback.id,
                attempt=callback.attempts,
                at=now,
                agent=self.work.actor.id,
                outcome=outcome,
                satisfaction=satisfaction,
                note=note,
            )
        )
        verdict = judge(
            outcome, callback.attempts, retry_at=retry_at, now=now, calling=self._calling
        )
        before, callback.state = callback.state, verdict.state
        callback.due_at = verdict.due_at or callback.due_at
        self.work.record(
            callback,
            "attempt",
            from_state=before,
            to_state=callback.state,
            details={"outcome": outcome, "attempt": callback.attempts},
        )
        if verdict.is_final:
            callback.ended_at, callback.satisfaction = now, satisfaction
            self.work.tell(
                ticket,
                CallbackCompleted(
                    number=ticket.number,
                    case_id=callback.case_id,
                    outcome=outcome,
                    satisfaction=satisfaction,
                    attempt=callback.attempts,
                    agent=self.work.actor.id,
                ),
            )
        if reopen:
            callback.reopened = True
            await self.tickets.reopen_ticket(ticket, reason=note or "")
        return callback
