"""Reckons the deadlines of all open cases anew, chunk by chunk, each in one transaction."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple, Self

from sqlmodel.ext.asyncio.session import AsyncSession

from services.dispatch.case_files.domain import STAGE_OF
from services.dispatch.case_files.models import NO_LIMIT, Case
from services.dispatch.case_files.repository import FileRows
from services.dispatch.case_files.service import CaseFile, clock_rules, limit_of
from services.dispatch.clocks.domain import (
    SegmentKind,
    Span,
    counted_spans,
    deadline_of,
    without_pauses,
)
from services.dispatch.coordination.repository import CoordinationRepository
from services.dispatch.coordination.service import reckon_coordination
from services.dispatch.recomputation.domain import (
    ClockQuestion,
    moved,
    sum_in_columns,
)
from services.dispatch.recomputation.models import MovedDeadline, Recomputation
from services.dispatch.recomputation.repository import RecomputationRepository
from services.dispatch.requests.models import Request
from shared.events.dispatch import DeadlinesMoved
from shared.pack.model import Stage
from shared.recomputation.service import Recomputer
from shared.service import Runtime
from shared.work import UnitOfWork
from shared.worktime.arrays import in_columns


class _Deadlines(NamedTuple):
    """The due times of a case that others go by."""

    handling: datetime | None
    stage: datetime | None
    whole: datetime | None

    @classmethod
    def of(cls, file: CaseFile) -> Self:
        handling = file.assignment.due_at if file.assignments else None
        return cls(handling, file.case.stage_due_at, file.case.total_due_at)


async def _count_open(session: AsyncSession, job: Recomputation) -> None:
    job.open_cases = await RecomputationRepository(session).open_cases()


async def _chunk(work: UnitOfWork, runtime: Runtime, job: Recomputation, size: int) -> bool:
    repository = RecomputationRepository(work.session)
    cases = await repository.chunk(job.reached, size)
    if cases:
        files = await _files(work, runtime, repository, cases)
        job.moved += await _Chunk(work, runtime, job, repository).recompute(files)
        job.reached, job.looked_at = cases[-1].id, job.looked_at + len(cases)
    return len(cases) < size


recomputer = Recomputer(Recomputation, _count_open, _chunk)


async def _files(
    work: UnitOfWork, runtime: Runtime, repository: RecomputationRepository, cases: Sequence[Case]
) -> list[CaseFile]:
    """The files of cases, their clocks read in two statements."""
    ids = [case.id for case in cases]
    segments, assignments = await repository.clocks_of(ids)
    rules = clock_rules(runtime.pack, runtime.settings)
    return [
        CaseFile(
            work,
            runtime.pack,
            rules,
            FileRows(case, segments[case.id], assignments[case.id]),
        )
        for case in cases
    ]


class _Chunk:
    """Some cases of a pass."""

    def __init__(
        self,
        work: UnitOfWork,
        runtime: Runtime,
        job: Recomputation,
        repository: RecomputationRepository,
    ) -> None:
        self._work = work
        self._pack = runtime.pack
        self._job = job
        self._repository = repository

    async def recompute(self, files: Sequence[CaseFile]) -> int:
        """Reckon anew what may have moved; how many cases have moved."""
        changed = [file for file in self._may_have_moved(files) if self._reckon(file)]
        pending = [file.case.id for file in files if file.case.pending_requests]
        if pending:
            by_id = {file.case.id: file for file in files}
            for request in await self._repository.pending_requests(pending):
                self._reckon_request(by_id[request.case_id], request)
        await self._reckon_coordinations(files)
        return len(changed)

    def _may_have_moved(self, files: Sequence[CaseFile]) -> list[CaseFile]:
        """Those whose stored deadlines the calendar contradicts, and those it is not asked for.

        Most cases are not touched by a new holiday; asking for whole columns leaves them alone.
        """
        owners: list[int] = []
        questions: list[ClockQuestion] = []
        chosen = set()
        for index, file in enumerate(files):
            asked = self._questions(file)
            if asked is None:
                chosen.add(index)
                continue
            owners += [index] * len(asked)
            questions += asked
        share = self._pack.stages.warn_share
        answers = moved(self._pack.calendar, questions, share)
        chosen |= {owner for owner, answer in zip(owners, answers, strict=True) if answer}
        return [files[index] for index in sorted(chosen)]

    def _questions(self, file: CaseFile) -> list[ClockQuestion] | None:
        """The running clocks of a case; None where they cannot be asked for in columns."""
        calendar, case, stage = self._pack.calendar, file.case, STAGE_OF[file.case.state]
        if case.provisional or stage is SegmentKind.DEFERRAL:
            return None  # few, and the notice that makes them final is what they wait for
        questions = []
        if file.assignments:
            row, limit = file.assignment, limit_of(file.assignment)
            spans = counted_spans(file.timeline(), file.charges(), row.number, file.rules)
            questions.append(ClockQuestion(spans, limit, row.warn_at, row.due_at, row.provisional))
        if stage is not None and stage is not SegmentKind.HANDLING:
            of_stage = file.stage_limit(stage)
            if of_stage is not None:
                spans = [Span(case.stage_started_at, None)]
                questions.append(
                    ClockQuestion(
                        spans, of_stage, case.stage_warn_at, case.stage_due_at, provisional=False
                    )
                )
        pauses = file.whole_pauses()
        if all(pause.ended_at is not None for pause in pauses):
            whole = sum_in_columns(calendar, [one for one in file.whole_limits() if one])
            if whole is None:
                return None
            spans = without_pauses(case.total_started_at, pauses)
            questions.append(
                ClockQuestion(
                    spans, whole, case.total_warn_at, case.total_due_at, provisional=False
                )
            )
        asked = all(in_columns(calendar, question.limit) for question in questions)
        return questions if asked else None

    def _reckon(self, file: CaseFile) -> bool:
        """Reckon one case anew; whether a due time has moved, which is then told and kept."""
        before = _Deadlines.of(file)
        file.reckon()
        after = _Deadlines.of(file)
        if after == before:
            return False
        case, latest = file.case, file.assignments[-1] if file.assignments else None
        self._repository.add(
            MovedDeadline(
                recomputation_id=self._job.id,
                case_id=case.id,
                case_number=case.number,
                unit=latest.unit if latest else None,
                handling_before=before.handling,
                handling_after=after.handling,
                stage_before=before.stage,
                stage_after=after.stage,
                whole_before=before.whole,
                whole_after=after.whole,
            )
        )
        self._work.record(
            case,
            "recompute-deadlines",
            from_state=case.state.value,
            to_state=case.state.value,
            reason="calendar changed",
            details={"recomputation": str(self._job.id)},
        )
        event = DeadlinesMoved(
            number=case.number,
            calendar=self._job.calendar,
            assignment=case.assignments,
            unit=latest.unit if latest else None,
            due_at=after.handling,
            warn_at=latest.warn_at if latest else None,
            limit_seconds=latest.limit_seconds if latest else None,
            provisional=case.provisional,
            stage_due_at=after.stage,
            whole_due_at=after.whole,
        )
        self._work.tell(case, event)
        return True

    async def _reckon_coordinations(self, files: Sequence[CaseFile]) -> None:
        """Times of the units that are heard; few cases have a coordination."""
        repository = CoordinationRepository(self._work.session)
        for file in files:
            if file.case.coordination_id is not None:
                await reckon_coordination(
                    repository, file.case.coordination_id, self._pack.calendar, file.rules
                )

    def _reckon_request(self, file: CaseFile, request: Request) -> None:
        """The centre's time to decide on what a unit asks."""
        case, stages = file.case, self._pack.stages
        limit = stages.limit_of(Stage.SUPERVISION, urgent=case.urgent, special=case.special)
        deadline = deadline_of(self._pack.calendar, request.asked_at, limit, file.rules)
        request.warn_at = deadline.warn_at if deadline else None
        request.due_at = deadline.due_at if deadline else None
        request.due_order = deadline.due_at if deadline else NO_LIMIT
