"""Bringing what intake and dispatch tell to the tickets concerned, in whatever order it comes.

Facts of one report or case come in order; facts of different ones do not. So each fact is written
to its own small row first, and a ticket that is linked later catches up from there.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from services.hotline.callbacks.service import CallbackQueue, calling_of
from services.hotline.following.repository import ProgressRepository
from services.hotline.tickets.domain import FINAL, Progress, Step, TicketState
from services.hotline.tickets.models import Ticket
from services.hotline.tickets.repository import TicketRepository
from shared.service import Runtime
from shared.work import UnitOfWork

BEFORE_REGISTRATION = frozenset(
    {Progress.SUBMITTED, Progress.RECEIVED, Progress.MERGED, Progress.UNMERGED}
)


@dataclass(frozen=True, slots=True)
class CaseFact:
    """A fact of a case, as far as a caller cares."""

    step: Step
    number: str | None = None
    outcome: str | None = None
    ticket_id: UUID | None = None

    def known(self) -> dict[str, Any]:
        """What the fact says about the case; what it does not name stays as it was."""
        values = {
            "state": self.step.kind.value,
            "changed_at": self.step.at,
            "unit": self.step.unit,
            "number": self.number,
        }
        named = {name: value for name, value in values.items() if value is not None}
        if self.step.kind in FINAL:
            return {**named, "outcome": self.outcome, "conclusion": self.step.text}
        return named


class FollowingService:
    """What handlers call; each method takes in one fact."""

    def __init__(self, work: UnitOfWork, queue: CallbackQueue) -> None:
        self.work = work
        self._tickets = TicketRepository(work.session)
        self._progress = ProgressRepository(work.session)
        self._queue = queue

    @classmethod
    def of(cls, work: UnitOfWork, runtime: Runtime) -> "FollowingService":
        return cls(work, CallbackQueue(work, calling_of(runtime)))

    async def report_received(
        self, report_id: UUID, *, ticket_id: UUID, number: str, step: Step
    ) -> None:
        """Intake has a report of the ticket."""
        ticket = await self._tickets.find_locked(ticket_id)
        if ticket is None:
            return
        ticket.report_id, ticket.report_number = report_id, number
        if ticket.progress == Progress.SUBMITTED:
            ticket.progress = Progress.RECEIVED
        await self._tickets.add_step(ticket.id, step)
        await self._attach(ticket, report_id)

    async def report_registered(self, report_id: UUID, *, case_id: UUID, step: Step) -> None:
        """A report, with all that were merged into it, is a case."""
        row = await self._progress.report(report_id, case_id=case_id)
        for ticket in await self._of_report(report_id, row):
            if ticket.progress in BEFORE_REGISTRATION:
                ticket.progress = Progress.REGISTERED
            await self._tickets.add_step(ticket.id, step)
            await self._link(ticket, case_id, number=step.text)

    async def report_rejected(self, report_id: UUID, *, step: Step) -> None:
        """A report, with all that were merged into it, was not accepted."""
        row = await self._progress.report(report_id, rejected_at=step.at, rejected_reason=step.text)
        for ticket in await self._of_report(report_id, row):
            await self._reject(ticket, step)

    async def report_merged(
        self, report_id: UUID, *, into: UUID, into_case: UUID | None, step: Step
    ) -> None:
        """A report goes the way of another one, and so do the tickets that follow it."""
        row = await self._progress.report(report_id, merged_into=into)
        tickets = await self._of_report(report_id, row)
        if tickets and into_case is not None:
            await self._progress.report(into, case_id=into_case)
        for ticket in tickets:
            if ticket.progress in BEFORE_REGISTRATION:
                ticket.progress = Progress.MERGED
            await self._tickets.add_step(ticket.id, step)
            await self._attach(ticket, into)

    async def report_unmerged(self, report_id: UUID, *, out_of: UUID, step: Step) -> None:
        """A merge was wrong: its tickets stand for themselves again."""
        row = await self._progress.report(report_id, merged_into=None)
        if not row.followed:
            return
        before = await self._progress.root_of(out_of)
        for ticket in await self._tickets.of_report(before):
            own = ticket.report_id
            if own is None or await self._progress.root_of(own) == before:
                continue
            await self._detach(ticket)
            await self._tickets.add_step(ticket.id, step)
            await self._attach(ticket, own)

    async def case_changed(self, case_id: UUID, fact: CaseFact) -> None:
        """A case has come a step farther."""
        row = await self._progress.case(case_id, **fact.known())
        if fact.ticket_id is not None:
            await self._link_directly(fact.ticket_id, case_id, number=row.number)
        elif not row.followed:
            return
        for ticket in await self._tickets.of_case(case_id):
            await self._tickets.add_step(ticket.id, fact.step)
            await self._apply(ticket, row)

    async def _of_report(self, report_id: UUID, row: Any) -> Sequence[Ticket]:
        return await self._tickets.of_report(report_id) if row.followed else []

    async def _attach(self, ticket: Ticket, report_id: UUID) -> None:
        """Let a ticket follow a report, or whatever that one was merged into, and catch up."""
        seen: set[UUID] = set()
        following: UUID | None = report_id
        while following is not None and following not in seen:
            seen.add(following)
            row = await self._progress.report(following, followed=True)
            ticket.root_report_id, following = row.report_id, row.merged_into
        if row.case_id is not None:
            if ticket.progress in BEFORE_REGISTRATION:
                ticket.progress = Progress.REGISTERED
            await self._link(ticket, row.case_id, number=None)
        elif row.rejected_at is not None:
            source = f"{row.report_id} rejected"
            step = Step(Progress.REJECTED, row.rejected_at, source, text=row.rejected_reason)
            await self._reject(ticket, step)

    async def _link(self, ticket: Ticket, case_id: UUID, *, number: str | None) -> None:
        """Let a ticket follow a case that intake has named, and catch up with it."""
        if ticket.case_id == case_id:
            return
        ticket.case_id, ticket.case_number = case_id, number
        row = await self._progress.case(case_id, followed=True)
        if row.state is not None:
            source = f"{case_id} so far"
            step = Step(
                Progress(row.state), row.changed_at, source, unit=row.unit, text=row.conclusion
            )
            await self._tickets.add_step(ticket.id, step)
        await self._apply(ticket, row)

    async def _link_directly(self, ticket_id: UUID, case_id: UUID, *, number: str | None) -> None:
        """Dispatch may tell of a ticket's case before intake's own telling has come."""
        ticket = await self._tickets.find_locked(ticket_id)
        if ticket is not None and ticket.case_id is None:
            ticket.case_id, ticket.case_number = case_id, number
            await self._progress.case(case_id, followed=True)
            await self.work.settle()

    async def _apply(self, ticket: Ticket, row: Any) -> None:
        """Bring a ticket to where its case is."""
        ticket.case_number = row.number or ticket.case_number
        if row.state is None:
            return
        ticket.unit = row.unit
        progress = Progress(row.state)
        if progress in FINAL:
            self._finish(
                ticket, progress, at=row.changed_at, outcome=row.outcome, text=row.conclusion
            )
            return
        ticket.progress = progress
        if ticket.state == TicketState.CLOSED:
            ticket.state, ticket.closed_at = TicketState.SUBMITTED, None
            self.work.record(
                ticket, "case-reopened", from_state=TicketState.CLOSED, to_state=ticket.state
            )
        if progress == Progress.REOPENED:
            await self._queue.cancel(ticket, reason="the case was reopened")

    async def _reject(self, ticket: Ticket, step: Step) -> None:
        await self._tickets.add_step(ticket.id, step)
        self._finish(
            ticket, Progress.REJECTED, at=step.at, outcome=Progress.REJECTED, text=step.text
        )

    def _finish(
        self,
        ticket: Ticket,
        progress: Progress,
        *,
        at: datetime,
        outcome: str | None,
        text: str | None,
    ) -> None:
        """The matter has its result: the caller is put on the list."""
        ticket.progress, ticket.closed_at = progress, at
        ticket.outcome, ticket.conclusion = outcome or progress.value, text
        if ticket.state != TicketState.SUBMITTED:
            return  # withdrawn, or known already
        ticket.state = TicketState.CLOSED
        ticket.closings += 1
        self.work.record(ticket, "close", from_state=TicketState.SUBMITTED, to_state=ticket.state)
        self._queue.add(ticket)

    async def _detach(self, ticket: Ticket) -> None:
        """Take back what a ticket learnt from a case that was never its own."""
        ticket.case_id = ticket.case_number = ticket.unit = None
        ticket.closed_at = ticket.outcome = ticket.conclusion = None
        ticket.progress = Progress.UNMERGED
        if ticket.state == TicketState.CLOSED:
            ticket.state = TicketState.SUBMITTED
            self.work.record(
                ticket, "unmerge", from_state=TicketState.CLOSED, to_state=ticket.state
            )
        await self._queue.cancel(ticket, reason="the report was unmerged")
