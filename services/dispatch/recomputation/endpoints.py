"""Recomputations and their reports over HTTP; the worker begins them by itself."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends

from services.dispatch.recomputation.repository import RecomputationRepository
from services.dispatch.recomputation.schemas import MovedDeadlineView, RecomputationView
from shared.recomputation.auth import RecomputationReader
from shared.recomputation.errors import NoSuchRecomputation
from shared.web.paging import Page, PageRequest, page_of, page_request
from shared.web.route import ReadingRoute, ReadSessionDep

router = APIRouter(tags=["recomputations"], route_class=ReadingRoute)


@router.get("/recomputations")
async def list_recomputations(
    *,
    session: ReadSessionDep,
    _principal: RecomputationReader,
    page: Annotated[PageRequest, Depends(page_request)],
) -> Page[RecomputationView]:
    """Passes over all open cases after the calendar has changed, oldest first."""
    rows = await RecomputationRepository(session).page(page)
    return page_of(
        rows, page, lambda row: (row.started_at, row.id), RecomputationView.model_validate
    )


@router.get("/recomputations/{recomputation_id}")
async def get_recomputation(
    recomputation_id: UUID, session: ReadSessionDep, _principal: RecomputationReader
) -> RecomputationView:
    """One pass and how far it is."""
    job = await RecomputationRepository(session).job(recomputation_id)
    if job is None:
        raise NoSuchRecomputation("There is no such recomputation.")
    return RecomputationView.model_validate(job)


@router.get("/recomputations/{recomputation_id}/moved")
async def list_moved_deadlines(
    *,
    recomputation_id: UUID,
    session: ReadSessionDep,
    _principal: RecomputationReader,
    page: Annotated[PageRequest, Depends(page_request)],
) -> Page[MovedDeadlineView]:
    """The cases whose due times a pass moved, with those before and after."""
    rows = await RecomputationRepository(session).moved(recomputation_id, page)
    return page_of(rows, page, lambda row: (row.case_id,), MovedDeadlineView.model_validate)
