"""Reports over HTTP: sending them in, following them, and the reporter's name behind them."""

from typing import Annotated
from uuid import UUID, uuid4

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import AwareDatetime

from services.intake.base import tables
from services.intake.clocks.domain import Light
from services.intake.config import settings_of
from services.intake.media.domain import Claim
from services.intake.media.schemas import ShownPhotograph
from services.intake.media.service import doubted
from services.intake.registration.repository import Numbers
from services.intake.reports import repository
from services.intake.reports.auth import (
    SEES_ALL,
    CentreReader,
    ContactReader,
    MediaAdder,
    PartnerReporter,
    ReportAuthor,
    ReportReader,
    VideoReporter,
    require_visible,
    source_for,
)
from services.intake.reports.domain import (
    Draft,
    ReportState,
    located,
    position_of,
    require_coordinates,
    require_some_place,
)
from services.intake.reports.errors import CameraUnknown
from services.intake.reports.models import Report
from services.intake.reports.repository import ReportFilter
from services.intake.reports.schemas import (
    ClassQuery,
    MediaCommand,
    PartnerReportCommand,
    PlaceInput,
    PublicReceipt,
    PublicReportCommand,
    PublicReportView,
    ReportCommand,
    ReportItem,
    ReportView,
    RevealCommand,
    RevealedContact,
    VideoReportCommand,
    class_named,
    masked_contact,
)
from services.intake.reports.service import (
    ReportService,
    contact_of,
    follow_token,
    public_report,
    seal_of,
)
from shared.events.vocabulary import Place, Source
from shared.journal import JournalEntry, read_journal
from shared.pack.model import Camera, CityPack
from shared.service import Runtime
from shared.vocabulary import PositionSource
from shared.web.etag import IfMatch, check_match, set_etag
from shared.web.paging import Page, PageRequest, page_of, page_request
from shared.web.policy import anyone
from shared.web.route import (
    CommandRoute,
    KeylessCommandRoute,
    ReadSessionDep,
    RuntimeDep,
    WorkDep,
)
from shared.work import UnitOfWork

router = APIRouter(prefix="/reports", tags=["reports"], route_class=CommandRoute)
public = APIRouter(
    prefix="/public/reports",
    tags=["public"],
    route_class=KeylessCommandRoute,
    dependencies=[Depends(anyone)],
)

# No Idempotency-Key: a stored answer would be a second copy of personal data.
contacts = APIRouter(prefix="/reports", tags=["reports"], route_class=KeylessCommandRoute)

PageDep = Annotated[PageRequest, Depends(page_request)]


def report_service(work: UnitOfWork, runtime: Runtime) -> ReportService:
    return ReportService(work, runtime.pack, Numbers.of(runtime))


# --- sending in ---------------------------------------------------------------------------------


@router.post("", status_code=201)
async def send_report(
    *,
    command: ReportCommand,
    work: WorkDep,
    runtime: RuntimeDep,
    principal: ReportAuthor,
    request: Request,
    response: Response,
) -> ReportView:
    """Send a report. The same `client_id` again gives the stored report and 200."""
    source = source_for(principal, command.source)
    place = _place(runtime.pack, command.place, exact=source is Source.COLLECTOR)
    device = command.device_position
    draft = Draft(
        source=source,
        channel="on-behalf" if command.source else None,
        reporter_id=principal.id,
        client_key=f"{principal.id}:{command.client_id}" if command.client_id else None,
        class_ref=command.class_ref.ref() if command.class_ref else None,
        condition=command.condition,
        description=command.description,
        place=place,
        device_position=device.model_dump() if device else None,
        observed_at=command.observed_at or work.now(),
        urgent=command.urgent,
        emergency=command.emergency,
        media=command.media,
    )
    return await _stored(draft, work, runtime, request, response)


