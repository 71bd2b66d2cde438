"""Suggested units and precedents over HTTP."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response

from services.dispatch.case_files.errors import NoSuchCase
from services.dispatch.case_files.repository import CaseFileRepository
from services.dispatch.cases.auth import CentreReader
from services.dispatch.responsibility.auth import PrecedentRevoker
from services.dispatch.responsibility.errors import NoSuchPrecedent
from services.dispatch.responsibility.models import Precedent
from services.dispatch.responsibility.repository import PrecedentRepository
from services.dispatch.responsibility.schemas import (
    PrecedentView,
    RevocationCommand,
    SuggestedUnitView,
)
from services.dispatch.responsibility.service import ResponsibilityService, revoke_precedent
from shared.journal import JournalEntry, read_journal
from shared.web.etag import IfMatch, set_etag
from shared.web.paging import Page, PageRequest, page_of, page_request
from shared.web.route import CommandRoute, ReadSessionDep, RuntimeDep, WorkDep

router = APIRouter(tags=["responsibility"], route_class=CommandRoute)


@router.get("/cases/{case_id}/suggested-units")
async def suggest_units(
    case_id: UUID, session: ReadSessionDep, runtime: RuntimeDep, _principal: CentreReader
) -> list[SuggestedUnitView]:
    """Units the case may belong to, by decision, owner, ground, class and history, with reasons."""
    case = await CaseFileRepository(session).case(case_id)
    if case is None:
        raise NoSuchCase("There is no such case.")
    return await ResponsibilityService(session, runtime.pack).suggest(case)


@router.get("/precedents")
async def list_precedents(
    *,
    session: ReadSessionDep,
    _principal: CentreReader,
    page: Annotated[PageRequest, Depends(page_request)],
    class_key: Annotated[
        str | None,
        Query(alias="class", max_length=120, examples=["GB/T 47678.5-2026:component:01007"]),
    ] = None,
    grid: Annotated[str | None, Query(max_length=30)] = None,
    unit: Annotated[str | None, Query(max_length=60)] = None,
    revoked: Annotated[bool | None, Query(description="false: those in force only")] = None,
) -> Page[PrecedentView]:
    """What coordinations have decided, the latest first."""
    rows = await PrecedentRepository(session).page(
        page, class_key=class_key, grid=grid, unit=unit, revoked=revoked
    )
    return page_of(rows, page, lambda row: (row.id,), _view)


@router.get("/precedents/{precedent_id}")
async def get_precedent(
    *, precedent_id: UUID, session: ReadSessionDep, _principal: CentreReader, response: Response
) -> PrecedentView:
    """One precedent; revoked ones stay to be read."""
    row = await PrecedentRepository(session).precedent(precedent_id)
    if row is None:
        raise NoSuchPrecedent("There is no such precedent.")
    set_etag(response, row)
    return _view(row)


@router.get("/precedents/{precedent_id}/journal")
async def get_precedent_journal(
    precedent_id: UUID, session: ReadSessionDep, runtime: RuntimeDep, _principal: CentreReader
) -> list[JournalEntry]:
    """Who decided it and who revoked it, when and why."""
    return await read_journal(session, runtime.tables, Precedent.__tablename__, precedent_id)


@router.post("/precedents/{precedent_id}/revocation")
async def revoke(
    *,
    precedent_id: UUID,
    command: RevocationCommand,
    work: WorkDep,
    runtime: RuntimeDep,
    principal: PrecedentRevoker,
    response: Response,
    if_match: IfMatch = None,
) -> PrecedentView:
    """Do not offer a decision any more; what the office decided, the office revokes."""
    row = await revoke_precedent(
        work,
        runtime.pack,
        precedent_id,
        reason=command.reason,
        principal=principal,
        if_match=if_match,
    )
    await work.settle()
    set_etag(response, row)
    return _view(row)


def _view(row: Precedent) -> PrecedentView:
    return PrecedentView(**row.model_dump(include=set(PrecedentView.model_fields)))
