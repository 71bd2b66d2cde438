"""Registration and rejection over HTTP."""

from uuid import UUID

from fastapi import APIRouter, Response

from services.intake.registration.auth import Registrar
from services.intake.registration.repository import Numbers
from services.intake.registration.schemas import RegistrationCommand, RejectionCommand
from services.intake.registration.service import RegistrationService
from services.intake.reports.repository import load
from services.intake.reports.schemas import ReportView
from services.intake.tasks.service import task_service
from shared.service import Runtime
from shared.web.etag import IfMatch, check_match, set_etag
from shared.web.route import CommandRoute, RuntimeDep, WorkDep
from shared.work import UnitOfWork

router = APIRouter(prefix="/reports", tags=["registration"], route_class=CommandRoute)


def _service(work: UnitOfWork, runtime: Runtime) -> RegistrationService:
    return RegistrationService(work, runtime.pack, Numbers.of(runtime), task_service(work, runtime))


@router.post("/{report_id}/registration")
async def register_report(
    *,
    report_id: UUID,
    command: RegistrationCommand,
    work: WorkDep,
    runtime: RuntimeDep,
    _principal: Registrar,
    response: Response,
    if_match: IfMatch = None,
) -> ReportView:
    """Accept a report as a case; the answer names its number."""
    report = await load(work.session, report_id)
    check_match(report, if_match)
    await _service(work, runtime).register(
        report,
        class_ref=command.class_ref.ref() if command.class_ref else None,
        condition=command.condition,
        description=command.description,
        # What was not sent stays as reported: an address does not wipe out the coordinates.
        place=report.place.model_copy(update=command.place.model_dump(exclude_unset=True))
        if command.place
        else None,
        urgent=command.urgent,
    )
    await work.settle()
    set_etag(response, report)
    return ReportView.of(report, work.now())


@router.post("/{report_id}/rejection")
async def reject_report(
    *,
    report_id: UUID,
    command: RejectionCommand,
    work: WorkDep,
    runtime: RuntimeDep,
    _principal: Registrar,
    response: Response,
    if_match: IfMatch = None,
) -> ReportView:
    """Do not accept a report; the reporter is told the reason."""
    report = await load(work.session, report_id)
    check_match(report, if_match)
    await _service(work, runtime).reject(
        report, reason_code=command.reason_code, reason=command.reason
    )
    await work.settle()
    set_etag(response, report)
    return ReportView.of(report, work.now())
