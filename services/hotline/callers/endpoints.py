"""Callers over HTTP.

Numbers travel in bodies, never in addresses, which end up in logs. Answers with personal data in
clear are not kept for replay, so these commands carry no Idempotency-Key.
"""

from uuid import UUID

from fastapi import APIRouter, Response

from services.hotline.callers.auth import CallerEraser, CallerReader
from services.hotline.callers.repository import CallerRepository
from services.hotline.callers.schemas import CallerView, NumberLookup, Purpose, RevealedCaller
from services.hotline.callers.service import CallerDesk, CallerService, seal_of
from shared.web.etag import set_etag
from shared.web.route import KeylessCommandRoute, ReadSessionDep, RuntimeDep, WorkDep

router = APIRouter(prefix="/callers", tags=["callers"], route_class=KeylessCommandRoute)


@router.post("/lookup")
async def look_up_caller(
    query: NumberLookup, work: WorkDep, runtime: RuntimeDep, _principal: CallerReader
) -> CallerView:
    """Whether somebody has called from a number before; masked."""
    service = CallerService.of(work, runtime)
    return service.desk.view(await service.look_up(number=query.number))


@router.get("/{caller_id}")
async def read_caller(
    caller_id: UUID,
    session: ReadSessionDep,
    runtime: RuntimeDep,
    _principal: CallerReader,
    response: Response,
) -> CallerView:
    """One caller, masked."""
    caller = await CallerRepository(session).get(caller_id)
    set_etag(response, caller)
    return CallerDesk(seal_of(runtime)).view(caller)


@router.post("/{caller_id}/reveal")
async def reveal_caller(
    caller_id: UUID,
    purpose: Purpose,
    work: WorkDep,
    runtime: RuntimeDep,
    _principal: CallerReader,
    response: Response,
) -> RevealedCaller:
    """Name and number in clear; who saw them and why is kept for the auditors."""
    response.headers["Cache-Control"] = "no-store"
    return await CallerService.of(work, runtime).reveal(caller_id=caller_id, reason=purpose.reason)


@router.post("/{caller_id}/erasure")
async def erase_caller(
    caller_id: UUID,
    purpose: Purpose,
    work: WorkDep,
    runtime: RuntimeDep,
    _principal: CallerEraser,
) -> CallerView:
    """Forget name and number for good; calls, tickets and figures stay."""
    service = CallerService.of(work, runtime)
    caller = await service.erase(caller_id=caller_id, reason=purpose.reason)
    await work.settle()
    return service.desk.view(caller)
