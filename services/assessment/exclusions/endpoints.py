"""Exclusions over HTTP."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response, status

from services.assessment.exclusions.auth import Decider, ExclusionReader, Proposer, unit_seen
from services.assessment.exclusions.domain import ExclusionState
from services.assessment.exclusions.errors import ExclusionUnknown
from services.assessment.exclusions.models import Exclusion
from services.assessment.exclusions.repository import ExclusionRepository
from services.assessment.exclusions.schemas import (
    ExclusionCommand,
    ExclusionDecision,
    ExclusionView,
    LiftingCommand,
)
from services.assessment.exclusions.service import ExclusionService
from shared.web.etag import IfMatch, set_etag
from shared.web.paging import Page, PageRequest, page_of, page_request
from shared.web.route import CommandRoute, ReadSessionDep, WorkDep
from shared.work import UnitOfWork

router = APIRouter(prefix="/exclusions", tags=["exclusions"], route_class=CommandRoute)


async def _answer(work: UnitOfWork, exclusion: Exclusion, response: Response) -> ExclusionView:
    await work.settle()
    set_etag(response, exclusion)
    return ExclusionView.model_validate(exclusion)


@router.post("", status_code=status.HTTP_201_CREATED)
async def propose_exclusion(
    command: ExclusionCommand, work: WorkDep, _who: Proposer, response: Response
) -> ExclusionView:
    """Propose that a case is left out of a unit's scores; a second person decides."""
    exclusion = await ExclusionService(work).propose(command.case_id, command.unit, command.reason)
    response.headers["Location"] = f"/api/assessment/v1/exclusions/{exclusion.id}"
    return await _answer(work, exclusion, response)


@router.post("/{exclusion_id}/decision")
async def decide_exclusion(
    *,
    exclusion_id: UUID,
    command: ExclusionDecision,
    work: WorkDep,
    _who: Decider,
    response: Response,
    if_match: IfMatch = None,
) -> ExclusionView:
    """Grant or refuse an exclusion; the proposer cannot. A closed period keeps its figures."""
    exclusion = await ExclusionService(work).decide(
        exclusion_id, granted=command.granted, reason=command.reason, if_match=if_match
    )
    return await _answer(work, exclusion, response)


@router.post("/{exclusion_id}/lifting")
async def lift_exclusion(
    *,
    exclusion_id: UUID,
    command: LiftingCommand,
    work: WorkDep,
    _who: Decider,
    response: Response,
    if_match: IfMatch = None,
) -> ExclusionView:
    """Have an excluded case count again."""
    exclusion = await ExclusionService(work).lift(
        exclusion_id, reason=command.reason, if_match=if_match
    )
    return await _answer(work, exclusion, response)


@router.get("")
async def list_exclusions(
    *,
    session: ReadSessionDep,
    principal: ExclusionReader,
    page: Annotated[PageRequest, Depends(page_request)],
    state: ExclusionState | None = None,
    unit: Annotated[str | None, Query(max_length=80)] = None,
) -> Page[ExclusionView]:
    """Exclusions, oldest first; people of a unit see their own."""
    rows = await ExclusionRepository(session).page(state, unit_seen(principal, unit), page)
    return page_of(rows, page, lambda row: (row.id,), ExclusionView.model_validate)


@router.get("/{exclusion_id}")
async def get_exclusion(
    exclusion_id: UUID, session: ReadSessionDep, principal: ExclusionReader, response: Response
) -> ExclusionView:
    """One exclusion."""
    row = await ExclusionRepository(session).get(exclusion_id)
    if row is None or unit_seen(principal, row.unit) != row.unit:
        raise ExclusionUnknown("There is no such exclusion, or it is not your unit's.")
    set_etag(response, row)
    return ExclusionView.model_validate(row)
