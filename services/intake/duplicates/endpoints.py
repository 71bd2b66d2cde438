"""Likely duplicates and merges over HTTP."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from services.intake.duplicates.auth import DuplicateReader, Merger
from services.intake.duplicates.schemas import DuplicateView, MergeCommand, UnmergeCommand
from services.intake.duplicates.service import (
    DuplicateService,
    duplicates_of,
    likely_duplicates,
)
from services.intake.reports.auth import SEES_ALL, require_visible
from services.intake.reports.repository import load
from services.intake.reports.schemas import (
    ClassQuery,
    Latitude,
    Longitude,
    ReportView,
    class_named,
)
from services.intake.tasks.service import task_service
from shared.geo import Position
from shared.web.etag import IfMatch, check_match, set_etag
from shared.web.route import CommandRoute, ReadSessionDep, RuntimeDep, WorkDep

router = APIRouter(tags=["duplicates"], route_class=CommandRoute)


@router.get("/duplicates")
async def find_duplicates(
    *,
    session: ReadSessionDep,
    runtime: RuntimeDep,
    principal: DuplicateReader,
    longitude: Annotated[Longitude, Query()],
    latitude: Annotated[Latitude, Query()],
    class_ref: ClassQuery = None,
) -> list[DuplicateView]:
    """What is going on near a place, before anybody reports it once more."""
    now = runtime.clock.now()
    position = Position(longitude, latitude)
    found = await likely_duplicates(session, runtime.pack, position, class_named(class_ref), now)
    with_text = principal.has(*SEES_ALL)
    return [DuplicateView.of(row, metres, now, with_text=with_text) for row, metres in found]


@router.get("/reports/{report_id}/duplicates")
async def list_duplicates(
    report_id: UUID, session: ReadSessionDep, runtime: RuntimeDep, principal: DuplicateReader
) -> list[DuplicateView]:
    """Reports of the same class, near and recent, nearest first."""
    report = require_visible(principal, await load(session, report_id))
    found = await duplicates_of(session, runtime.pack, report)
    with_text = principal.has(*SEES_ALL)
    at = report.received_at
    return [DuplicateView.of(row, metres, at, with_text=with_text) for row, metres in found]


@router.post("/reports/{report_id}/merge")
async def merge_report(
    *,
    report_id: UUID,
    command: MergeCommand,
    work: WorkDep,
    runtime: RuntimeDep,
    _principal: Merger,
    response: Response,
    if_match: IfMatch = None,
) -> ReportView:
    """Merge a report into another one; its reporter goes on following the other one's case."""
    report = await load(work.session, report_id)
    check_match(report, if_match)
    service = DuplicateService(work, runtime.pack, task_service(work, runtime))
    await service.merge(report, into=command.into)
    await work.settle()
    set_etag(response, report)
    return ReportView.of(report, work.now())


@router.post("/reports/{report_id}/unmerge")
async def unmerge_report(
    *,
    report_id: UUID,
    command: UnmergeCommand,
    work: WorkDep,
    runtime: RuntimeDep,
    _principal: Merger,
    response: Response,
    if_match: IfMatch = None,
) -> ReportView:
    """Take a wrong merge back: the report is again what it was before."""
    report = await load(work.session, report_id)
    check_match(report, if_match)
    service = DuplicateService(work, runtime.pack, task_service(work, runtime))
    await service.unmerge(report, reason=command.reason)
    await work.settle()
    set_etag(response, report)
    return ReportView.of(report, work.now())