@router.post("/video", status_code=201)
async def send_video_report(
    *,
    command: VideoReportCommand,
    work: WorkDep,
    runtime: RuntimeDep,
    principal: VideoReporter,
    request: Request,
    response: Response,
) -> ReportView:
    """Report what is to be seen on a camera: the frame, and the box drawn on it."""
    camera = _camera(runtime.pack, command.camera)
    draft = Draft(
        source=Source.VIDEO,
        channel=camera.code,
        reporter_id=principal.id,
        client_key=f"{principal.id}:{command.client_id}" if command.client_id else None,
        class_ref=command.class_ref.ref() if command.class_ref else None,
        condition=command.condition,
        description=command.description,
        place=Place(
            longitude=camera.place.lng,
            latitude=camera.place.lat,
            position_source=PositionSource.CAMERA,
            address=camera.name.zh,
            grid=camera.grid,
        ),
        observed_at=command.observed_at or work.now(),
        urgent=command.urgent,
        emergency=command.emergency,
        media=(command.frame,),
        box=command.box.model_dump(),
    )
    return await _stored(draft, work, runtime, request, response)


@router.post("/partner", status_code=201)
async def send_partner_report(
    *,
    command: PartnerReportCommand,
    work: WorkDep,
    runtime: RuntimeDep,
    principal: PartnerReporter,
    request: Request,
    response: Response,
) -> ReportView:
    """Report from another system. The same `external_id` again gives the stored report and 200."""
    draft = Draft(
        source=Source.PARTNER,
        channel=principal.login or principal.id,
        reporter_id=principal.id,
        external_id=command.external_id,
        class_ref=command.class_ref.ref() if command.class_ref else None,
        condition=command.condition,
        description=command.description,
        place=_place(runtime.pack, command.place, exact=False),
        observed_at=command.observed_at or work.now(),
        urgent=command.urgent,
        media=command.media,
    )
    return await _stored(draft, work, runtime, request, response)


@public.post("", status_code=201)
async def send_public_report(
    command: PublicReportCommand,
    work: WorkDep,
    runtime: RuntimeDep,
    response: Response,
) -> PublicReceipt:
    """Report without signing in. Keep number and token: they are the only way to follow it."""
    service = report_service(work, runtime)
    address = work.origin.source_address or "unknown"
    await service.require_public_quota(address, settings_of(runtime).public_reports_per_hour)
    client_id = command.client_id or uuid4()
    draft = Draft(
        source=Source.WEB,
        client_key=f"public:{client_id}",
        follow_key=client_id,
        class_ref=command.class_ref.ref() if command.class_ref else None,
        description=command.description,
        place=_place(runtime.pack, command.place, exact=False),
        observed_at=command.observed_at or work.now(),
        media=command.media,
    )
    report, fresh = await service.receive(draft)
    if fresh:
        await service.leave_contact(seal_of(runtime), report, command.name, command.phone)
    else:
        response.status_code = 200
    return PublicReceipt(
        number=report.number,
        token=follow_token(client_id, report.number),
        received_at=report.received_at,
    )


@public.get("/{number}")
async def follow_public_report(
    number: str,
    session: ReadSessionDep,
    token: Annotated[str, Query(min_length=1, max_length=100)],
) -> PublicReportView:
    """What became of a report, for whoever has its number and token."""
    return PublicReportView.of(await public_report(session, number, token))


# --- reading ------------------------------------------------------------------------------------


async def _wanted(
    *,
    principal: ReportReader,
    runtime: RuntimeDep,
    class_ref: ClassQuery = None,
    state: Annotated[list[ReportState] | None, Query(description="may be repeated")] = None,
    source: Source | None = None,
    grid: Annotated[str | None, Query(max_length=30)] = None,
    urgent: bool | None = None,
    emergency: bool | None = None,
    needs_place: bool | None = None,
    reporter: Annotated[
        str | None, Query(max_length=80, description="`me` or the opaque id of an account")
    ] = None,
    case_id: UUID | None = None,
    merged_into: UUID | None = None,
    received_from: AwareDatetime | None = None,
    received_to: AwareDatetime | None = None,
    light: Annotated[Light | None, Query(description="of the registration stage")] = None,
) -> ReportFilter:
    """The reports that the query asks for, and of those what the reader may see."""
    own = reporter == "me" or not principal.has(*SEES_ALL)
    return ReportFilter(
        now=runtime.clock.now(),
        states=tuple(state or ()),
        source=source,
        grid=grid,
        class_ref=class_named(class_ref),
        urgent=urgent,
        emergency=emergency,
        needs_place=needs_place,
        reporter_id=principal.id if own else reporter,
        case_id=case_id,
        merged_into=merged_into,
        since=received_from,
        until=received_to,
        light=light,
    )


