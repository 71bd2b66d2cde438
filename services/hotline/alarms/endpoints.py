"""The board of alarms over HTTP."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Response

from services.hotline.alarms.auth import AlarmReader, AlarmTaker
from services.hotline.alarms.domain import AlarmKind, AlarmState
from services.hotline.alarms.models import Alarm
from services.hotline.alarms.repository import AlarmRepository
from services.hotline.alarms.schemas import (
    Acknowledgement,
    AlarmDetail,
    AlarmView,
    alarm_detail,
    alarm_view,
)
from services.hotline.alarms.service import OFFICE, AlarmService
from services.hotline.callers.service import CallerService
from shared.journal import read_journal
from shared.web.etag import IfMatch, check_match, set_etag
from shared.web.paging import Page, PageRequest, page_of, page_request
from shared.web.route import CommandRoute, ReadSessionDep, RuntimeDep, WorkDep

router = APIRouter(prefix="/alarms", tags=["alarms"], route_class=CommandRoute)


@router.get("")
async def list_alarms(
    *,
    session: ReadSessionDep,
    _principal: AlarmReader,
    page: Annotated[PageRequest, Depends(page_request)],
    state: AlarmState | None = None,
    kind: AlarmKind | None = None,
    exhausted: bool | None = None,
) -> Page[AlarmView]:
    """The board: alarms, the latest first."""
    rows = await AlarmRepository(session).page(
        state=state, kind=kind, exhausted=exhausted, request=page
    )
    return page_of(rows, page, lambda alarm: [alarm.id], alarm_view)


@router.get("/{alarm_id}")
async def read_alarm(
    *,
    alarm_id: UUID,
    session: ReadSessionDep,
    runtime: RuntimeDep,
    _principal: AlarmReader,
    response: Response,
) -> AlarmDetail:
    """One alarm with its messages and its journal."""
    alarm = await AlarmRepository(session).get(alarm_id)
    messages = await OFFICE.about(session, f"alarm:{alarm.id}")
    journal = await read_journal(session, runtime.tables, Alarm.__tablename__, alarm.id)
    set_etag(response, alarm)
    return alarm_detail(alarm, messages, journal)


@router.post("/{alarm_id}/acknowledgement")
async def acknowledge_alarm(
    *,
    alarm_id: UUID,
    command: Acknowledgement,
    work: WorkDep,
    runtime: RuntimeDep,
    _principal: AlarmTaker,
    response: Response,
    if_match: IfMatch = None,
) -> AlarmView:
    """Take an alarm up; nobody else is told after that."""
    service = AlarmService.of(work, runtime)
    alarm = await service.alarms.get(alarm_id)
    check_match(alarm, if_match)
    if command.note:
        CallerService.of(work, runtime).refuse_personal_data(command.note, "note")
    service.acknowledge(alarm, note=command.note)
    await work.settle()
    set_etag(response, alarm)
    return alarm_view(alarm)
