"""Cases over HTTP: lists, the whole file, and the commands of their way."""

from dataclasses import replace
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response
from pydantic import AwareDatetime

from services.dispatch.case_files.domain import CaseCategory, CaseState
from services.dispatch.case_files.errors import NoSuchCase
from services.dispatch.case_files.models import Case, Feedback
from services.dispatch.case_files.repository import CaseFileRepository
from services.dispatch.case_files.schemas import CaseView
from services.dispatch.case_files.service import CaseFile, view_of
from services.dispatch.cases.auth import (
    SEES_ALL,
    CaseCloser,
    CaseDispatcher,
    CaseReader,
    CaseUrger,
    FeedbackChecker,
    UnitMember,
    seen_unit,
)
from services.dispatch.cases.domain import check_may_dispatch
from services.dispatch.cases.repository import CaseListRepository, CaseQuery
from services.dispatch.cases.schemas import (
    AcceptanceCommand,
    AssignmentView,
    AttachedReportView,
    CaseFileView,
    ClosingCommand,
    DispatchCommand,
    FeedbackCheckCommand,
    FeedbackCommand,
    FeedbackView,
    Order,
    ResumptionCommand,
    UrgingCommand,
    VerificationCommand,
    VerificationView,
)
from services.dispatch.cases.service import CaseService
from services.dispatch.clocks.domain import Light, SegmentKind
from services.dispatch.papers.domain import is_direct
from services.dispatch.papers.service import PaperService
from services.dispatch.requests.repository import RequestRepository
from services.dispatch.requests.schemas import RequestView
from shared.auth.principal import Principal
from shared.db.database import ReadSession
from shared.journal import JournalEntry, read_journal
from shared.service import Runtime
from shared.web.etag import IfMatch, set_etag
from shared.web.paging import Page, PageRequest, page_of, page_request
from shared.web.route import CommandRoute, ReadSessionDep, RuntimeDep, WorkDep
from shared.work import UnitOfWork

router = APIRouter(prefix="/cases", tags=["cases"], route_class=CommandRoute)


async def _cases(work: WorkDep, runtime: RuntimeDep) -> CaseService:
    return CaseService.of(work, runtime)


CasesDep = Annotated[CaseService, Depends(_cases)]


async def _query(
    *,
    runtime: RuntimeDep,
    state: CaseState | None = None,
    stage: SegmentKind | None = None,
    unit: Annotated[str | None, Query(max_length=60)] = None,
    grid: Annotated[str | None, Query(max_length=30)] = None,
    street: Annotated[
        str | None, Query(max_length=30, description="first digits of the grid code")
    ] = None,
    class_key: Annotated[
        str | None,
        Query(alias="class", max_length=120, examples=["GB/T 47678.5-2026:component:01001"]),
    ] = None,
    urgent: bool | None = None,
    light: Annotated[Light | None, Query(description="of the present stage, now")] = None,
    total_light: Annotated[Light | None, Query(description="of the whole case, now")] = None,
    number: Annotated[str | None, Query(max_length=40)] = None,
    ticket: UUID | None = None,
    registered_from: Annotated[AwareDatetime | None, Query(description="included")] = None,
    registered_to: Annotated[AwareDatetime | None, Query(description="excluded")] = None,
    open: Annotated[  # noqa: A002 - the word of the address
        bool | None, Query(description="true: without the archive; false: the archive only")
    ] = None,
    coordination_needed: bool | None = None,
    category: Annotated[
        CaseCategory | None, Query(description="what the case is filed under, apart from its class")
    ] = None,
    order: Annotated[
        Order, Query(description="due: what is due next comes first; newest: registration")
    ] = "due",
) -> CaseQuery:
    return CaseQuery(
        now=runtime.clock.now(),
        state=state,
        stage=stage,
        unit=unit,
        grid=grid,
        street=street,
        class_key=class_key,
        urgent=urgent,
        light=light,
        total_light=total_light,
        number=number,
        ticket=ticket,
        registered_from=registered_from,
        registered_to=registered_to,
        open=open,
        coordination_needed=coordination_needed,
        category=category,
        newest=order == "newest",
    )


