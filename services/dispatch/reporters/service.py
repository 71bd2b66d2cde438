"""Keeps the reporters with their case: reports merged, tickets withdrawn or reopened."""

from collections.abc import Iterable
from datetime import datetime
from typing import Self
from uuid import UUID

from services.dispatch.case_files.domain import Action, CaseState
from services.dispatch.case_files.errors import CaseNotYetKnown
from services.dispatch.case_files.models import AttachedReport, Case, WithdrawnTicket
from services.dispatch.case_files.repository import CaseFileRepository
from services.dispatch.case_files.service import CaseFiles
from services.dispatch.supervision_rules.service import SupervisionRules
from shared.events.dispatch import CaseReopened
from shared.events.hotline import TicketReopened
from shared.events.intake import ReportMerged, ReportRegistered
from shared.events.vocabulary import DispatchReason
from shared.service import Runtime
from shared.work import UnitOfWork


class ReporterService:
    """Applies what becomes of the reports and tickets behind a case."""

    def __init__(self, work: UnitOfWork, files: CaseFiles) -> None:
        self.work = work
        self.files = files
        self.repository = CaseFileRepository(work.session)
        self.supervision = SupervisionRules.beside(files)

    @classmethod
    def of(cls, work: UnitOfWork, runtime: Runtime) -> Self:
        return cls(work, CaseFiles.of(work, runtime))

    async def attach(self, report_id: UUID, fact: ReportMerged, at: datetime) -> None:
        """A further report tells of the same matter; it may come before that matter is a case.

        Raises:
            CaseNotYetKnown: the other report is a case already, but that has not arrived here.
        """
        case = await self.repository.case_by_report(fact.into_report_id)
        if case is None and fact.into_case_id is not None:
            case = await self.repository.case(fact.into_case_id)
            if case is None:
                raise CaseNotYetKnown(f"Case {fact.into_case_id} is not known here yet.")
        into = case.report_id if case is not None else fact.into_report_id
        left = await self._attach_to(report_id, into, fact, at)
        await self.repository.redirect_attached(report_id, into)
        if case is not None:
            await self._count(case, "attach-report", report_id)
            await self.supervision.on_complaint(
                case, report_id, source=fact.source, caller=fact.reporter_id, at=at
            )
        if left is not None and left != into:
            await self._recount_of(left, "detach-report", report_id)

    async def _attach_to(
        self, report_id: UUID, into: UUID, fact: ReportMerged, at: datetime
    ) -> UUID | None:
        """Write the attachment; returns what the report was attached to before, if anything."""
        row = await self.repository.attached(report_id)
        if row is not None:
            left, row.into_report_id = row.into_report_id, into
            return left
        row = AttachedReport(
            report_id=report_id,
            into_report_id=into,
            source=fact.source,
            reporter_id=fact.reporter_id,
            ticket_id=fact.ticket_id,
            attached_at=at,
        )
        self.repository.add(row)
        return None

    async def detach(self, report_id: UUID, reason: str) -> None:
        """A merge was wrong: the report stands for itself again."""
        row = await self.repository.attached(report_id)
        if row is None:
            return
        into = row.into_report_id
        await self.repository.remove(row)
        await self.supervision.forget_complaint(report_id)
        await self._recount_of(into, "detach-report", report_id, reason)

    async def count_for(self, report_id: UUID) -> int:
        """Reporters of a case: that of its own report, and those merged into it."""
        return 1 + len(await self.repository.attached_to(report_id))

    async def count_complaints(
        self, case: Case, fact: ReportRegistered, attached: Iterable[AttachedReport]
    ) -> None:
        """Citizens who tell of one place again and again: by this report, and by merged ones."""
        await self.supervision.on_complaint(
            case, case.report_id, source=fact.source, caller=fact.reporter_id, at=fact.received_at
        )
        for row in attached:
            await self.supervision.on_complaint(
                case, row.report_id, source=row.source, caller=row.reporter_id, at=row.attached_at
            )

    async def withdraw(self, ticket_id: UUID, reason: str, at: datetime) -> None:
        """The caller took the ticket back; the case goes on, its file says so."""
        if await self.repository.withdrawn_ticket(ticket_id) is not None:
            return
        self.repository.add(WithdrawnTicket(ticket_id=ticket_id, reason=reason, withdrawn_at=at))
        case = await self.repository.case_by_ticket(ticket_id)
        if case is not None:
            self.note_withdrawal(case, reason)

    async def note_if_withdrawn(self, case: Case) -> None:
        """The withdrawal may have been told before the case."""
        if case.ticket_id is None:
            return
        row = await self.repository.withdrawn_ticket(case.ticket_id)
        if row is not None:
            self.note_withdrawal(case, row.reason)

    def note_withdrawal(self, case: Case, reason: str) -> None:
        self.work.record(
            case, "withdraw-ticket", reason=reason, details={"ticket": str(case.ticket_id)}
        )

    async def reopen(self, fact: TicketReopened, at: datetime) -> None:
        """The caller is not satisfied: a closed case goes on, with a new whole clock.

        Raises:
            CaseNotYetKnown: the case, or its closing, has not happened here yet.
        """
        file = await self.files.take_for_fact(fact.case_id)
        case = file.case
        stale = case.closed_at is not None and at < case.closed_at
        if case.state is not CaseState.CLOSED or stale:
            self.work.record(
                case, "note-dissatisfaction", reason=fact.reason, details={"ticket": fact.number}
            )
            return
        case.closed_at = case.outcome = case.conclusion = None
        case.total_started_at = case.stage_started_at = at
        case.dispatch_reason = DispatchReason.AFTER_REOPENING
        file.move(Action.REOPEN, at=at, reason=fact.reason, ticket=fact.number)
        event = CaseReopened(number=case.number, ticket_id=case.ticket_id, reason=fact.reason)
        self.work.tell(case, event)

    async def _recount_of(
        self, report_id: UUID, action: str, moved: UUID, reason: str | None = None
    ) -> None:
        case = await self.repository.case_by_report(report_id)
        if case is not None:
            await self._count(case, action, moved, reason)

    async def _count(
        self, case: Case, action: str, report_id: UUID, reason: str | None = None
    ) -> None:
        case.reporters = await self.count_for(case.report_id)
        self.work.record(case, action, reason=reason, details={"report": str(report_id)})
