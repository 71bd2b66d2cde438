"""Keeps facts up with the event store: every second, and at once before a score is computed."""

import contextlib
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from services.assessment.events.domain import (
    ACCOUNT,
    CALL,
    CASE,
    PATROL,
    REPORT,
    TASK,
    TICKET,
    StoredEvent,
    in_order,
)
from services.assessment.events.repository import EventStore, SubjectKey
from services.assessment.facts.domain import CaseFacts, StageSpan, fold_cases, measure_stage
from services.assessment.facts.errors import RebuildRunning
from services.assessment.facts.models import Rebuild, RebuildState
from services.assessment.facts.repository import (
    FactWriter,
    RebuildRepository,
    Row,
    plain,
    row_of,
)
from services.assessment.fieldwork.domain import (
    ReportFold,
    fold_account,
    fold_calls,
    fold_patrols,
    fold_report,
    fold_task,
    fold_ticket,
)
from services.assessment.fieldwork.models import (
    AccountFacts,
    CallbackFacts,
    CallFacts,
    PatrolFacts,
    ReportFacts,
    TaskFacts,
    TicketFacts,
)
from services.assessment.records.repository import RecordStore
from shared.pack.model import CityPack, Stage
from shared.service import Runtime
from shared.work import Actor, Origin, UnitOfWork

MARKS_A_BATCH = 1_000
BATCHES_A_TURN = 50
EVENTS_A_STEP = 5_000

EventsBySubject = Mapping[SubjectKey, Sequence[StoredEvent]]


class FactKeeper:
    """Folds marked subjects within one transaction."""

    def __init__(self, work: UnitOfWork, pack: CityPack) -> None:
        self._pack = pack
        self._store = EventStore(work.session)
        self._writer = FactWriter(work.session)

    async def fold_marked(self, limit: int = MARKS_A_BATCH) -> int:
        """Fold the subjects of the oldest marks again; how many marks were worked off."""
        taken, subjects = await self._store.take_marks(limit)
        case_ids = [UUID(subject) for aggregate, subject in subjects if aggregate == CASE]
        await self._fold_cases(case_ids)
        others = await self._store.of_subjects([key for key in subjects if key[0] != CASE])
        await self._fold_others({key: in_order(events) for key, events in others.items()})
        return taken

    async def _fold_cases(self, case_ids: Sequence[UUID]) -> None:
        if not case_ids:
            return
        cases, assignments, stages = [], [], []
        events = await self._store.of_cases(case_ids)
        for facts in fold_cases(events):
            cases.append(_case_row(facts, len(in_order(events[facts.case_id]))))
            assignments += self._assignment_rows(facts)
            stages += self._stage_rows(facts)
        await self._writer.put_cases(cases, assignments, stages)

    @staticmethod
    def _assignment_rows(facts: CaseFacts) -> list[Row]:
        return [{"case_id": facts.case_id, **plain(item)} for item in facts.assignments]

    def _stage_rows(self, facts: CaseFacts) -> list[Row]:
        measured = [
            measure_stage(
                span,
                self._pack.stages,
                self._pack.calendar,
                urgent=facts.urgent,
                special=facts.special,
            )
            for span in facts.stages
        ]
        return [
            {
                "case_id": facts.case_id,
                **plain(stage.span),
                "stage": stage.span.stage.value,
                "used_seconds": stage.used_seconds,
                "kept": stage.kept,
            }
            for stage in measured
        ]

    def _decided_in_time(self, report: ReportFold) -> bool | None:
        """Whether a person decided within the limit of registration."""
        if report.by_rule or report.received_at is None or report.decided_at is None:
            return None
        span = StageSpan(Stage.REGISTRATION, 1, "operator", report.received_at, report.decided_at)
        stages, calendar = self._pack.stages, self._pack.calendar
        return measure_stage(span, stages, calendar, urgent=report.urgent, special=False).kept

    async def _fold_others(self, subjects: EventsBySubject) -> None:
        reports, tasks, patrols, calls, tickets, callbacks, accounts = ([] for _ in range(7))
        for (aggregate, subject), events in sorted(subjects.items()):
            count = len(events)
            if aggregate == REPORT:
                report = fold_report(events, UUID(subject))
                in_time = self._decided_in_time(report)
                reports.append({**row_of(report, count), "decided_in_time": in_time})
            elif aggregate == TASK:
                tasks += [row_of(fold, count) for fold in fold_task(events, UUID(subject))]
            elif aggregate == PATROL:
                patrols += [row_of(fold, count) for fold in fold_patrols(events)]
            elif aggregate == CALL:
                calls += [row_of(fold, count) for fold in fold_calls(events)]
            elif aggregate == TICKET:
                ticket = row_of(fold_ticket(events, UUID(subject)), count)
                callbacks += [row_of(callback, count) for callback in ticket.pop("callbacks")]
                tickets.append(ticket)
            elif aggregate == ACCOUNT:
                account = fold_account(events, subject)
                accounts += [row_of(account, count)] if account is not None else []
        for model, rows in (
            (ReportFacts, reports),
            (TaskFacts, tasks),
            (PatrolFacts, patrols),
            (CallFacts, calls),
            (TicketFacts, tickets),
            (CallbackFacts, callbacks),
            (AccountFacts, accounts),
        ):
            await self._writer.put(model, rows)


