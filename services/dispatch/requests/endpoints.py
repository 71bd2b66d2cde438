"""Asking and deciding over HTTP."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response, status

from services.dispatch.case_files.domain import CaseState
from services.dispatch.case_files.service import CaseFile
from services.dispatch.coordination.service import CoordinationService
from services.dispatch.requests.auth import (
    RequestConsenter,
    RequestDecider,
    RequestProposer,
    RequestReader,
    UnitMember,
    VoidAsker,
    VoidDecider,
)
from services.dispatch.requests.domain import RequestKind, RequestState
from services.dispatch.requests.errors import NoSuchRequest
from services.dispatch.requests.models import Request
from services.dispatch.requests.repository import RequestRepository
from services.dispatch.requests.schemas import (
    DecisionCommand,
    DeferralCommand,
    ExtensionCommand,
    ProposalCommand,
    RequestAnswer,
    RequestView,
    ReturnCommand,
    VoidCommand,
    WithdrawalCommand,
)
from services.dispatch.requests.service import RequestService
from shared.auth.principal import CENTRE
from shared.vocabulary import Role
from shared.web.etag import IfMatch, set_etag
from shared.web.paging import Page, PageRequest, page_of, page_request
from shared.web.route import CommandRoute, ReadSessionDep, RuntimeDep, WorkDep
from shared.work import UnitOfWork

router = APIRouter(tags=["requests"], route_class=CommandRoute)

SEES_ALL = CENTRE | {Role.SHIFT_LEADER, Role.LEADER}
UNIT_REQUESTS = frozenset({RequestKind.RETURN, RequestKind.EXTENSION, RequestKind.DEFERRAL})


async def _requests(work: WorkDep, runtime: RuntimeDep) -> RequestService:
    return RequestService.of(work, runtime)


RequestsDep = Annotated[RequestService, Depends(_requests)]


def _answer(
    file: CaseFile, request: Request, response: Response, work: UnitOfWork
) -> RequestAnswer:
    set_etag(response, file.case)
    shown = RequestView.of(request, work.now())
    return RequestAnswer(id=request.id, request=shown, case=file.view())


@router.post("/cases/{case_id}/returns", status_code=status.HTTP_201_CREATED)
async def ask_return(
    *,
    case_id: UUID,
    command: ReturnCommand,
    work: WorkDep,
    service: RequestsDep,
    principal: UnitMember,
    response: Response,
    if_match: IfMatch = None,
) -> RequestAnswer:
    """Ask the centre to take a case back that is not the unit's; the clock goes on meanwhile."""
    file = await service.files.take(case_id, unit=principal.unit or "", if_match=if_match)
    request = await service.ask_return(
        file,
        reason=command.reason,
        basis=command.basis,
        suggested_unit=command.suggested_unit,
    )
    await work.settle()
    response.headers["Location"] = f"requests/{request.id}"
    return _answer(file, request, response, work)


@router.post("/cases/{case_id}/extensions", status_code=status.HTTP_201_CREATED)
async def ask_extension(
    *,
    case_id: UUID,
    command: ExtensionCommand,
    work: WorkDep,
    service: RequestsDep,
    principal: UnitMember,
    response: Response,
    if_match: IfMatch = None,
) -> RequestAnswer:
    """Ask for more time; the clock goes on meanwhile."""
    file = await service.files.take(case_id, unit=principal.unit or "", if_match=if_match)
    request = await service.ask_extension(
        file, reason=command.reason, basis=command.basis, limit=command.limit.limit()
    )
    await work.settle()
    response.headers["Location"] = f"requests/{request.id}"
    return _answer(file, request, response, work)


@router.post("/cases/{case_id}/deferrals", status_code=status.HTTP_201_CREATED)
async def ask_deferral(
    *,
    case_id: UUID,
    command: DeferralCommand,
    work: WorkDep,
    service: RequestsDep,
    principal: UnitMember,
    response: Response,
    if_match: IfMatch = None,
) -> RequestAnswer:
    """Ask to put a case off until a date; the clock goes on meanwhile."""
    file = await service.files.take(case_id, unit=principal.unit or "", if_match=if_match)
    request = await service.ask_deferral(
        file, reason=command.reason, basis=command.basis, until=command.until
    )
    await work.settle()
    response.headers["Location"] = f"requests/{request.id}"
    return _answer(file, request, response, work)


@router.post("/cases/{case_id}/voiding", status_code=status.HTTP_201_CREATED)
async def ask_void(
    *,
    case_id: UUID,
    command: VoidCommand,
    work: WorkDep,
    service: RequestsDep,
    _principal: VoidAsker,
    response: Response,
    if_match: IfMatch = None,
) -> RequestAnswer:
    """Propose to void a case; a second person approves, and until then work on it goes on."""
    file = await service.files.take(case_id, if_match=if_match)
    request = await service.ask_void(file, reason=command.reason)
    await work.settle()
    response.headers["Location"] = f"requests/{request.id}"
    return _answer(file, request, response, work)


