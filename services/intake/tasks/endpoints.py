"""Field tasks over HTTP: the collector's list and findings, the centre's checks and changes."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response

from services.intake.base import tables
from services.intake.clocks.domain import Light
from services.intake.config import settings_of
from services.intake.media.domain import Claim
from services.intake.media.schemas import ShownPhotograph
from services.intake.media.service import doubted
from services.intake.reports.domain import position_of
from services.intake.reports.repository import load as load_report
from services.intake.tasks import repository
from services.intake.tasks.auth import (
    SEES_ALL,
    OnTheSpot,
    TaskLeader,
    TaskReader,
    require_holder,
    require_separate_duties,
    require_visible,
)
from services.intake.tasks.domain import TaskState
from services.intake.tasks.models import FieldTask
from services.intake.tasks.repository import TaskFilter
from services.intake.tasks.schemas import (
    CheckCommand,
    FindingCommand,
    ReassignCommand,
    TaskView,
)
from services.intake.tasks.service import task_service
from shared.events.vocabulary import TaskKind
from shared.geo import Position
from shared.journal import JournalEntry, read_journal
from shared.vocabulary import PositionSource
from shared.web.etag import IfMatch, check_match, set_etag
from shared.web.paging import Page, PageRequest, page_of, page_request
from shared.web.route import CommandRoute, ReadSessionDep, RuntimeDep, WorkDep

router = APIRouter(tags=["field tasks"], route_class=CommandRoute)

PageDep = Annotated[PageRequest, Depends(page_request)]


async def _wanted(
    *,
    principal: TaskReader,
    runtime: RuntimeDep,
    state: Annotated[list[TaskState] | None, Query(description="may be repeated")] = None,
    kind: TaskKind | None = None,
    collector: Annotated[str | None, Query(max_length=80)] = None,
    grid: Annotated[str | None, Query(max_length=30)] = None,
    case_id: UUID | None = None,
    report_id: UUID | None = None,
    urgent: bool | None = None,
    light: Light | None = None,
) -> TaskFilter:
    """The tasks that the query asks for, and of those what the reader may see."""
    own = collector == "me" or not principal.has(*SEES_ALL)
    return TaskFilter(
        now=runtime.clock.now(),
        states=tuple(state or ()),
        kind=kind,
        collector=(principal.login or principal.id) if own else collector,
        grid=grid,
        case_id=case_id,
        report_id=report_id,
        urgent=urgent,
        light=light,
    )


@router.get("/tasks")
async def list_tasks(
    session: ReadSessionDep,
    runtime: RuntimeDep,
    wanted: Annotated[TaskFilter, Depends(_wanted)],
    page: PageDep,
) -> Page[TaskView]:
    """Field tasks, oldest first; a collector's own ones, all of them for the centre."""
    now = runtime.clock.now()
    rows = await repository.list_tasks(session, wanted, page)
    return page_of(rows, page, lambda row: [row.id], lambda row: TaskView.of(row, now))


@router.get("/tasks/{task_id}")
async def read_task(
    task_id: UUID,
    session: ReadSessionDep,
    runtime: RuntimeDep,
    principal: TaskReader,
    response: Response,
) -> TaskView:
    """One field task."""
    task = require_visible(principal, await repository.load(session, task_id))
    set_etag(response, task)
    return TaskView.of(task, runtime.clock.now())


@router.get("/tasks/{task_id}/photographs")
async def read_task_photographs(
    task_id: UUID, session: ReadSessionDep, runtime: RuntimeDep, principal: TaskReader
) -> list[ShownPhotograph]:
    """The photographs of a finding, each with what speaks against it."""
    task = require_visible(principal, await repository.load(session, task_id))
    claim = Claim(position_of(task.place), task.found_at or runtime.clock.now())
    tolerance = settings_of(runtime).photograph_tolerance
    return await doubted(session, task.media, claim, tolerance)


@router.get("/tasks/{task_id}/journal")
async def read_task_journal(
    task_id: UUID, session: ReadSessionDep, principal: TaskReader
) -> list[JournalEntry]:
    """Who had the task and what became of it; oldest first."""
    task = require_visible(principal, await repository.load(session, task_id))
    return await read_journal(session, tables, FieldTask.__tablename__, task.id)


@router.post("/reports/{report_id}/check", status_code=201)
async def ask_check(
    *,
    report_id: UUID,
    command: CheckCommand,
    work: WorkDep,
    runtime: RuntimeDep,
    _principal: TaskLeader,
    response: Response,
    if_match: IfMatch = None,
) -> TaskView:
    """Send a collector to see whether a report is true."""
    report = await load_report(work.session, report_id)
    check_match(report, if_match)
    task = await task_service(work, runtime).ask_check(report, note=command.note)
    await work.settle()
    set_etag(response, task)
    return TaskView.of(task, work.now())


@router.post("/tasks/{task_id}/accept")
async def accept_task(
    *,
    task_id: UUID,
    work: WorkDep,
    runtime: RuntimeDep,
    principal: OnTheSpot,
    response: Response,
    if_match: IfMatch = None,
) -> TaskView:
    """The collector is on the way."""
    task = require_holder(principal, await repository.load(work.session, task_id))
    check_match(task, if_match)
    require_separate_duties(principal, task)
    await task_service(work, runtime).accept(task)
    await work.settle()
    set_etag(response, task)
    return TaskView.of(task, work.now())


@router.post("/tasks/{task_id}/complete")
async def complete_task(
    *,
    task_id: UUID,
    command: FindingCommand,
    work: WorkDep,
    runtime: RuntimeDep,
    principal: OnTheSpot,
    response: Response,
    if_match: IfMatch = None,
) -> TaskView:
    """Post what is to be seen on the spot, with a photograph from the same viewpoint."""
    task = require_holder(principal, await repository.load(work.session, task_id))
    check_match(task, if_match)
    require_separate_duties(principal, task)
    given = command.position
    position = (
        Position(
            given.longitude,
            given.latitude,
            given.accuracy_m,
            PositionSource(command.position_source.value),
        )
        if given
        else None
    )
    await task_service(work, runtime).complete(
        task,
        finding=command.finding,
        note=command.note,
        media=command.media,
        position=position,
        found_at=command.found_at,
    )
    await work.settle()
    set_etag(response, task)
    return TaskView.of(task, work.now())


@router.post("/tasks/{task_id}/reassign")
async def reassign_task(
    *,
    task_id: UUID,
    command: ReassignCommand,
    work: WorkDep,
    runtime: RuntimeDep,
    _principal: TaskLeader,
    response: Response,
    if_match: IfMatch = None,
) -> TaskView:
    """Give a task to another collector."""
    task = await repository.load(work.session, task_id)
    check_match(task, if_match)
    await task_service(work, runtime).reassign(
        task, collector=command.collector, reason=command.reason
    )
    await work.settle()
    set_etag(response, task)
    return TaskView.of(task, work.now())
