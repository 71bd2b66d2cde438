"""Remediations and their costs over HTTP."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response, status
from sqlmodel.ext.asyncio.session import AsyncSession

from services.dispatch.fund.auth import OfficeLeader, check_office
from services.dispatch.fund.repository import FundRepository
from services.dispatch.remediation.auth import (
    SEES_ALL,
    CostRecorder,
    RemediationOrderer,
    RemediationReader,
    unit_of,
)
from services.dispatch.remediation.domain import CostState, RemediationState
from services.dispatch.remediation.errors import NoSuchRemediation
from services.dispatch.remediation.models import Remediation
from services.dispatch.remediation.repository import RemediationRepository
from services.dispatch.remediation.schemas import (
    CompletionCommand,
    CostCommand,
    CostView,
    EstimateCommand,
    OrderCommand,
    PaymentCommand,
    RecoverySummary,
    RefusalCommand,
    RemediationSummary,
    RemediationView,
)
from services.dispatch.remediation.service import Order, RemediationService
from shared.auth.principal import Principal
from shared.journal import JournalEntry, read_journal
from shared.web.etag import IfMatch, set_etag
from shared.web.paging import Page, PageRequest, page_of, page_request
from shared.web.route import CommandRoute, ReadSessionDep, RuntimeDep, WorkDep
from shared.work import UnitOfWork

router = APIRouter(tags=["remediation"], route_class=CommandRoute)


async def _remediations(work: WorkDep, runtime: RuntimeDep) -> RemediationService:
    return RemediationService.of(work, runtime)


RemediationsDep = Annotated[RemediationService, Depends(_remediations)]


@router.post("/cases/{case_id}/remediation", status_code=status.HTTP_201_CREATED)
async def order_remediation(
    *,
    case_id: UUID,
    command: OrderCommand,
    work: WorkDep,
    service: RemediationsDep,
    principal: RemediationOrderer,
    response: Response,
    if_match: IfMatch = None,
) -> RemediationView:
    """Nobody answers for the case: a unit puts it right, paid from the year's fund."""
    file = await service.cases.files.take(case_id, if_match=if_match)
    order = Order(
        unit=command.unit,
        basis=command.basis,
        reason=command.reason,
        estimate_fen=command.estimate_fen,
        limit=command.limit.limit() if command.limit else None,
        note=command.note,
    )
    row = await service.order(file, order)
    response.headers["Location"] = f"remediations/{row.id}"
    return await _answer(row, work, principal, response)


@router.post("/remediations/{remediation_id}/estimate")
async def change_estimate(
    *,
    remediation_id: UUID,
    command: EstimateCommand,
    work: WorkDep,
    service: RemediationsDep,
    principal: RemediationOrderer,
    response: Response,
    if_match: IfMatch = None,
) -> RemediationView:
    """Keep back more, or less, in the fund."""
    row = await service.estimate(
        remediation_id, fen=command.estimate_fen, reason=command.reason, if_match=if_match
    )
    return await _answer(row, work, principal, response)


@router.post("/remediations/{remediation_id}/completion")
async def complete_remediation(
    *,
    remediation_id: UUID,
    command: CompletionCommand,
    work: WorkDep,
    service: RemediationsDep,
    principal: RemediationOrderer,
    response: Response,
    if_match: IfMatch = None,
) -> RemediationView:
    """No more costs will come; what is still kept back is free again."""
    row = await service.complete(remediation_id, note=command.note, if_match=if_match)
    return await _answer(row, work, principal, response)


@router.post("/remediations/{remediation_id}/costs", status_code=status.HTTP_201_CREATED)
async def record_cost(
    *,
    remediation_id: UUID,
    command: CostCommand,
    work: WorkDep,
    service: RemediationsDep,
    principal: CostRecorder,
) -> CostView:
    """Hand in a cost of the work, by the ordered unit or the centre."""
    cost = await service.record_cost(
        remediation_id,
        unit=unit_of(principal),
        description=command.description,
        fen=command.amount_fen,
        incurred_on=command.incurred_on,
        media=command.media,
    )
    await work.settle()
    return CostView.of(cost)