def _case_row(facts: CaseFacts, events: int) -> Row:
    row: dict[str, Any] = plain(facts)
    del row["assignments"], row["stages"], row["class_ref"]
    reference = facts.class_ref
    row["class_scheme"] = reference.scheme if reference else None
    row["class_kind"] = reference.kind.value if reference else None
    row["class_code"] = reference.code if reference else None
    row["events"] = events
    return row


class RebuildService:
    """Has everything folded again, in steps."""

    def __init__(self, work: UnitOfWork) -> None:
        self._work = work
        self._rebuilds = RebuildRepository(work.session)
        self._store = EventStore(work.session)

    async def start(self) -> Rebuild:
        """Begin a rebuild.

        Raises:
            RebuildRunning: another one has not ended yet.
        """
        running = await self._rebuilds.running()
        if running is not None:
            raise RebuildRunning(
                "Wait for it to end; it folds everything that is stored.",
                state=running.state.value,
                allowed=[],
                rebuild=str(running.id),
            )
        rebuild = Rebuild(started_at=self._work.now())
        self._rebuilds.add(rebuild)
        self._work.record(rebuild, "start-rebuild", to_state=RebuildState.RUNNING)
        return rebuild

    async def step(self, events: int = EVENTS_A_STEP) -> bool:
        """Mark the subjects of the next events; False when no rebuild is running."""
        rebuild = await self._rebuilds.running()
        if rebuild is None:
            return False
        last, subjects = await self._store.subjects_after(rebuild.cursor, events)
        await self._store.mark(subjects)
        rebuild.subjects += len(subjects)
        if last is not None:
            rebuild.cursor = last
            return True
        rebuild.state = RebuildState.DONE
        rebuild.finished_at = self._work.now()
        self._work.record(
            rebuild,
            "finish-rebuild",
            from_state=RebuildState.RUNNING,
            to_state=RebuildState.DONE,
            details={"subjects": rebuild.subjects},
        )
        return True


async def rebuild_records(runtime: Runtime, cohort: int) -> int:
    """Make the record blocks of a cohort anew, in one transaction; how many records it has."""
    async with runtime.database.transaction() as session:
        return await RecordStore(session).rebuild_cohort(cohort)


async def begin_rebuild(runtime: Runtime) -> None:
    """Begin to fold everything again, or go on with a rebuild that is running already."""
    async with runtime.database.transaction() as session:
        work = _own_work(runtime, session)
        with contextlib.suppress(RebuildRunning):
            await RebuildService(work).start()
        await work.flush()


async def rebuild_step(runtime: Runtime) -> bool:
    """Mark some more subjects of a running rebuild; False when it has ended."""
    async with runtime.database.transaction() as session:
        work = _own_work(runtime, session)
        goes_on = await RebuildService(work).step()
        await work.flush()
    return goes_on


async def fold_pending(runtime: Runtime, *, batches: int = BATCHES_A_TURN) -> int:
    """Fold what is marked, at most so many batches, each in a transaction of its own.

    Returns:
        How many marks were worked off.
    """
    done = 0
    for _ in range(batches):
        async with runtime.database.transaction() as session:
            taken = await FactKeeper(_own_work(runtime, session), runtime.pack).fold_marked()
        done += taken
        if taken < MARKS_A_BATCH:
            break
    return done


async def keep_up(runtime: Runtime) -> None:
    """The timer's turn: one step of a running rebuild, then whatever is marked."""
    await rebuild_step(runtime)
    await fold_pending(runtime)


def _own_work(runtime: Runtime, session: Any) -> UnitOfWork:
    name = f"service:{runtime.name}"
    return runtime.work(session, Actor(id=name), Origin(correlation_id=f"{name}:fold"))
