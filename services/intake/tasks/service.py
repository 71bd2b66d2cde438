"""Sending collectors out and taking their findings in."""

import contextlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.orm.exc import StaleDataError

from services.intake.clocks.service import reckon_expiry, reckon_task
from services.intake.collectors.repository import logins_of, on_duty
from services.intake.config import IntakeSettings, settings_of
from services.intake.media.service import require_known
from services.intake.reports import repository as reports
from services.intake.reports.domain import ReportAction, ReportState
from services.intake.reports.domain import next_state as next_report_state
from services.intake.reports.models import Report
from services.intake.tasks import repository
from services.intake.tasks.domain import (
    WITH_SOMEBODY,
    Candidate,
    TaskAction,
    TaskState,
    choose_collector,
    metres_apart,
    next_state,
    recent,
    require_fitting,
    street_of,
)
from services.intake.tasks.errors import (
    CollectorUnknown,
    NobodyToSend,
    NoteMissing,
    PhotographMissing,
)
from services.intake.tasks.models import FieldTask
from shared.errors import NotFound
from shared.events.dispatch import VerificationAsked
from shared.events.intake import (
    TaskAccepted,
    TaskCancelled,
    TaskCompleted,
    TaskExpired,
    TaskIssued,
)
from shared.events.vocabulary import Finding, Place, TaskKind
from shared.geo import Position
from shared.ids import uuid7
from shared.pack.model import CityPack
from shared.service import Runtime
from shared.vocabulary import PositionSource, Role
from shared.work import Actor, Origin, UnitOfWork


