"""Raising alarms, once for each emergency, and seeing to it that somebody takes them up."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from services.hotline.alarms.domain import (
    ESCALATED,
    KIND_NAMES,
    RAISED,
    RAISED_UNSTAFFED,
    WORDINGS,
    AlarmKind,
    AlarmState,
    Roster,
    channels_for,
    told_at_once,
    told_next,
)
from services.hotline.alarms.errors import AlarmNotOpen
from services.hotline.alarms.models import Alarm
from services.hotline.alarms.repository import AlarmRepository
from services.hotline.base import messages
from services.hotline.config import settings_of
from services.hotline.contacts.models import DutyContact
from services.hotline.contacts.repository import ContactRepository
from services.hotline.contacts.service import duty_book
from shared.events.hotline import AlarmAcknowledged, AlarmEscalated, AlarmRaised
from shared.events.vocabulary import ClassRef, Place
from shared.messages.message import Channel
from shared.messages.office import MessageOffice
from shared.pack.model import CityPack, ClassKey
from shared.service import Runtime
from shared.vocabulary import ClassKind, Role
from shared.work import UnitOfWork

OFFICE = MessageOffice(messages, WORDINGS, duty_book)


@dataclass(frozen=True, slots=True)
class Cause:
    """An emergency as somebody has recorded it; what is not known yet is None.

    Attributes:
        number: of the ticket or report.
        recorded_at: when it was stored there.
    """

    kind: AlarmKind
    source: str
    number: str
    place: Place
    recorded_at: datetime
    class_ref: ClassRef | None = None
    ticket_id: UUID | None = None
    report_id: UUID | None = None
    case_id: UUID | None = None
    case_number: str | None = None


@dataclass(frozen=True, slots=True)
class _Duty:
    """Who is there now, with their contacts by account name."""

    roster: Roster
    contacts: Mapping[str, DutyContact]
    shift_id: UUID | None


def urgent_class(pack: CityPack, ref: ClassRef | None) -> bool:
    """Whether the class alone makes a matter urgent."""
    if ref is None:
        return False
    known = pack.classes.get(ClassKey(ref.scheme, ClassKind(ref.kind.value), ref.code))
    return known is not None and known.urgent


class AlarmService:
    """Commands on alarms; made per unit of work."""

    def __init__(self, work: UnitOfWork, pack: CityPack, channels: tuple[Channel, ...]) -> None:
        self.work = work
        self.alarms = AlarmRepository(work.session)
        self._contacts = ContactRepository(work.session)
        self._pack = pack
        self._channels = channels

    @classmethod
    def of(cls, work: UnitOfWork, runtime: Runtime) -> "AlarmService":
        return cls(work, runtime.pack, settings_of(runtime).channels)

    async def raise_alarm(self, cause: Cause) -> Alarm:
        """Put an emergency on the board and tell people; told again, it is the same alarm."""
        known = await self.alarms.about(
            ticket_id=cause.ticket_id, report_id=cause.report_id, case_id=cause.case_id
        )
        if known is not None:
            self._learn(known, cause)
            return known
        now, duty = self.work.now(), await self._duty()
        roster = duty.roster
        told = told_at_once(self._pack.emergencies, roster)
        alarm = Alarm(
            kind=cause.kind,
            source=cause.source,
            number=cause.number,
            place=cause.place.model_dump(mode="json"),
            class_key=str(cause.class_ref) if cause.class_ref else None,
            ticket_id=cause.ticket_id,
            report_id=cause.report_id,
            case_id=cause.case_id,
            case_number=cause.case_number,
            recorded_at=cause.recorded_at,
            raised_at=now,
            shift_id=None if roster.unstaffed else duty.shift_id,
            unstaffed=roster.unstaffed,
            told=list(told),
            escalate_at=now + self._patience,
        )
        self.alarms.add(alarm)
        template = RAISED_UNSTAFFED if roster.unstaffed else RAISED
        for login in told:
            self._tell(alarm, login, duty.contacts.get(login), template)
        self.work.record(alarm, "raise", to_state=alarm.state, details={"told": list(told)})
        self.work.tell(alarm, _raised(alarm))
        return alarm

    def acknowledge(self, alarm: Alarm, *, note: str | None) -> Alarm:
        """Somebody takes it up; nobody else is told.

        Raises:
            AlarmNotOpen: another one has, or it has ended.
        """
        if alarm.state is not AlarmState.OPEN:
            raise AlarmNotOpen(
                f"It is {alarm.state}; nothing is left to acknowledge.",
                state=alarm.state.value,
                allowed=[],
            )
        now = self.work.now()
        self.work.record(
            alarm, "acknowledge", from_state=alarm.state, to_state=AlarmState.ACKNOWLEDGED
        )
        alarm.state, alarm.escalate_at = AlarmState.ACKNOWLEDGED, None
        alarm.acknowledged_at, alarm.acknowledged_by, alarm.note = now, self.work.actor.id, note
        seconds = (now - alarm.recorded_at).total_seconds()
        self.work.tell(alarm, AlarmAcknowledged(number=alarm.number, seconds=max(seconds, 0)))
        return alarm

    async def escalate(self, alarm: Alarm) -> None:
        """Nobody has taken it up in time: tell the next one."""
        if alarm.state is not AlarmState.OPEN:
            return
        duty = await self._duty()
        login = told_next(self._pack.emergencies, duty.roster, alarm.step + 1)
        if login is None:
            alarm.exhausted = True
            self.work.record(alarm, "exhaust", reason="nobody is left to be told")
            return
        alarm.step += 1
        alarm.told = [*alarm.told, login]
        alarm.escalate_at = self.work.now() + self._patience
        self._tell(alarm, login, duty.contacts.get(login), ESCALATED)
        self.work.record(alarm, "escalate", details={"told": login, "step": alarm.step})
        self.work.tell(alarm, AlarmEscalated(number=alarm.number, step=alarm.step))

    async def end(self, alarm: Alarm, outcome: str) -> None:
        """What it was about is over."""
        if alarm.state is AlarmState.ENDED:
            return
        self.work.record(
            alarm, "end", from_state=alarm.state, to_state=AlarmState.ENDED, reason=outcome
        )
        alarm.state, alarm.escalate_at = AlarmState.ENDED, None
        alarm.ended_at, alarm.outcome = self.work.now(), outcome

    @property
    def _patience(self) -> timedelta:
        return timedelta(minutes=self._pack.emergencies.acknowledge_minutes)

    def _learn(self, alarm: Alarm, cause: Cause) -> None:
        """Take in what the same emergency's next fact says more."""
        alarm.ticket_id = alarm.ticket_id or cause.ticket_id
        alarm.report_id = alarm.report_id or cause.report_id
        alarm.case_id = alarm.case_id or cause.case_id
        alarm.case_number = alarm.case_number or cause.case_number
        if cause.class_ref is not None:
            alarm.class_key = str(cause.class_ref)
        if cause.kind is AlarmKind.EMERGENCY:
            alarm.kind = cause.kind

    async def _duty(self) -> "_Duty":
        """Everybody who may be told and the shifts that run now, read once."""
        people = await self._contacts.everybody()
        shifts = await self.alarms.shifts_at(self.work.now())
        known = {one.account_id: one for one in people} | {one.login: one for one in people}
        leading = [(shift.leader, known.get(shift.leader)) for shift in shifts]
        # An account that identity has not told of yet keeps its place under its id.
        on_duty = [one.login if one else name for name, one in leading if one is None or one.active]
        shift_leaders = [
            one.login for one in people if one.active and Role.SHIFT_LEADER in one.roles
        ]
        return _Duty(
            roster=Roster(tuple(dict.fromkeys(on_duty)), tuple(shift_leaders)),
            contacts={one.login: one for one in people},
            shift_id=shifts[0].id if shifts else None,
        )

    def _tell(self, alarm: Alarm, login: str, contact: DutyContact | None, template: str) -> None:
        language = contact.language if contact else self._pack.city.languages[0]
        for channel in channels_for(self._channels, _reachable(contact)):
            OFFICE.post(
                self.work,
                cause=f"alarm:{alarm.id}",
                recipient=login,
                channel=channel,
                template=template,
                language=language,
                parameters=self._parameters(alarm, language),
            )

    def _parameters(self, alarm: Alarm, language: str) -> dict[str, str]:
        spoken = "en" if language.lower().startswith("en") else "zh"
        key = ClassKey.parse(alarm.class_key) if alarm.class_key else None
        known = self._pack.classes.get(key) if key else None
        place = Place.model_validate(alarm.place)
        at = alarm.recorded_at.astimezone(ZoneInfo(self._pack.city.zone))
        return {
            "kind": KIND_NAMES[alarm.kind][spoken],
            "what": known.name.in_language(spoken) if known else alarm.number,
            "where": place.address or place.grid or "-",
            "number": alarm.number,
            "when": f"{at:%m-%d %H:%M}",
        }


def _reachable(contact: DutyContact | None) -> set[Channel]:
    if contact is None:
        return set()
    sealed = {Channel.SMS: contact.phone_sealed, Channel.EMAIL: contact.email_sealed}
    return {channel for channel, value in sealed.items() if value}


def _raised(alarm: Alarm) -> AlarmRaised:
    return AlarmRaised(
        number=alarm.number,
        emergency=alarm.kind is AlarmKind.EMERGENCY,
        ticket_id=alarm.ticket_id,
        report_id=alarm.report_id,
        case_id=alarm.case_id,
        recorded_at=alarm.recorded_at,
        raised_at=alarm.raised_at,
        told=len(alarm.told),
        unstaffed=alarm.unstaffed,
    )
