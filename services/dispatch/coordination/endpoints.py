"""Coordinations over HTTP."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response, status
from sqlmodel.ext.asyncio.session import AsyncSession

from services.dispatch.case_files.repository import CaseFileRepository
from services.dispatch.case_files.service import view_of
from services.dispatch.clocks.domain import light
from services.dispatch.coordination.auth import (
    SEES_ALL,
    CoordinationDecider,
    CoordinationLeader,
    CoordinationOpener,
    CoordinationReader,
    UnitMember,
)
from services.dispatch.coordination.domain import (
    CoordinationKind,
    CoordinationState,
    Invited,
    standing,
)
from services.dispatch.coordination.errors import NoSuchCoordination
from services.dispatch.coordination.models import Coordination, Invitation, Position
from services.dispatch.coordination.repository import CoordinationRepository
from services.dispatch.coordination.schemas import (
    CoordinationDecisionCommand,
    CoordinationSummary,
    CoordinationView,
    InvitedUnitView,
    InvitingCommand,
    MinutesCommand,
    MinutesView,
    OpeningCommand,
    PassingUpCommand,
    PositionCommand,
    PositionView,
    WithdrawalCommand,
)
from services.dispatch.coordination.service import CoordinationService, Decision
from shared.auth.principal import Principal
from shared.journal import JournalEntry, read_journal
from shared.service import Runtime
from shared.web.etag import IfMatch, set_etag
from shared.web.paging import Page, PageRequest, page_of, page_request
from shared.web.route import CommandRoute, ReadSessionDep, RuntimeDep, WorkDep
from shared.work import UnitOfWork

router = APIRouter(tags=["coordination"], route_class=CommandRoute)


async def _coordinations(work: WorkDep, runtime: RuntimeDep) -> CoordinationService:
    return CoordinationService.of(work, runtime)


CoordinationsDep = Annotated[CoordinationService, Depends(_coordinations)]


@router.post("/cases/{case_id}/coordinations", status_code=status.HTTP_201_CREATED)
async def open_coordination(
    *,
    case_id: UUID,
    command: OpeningCommand,
    work: WorkDep,
    runtime: RuntimeDep,
    service: CoordinationsDep,
    _principal: CoordinationOpener,
    response: Response,
    if_match: IfMatch = None,
) -> CoordinationView:
    """Hear the units whose case it may be; an ordinary case waits, an urgent one goes on."""
    file = await service.files.take(case_id, if_match=if_match)
    coordination = await service.open(
        file,
        units=command.units,
        reason=command.reason,
        kind=command.kind,
        position_within=command.position_within.limit() if command.position_within else None,
    )
    response.headers["Location"] = f"coordinations/{coordination.id}"
    return await _answer(coordination, work, runtime, response)


@router.post("/coordinations/{coordination_id}/invitations")
async def invite_units(
    *,
    coordination_id: UUID,
    command: InvitingCommand,
    work: WorkDep,
    runtime: RuntimeDep,
    service: CoordinationsDep,
    _principal: CoordinationLeader,
    response: Response,
) -> CoordinationView:
    """Hear further units, on a time of their own."""
    within = command.position_within.limit() if command.position_within else None
    coordination = await service.invite(
        coordination_id, units=command.units, position_within=within
    )
    return await _answer(coordination, work, runtime, response)


@router.post("/coordinations/{coordination_id}/positions")
async def state_position(
    *,
    coordination_id: UUID,
    command: PositionCommand,
    work: WorkDep,
    runtime: RuntimeDep,
    service: CoordinationsDep,
    principal: UnitMember,
    response: Response,
) -> CoordinationView:
    """An invited unit states its position; stated late it counts, and shows as late."""
    coordination = await service.state_position(
        coordination_id,
        unit=principal.unit or "",
        stance=command.stance,
        basis=command.basis,
        statement=command.statement,
        suggested_unit=command.suggested_unit,
        media=command.media,
    )
    return await _answer(coordination, work, runtime, response)


@router.post("/coordinations/{coordination_id}/minutes")
async def add_minutes(
    *,
    coordination_id: UUID,
    command: MinutesCommand,
    work: WorkDep,
    runtime: RuntimeDep,
    service: CoordinationsDep,
    _principal: CoordinationDecider,
    response: Response,
) -> CoordinationView:
    """Keep what was said and agreed in a meeting."""
    coordination = await service.add_minutes(
        coordination_id, held_at=command.held_at, text=command.text, media=command.media
    )
    return await _answer(coordination, work, runtime, response)


@router.post("/coordinations/{coordination_id}/passing-up")
async def pass_up(
    *,
    coordination_id: UUID,
    command: PassingUpCommand,
    work: WorkDep,
    runtime: RuntimeDep,
    service: CoordinationsDep,
    _principal: CoordinationLeader,
    response: Response,
    if_match: IfMatch = None,
) -> CoordinationView:
    """Leave the decision to the leading group's office; there is no way back."""
    coordination = await service.pass_up(coordination_id, reason=command.reason, if_match=if_match)
    return await _answer(coordination, work, runtime, response)


@router.post("/coordinations/{coordination_id}/decision")
async def decide_coordination(
    *,
    coordination_id: UUID,
    command: CoordinationDecisionCommand,
    work: WorkDep,
    runtime: RuntimeDep,
    service: CoordinationsDep,
    principal: CoordinationDecider,
    response: Response,
    if_match: IfMatch = None,
) -> CoordinationView:
    """Say whose the case is: a waiting case goes there, and the decision becomes a precedent."""
    decision = Decision(
        unit=command.unit,
        basis=command.basis,
        reason=command.reason,
        assisting=command.assisting,
        early_reason=command.early_reason,
        limit=command.limit.limit() if command.limit else None,
        note=command.note,
    )
    coordination = await service.decide(
        coordination_id, decision, decider=principal, if_match=if_match
    )
    return await _answer(coordination, work, runtime, response)