@router.get("")
async def list_reports(
    session: ReadSessionDep,
    runtime: RuntimeDep,
    wanted: Annotated[ReportFilter, Depends(_wanted)],
    page: PageDep,
) -> Page[ReportItem]:
    """Reports, newest first. Who is not of the centre sees the own ones and what became of them."""
    now = runtime.clock.now()
    rows = await repository.list_reports(session, wanted, page)
    return page_of(rows, page, lambda row: [row.id], lambda row: ReportItem.of(row, now))


@router.get("/{report_id}")
async def read_report(
    report_id: UUID,
    session: ReadSessionDep,
    runtime: RuntimeDep,
    principal: ReportReader,
    response: Response,
) -> ReportView:
    """One report; name and number of a citizen are masked."""
    report = require_visible(principal, await repository.load(session, report_id))
    view = ReportView.of(report, runtime.clock.now())
    if report.source is Source.WEB:
        contact = await contact_of(session, seal_of(runtime), report.id)
        view.contact = masked_contact(contact)
    set_etag(response, report)
    return view


@router.get("/{report_id}/photographs")
async def read_report_photographs(
    report_id: UUID, session: ReadSessionDep, runtime: RuntimeDep, principal: ReportReader
) -> list[ShownPhotograph]:
    """The photographs of a report, each with what speaks against it."""
    report = require_visible(principal, await repository.load(session, report_id))
    claim = Claim(position_of(report.place), report.observed_at)
    tolerance = settings_of(runtime).photograph_tolerance
    return await doubted(session, report.media, claim, tolerance)


@router.get("/{report_id}/journal")
async def read_report_journal(
    report_id: UUID, session: ReadSessionDep, _principal: CentreReader
) -> list[JournalEntry]:
    """Who did what to a report, when and why; oldest first."""
    report = await repository.load(session, report_id)
    return await read_journal(session, tables, Report.__tablename__, report.id)


# --- acting -------------------------------------------------------------------------------------


@router.post("/{report_id}/media")
async def add_report_media(
    *,
    report_id: UUID,
    command: MediaCommand,
    work: WorkDep,
    runtime: RuntimeDep,
    principal: MediaAdder,
    response: Response,
    if_match: IfMatch = None,
) -> ReportView:
    """Attach photographs that were uploaded after the report."""
    report = require_visible(principal, await repository.load(work.session, report_id))
    check_match(report, if_match)
    await report_service(work, runtime).add_media(report, command.media)
    await work.settle()
    set_etag(response, report)
    return ReportView.of(report, work.now())


@contacts.post("/{report_id}/contact/reveal")
async def reveal_report_contact(
    report_id: UUID,
    command: RevealCommand,
    work: WorkDep,
    runtime: RuntimeDep,
    _principal: ContactReader,
) -> RevealedContact:
    """Show the name and number of the reporter; who looked and why is kept for the auditors."""
    report = await repository.load(work.session, report_id)
    service = report_service(work, runtime)
    return await service.reveal_contact(seal_of(runtime), report, command.reason)


# --- inner steps --------------------------------------------------------------------------------


def _place(pack: CityPack, given: PlaceInput, *, exact: bool) -> Place:
    place = given.place()
    if exact:
        require_coordinates(place)
    else:
        require_some_place(place)
    return located(pack, place)


def _camera(pack: CityPack, code: str) -> Camera:
    for camera in pack.cameras:
        if camera.code == code:
            return camera
    raise CameraUnknown(f"The city has no camera {code}.")


async def _stored(
    draft: Draft, work: UnitOfWork, runtime: Runtime, request: Request, response: Response
) -> ReportView:
    report, fresh = await report_service(work, runtime).receive(draft)
    if not fresh:
        response.status_code = 200
    set_etag(response, report)
    response.headers["Location"] = f"{request.scope.get('root_path', '')}/reports/{report.id}"
    return ReportView.of(report, work.now())
