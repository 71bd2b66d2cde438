"""Commands on tickets."""

from uuid import UUID
from zoneinfo import ZoneInfo

from services.hotline.alarms.domain import AlarmKind
from services.hotline.alarms.service import AlarmService, Cause, urgent_class
from services.hotline.callers.models import Caller
from services.hotline.callers.service import CallerService
from services.hotline.calls.domain import CallOutcome
from services.hotline.calls.service import CallService
from services.hotline.knowledge.service import KnowledgeService
from services.hotline.tickets.domain import (
    Competence,
    Progress,
    Step,
    TicketAction,
    TicketState,
    check_class,
    check_direct_unit,
    next_state,
    ticket_number,
)
from services.hotline.tickets.errors import (
    AnswerMissing,
    CallerAmbiguous,
    ReopeningNotPossible,
)
from services.hotline.tickets.models import Ticket
from services.hotline.tickets.repository import TicketRepository
from shared.events.hotline import (
    AppealKind,
    EmergencyRaised,
    TicketAnswered,
    TicketReferred,
    TicketReopened,
    TicketSubmitted,
    TicketWithdrawn,
    Urgency,
)
from shared.events.vocabulary import ClassRef, Place, Source
from shared.pack.model import CityPack
from shared.service import Runtime
from shared.work import UnitOfWork