@router.post("/requests/{request_id}/decision")
async def decide_request(
    *,
    request_id: UUID,
    command: DecisionCommand,
    work: WorkDep,
    runtime: RuntimeDep,
    service: RequestsDep,
    _principal: RequestDecider,
    response: Response,
    if_match: IfMatch = None,
) -> RequestAnswer:
    """Grant or refuse a unit's request; what takes two levels can only be refused here."""
    file, request = await service.decide(
        request_id,
        granted=command.granted,
        reason=command.reason,
        kinds=UNIT_REQUESTS,
        if_match=if_match,
    )
    if command.granted and request.kind is RequestKind.RETURN:
        await CoordinationService.of(work, runtime).open_after_return(file)
    await work.settle()
    return _answer(file, request, response, work)


@router.post("/requests/{request_id}/proposal")
async def propose_granting(
    *,
    request_id: UUID,
    command: ProposalCommand,
    work: WorkDep,
    service: RequestsDep,
    _principal: RequestProposer,
    response: Response,
    if_match: IfMatch = None,
) -> RequestAnswer:
    """Propose to grant what takes two levels; the unit's clock runs on until the second agrees."""
    file, request = await service.propose(request_id, reason=command.reason, if_match=if_match)
    await work.settle()
    return _answer(file, request, response, work)


@router.post("/requests/{request_id}/consent")
async def consent_to_request(
    *,
    request_id: UUID,
    command: DecisionCommand,
    work: WorkDep,
    service: RequestsDep,
    _principal: RequestConsenter,
    response: Response,
    if_match: IfMatch = None,
) -> RequestAnswer:
    """Consent to what a dispatcher proposed, or refuse it; another person than who proposed."""
    file, request = await service.consent(
        request_id, granted=command.granted, reason=command.reason, if_match=if_match
    )
    await work.settle()
    return _answer(file, request, response, work)


@router.post("/requests/{request_id}/void-decision")
async def decide_void(
    *,
    request_id: UUID,
    command: DecisionCommand,
    work: WorkDep,
    runtime: RuntimeDep,
    service: RequestsDep,
    _principal: VoidDecider,
    response: Response,
    if_match: IfMatch = None,
) -> RequestAnswer:
    """Approve or refuse that a case is voided; the asker cannot."""
    file, request = await service.decide(
        request_id,
        granted=command.granted,
        reason=command.reason,
        kinds={RequestKind.VOID},
        if_match=if_match,
    )
    if file.case.state is CaseState.VOIDED:
        await CoordinationService.of(work, runtime).end_with_case(file, reason=command.reason)
    await work.settle()
    return _answer(file, request, response, work)


@router.post("/requests/{request_id}/withdrawal")
async def withdraw_request(
    *,
    request_id: UUID,
    command: WithdrawalCommand,
    work: WorkDep,
    service: RequestsDep,
    principal: UnitMember,
    response: Response,
) -> RequestAnswer:
    """Take a pending request of the own unit back."""
    file, request = await service.withdraw(request_id, unit=principal.unit, reason=command.reason)
    await work.settle()
    return _answer(file, request, response, work)


@router.get("/requests")
async def list_requests(
    *,
    session: ReadSessionDep,
    runtime: RuntimeDep,
    principal: RequestReader,
    page: Annotated[PageRequest, Depends(page_request)],
    state: RequestState | None = None,
    kind: RequestKind | None = None,
    unit: Annotated[str | None, Query(max_length=60)] = None,
) -> Page[RequestView]:
    """Requests, those first whose decision is due first; people of a unit see their own."""
    seen = unit if principal.has(*SEES_ALL) else principal.unit or ""
    rows = await RequestRepository(session).page(page, state=state, kind=kind, unit=seen)
    now = runtime.clock.now()
    return page_of(
        rows, page, lambda row: (row.due_order, row.id), lambda row: RequestView.of(row, now)
    )


@router.get("/requests/{request_id}")
async def get_request(
    *, request_id: UUID, session: ReadSessionDep, runtime: RuntimeDep, principal: RequestReader
) -> RequestView:
    """One request."""
    row = await RequestRepository(session).request(request_id)
    hidden = not principal.has(*SEES_ALL) and (row is None or row.unit != principal.unit)
    if row is None or hidden:
        raise NoSuchRequest("There is no such request, or it is not your unit's.")
    return RequestView.of(row, runtime.clock.now())
