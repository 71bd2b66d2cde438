"""Papers over HTTP."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends

from services.dispatch.case_files.service import CaseFiles
from services.dispatch.papers.auth import Classifier, Confirmer, PaperReader, RecordWriter
from services.dispatch.papers.repository import PaperRepository
from services.dispatch.papers.schemas import (
    Classification,
    Confirmation,
    PaperView,
    WrittenRecord,
    paper_view,
)
from services.dispatch.papers.service import PaperService
from shared.pack.model import Paper
from shared.web.paging import Page, PageRequest, page_of, page_request
from shared.web.route import CommandRoute, ReadSessionDep, RuntimeDep, WorkDep

router = APIRouter(tags=["papers"], route_class=CommandRoute)


@router.get("/papers")
async def list_papers(
    *,
    session: ReadSessionDep,
    runtime: RuntimeDep,
    _principal: PaperReader,
    page: Annotated[PageRequest, Depends(page_request)],
    kind: Paper | None = None,
    outstanding: bool | None = None,
    overdue: bool = False,
) -> Page[PaperView]:
    """Papers that follow emergencies, what is due next first."""
    now = runtime.clock.now()
    rows = await PaperRepository(session).page(
        kind=kind, outstanding=outstanding, overdue_at=now if overdue else None, request=page
    )
    return page_of(rows, page, lambda row: [row.due_at, row.id], lambda row: paper_view(row, now))


@router.get("/cases/{case_id}/papers")
async def list_papers_of_case(
    *, case_id: UUID, session: ReadSessionDep, runtime: RuntimeDep, _principal: PaperReader
) -> list[PaperView]:
    """What follows this emergency, complete or not."""
    now = runtime.clock.now()
    return [paper_view(row, now) for row in await PaperRepository(session).of_case(case_id)]


@router.post("/cases/{case_id}/papers/classification")
async def confirm_class(
    case_id: UUID,
    command: Classification,
    work: WorkDep,
    runtime: RuntimeDep,
    _principal: Classifier,
) -> PaperView:
    """Confirm or correct class and condition of a case that a rule registered at once."""
    file = await CaseFiles.of(work, runtime).take(case_id)
    paper = await PaperService.of(work, runtime).confirm_class(file, **dict(command))
    return paper_view(paper, work.now())


@router.post("/cases/{case_id}/papers/dispatch")
async def confirm_dispatch(
    case_id: UUID, command: Confirmation, work: WorkDep, runtime: RuntimeDep, _principal: Confirmer
) -> PaperView:
    """Confirm the unit to which somebody has sent the case directly."""
    file = await CaseFiles.of(work, runtime).take(case_id)
    paper = await PaperService.of(work, runtime).confirm_dispatch(file.case, note=command.note)
    return paper_view(paper, work.now())


@router.post("/cases/{case_id}/papers/record")
async def hand_in_record(
    case_id: UUID,
    command: WrittenRecord,
    work: WorkDep,
    runtime: RuntimeDep,
    _principal: RecordWriter,
) -> PaperView:
    """Hand in the written record."""
    file = await CaseFiles.of(work, runtime).take(case_id)
    paper = await PaperService.of(work, runtime).hand_in_record(file.case, text=command.text)
    return paper_view(paper, work.now())
