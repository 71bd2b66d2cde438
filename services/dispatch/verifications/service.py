"""Brings the facts of the collectors' tasks into the case file."""

from datetime import datetime
from typing import Self
from uuid import UUID

from services.dispatch.case_files.domain import SENT_OUT, Action, CaseState
from services.dispatch.case_files.models import Verification
from services.dispatch.case_files.repository import CaseFileRepository
from services.dispatch.case_files.service import CaseFile, CaseFiles
from services.dispatch.supervision_rules.service import SupervisionRules
from services.dispatch.verifications.domain import independent, move_for
from shared.events.dispatch import CaseVerified
from shared.events.intake import TaskCompleted, TaskDueTimeMoved, TaskExpired, TaskIssued
from shared.events.vocabulary import DispatchReason
from shared.service import Runtime
from shared.work import UnitOfWork


class VerificationService:
    """Applies what became of a verification; what a later round has overtaken changes nothing."""

    def __init__(self, work: UnitOfWork, files: CaseFiles) -> None:
        self.work = work
        self.files = files
        self.repository = CaseFileRepository(work.session)

    @classmethod
    def of(cls, work: UnitOfWork, runtime: Runtime) -> Self:
        return cls(work, CaseFiles.of(work, runtime))

    async def begin(self, case_id: UUID, task_id: UUID, fact: TaskIssued, at: datetime) -> None:
        """A collector was sent out: the first issue of a round ends the sending out."""
        file = await self.files.take_for_fact(case_id, Verification)
        verification = self._current(file, fact.round)
        if verification is None:
            return
        first = verification.task_id is None
        verification.task_id, verification.collector = task_id, fact.collector
        verification.attempts = max(verification.attempts, fact.attempt)
        if first and file.case.state is CaseState.VERIFICATION_ASKED:
            verification.issued_at, verification.due_at = at, fact.due_at
            file.move(Action.BEGIN_VERIFICATION, at=at, round=fact.round)
            return
        self.work.record(
            file.case,
            "reissue-verification",
            details={"round": fact.round, "attempt": fact.attempt},
        )

    async def complete(
        self, case_id: UUID, task_id: UUID, fact: TaskCompleted, finder: str
    ) -> None:
        """The collector was there: passed, failed, or not to be decided."""
        file = await self.files.take_for_fact(case_id, Verification)
        verification = self._current(file, fact.round)
        if verification is None or verification.finding is not None:
            return
        row = file.assignment
        involved = {row.dispatched_by, row.accepted_by, row.handled_by}
        verification.independent = independent(finder, involved)
        verification.task_id, verification.collector = task_id, fact.collector
        verification.finding, verification.note = fact.finding, fact.note
        verification.media, verification.in_time = list(fact.media), fact.in_time
        verification.completed_at = fact.completed_at
        action = move_for(fact.finding, counts=verification.independent)
        clock = file.clock_reading(at=max(fact.completed_at, file.case.stage_started_at))
        if action is Action.FAIL_VERIFICATION:
            file.case.failed_verifications += 1
            file.case.dispatch_reason = DispatchReason.AFTER_FAILED_VERIFICATION
            row.outcome = "failed"
        moment = file.move(
            action,
            at=fact.completed_at,
            reason=fact.note,
            round=fact.round,
            independent=verification.independent,
        )
        if action is Action.LEAVE_UNDECIDED:
            return
        event = CaseVerified(
            round=fact.round,
            assignment=row.number,
            unit=row.unit,
            task_id=task_id,
            passed=action is Action.PASS_VERIFICATION,
            clock=clock,
        )
        self.work.tell(file.case, event, at=moment)
        if not event.passed:
            await SupervisionRules.beside(self.files).on_failed_verification(file, row, moment)

    async def note_expiry(self, task_id: UUID, fact: TaskExpired) -> None:
        """Nobody went in time; intake sends the next one, the stage goes on."""
        verification = await self.repository.verification_of_task(task_id)
        if verification is None:
            return
        file = await self.files.take_for_fact(verification.case_id)
        self.work.record(
            file.case,
            "expire-verification",
            details={"round": verification.round, "attempt": fact.attempt},
        )

    async def move_due_time(self, task_id: UUID, fact: TaskDueTimeMoved) -> None:
        """Intake has reckoned anew by another calendar; the case's stage moves by its own pass."""
        verification = await self.repository.verification_of_task(task_id)
        # Kept is the time of the first issue, as is that of the stage.
        if verification is None or verification.finding is not None or fact.attempt > 1:
            return
        file = await self.files.take_for_fact(verification.case_id)
        verification.due_at = fact.due_at
        self.work.record(
            file.case,
            "move-verification-due-time",
            reason="calendar changed",
            details={"round": verification.round},
        )

    def _current(self, file: CaseFile, round_: int) -> Verification | None:
        """The round that the fact is about, if the case still waits for it."""
        if file.case.rounds != round_ or file.case.state not in SENT_OUT:
            return None
        verification: Verification | None = file.rows.latest[Verification]
        return verification
