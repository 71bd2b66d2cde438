"""Organisations over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from services.identity.organisations.auth import OrganisationKeeper, OrganisationReader
from services.identity.organisations.models import Organisation
from services.identity.organisations.repository import (
    organisation_by_code,
    page_of_organisations,
)
from services.identity.organisations.schemas import (
    Code,
    OrganisationChange,
    OrganisationCreate,
    OrganisationView,
)
from services.identity.organisations.service import OrganisationService
from shared.errors import NotFound
from shared.pack.model import UnitKind
from shared.web.etag import IfMatch, set_etag
from shared.web.paging import Page, PageRequest, page_of, page_request
from shared.web.route import CommandRoute, ReadSessionDep, RuntimeDep, WorkDep

router = APIRouter(prefix="/organisations", tags=["organisations"], route_class=CommandRoute)


@router.get("")
async def list_organisations(
    session: ReadSessionDep,
    _reader: OrganisationReader,
    page: Annotated[PageRequest, Depends(page_request)],
    kind: Annotated[UnitKind | None, Query(description="only this sort of body")] = None,
    active: Annotated[bool | None, Query()] = None,
) -> Page[OrganisationView]:
    """Organisations by their code."""
    rows = await page_of_organisations(session, page, kind=kind, active=active)
    return page_of(rows, page, lambda row: [row.code], _view)


@router.get("/{code}")
async def get_organisation(
    code: Code, session: ReadSessionDep, _reader: OrganisationReader, response: Response
) -> OrganisationView:
    """One organisation."""
    row = await organisation_by_code(session, code)
    if row is None:
        raise NotFound(f"There is no organisation {code}.")
    set_etag(response, row)
    return _view(row)


@router.post("", status_code=201)
async def create_organisation(
    command: OrganisationCreate,
    work: WorkDep,
    runtime: RuntimeDep,
    _keeper: OrganisationKeeper,
    response: Response,
) -> OrganisationView:
    """Add an organisation that the city pack does not have."""
    row = await OrganisationService(work, runtime.pack).create(**command.model_dump())
    await work.settle()
    set_etag(response, row)
    response.headers["Location"] = f"organisations/{row.code}"
    return _view(row)


@router.patch("/{code}")
async def change_organisation(
    *,
    code: Code,
    command: OrganisationChange,
    work: WorkDep,
    runtime: RuntimeDep,
    _keeper: OrganisationKeeper,
    response: Response,
    if_match: IfMatch = None,
) -> OrganisationView:
    """Change or close an organisation; only the named fields change."""
    row = await OrganisationService(work, runtime.pack).change(
        code=code,
        changes=command.model_dump(exclude_unset=True, exclude_none=True),
        if_match=if_match,
    )
    await work.settle()
    set_etag(response, row)
    return _view(row)


def _view(row: Organisation) -> OrganisationView:
    return OrganisationView.model_validate(row, from_attributes=True)
