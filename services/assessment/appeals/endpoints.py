"""Appeals over HTTP."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response, status

from services.assessment.appeals.auth import (
    AppealDecider,
    AppealProposer,
    AppealReader,
    Appellant,
    unit_seen,
)
from services.assessment.appeals.domain import AppealState
from services.assessment.appeals.errors import AppealUnknown
from services.assessment.appeals.models import Appeal
from services.assessment.appeals.repository import AppealRepository
from services.assessment.appeals.schemas import (
    AppealCommand,
    AppealDecisionCommand,
    AppealView,
    AppealWithdrawal,
    ProposalCommand,
)
from services.assessment.appeals.service import AppealService
from shared.web.etag import IfMatch, set_etag
from shared.web.paging import Page, PageRequest, page_of, page_request
from shared.web.route import CommandRoute, ReadSessionDep, RuntimeDep, WorkDep
from shared.work import UnitOfWork

router = APIRouter(prefix="/appeals", tags=["appeals"], route_class=CommandRoute)


async def _appeals(work: WorkDep, runtime: RuntimeDep) -> AppealService:
    return AppealService(work, runtime.pack)


AppealsDep = Annotated[AppealService, Depends(_appeals)]


async def _answer(work: UnitOfWork, appeal: Appeal, response: Response) -> AppealView:
    await work.settle()
    set_etag(response, appeal)
    return AppealView.model_validate(appeal)


@router.post("", status_code=status.HTTP_201_CREATED)
async def file_appeal(
    *,
    command: AppealCommand,
    work: WorkDep,
    service: AppealsDep,
    principal: Appellant,
    response: Response,
) -> AppealView:
    """Appeal, with evidence and in time, against how a case of the own unit counted."""
    appeal = await service.file(principal.unit or "", command)
    response.headers["Location"] = f"/api/assessment/v1/appeals/{appeal.id}"
    return await _answer(work, appeal, response)


@router.post("/{appeal_id}/proposal")
async def propose_decision(
    *,
    appeal_id: UUID,
    command: ProposalCommand,
    work: WorkDep,
    service: AppealsDep,
    _who: AppealProposer,
    response: Response,
    if_match: IfMatch = None,
) -> AppealView:
    """Propose how an appeal is decided; a second person decides."""
    appeal = await service.propose(appeal_id, command, if_match)
    return await _answer(work, appeal, response)


@router.post("/{appeal_id}/decision")
async def decide_appeal(
    *,
    appeal_id: UUID,
    command: AppealDecisionCommand,
    work: WorkDep,
    service: AppealsDep,
    _who: AppealDecider,
    response: Response,
    if_match: IfMatch = None,
) -> AppealView:
    """Agree with the proposal, which settles the appeal, or send it back; not by the proposer."""
    appeal = await service.decide(appeal_id, command, if_match)
    return await _answer(work, appeal, response)


@router.post("/{appeal_id}/withdrawal")
async def withdraw_appeal(
    *,
    appeal_id: UUID,
    command: AppealWithdrawal,
    work: WorkDep,
    service: AppealsDep,
    principal: Appellant,
    response: Response,
    if_match: IfMatch = None,
) -> AppealView:
    """Take an undecided appeal of the own unit back."""
    appeal = await service.withdraw(appeal_id, principal.unit or "", command.reason, if_match)
    return await _answer(work, appeal, response)


@router.get("")
async def list_appeals(
    *,
    session: ReadSessionDep,
    principal: AppealReader,
    page: Annotated[PageRequest, Depends(page_request)],
    state: AppealState | None = None,
    unit: Annotated[str | None, Query(max_length=80)] = None,
    period: Annotated[str | None, Query(max_length=10)] = None,
) -> Page[AppealView]:
    """Appeals, oldest first; people of a unit see their own."""
    rows = await AppealRepository(session).page(
        state=state, unit=unit_seen(principal, unit), period=period, page=page
    )
    return page_of(rows, page, lambda row: (row.id,), AppealView.model_validate)


@router.get("/{appeal_id}")
async def get_appeal(
    appeal_id: UUID, session: ReadSessionDep, principal: AppealReader, response: Response
) -> AppealView:
    """One appeal."""
    row = await AppealRepository(session).get(appeal_id)
    if row is None or unit_seen(principal, row.unit) != row.unit:
        raise AppealUnknown("There is no such appeal, or it is not your unit's.")
    set_etag(response, row)
    return AppealView.model_validate(row)
