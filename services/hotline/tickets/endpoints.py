"""Tickets over HTTP."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response
from pydantic import AwareDatetime

from services.hotline.callers.models import Caller
from services.hotline.callers.service import CallerDesk, seal_of
from services.hotline.tickets.auth import TicketReader, TicketWriter, hides_caller
from services.hotline.tickets.domain import Progress, TicketState, located
from services.hotline.tickets.models import Ticket
from services.hotline.tickets.repository import TicketFilter, TicketRepository
from services.hotline.tickets.schemas import (
    Answer,
    Classification,
    Referral,
    Submission,
    TicketDetail,
    TicketRecording,
    TicketView,
    Withdrawal,
    ticket_detail,
    ticket_view,
)
from services.hotline.tickets.service import TicketService
from shared.auth.principal import Principal
from shared.events.hotline import AppealKind, Urgency
from shared.journal import JournalEntry, read_journal
from shared.web.etag import IfMatch, check_match, set_etag
from shared.web.paging import Page, PageRequest, page_of, page_request
from shared.web.route import CommandRoute, ReadSessionDep, RuntimeDep, WorkDep

router = APIRouter(prefix="/tickets", tags=["tickets"], route_class=CommandRoute)


@dataclass(frozen=True, slots=True)
class _Turn:
    """One command on one ticket: read, check the version, act, answer."""

    service: TicketService
    principal: Principal
    response: Response
    if_match: str | None

    async def ticket(self, ticket_id: UUID) -> Ticket:
        ticket = await self.service.tickets.get(ticket_id)
        check_match(ticket, self.if_match)
        return ticket

    async def answer(self, ticket: Ticket) -> TicketView:
        return await _answer(ticket, self.service, self.principal, self.response)


async def _turn(
    work: WorkDep,
    runtime: RuntimeDep,
    principal: TicketWriter,
    response: Response,
    if_match: IfMatch = None,
) -> _Turn:
    return _Turn(TicketService.of(work, runtime), principal, response, if_match)


TurnDep = Annotated[_Turn, Depends(_turn)]


async def _answer(
    ticket: Ticket, service: TicketService, principal: Principal, response: Response
) -> TicketView:
    await service.work.settle()
    set_etag(response, ticket)
    callers = service.callers
    caller = await callers.callers.get(ticket.caller_id) if ticket.caller_id else None
    view = callers.desk.view(caller) if caller else None
    return ticket_view(ticket, view, hide_caller=hides_caller(principal, ticket))


@router.post("", status_code=201)
async def record_ticket(
    command: TicketRecording,
    work: WorkDep,
    runtime: RuntimeDep,
    principal: TicketWriter,
    response: Response,
) -> TicketView:
    """Record what a caller wants; the answer holds the number to tell the caller."""
    service = TicketService.of(work, runtime)
    caller = (command.caller.number, command.caller.name) if command.caller else None
    ticket = await service.record_ticket(
        description=command.description,
        appeal_kind=command.appeal_kind,
        competence=command.competence,
        class_ref=command.class_ref.ref if command.class_ref else None,
        call_id=command.call_id,
        caller=caller,
        caller_id=command.caller_id,
        confidential=command.confidential,
        callback_consent=command.callback_consent,
    )
    response.headers["Location"] = f"/tickets/{ticket.id}"
    return await _answer(ticket, service, principal, response)


@router.post("/{ticket_id}/classification")
async def classify_ticket(ticket_id: UUID, command: Classification, turn: TurnDep) -> TicketView:
    """Say what kind of matter it is, whose, and of which class."""
    ticket = turn.service.classify_ticket(
        await turn.ticket(ticket_id),
        appeal_kind=command.appeal_kind,
        competence=command.competence,
        class_ref=command.class_ref.ref if command.class_ref else None,
    )
    return await turn.answer(ticket)


@router.post("/{ticket_id}/answer")
async def answer_ticket(ticket_id: UUID, command: Answer, turn: TurnDep) -> TicketView:
    """Settle it on the spot, from the knowledge base or in own words."""
    ticket = await turn.service.answer_ticket(await turn.ticket(ticket_id), **dict(command))
    return await turn.answer(ticket)


@router.post("/{ticket_id}/referral")
async def refer_ticket(ticket_id: UUID, command: Referral, turn: TurnDep) -> TicketView:
    """Refer the caller to the right address."""
    ticket = await turn.service.refer_ticket(await turn.ticket(ticket_id), **dict(command))
    return await turn.answer(ticket)


@router.post("/{ticket_id}/submission")
async def submit_ticket(
    ticket_id: UUID, command: Submission, turn: TurnDep, runtime: RuntimeDep
) -> TicketView:
    """Hand it to the case pipeline."""
    ticket = await turn.service.submit_ticket(
        await turn.ticket(ticket_id),
        place=located(runtime.pack, **command.place.model_dump()),
        urgency=command.urgency,
        description=command.description,
        class_ref=command.class_ref.ref if command.class_ref else None,
        confidential=command.confidential,
        direct_unit=command.direct_unit,
    )
    return await turn.answer(ticket)


@router.post("/{ticket_id}/withdrawal")
async def withdraw_ticket(ticket_id: UUID, command: Withdrawal, turn: TurnDep) -> TicketView:
    """The caller takes it back."""
    ticket = turn.service.withdraw_ticket(await turn.ticket(ticket_id), reason=command.reason)
    return await turn.answer(ticket)


async def _filter(
    *,
    principal: TicketReader,
    state: TicketState | None = None,
    progress: Progress | None = None,
    appeal_kind: AppealKind | None = None,
    urgency: Urgency | None = None,
    agent: Annotated[str | None, Query(max_length=80, description="account id, or `me`")] = None,
    caller_id: UUID | None = None,
    call_id: UUID | None = None,
    case_id: UUID | None = None,
    number: Annotated[str | None, Query(max_length=40)] = None,
    class_code: Annotated[str | None, Query(max_length=30)] = None,
    recorded_from: AwareDatetime | None = None,
    recorded_to: Annotated[AwareDatetime | None, Query(description="exclusive")] = None,
) -> TicketFilter:
    return TicketFilter(
        state=state,
        progress=progress,
        appeal_kind=appeal_kind,
        urgency=urgency,
        agent=principal.id if agent == "me" else agent,
        caller_id=caller_id,
        call_id=call_id,
        case_id=case_id,
        number=number,
        class_code=class_code,
        recorded_from=recorded_from,
        recorded_to=recorded_to,
    )


@router.get("")
async def list_tickets(
    session: ReadSessionDep,
    runtime: RuntimeDep,
    principal: TicketReader,
    wanted: Annotated[TicketFilter, Depends(_filter)],
    page: Annotated[PageRequest, Depends(page_request)],
) -> Page[TicketView]:
    """Tickets, newest first, callers masked."""
    desk = CallerDesk(seal_of(runtime))
    rows = await TicketRepository(session).page(wanted, page)

    def key(row: tuple[Ticket, Caller | None]) -> tuple[datetime, UUID]:
        return row[0].recorded_at, row[0].id

    def present(row: tuple[Ticket, Caller | None]) -> TicketView:
        return _shown(row, desk, principal)

    return page_of(rows, page, key, present)


@router.get("/{ticket_id}")
async def read_ticket(
    ticket_id: UUID,
    session: ReadSessionDep,
    runtime: RuntimeDep,
    principal: TicketReader,
    response: Response,
) -> TicketDetail:
    """One ticket with everything that has happened to it."""
    tickets = TicketRepository(session)
    found = await tickets.read(ticket_id)
    set_etag(response, found[0])
    view = _shown(found, CallerDesk(seal_of(runtime)), principal)
    return ticket_detail(view, await tickets.steps(ticket_id))


@router.get("/{ticket_id}/journal")
async def read_ticket_journal(
    ticket_id: UUID, session: ReadSessionDep, runtime: RuntimeDep, _principal: TicketReader
) -> list[JournalEntry]:
    """Who did what to a ticket."""
    await TicketRepository(session).get(ticket_id)
    return await read_journal(session, runtime.tables, "tickets", ticket_id)


def _shown(row: tuple[Ticket, Caller | None], desk: CallerDesk, principal: Principal) -> TicketView:
    ticket, caller = row
    view = desk.view(caller) if caller else None
    return ticket_view(ticket, view, hide_caller=hides_caller(principal, ticket))