class TaskService:
    """Commands on field tasks."""

    def __init__(self, work: UnitOfWork, pack: CityPack, settings: IntakeSettings) -> None:
        self._work = work
        self._pack = pack
        self._settings = settings

    # -- sending out -----------------------------------------------------------------------------

    async def ask_check(self, report: Report, *, note: str | None = None) -> FieldTask:
        """Send a collector to see whether a report is true, before it is decided.

        Raises:
            ReportStateForbids: it is decided already, or being checked.
        """
        before = report.state
        report.state = next_report_state(before, ReportAction.CHECK)
        task = self._drawn_up(
            TaskKind.CHECK,
            report.place,
            report_id=report.id,
            instruction=f"{note}\n\n{report.description}" if note else report.description,
            photographs=list(report.media),
            urgent=report.urgent,
            special=report.special,
            class_scheme=report.class_scheme,
            class_kind=report.class_kind,
            class_code=report.class_code,
        )
        task.excluded = await self._logins_of(report.reporter_id)
        report.check_task_id, report.check_finding = task.id, None
        await self._send_out(task)
        self._work.session.add(task)
        self._work.record(
            report,
            "ask-check",
            from_state=before,
            to_state=report.state,
            details={"task": str(task.id), "collector": task.collector},
        )
        return task

    async def ask_verification(self, case_id: UUID, asked: VerificationAsked) -> FieldTask | None:
        """Send a collector to see whether a case is put right; None if that was asked before."""
        if await repository.is_asked(self._work.session, case_id, asked.round):
            return None
        task = self._drawn_up(
            TaskKind.VERIFICATION,
            asked.place,
            case_id=case_id,
            case_number=asked.number,
            round=asked.round,
            unit=asked.unit,
            instruction=asked.standard,
            photographs=await reports.photographs_of_case(self._work.session, case_id),
            urgent=asked.urgent,
            special=asked.special,
            not_before=asked.not_before,
            class_scheme=asked.class_ref.scheme,
            class_kind=asked.class_ref.kind,
            class_code=asked.class_ref.code,
        )
        if task.not_before is not None and task.not_before > self._work.now():
            self._work.record(task, "wait", to_state=task.state)
        else:
            await self._send_out(task)
        self._work.session.add(task)
        return task

    async def start_waiting(self, task: FieldTask) -> None:
        """Send out a task whose time of day has come."""
        if task.state is TaskState.WAITING:
            await self._send_out(task)

    async def reassign(self, task: FieldTask, *, collector: str | None, reason: str) -> FieldTask:
        """Give a task to somebody else, named or chosen.

        Raises:
            TaskStateForbids: it is over.
            CollectorUnknown: there is no collector of that name.
            NobodyToSend: nobody was named, and there is nobody to choose.
        """
        next_state(task.state, TaskAction.REASSIGN)
        chosen = collector
        if chosen is None:
            chosen = await self._choice(task, without=[*task.excluded, *_holder(task)])
        elif not self._is_collector(chosen):
            raise CollectorUnknown(f"The city has no collector {chosen}.")
        if chosen is None:
            raise NobodyToSend("Nobody is on duty and the grid has no owner: name a collector.")
        task.reissues = 0
        self._issue(task, chosen, "reassign", reason=reason)
        return task

    async def expire(self, task: FieldTask) -> None:
        """Take a task from somebody who did nothing about it, and give it to the next one.

        After as many reissues as the city allows it is left to the shift leader.
        """
        now = self._work.now()
        if task.state not in WITH_SOMEBODY or task.expires_at is None or task.expires_at > now:
            return
        self._work.tell(
            task,
            TaskExpired(
                kind=task.kind,
                collector=task.collector or "",
                attempt=task.attempt,
                expired_at=now,
            ),
        )
        self._work.record(
            task, "expire", from_state=task.state, details={"collector": task.collector}
        )
        if task.reissues >= self._pack.tasks.max_reissues:
            self._give_up(task)
            return
        task.reissues += 1
        await self._send_out(task)

    # -- on the spot -----------------------------------------------------------------------------

    async def accept(self, task: FieldTask) -> FieldTask:
        """The collector is on the way; the task now expires only with its stage."""
        before = task.state
        task.state = next_state(before, TaskAction.ACCEPT)
        task.accepted_at = self._work.now()
        reckon_expiry(task, self._pack)
        self._work.tell(task, TaskAccepted(kind=task.kind, collector=task.collector or ""))
        self._work.record(task, "accept", from_state=before, to_state=task.state)
        return task

    async def complete(
        self,
        task: FieldTask,
        *,
        finding: Finding,
        note: str | None,
        media: Sequence[str],
        position: Position | None,
        found_at: datetime | None,
    ) -> FieldTask:
        """Take in what the collector saw.

        Raises:
            TaskStateForbids: it is over, or with nobody.
            FindingNotOfKind: the answer to another question.
            PhotographMissing: fewer photographs than a finding needs.
            NoteMissing: made from afar, without saying why.
        """
        before = task.state
        state = next_state(before, TaskAction.COMPLETE)
        require_fitting(task.kind, finding)
        if len(media) < self._settings.task_photographs:
            raise PhotographMissing(
                f"Add at least {self._settings.task_photographs} photograph taken on the spot."
            )
        metres = metres_apart(task.place, position)
        remote = self._is_remote(task, metres)
        if remote and not note:
            raise NoteMissing(
                "The finding was not made at the place, or without a position: say why in `note`.",
                distance_m=round(metres) if metres is not None else None,
                arrival_radius_m=self._pack.tasks.arrival_radius_m,
            )
        await require_known(self._work, media)
        now = self._work.now()
        task.state, task.finding, task.note = state, finding, note
        task.media, task.completed_at, task.found_at = list(media), now, found_at or now
        task.distance_m, task.remote = metres, remote
        task.in_time = task.due_at is None or now <= task.due_at
        task.expires_at = None
        task.found_position = _as_json(position)
        self._tell_completed(task, now)
        self._work.record(
            task,
            "complete",
            from_state=before,
            to_state=state,
            details={"finding": finding.value, "in_time": task.in_time, "remote": remote},
        )
        if task.report_id is not None:
            await self._answer_report(task, finding)
        return task

    # -- calling back ----------------------------------------------------------------------------

    async def cancel_check(self, report: Report, reason: str) -> None:
        """Call a check back because its report was decided without it."""
        if report.check_task_id is not None:
            task = await repository.load(self._work.session, report.check_task_id)
            if task.state not in {TaskState.COMPLETED, TaskState.CANCELLED}:
                self._cancel(task, reason)

    async def cancel_of_case(self, case_id: UUID, reason: str) -> None:
        """Call back every open task of a case that is over."""
        for task in await repository.open_of_case(self._work.session, case_id):
            self._cancel(task, reason)

    # -- inner steps -----------------------------------------------------------------------------

    def _drawn_up(self, kind: TaskKind, place: Place, **fields: Any) -> FieldTask:
        return FieldTask(
            id=uuid7(),
            kind=kind,
            state=TaskState.WAITING,
            longitude=place.longitude,
            latitude=place.latitude,
            accuracy_m=place.accuracy_m,
            position_source=place.position_source,
            address=place.address,
            grid=place.grid,
            created_at=self._work.now(),
            **fields,
        )

    async def _send_out(self, task: FieldTask) -> None:
        """Issue to whoever is best, or leave it to the shift leader."""
        chosen = await self._choice(task, without=[*task.excluded, *task.tried])
        if chosen is None and task.tried:
            chosen = await self._choice(task, without=task.excluded)
        if chosen is None:
            self._give_up(task)
        else:
            self._issue(task, chosen, "issue")

    async def _choice(self, task: FieldTask, *, without: Sequence[str]) -> str | None:
        now = self._work.now()
        max_age = timedelta(minutes=self._settings.position_max_age_minutes)
        candidates = []
        for row in await on_duty(self._work.session):
            known = row.longitude is not None and recent(row.position_at, now, max_age)
            candidates.append(
                Candidate(
                    row.login,
                    Position(row.longitude, row.latitude)
                    if known and row.longitude is not None and row.latitude is not None
                    else None,
                    street_of(self._pack, row.grid),
                )
            )
        grid = self._pack.grids.get(task.grid) if task.grid else None
        return choose_collector(
            candidates,
            task.place,
            street=grid.street if grid else None,
            owner=grid.owner if grid else None,
            without=without,
        )

    def _issue(
        self, task: FieldTask, collector: str, action: str, *, reason: str | None = None
    ) -> None:
        before, now = task.state, self._work.now()
        task.state = next_state(before, TaskAction.ISSUE)
        task.collector = collector
        task.tried = [*task.tried, collector]
        task.attempt += 1
        task.issued_at, task.accepted_at = now, None
        reckon_task(task, self._pack)
        self._work.tell(
            task,
            TaskIssued(
                kind=task.kind,
                report_id=task.report_id,
                case_id=task.case_id,
                round=task.round,
                collector=collector,
                grid=task.grid,
                due_at=task.due_at,
                attempt=task.attempt,
            ),
        )
        self._work.record(
            task,
            action,
            from_state=before if task.attempt > 1 else None,
            to_state=task.state,
            reason=reason,
            details={"collector": collector, "attempt": task.attempt},
        )

    def _give_up(self, task: FieldTask) -> None:
        before = task.state
        task.state = next_state(before, TaskAction.GIVE_UP)
        task.collector = task.expires_at = None
        self._work.record(
            task,
            "give-up",
            from_state=before,
            to_state=task.state,
            reason="nobody took it: the shift leader decides",
        )

    def _cancel(self, task: FieldTask, reason: str) -> None:
        before = task.state
        task.state = next_state(before, TaskAction.CANCEL)
        task.ended_reason, task.expires_at = reason, None
        self._work.tell(task, TaskCancelled(kind=task.kind, reason=reason))
        self._work.record(task, "cancel", from_state=before, to_state=task.state, reason=reason)

    def _tell_completed(self, task: FieldTask, now: datetime) -> None:
        if task.finding is None or task.in_time is None:
            raise ValueError("a task without a finding is not complete")
        self._work.tell(
            task,
            TaskCompleted(
                kind=task.kind,
                report_id=task.report_id,
                case_id=task.case_id,
                round=task.round,
                collector=task.collector or "",
                finding=task.finding,
                note=task.note,
                media=tuple(task.media),
                distance_m=task.distance_m,
                in_time=task.in_time,
                completed_at=now,
            ),
        )

    async def _answer_report(self, task: FieldTask, finding: Finding) -> None:
        """The operator goes on with the finding; a report decided meanwhile is left alone."""
        if task.report_id is None:
            return
        report = await reports.load(self._work.session, task.report_id)
        if report.state is not ReportState.CHECKING or report.check_task_id != task.id:
            return
        report.state = next_report_state(report.state, ReportAction.FINISH_CHECK)
        report.check_finding = finding.value
        self._work.record(
            report,
            "finish-check",
            from_state=ReportState.CHECKING,
            to_state=report.state,
            details={"finding": finding.value, "task": str(task.id)},
        )

    def _is_remote(self, task: FieldTask, metres: float | None) -> bool:
        if metres is None:
            return task.longitude is not None
        return metres > self._pack.tasks.arrival_radius_m

    def _is_collector(self, login: str) -> bool:
        try:
            return Role.COLLECTOR in self._pack.person(login).roles
        except NotFound:
            return False

    async def _logins_of(self, account_id: str | None) -> list[str]:
        """Names of the collector behind an account: nobody checks the own report."""
        if account_id is None:
            return []
        return list(await logins_of(self._work.session, account_id))


