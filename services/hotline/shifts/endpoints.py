"""Shifts over HTTP."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response
from pydantic import AwareDatetime

from services.hotline.callers.service import CallerService
from services.hotline.shifts.auth import ShiftMember, ShiftPlanner
from services.hotline.shifts.repository import ShiftRepository
from services.hotline.shifts.schemas import (
    NoteInput,
    NoteView,
    Roster,
    ShiftDetail,
    ShiftPlan,
    ShiftView,
    note_view,
    shift_detail,
    shift_view,
)
from services.hotline.shifts.service import ShiftService
from shared.service import Runtime
from shared.web.etag import IfMatch, check_match, set_etag
from shared.web.paging import Page, PageRequest, page_of, page_request
from shared.web.route import CommandRoute, ReadSessionDep, RuntimeDep, WorkDep
from shared.work import UnitOfWork

router = APIRouter(prefix="/shifts", tags=["shifts"], route_class=CommandRoute)


def _service(work: UnitOfWork, runtime: Runtime) -> ShiftService:
    return ShiftService(work, CallerService.of(work, runtime))


@router.post("", status_code=201)
async def plan_shift(
    command: ShiftPlan,
    work: WorkDep,
    runtime: RuntimeDep,
    _principal: ShiftPlanner,
    response: Response,
) -> ShiftView:
    """Put a shift on the roster."""
    shift = _service(work, runtime).plan_shift(**dict(command))
    await work.settle()
    set_etag(response, shift)
    response.headers["Location"] = f"/shifts/{shift.id}"
    return shift_view(shift)


@router.get("")
async def list_shifts(
    *,
    session: ReadSessionDep,
    runtime: RuntimeDep,
    _principal: ShiftMember,
    page: Annotated[PageRequest, Depends(page_request)],
    begins_from: AwareDatetime | None = None,
    begins_to: Annotated[AwareDatetime | None, Query(description="exclusive")] = None,
    current: Annotated[bool, Query(description="only those running now")] = False,
) -> Page[ShiftView]:
    """Shifts, the latest first."""
    rows = await ShiftRepository(session).page(
        begins_from=begins_from,
        begins_to=begins_to,
        now_within=runtime.clock.now() if current else None,
        request=page,
    )
    return page_of(rows, page, lambda shift: [shift.starts_at, shift.id], shift_view)


@router.get("/{shift_id}")
async def read_shift(
    shift_id: UUID, session: ReadSessionDep, _principal: ShiftMember, response: Response
) -> ShiftDetail:
    """One shift with its hand-over notes."""
    shifts = ShiftRepository(session)
    shift = await shifts.get(shift_id)
    set_etag(response, shift)
    return shift_detail(shift, await shifts.notes(shift_id))


@router.post("/{shift_id}/roster")
async def change_roster(
    *,
    shift_id: UUID,
    command: Roster,
    work: WorkDep,
    runtime: RuntimeDep,
    _principal: ShiftPlanner,
    response: Response,
    if_match: IfMatch = None,
) -> ShiftView:
    """Say who leads and who answers."""
    service = _service(work, runtime)
    shift = await service.shifts.get(shift_id)
    check_match(shift, if_match)
    service.change_roster(shift, **dict(command))
    await work.settle()
    set_etag(response, shift)
    return shift_view(shift)


@router.post("/{shift_id}/notes", status_code=201)
async def leave_note(
    shift_id: UUID,
    command: NoteInput,
    work: WorkDep,
    runtime: RuntimeDep,
    _principal: ShiftMember,
) -> NoteView:
    """Leave word for the next shift."""
    service = _service(work, runtime)
    note = service.leave_note(await service.shifts.get(shift_id), **dict(command))
    await work.settle()
    return note_view(note)


@router.post("/{shift_id}/notes/{note_id}/acknowledgement")
async def take_over_note(
    shift_id: UUID, note_id: UUID, work: WorkDep, runtime: RuntimeDep, _principal: ShiftMember
) -> NoteView:
    """Take over what the note asks for."""
    service = _service(work, runtime)
    shift = await service.shifts.get(shift_id)
    note = service.take_over_note(shift, await service.shifts.note(shift_id, note_id))
    await work.settle()
    return note_view(note)
