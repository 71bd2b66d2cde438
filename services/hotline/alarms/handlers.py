"""Facts of intake and dispatch that raise alarms or end them, and the timer that escalates them."""

from services.hotline.alarms.domain import AlarmKind
from services.hotline.alarms.service import AlarmService, Cause
from shared.events import Received
from shared.events.dispatch import CaseClosed, CaseVoided
from shared.events.intake import ReportMerged, ReportReceived, ReportRegistered, ReportRejected
from shared.service import Runtime
from shared.timers.timer import Ring
from shared.work import UnitOfWork


async def on_report_received(
    received: Received[ReportReceived], work: UnitOfWork, runtime: Runtime
) -> None:
    """An urgent report from any source."""
    event = received.event
    if not event.urgent:
        return
    await AlarmService.of(work, runtime).raise_alarm(
        Cause(
            kind=AlarmKind.EMERGENCY if event.emergency else AlarmKind.URGENT,
            source=event.source.value,
            number=event.number,
            place=event.place,
            recorded_at=event.received_at,
            class_ref=event.class_ref,
            ticket_id=event.ticket_id,
            report_id=received.subject,
        )
    )


async def on_report_registered(
    received: Received[ReportRegistered], work: UnitOfWork, runtime: Runtime
) -> None:
    """A case that is urgent, perhaps only since somebody has chosen its class."""
    event = received.event
    if not event.urgent:
        return
    await AlarmService.of(work, runtime).raise_alarm(
        Cause(
            kind=AlarmKind.EMERGENCY if event.emergency else AlarmKind.URGENT,
            source=event.source.value,
            number=event.report_number,
            place=event.place,
            recorded_at=event.registered_at,
            class_ref=event.class_ref,
            ticket_id=event.ticket_id,
            report_id=received.subject,
            case_id=event.case_id,
            case_number=event.case_number,
        )
    )


async def on_report_rejected(
    received: Received[ReportRejected], work: UnitOfWork, runtime: Runtime
) -> None:
    service = AlarmService.of(work, runtime)
    if alarm := await service.alarms.about(report_id=received.subject):
        await service.end(alarm, "rejected")


async def on_report_merged(
    received: Received[ReportMerged], work: UnitOfWork, runtime: Runtime
) -> None:
    """Two reports of one emergency: the alarm of the one that it was merged into goes on."""
    event, service = received.event, AlarmService.of(work, runtime)
    alarm = await service.alarms.about(report_id=received.subject)
    if alarm is None:
        return
    other = await service.alarms.about(report_id=event.into_report_id, case_id=event.into_case_id)
    if other is not None and other.id != alarm.id:
        await service.end(alarm, "merged")


async def on_case_closed(
    received: Received[CaseClosed], work: UnitOfWork, runtime: Runtime
) -> None:
    service = AlarmService.of(work, runtime)
    if alarm := await service.alarms.about(case_id=received.subject):
        await service.end(alarm, "closed")


async def on_case_voided(
    received: Received[CaseVoided], work: UnitOfWork, runtime: Runtime
) -> None:
    service = AlarmService.of(work, runtime)
    if alarm := await service.alarms.about(case_id=received.subject):
        await service.end(alarm, "voided")


async def escalate(ring: Ring, work: UnitOfWork, runtime: Runtime) -> None:
    """Nobody has acknowledged an alarm in time."""
    service = AlarmService.of(work, runtime)
    await service.escalate(await service.alarms.get(ring.subject))