@router.get("")
async def list_cases(
    *,
    session: ReadSessionDep,
    runtime: RuntimeDep,
    principal: CaseReader,
    query: Annotated[CaseQuery, Depends(_query)],
    page: Annotated[PageRequest, Depends(page_request)],
) -> Page[CaseView]:
    """Cases with the lights of their stage and of the whole; people of a unit see their own."""
    own = seen_unit(principal)
    if own is not None:
        query = replace(query, unit=own)
    rows = await CaseListRepository(session).page(query, page)
    return page_of(
        rows,
        page,
        lambda case: (case.registered_at if query.newest else case.due_order, case.id),
        lambda case: view_of(case, runtime.pack, query.now),
    )


@router.get("/by-number/{number}")
async def get_case_by_number(
    *,
    number: str,
    session: ReadSessionDep,
    runtime: RuntimeDep,
    principal: CaseReader,
    response: Response,
) -> CaseFileView:
    """The whole file of the case with this number."""
    case = await CaseFileRepository(session).case_by_number(number)
    return await _whole_file(_seen(case, principal), session, runtime, principal, response)


@router.get("/{case_id}")
async def get_case(
    *,
    case_id: UUID,
    session: ReadSessionDep,
    runtime: RuntimeDep,
    principal: CaseReader,
    response: Response,
) -> CaseFileView:
    """The whole file: dispatches, requests, feedback, verifications, photographs, journal."""
    case = await CaseFileRepository(session).case(case_id)
    return await _whole_file(_seen(case, principal), session, runtime, principal, response)


@router.get("/{case_id}/journal")
async def get_case_journal(
    *, case_id: UUID, session: ReadSessionDep, runtime: RuntimeDep, principal: CaseReader
) -> list[JournalEntry]:
    """Who did what to the case, when, from where to where, why; oldest first."""
    case = _seen(await CaseFileRepository(session).case(case_id), principal)
    return await read_journal(session, runtime.tables, Case.__tablename__, case.id)


def _seen(case: Case | None, principal: Principal) -> Case:
    own = seen_unit(principal)
    if case is None or (own is not None and case.unit != own):
        raise NoSuchCase("There is no such case, or it is not with your unit.")
    return case


async def _whole_file(
    case: Case, session: ReadSession, runtime: Runtime, principal: Principal, response: Response
) -> CaseFileView:
    repository = CaseFileRepository(session)
    assignments = await repository.assignments(case.id)
    attached = await repository.attached_to(case.report_id)
    feedbacks = await repository.feedbacks(case.id)
    verifications = await repository.verifications(case.id)
    requests = await RequestRepository(session).of_case(case.id)
    journal = await read_journal(session, runtime.tables, Case.__tablename__, case.id)
    now = runtime.clock.now()
    hidden = case.confidential and not principal.has(*SEES_ALL)
    set_etag(response, case)
    common = view_of(case, runtime.pack, now).model_dump()
    common["reporters"] = 1 + len(attached)
    return CaseFileView(
        **common,
        report_id=case.report_id,
        report_number=case.report_number,
        ticket_id=None if hidden else case.ticket_id,
        reporter_id=None if hidden else case.reporter_id,
        confidential=case.confidential,
        observed_at=case.observed_at,
        outcome=case.outcome,
        conclusion=case.conclusion,
        returns_refused=case.returns_refused,
        media=case.media,
        attached_reports=[AttachedReportView(**row.model_dump()) for row in attached],
        assignments=[AssignmentView(**row.model_dump()) for row in assignments],
        requests=[RequestView.of(row, now) for row in requests],
        feedbacks=[FeedbackView(**row.model_dump()) for row in feedbacks],
        verifications=[VerificationView(**row.model_dump()) for row in verifications],
        journal=journal,
    )


def _answer(file: CaseFile, work: UnitOfWork, response: Response) -> CaseView:
    # It goes out with everything else in the end; the caller is told beforehand which it will be.
    work.next_version(file.case)
    set_etag(response, file.case)
    return file.view()


