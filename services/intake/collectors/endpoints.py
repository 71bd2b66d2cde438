"""Duty and positions over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Depends

from services.intake.collectors import repository
from services.intake.collectors.auth import (
    CENTRE,
    CollectorReader,
    Patroller,
    PatrolReader,
    login_of,
)
from services.intake.collectors.models import Collector
from services.intake.collectors.schemas import (
    CollectorView,
    DutyCommand,
    DutyView,
    PatrolView,
    PositionsCommand,
    PositionsView,
)
from services.intake.collectors.service import CollectorService, Measured
from shared.errors import NotFound
from shared.pack.model import CityPack
from shared.web.paging import Page, PageRequest, page_of, page_request
from shared.web.route import CommandRoute, ReadSessionDep, RuntimeDep, WorkDep

router = APIRouter(tags=["collectors"], route_class=CommandRoute)

PageDep = Annotated[PageRequest, Depends(page_request)]


@router.post("/collectors/me/duty")
async def change_duty(
    command: DutyCommand, work: WorkDep, runtime: RuntimeDep, principal: Patroller
) -> DutyView:
    """Begin or end duty. At the end, the grids that were covered are told, and nothing else."""
    service, login = CollectorService(work, runtime.pack), login_of(principal)
    given = command.position
    position = (
        Measured(work.now(), given.longitude, given.latitude, given.accuracy_m) if given else None
    )
    row = (
        await service.begin_duty(login, principal.id, position)
        if command.on
        else await service.end_duty(login, principal.id)
    )
    return DutyView(on=row.on_duty, since=row.since, patrol_id=row.patrol_id)


@router.get("/collectors/me/duty")
async def read_duty(session: ReadSessionDep, principal: Patroller) -> DutyView:
    """Whether I am on duty."""
    row = await repository.collector_of(session, login_of(principal))
    if row is None:
        return DutyView(on=False, since=None, patrol_id=None)
    return DutyView(on=row.on_duty, since=row.since, patrol_id=row.patrol_id)


@router.post("/collectors/me/positions")
async def take_positions(
    command: PositionsCommand, work: WorkDep, runtime: RuntimeDep, principal: Patroller
) -> PositionsView:
    """Positions since the last call, in any order; only on duty, kept for a short time only."""
    fixes = [Measured(fix.at, fix.longitude, fix.latitude, fix.accuracy_m) for fix in command.fixes]
    service = CollectorService(work, runtime.pack)
    row = await service.take_positions(login_of(principal), fixes)
    return PositionsView(taken=len(fixes), grid=row.grid)


@router.get("/collectors")
async def list_collectors(
    session: ReadSessionDep,
    runtime: RuntimeDep,
    _principal: CollectorReader,
    page: PageDep,
    on_duty: bool | None = None,  # noqa: FBT001
) -> Page[CollectorView]:
    """Collectors who have been on duty, with their last position while they are."""
    rows = await repository.list_collectors(session, page, duty=on_duty)
    return page_of(
        rows, page, lambda row: [row.login], lambda row: _collector_view(row, runtime.pack)
    )


@router.get("/patrols")
async def list_patrols(
    session: ReadSessionDep,
    principal: PatrolReader,
    page: PageDep,
    collector: str | None = None,
) -> Page[PatrolView]:
    """Which grids were covered and when, newest first; a collector's own ones."""
    chosen = collector if principal.has(*CENTRE) else login_of(principal)
    rows = await repository.list_patrols(session, page, login=chosen)
    return page_of(rows, page, lambda row: [row.id], PatrolView.of)


def _collector_view(row: Collector, pack: CityPack) -> CollectorView:
    try:
        person = pack.person(row.login)
    except NotFound:
        return CollectorView.of(row, None, [])
    return CollectorView.of(row, person.name.zh, list(person.grids))