@router.post("/coordinations/{coordination_id}/withdrawal")
async def withdraw_coordination(
    *,
    coordination_id: UUID,
    command: WithdrawalCommand,
    work: WorkDep,
    runtime: RuntimeDep,
    service: CoordinationsDep,
    _principal: CoordinationLeader,
    response: Response,
    if_match: IfMatch = None,
) -> CoordinationView:
    """End it without a decision, because it has become clear; the case waits for dispatch."""
    coordination = await service.withdraw(coordination_id, reason=command.reason, if_match=if_match)
    return await _answer(coordination, work, runtime, response)


@router.get("/coordinations")
async def list_coordinations(
    *,
    session: ReadSessionDep,
    runtime: RuntimeDep,
    principal: CoordinationReader,
    page: Annotated[PageRequest, Depends(page_request)],
    state: CoordinationState | None = None,
    kind: CoordinationKind | None = None,
    unit: Annotated[str | None, Query(max_length=60, description="invited to it")] = None,
    awaiting: Annotated[
        bool | None, Query(description="somebody invited has not stated a position yet")
    ] = None,
) -> Page[CoordinationSummary]:
    """Coordinations, what is to be decided first coming first; units see their own."""
    seen = unit if principal.has(*SEES_ALL) else principal.unit or ""
    rows = await CoordinationRepository(session).page(
        page, state=state, kind=kind, unit=seen, awaiting=awaiting
    )
    now = runtime.clock.now()
    return page_of(rows, page, lambda row: (row.due_at, row.id), lambda row: _summary(row, now))


@router.get("/cases/{case_id}/coordinations")
async def list_coordinations_of_case(
    *, case_id: UUID, session: ReadSessionDep, runtime: RuntimeDep, principal: CoordinationReader
) -> list[CoordinationSummary]:
    """The coordinations of a case, oldest first; units see those that they are invited to."""
    repository, now = CoordinationRepository(session), runtime.clock.now()
    rows = await repository.of_case(case_id)
    return [_summary(row, now) for row in rows if await _may_see(row, repository, principal)]


@router.get("/coordinations/{coordination_id}")
async def get_coordination(
    *,
    coordination_id: UUID,
    session: ReadSessionDep,
    runtime: RuntimeDep,
    principal: CoordinationReader,
    response: Response,
) -> CoordinationView:
    """The units with their positions and times, the minutes, and the case."""
    row = await _seen(coordination_id, session, principal)
    set_etag(response, row)
    return await _view(row, session, runtime)


@router.get("/coordinations/{coordination_id}/journal")
async def get_coordination_journal(
    *,
    coordination_id: UUID,
    session: ReadSessionDep,
    runtime: RuntimeDep,
    principal: CoordinationReader,
) -> list[JournalEntry]:
    """Who did what, when and why; oldest first."""
    row = await _seen(coordination_id, session, principal)
    return await read_journal(session, runtime.tables, Coordination.__tablename__, row.id)


async def _seen(coordination_id: UUID, session: AsyncSession, principal: Principal) -> Coordination:
    repository = CoordinationRepository(session)
    row = await repository.coordination(coordination_id)
    if row is None or not await _may_see(row, repository, principal):
        raise NoSuchCoordination(
            "There is no such coordination, or your unit is not invited to it."
        )
    return row


async def _may_see(
    row: Coordination, repository: CoordinationRepository, principal: Principal
) -> bool:
    if principal.has(*SEES_ALL):
        return True
    return await repository.invitation(row.id, principal.unit or "") is not None


async def _answer(
    row: Coordination, work: UnitOfWork, runtime: Runtime, response: Response
) -> CoordinationView:
    await work.settle()
    set_etag(response, row)
    return await _view(row, work.session, runtime)


async def _view(row: Coordination, session: AsyncSession, runtime: Runtime) -> CoordinationView:
    repository, now = CoordinationRepository(session), runtime.clock.now()
    positions = await repository.positions(row.id)
    invitations = await repository.invitations(row.id)
    minutes = await repository.minutes(row.id)
    case = await CaseFileRepository(session).case(row.case_id)
    if case is None:
        raise AssertionError("a coordination refers to its case")
    return CoordinationView(
        **_summary(row, now).model_dump(),
        units=[
            _invited(item, [one for one in positions if one.unit == item.unit], row.ended_at or now)
            for item in invitations
        ],
        minutes=[MinutesView(**item.model_dump()) for item in minutes],
        case=view_of(case, runtime.pack, now),
    )


def _summary(row: Coordination, now: datetime) -> CoordinationSummary:
    names = set(CoordinationSummary.model_fields) - {"light"}
    shown = light(row.warn_at, row.due_at, row.ended_at or now)
    return CoordinationSummary(light=shown, **row.model_dump(include=names))


def _invited(row: Invitation, positions: Sequence[Position], now: datetime) -> InvitedUnitView:
    return InvitedUnitView(
        unit=row.unit,
        standing=standing(Invited(row.unit, row.due_at, row.stated_at), now),
        invited_at=row.invited_at,
        due_at=row.due_at,
        light=light(row.warn_at, row.due_at, row.stated_at or now),
        stance=positions[-1].stance if positions else None,
        positions=[PositionView(**item.model_dump()) for item in positions],
    )