def _holder(task: FieldTask) -> list[str]:
    return [task.collector] if task.collector else []


def _as_json(position: Position | None) -> dict[str, object] | None:
    if position is None:
        return None
    return {
        "longitude": position.lng,
        "latitude": position.lat,
        "accuracy_m": position.accuracy_m,
        "source": PositionSource(position.source).value,
    }


def task_service(work: UnitOfWork, runtime: Runtime) -> TaskService:
    return TaskService(work, runtime.pack, settings_of(runtime))


MOVES_A_RUN = 200


async def move_on(runtime: Runtime) -> None:
    """Expire and reissue what nobody took up, and send out what has waited for its time."""
    async with runtime.database.reading() as session:
        due = await repository.to_move(session, runtime.clock.now(), MOVES_A_RUN)
    for task_id in due:
        # Somebody acted on it at this very moment; if it is still due, the next run sees it.
        with contextlib.suppress(StaleDataError):
            await _move_one(runtime, task_id)


async def _move_one(runtime: Runtime, task_id: UUID) -> None:
    async with runtime.database.transaction() as session:
        work = runtime.work(
            session, Actor(id="rule:task-expiry"), Origin(correlation_id=str(uuid7()))
        )
        task = await repository.load(session, task_id)
        service = task_service(work, runtime)
        if task.state is TaskState.WAITING:
            await service.start_waiting(task)
        else:
            await service.expire(task)
        await work.flush()
    runtime.committed(work)