@router.post("/{case_id}/dispatch")
async def dispatch_case(
    *,
    case_id: UUID,
    command: DispatchCommand,
    work: WorkDep,
    service: CasesDep,
    principal: CaseDispatcher,
    response: Response,
    if_match: IfMatch = None,
) -> CaseView:
    """Send a case to the one responsible unit; agents and shift leaders only urgent ones."""
    file = await service.files.take(case_id, if_match=if_match)
    check_may_dispatch(principal.roles, urgent=file.case.urgent)
    direct = is_direct(principal.roles)
    await service.dispatch(
        file,
        unit_code=command.unit,
        condition=command.condition,
        standard=command.standard,
        limit=command.limit.limit() if command.limit else None,
        note=command.note,
        direct=direct,
    )
    if direct:
        await PaperService(work, service.pack).ask_after_direct_dispatch(file.case)
    return _answer(file, work, response)


@router.post("/{case_id}/acceptance")
async def accept_case(
    *,
    case_id: UUID,
    _command: AcceptanceCommand,
    work: WorkDep,
    service: CasesDep,
    principal: UnitMember,
    response: Response,
    if_match: IfMatch = None,
) -> CaseView:
    """The unit takes the case; its clock has been running since the dispatch."""
    file = await service.files.take(case_id, unit=principal.unit or "", if_match=if_match)
    service.accept(file)
    return _answer(file, work, response)


@router.post("/{case_id}/feedback")
async def hand_in_feedback(
    *,
    case_id: UUID,
    command: FeedbackCommand,
    work: WorkDep,
    service: CasesDep,
    principal: UnitMember,
    response: Response,
    if_match: IfMatch = None,
) -> CaseView:
    """The unit says that it is done; its clock stops until the centre says otherwise."""
    file = await service.files.take(case_id, unit=principal.unit or "", if_match=if_match)
    await service.hand_in_feedback(file, text=command.text, media=command.media)
    return _answer(file, work, response)


@router.post("/{case_id}/feedback-check")
async def check_feedback(
    *,
    case_id: UUID,
    command: FeedbackCheckCommand,
    work: WorkDep,
    service: CasesDep,
    _principal: FeedbackChecker,
    response: Response,
    if_match: IfMatch = None,
) -> CaseView:
    """Accept the feedback, which asks for verification, or send it back as not done."""
    file = await service.files.take(case_id, Feedback, if_match=if_match)
    service.check_feedback(
        file, accepted=command.accepted, reason=command.reason, not_before=command.not_before
    )
    return _answer(file, work, response)


@router.post("/{case_id}/verification")
async def ask_verification(
    *,
    case_id: UUID,
    command: VerificationCommand,
    work: WorkDep,
    service: CasesDep,
    _principal: FeedbackChecker,
    response: Response,
    if_match: IfMatch = None,
) -> CaseView:
    """Send somebody out again after a finding that decided nothing."""
    file = await service.files.take(case_id, if_match=if_match)
    service.ask_verification_again(file, not_before=command.not_before, note=command.note)
    return _answer(file, work, response)


@router.post("/{case_id}/closing")
async def close_case(
    *,
    case_id: UUID,
    command: ClosingCommand,
    work: WorkDep,
    service: CasesDep,
    _principal: CaseCloser,
    response: Response,
    if_match: IfMatch = None,
) -> CaseView:
    """Archive a case that passed its verification; nobody closes what they handled."""
    file = await service.files.take(case_id, if_match=if_match)
    await service.close(file, conclusion=command.conclusion)
    return _answer(file, work, response)


@router.post("/{case_id}/resumption")
async def resume_case(
    *,
    case_id: UUID,
    command: ResumptionCommand,
    work: WorkDep,
    service: CasesDep,
    principal: UnitMember,
    response: Response,
    if_match: IfMatch = None,
) -> CaseView:
    """The unit takes a deferred case up before its date; its clock goes on."""
    file = await service.files.take(case_id, unit=principal.unit or "", if_match=if_match)
    file.resume(reason=command.reason)
    return _answer(file, work, response)


@router.post("/{case_id}/urging")
async def urge_case(
    *,
    case_id: UUID,
    command: UrgingCommand,
    work: WorkDep,
    service: CasesDep,
    _principal: CaseUrger,
    response: Response,
    if_match: IfMatch = None,
) -> CaseView:
    """Remind whoever has the case; kept in its journal."""
    file = await service.files.take(case_id, if_match=if_match)
    service.urge(file, note=command.note)
    return _answer(file, work, response)