class TicketService:
    """Records matters and sends them their way.

    Args:
        work: the transaction.
        pack: the city.
        callers: who calls, and what may not be written about them.
        calls: learns what came of a call.
        knowledge: the answers.
        alarms: are raised by what cannot wait.
    """

    def __init__(
        self,
        work: UnitOfWork,
        pack: CityPack,
        *,
        callers: CallerService,
        calls: CallService,
        knowledge: KnowledgeService,
        alarms: AlarmService,
    ) -> None:
        self.work = work
        self.tickets = TicketRepository(work.session)
        self.callers = callers
        self._pack = pack
        self._calls = calls
        self._knowledge = knowledge
        self._alarms = alarms

    @classmethod
    def of(cls, work: UnitOfWork, runtime: Runtime) -> "TicketService":
        callers = CallerService.of(work, runtime)
        return cls(
            work,
            runtime.pack,
            callers=callers,
            calls=CallService(work, callers),
            knowledge=KnowledgeService(work, runtime.pack),
            alarms=AlarmService.of(work, runtime),
        )

    async def record_ticket(
        self,
        *,
        description: str,
        appeal_kind: AppealKind,
        competence: Competence,
        class_ref: ClassRef | None,
        call_id: UUID | None,
        caller: tuple[str, str | None] | None,
        caller_id: UUID | None,
        confidential: bool,
        callback_consent: bool,
    ) -> Ticket:
        """Write down what a caller wants, and give it a number.

        Raises:
            CallerAmbiguous: the caller is named in two ways that do not agree.
            PersonalDataInText: the description tells who it is.
            ClassUnknown: the city has no such class.
        """
        person = await self._person(call_id=call_id, caller=caller, caller_id=caller_id)
        self.callers.refuse_personal_data(description, "description", of=person)
        if class_ref is not None:
            check_class(self._pack, class_ref)
        now = self.work.now()
        day = now.astimezone(ZoneInfo(self._pack.city.zone)).strftime("%Y%m%d")
        ticket = Ticket(
            number=ticket_number(day, await self.tickets.next_sequence(day)),
            appeal_kind=appeal_kind,
            competence=competence,
            description=description,
            call_id=call_id,
            caller_id=person.id if person else None,
            confidential=confidential,
            callback_consent=callback_consent,
            agent=self.work.actor.id,
            recorded_at=now,
        )
        if class_ref is not None:
            ticket.set_class(class_ref)
        self.work.session.add(ticket)
        self.work.record(ticket, "record", to_state=ticket.state)
        return ticket

    def classify_ticket(
        self,
        ticket: Ticket,
        *,
        appeal_kind: AppealKind,
        competence: Competence,
        class_ref: ClassRef | None,
    ) -> Ticket:
        """Say what kind of matter it is and whose."""
        self._move(
            ticket, TicketAction.CLASSIFY, details={"appeal_kind": appeal_kind, "body": competence}
        )
        if class_ref is not None:
            check_class(self._pack, class_ref)
            ticket.set_class(class_ref)
        ticket.appeal_kind, ticket.competence = appeal_kind, competence
        return ticket

    async def answer_ticket(
        self, ticket: Ticket, *, knowledge_id: str | None, language: str | None, text: str | None
    ) -> Ticket:
        """Settle a matter on the spot.

        Raises:
            AnswerMissing: neither an entry nor words of one's own.
            KnowledgeNotFound: there is no such entry.
            KnowledgeExpired: the entry may not be given any more.
        """
        if knowledge_id is None and text is None:
            raise AnswerMissing("Send `knowledge_id`, `text`, or both.")
        self._move(ticket, TicketAction.ANSWER, details={"knowledge_id": knowledge_id})
        if knowledge_id is not None:
            await self._knowledge.use(entry_id=knowledge_id, language=language)
        ticket.knowledge_id, ticket.answer = knowledge_id, text
        await self._note_on_call(ticket, CallOutcome.ANSWERED)
        self.work.tell(
            ticket,
            TicketAnswered(
                number=ticket.number,
                appeal_kind=ticket.appeal_kind,
                knowledge_id=knowledge_id,
                agent=self.work.actor.id,
            ),
        )
        return ticket

    async def refer_ticket(
        self, ticket: Ticket, *, to: str, competence: Competence | None
    ) -> Ticket:
        """Send the caller to the right address."""
        self.callers.refuse_personal_data(to, "to")
        self._move(ticket, TicketAction.REFER, details={"to": to})
        ticket.referred_to, ticket.competence = to, competence or ticket.competence
        await self._note_on_call(ticket, CallOutcome.REFERRED)
        self.work.tell(
            ticket,
            TicketReferred(
                number=ticket.number,
                appeal_kind=ticket.appeal_kind,
                referred_to=to,
                agent=self.work.actor.id,
            ),
        )
        return ticket

    async def submit_ticket(
        self,
        ticket: Ticket,
        *,
        place: Place,
        urgency: Urgency,
        description: str | None,
        class_ref: ClassRef | None,
        confidential: bool | None,
        direct_unit: str | None = None,
    ) -> Ticket:
        """Hand a matter to the case pipeline; an emergency is told past every queue as well.

        Args:
            ticket: which one.
            place: where it is.
            urgency: how long it can wait.
            description: if it changed since recorded.
            class_ref: if the agent knows it.
            confidential: the unit shall not learn who called.
            direct_unit: of an emergency, the unit that has to go there, past the dispatcher.

        Raises:
            DirectUnitRefused: no emergency, or no unit that takes cases.
            PersonalDataInText: description or address tell who it is.
            ClassUnknown: the city has no such class.
        """
        if direct_unit is not None:
            check_direct_unit(self._pack, direct_unit, urgency)
        caller = await self._caller(ticket)
        text = description or ticket.description
        self.callers.refuse_personal_data(text, "description", of=caller)
        if place.address is not None:
            self.callers.refuse_personal_data(place.address, "place.address", of=caller)
        if class_ref is not None:
            check_class(self._pack, class_ref)
            ticket.set_class(class_ref)
        self._move(
            ticket, TicketAction.SUBMIT, details={"urgency": urgency, "direct_unit": direct_unit}
        )
        ticket.description, ticket.urgency = text, urgency
        ticket.set_place(place)
        ticket.confidential = ticket.confidential if confidential is None else confidential
        ticket.submitted_at, ticket.progress = self.work.now(), Progress.SUBMITTED
        await self._note_on_call(ticket, CallOutcome.TICKET)
        self.work.tell(ticket, _submitted(ticket, self.work.actor.id, direct_unit))
        if urgency == Urgency.EMERGENCY:
            self.work.tell(ticket, _emergency(ticket))
        if urgency != Urgency.ROUTINE or urgent_class(self._pack, ticket.class_ref):
            # In this transaction: the minute does not wait for the way through the other services.
            await self._alarms.raise_alarm(_cause(ticket))
        await self._own_step(ticket, Progress.SUBMITTED, "submitted")
        return ticket

    def withdraw_ticket(self, ticket: Ticket, *, reason: str) -> Ticket:
        """The caller takes the matter back."""
        self.callers.refuse_personal_data(reason, "reason")
        was_submitted = ticket.state == TicketState.SUBMITTED
        self._move(ticket, TicketAction.WITHDRAW, reason=reason)
        ticket.withdrawn_reason = reason
        if was_submitted:
            self.work.tell(ticket, TicketWithdrawn(number=ticket.number, reason=reason))
        return ticket

    async def reopen_ticket(self, ticket: Ticket, *, reason: str) -> Ticket:
        """The caller is not satisfied: ask that the closed case go on.

        Raises:
            TicketStateForbids: it is not closed.
            ReopeningNotPossible: it was closed without a case, or reopened since.
        """
        if ticket.case_id is None or ticket.progress != Progress.CLOSED:
            raise ReopeningNotPossible(
                "Only a case that was put right and closed can go on. Record a new ticket.",
                state=ticket.state.value,
                allowed=[],
            )
        self._move(ticket, TicketAction.REOPEN, reason=reason)
        ticket.reopened_closing, ticket.progress = ticket.closings, Progress.REOPENING
        self.work.tell(
            ticket, TicketReopened(number=ticket.number, case_id=ticket.case_id, reason=reason)
        )
        await self._own_step(ticket, Progress.REOPENING, f"closing {ticket.closings}", reason)
        return ticket

    def _move(
        self,
        ticket: Ticket,
        action: TicketAction,
        *,
        reason: str | None = None,
        details: dict[str, str | None] | None = None,
    ) -> None:
        before = ticket.state
        ticket.state = next_state(before, ticket.competence, action)
        self.work.record(
            ticket,
            action.value,
            from_state=before,
            to_state=ticket.state,
            reason=reason,
            details=details,
        )

    async def _own_step(
        self, ticket: Ticket, kind: Progress, source: str, text: str | None = None
    ) -> None:
        step = Step(kind=kind, at=self.work.now(), source=source, text=text)
        await self.tickets.add_step(ticket.id, step)

    async def _note_on_call(self, ticket: Ticket, outcome: CallOutcome) -> None:
        if ticket.call_id is not None:
            await self._calls.note_outcome(ticket.call_id, outcome)

    async def _caller(self, ticket: Ticket) -> Caller | None:
        if ticket.caller_id is None:
            return None
        return await self.callers.callers.get(ticket.caller_id)

    async def _person(
        self,
        *,
        call_id: UUID | None,
        caller: tuple[str, str | None] | None,
        caller_id: UUID | None,
    ) -> Caller | None:
        if caller is not None and caller_id is not None:
            raise CallerAmbiguous("Send `caller` or `caller_id`, not both.")
        call = await self._calls.calls.get(call_id) if call_id is not None else None
        if caller is not None:
            return await self.callers.take_in(number=caller[0], name=caller[1])
        known = caller_id or (call.caller_id if call else None)
        return await self.callers.callers.get(known) if known else None


def _submitted(ticket: Ticket, agent: str, direct_unit: str | None) -> TicketSubmitted:
    return TicketSubmitted(
        number=ticket.number,
        call_id=ticket.call_id,
        caller_id=ticket.caller_id,
        appeal_kind=ticket.appeal_kind,
        class_ref=ticket.class_ref,
        description=ticket.description,
        place=ticket.place,
        urgency=ticket.urgency,
        confidential=ticket.confidential,
        agent=agent,
        direct_unit=direct_unit,
    )


def _emergency(ticket: Ticket) -> EmergencyRaised:
    return EmergencyRaised(
        number=ticket.number,
        description=ticket.description,
        place=ticket.place,
        class_ref=ticket.class_ref,
    )


def _cause(ticket: Ticket) -> Cause:
    emergency = ticket.urgency == Urgency.EMERGENCY
    return Cause(
        kind=AlarmKind.EMERGENCY if emergency else AlarmKind.URGENT,
        source=Source.HOTLINE.value,
        number=ticket.number,
        place=ticket.place,
        recorded_at=ticket.submitted_at or ticket.recorded_at,
        class_ref=ticket.class_ref,
        ticket_id=ticket.id,
    )