@router.post("/remediation-costs/{cost_id}/payment")
async def pay_cost(
    *,
    cost_id: UUID,
    command: PaymentCommand,
    work: WorkDep,
    runtime: RuntimeDep,
    service: RemediationsDep,
    principal: OfficeLeader,
) -> CostView:
    """Pay a cost; for a leader of the office who did not record it."""
    check_office(principal, runtime.pack.responsibility.office)
    cost = await service.pay(cost_id, basis=command.basis, reference=command.reference)
    await work.settle()
    return CostView.of(cost)


@router.post("/remediation-costs/{cost_id}/refusal")
async def refuse_cost(
    *,
    cost_id: UUID,
    command: RefusalCommand,
    work: WorkDep,
    runtime: RuntimeDep,
    service: RemediationsDep,
    principal: OfficeLeader,
) -> CostView:
    """Do not pay a cost; the unit may record it anew."""
    check_office(principal, runtime.pack.responsibility.office)
    cost = await service.refuse(cost_id, reason=command.reason)
    await work.settle()
    return CostView.of(cost)


@router.get("/remediations")
async def list_remediations(
    *,
    session: ReadSessionDep,
    principal: RemediationReader,
    page: Annotated[PageRequest, Depends(page_request)],
    state: RemediationState | None = None,
    unit: Annotated[str | None, Query(max_length=60)] = None,
    year: Annotated[int | None, Query(ge=2000, le=2999)] = None,
    case: UUID | None = None,
) -> Page[RemediationSummary]:
    """Remediations with their amounts, the latest first; units see their own."""
    own = unit_of(principal)
    rows = await RemediationRepository(session).page(
        page, state=state, unit=unit if own is None else own, year=year, case_id=case
    )
    found = await FundRepository(session).balances_of_remediations([row.id for row in rows])
    return page_of(
        rows,
        page,
        lambda row: (row.id,),
        lambda row: RemediationSummary.of(row, found[row.id]),
    )


@router.get("/remediation-costs")
async def list_costs(
    *,
    session: ReadSessionDep,
    principal: RemediationReader,
    page: Annotated[PageRequest, Depends(page_request)],
    state: CostState | None = None,
) -> Page[CostView]:
    """Costs of all remediations, the oldest first; `state=recorded` is the office's queue."""
    _refuse_units(principal)
    rows = await RemediationRepository(session).page_of_costs(page, state=state)
    return page_of(rows, page, lambda row: (row.id,), CostView.of)


@router.get("/remediations/{remediation_id}")
async def get_remediation(
    *,
    remediation_id: UUID,
    session: ReadSessionDep,
    principal: RemediationReader,
    response: Response,
) -> RemediationView:
    """The order, its costs, its claims, and what the ledger says about it."""
    row = await _seen(remediation_id, session, principal)
    set_etag(response, row)
    return await _view(row, session, principal)


@router.get("/remediations/{remediation_id}/journal")
async def get_remediation_journal(
    *,
    remediation_id: UUID,
    session: ReadSessionDep,
    runtime: RuntimeDep,
    principal: RemediationReader,
) -> list[JournalEntry]:
    """Who did what, when and why; oldest first."""
    row = await _seen(remediation_id, session, principal)
    return await read_journal(session, runtime.tables, Remediation.__tablename__, row.id)


def _refuse_units(principal: Principal) -> None:
    if unit_of(principal) is not None:
        raise NoSuchRemediation("Read the costs of your own unit with their remediation.")


async def _seen(remediation_id: UUID, session: AsyncSession, principal: Principal) -> Remediation:
    row = await RemediationRepository(session).remediation(remediation_id)
    own = unit_of(principal)
    if row is None or (own is not None and row.unit != own):
        raise NoSuchRemediation(
            "There is no such remediation, or another unit was ordered to do it."
        )
    return row


async def _answer(
    row: Remediation, work: UnitOfWork, principal: Principal, response: Response
) -> RemediationView:
    await work.settle()
    set_etag(response, row)
    return await _view(row, work.session, principal)


async def _view(row: Remediation, session: AsyncSession, principal: Principal) -> RemediationView:
    repository = RemediationRepository(session)
    balances = await FundRepository(session).balances_of_remediation(row.id)
    # Against whom money is claimed is no business of the unit that was ordered.
    claims = await repository.recoveries(row.id) if principal.has(*SEES_ALL) else []
    return RemediationView(
        **RemediationSummary.of(row, balances).model_dump(),
        cost_items=[CostView.of(item) for item in await repository.costs(row.id)],
        recoveries=[RecoverySummary.of(item) for item in claims],
    )
