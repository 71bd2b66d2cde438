"""Suggested units over HTTP."""

from uuid import UUID

from fastapi import APIRouter

from services.dispatch.case_files.errors import NoSuchCase
from services.dispatch.case_files.repository import CaseFileRepository
from services.dispatch.cases.auth import CentreReader
from services.dispatch.responsibility.schemas import SuggestedUnitView
from services.dispatch.responsibility.service import ResponsibilityService
from shared.web.route import ReadingRoute, ReadSessionDep, RuntimeDep

router = APIRouter(tags=["responsibility"], route_class=ReadingRoute)


@router.get("/cases/{case_id}/suggested-units")
async def suggest_units(
    case_id: UUID, session: ReadSessionDep, runtime: RuntimeDep, _principal: CentreReader
) -> list[SuggestedUnitView]:
    """Units the case may belong to, by class, ground, table and precedent, with reasons."""
    case = await CaseFileRepository(session).case(case_id)
    if case is None:
        raise NoSuchCase("There is no such case.")
    return await ResponsibilityService(session, runtime.pack).suggest(case)
