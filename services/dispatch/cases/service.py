"""Commands on the way of a case: opened, dispatched, accepted, handled, closed."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Self
from uuid import UUID

from services.dispatch.case_files.domain import Action, CaseState
from services.dispatch.case_files.errors import (
    ConditionUnknown,
    DispatchToSameUnit,
    UnitUnknown,
)
from services.dispatch.case_files.models import Assignment, Case, Feedback, Verification
from services.dispatch.case_files.repository import CaseFileRepository
from services.dispatch.case_files.service import (
    CaseFile,
    class_key_of,
    class_ref_of,
    default_limit,
    limit_of,
)
from services.dispatch.cases.domain import check_not_own_work
from services.dispatch.cases.errors import (
    ConditionOfOtherClass,
    LimitOfOtherKind,
    NotAResponsibleUnit,
)
from services.dispatch.clocks.domain import (
    Charge,
    SegmentKind,
    charge_of,
    continues_clock,
    continuous_counterpart,
)
from services.dispatch.papers.service import PaperService
from services.dispatch.requests.service import RequestService
from services.dispatch.supervision_rules.service import SupervisionRules
from shared.errors import InvalidInput, NotFound
from shared.events.dispatch import (
    CaseAccepted,
    CaseClosed,
    CaseDispatched,
    CaseHandled,
    CaseOpened,
    CaseUrged,
    FeedbackRefused,
    VerificationAsked,
)
from shared.events.intake import ReportRegistered
from shared.events.vocabulary import DispatchReason, LimitRef, Place
from shared.pack.model import RegistrationCondition, Unit
from shared.service import Runtime
from shared.work import UnitOfWork
from shared.worktime import Limit

_SECOND = timedelta(seconds=1)
RESOLVED = "resolved"


class CaseService:
    """Commands of a case's way; made per unit of work."""

    def __init__(self, work: UnitOfWork, requests: RequestService) -> None:
        self.work = work
        self.requests = requests
        self.files = requests.files
        self.pack = requests.files.pack
        self.repository = CaseFileRepository(work.session)
        self.supervision = SupervisionRules.beside(self.files)

    @classmethod
    def of(cls, work: UnitOfWork, runtime: Runtime) -> Self:
        """The service of a running process, for one unit of work."""
        return cls(work, RequestService.of(work, runtime))

    # -- opening -------------------------------------------------------------------------------

    def open(self, report_id: UUID, fact: ReportRegistered, *, reporters: int) -> CaseFile:
        """Open the file of a registered report; its dispatch stage begins with the registration."""
        case = Case(
            id=fact.case_id,
            number=fact.case_number,
            report_id=report_id,
            report_number=fact.report_number,
            ticket_id=fact.ticket_id,
            source=fact.source,
            reporter_id=fact.reporter_id,
            reporters=reporters,
            confidential=fact.confidential,
            class_key=str(class_key_of(fact.class_ref)),
            condition=fact.condition,
            description=fact.description,
            place=fact.place.model_dump(mode="json"),
            grid=fact.place.grid,
            urgent=fact.urgent,
            special=fact.special,
            media=list(fact.media),
            observed_at=fact.observed_at,
            registered_at=fact.registered_at,
            state=CaseState.AWAITING_DISPATCH,
            stage_started_at=fact.registered_at,
            total_started_at=fact.registered_at,
            dispatch_reason=DispatchReason.FIRST,
        )
        self.repository.add(case)
        file = self.files.new(case)
        file.begin_segment(SegmentKind.DISPATCH, fact.registered_at, "open")
        file.reckon()
        self.work.record(
            case,
            "open",
            to_state=case.state.value,
            reason=fact.by_rule,
            details={"report": str(report_id), "source": fact.source.value},
        )
        event = CaseOpened(
            number=case.number,
            report_id=report_id,
            ticket_id=case.ticket_id,
            source=case.source,
            class_ref=fact.class_ref,
            condition=case.condition,
            place=fact.place,
            urgent=case.urgent,
            special=case.special,
            registered_at=case.registered_at,
            dispatch_due_at=case.stage_due_at,
        )
        self.work.tell(case, event)
        return file

    # -- dispatch ------------------------------------------------------------------------------

    async def dispatch(
        self,
        file: CaseFile,
        *,
        unit_code: str,
        condition: str | None = None,
        standard: str | None = None,
        limit: Limit | None = None,
        note: str | None = None,
        why: str | None = None,
        direct: bool = False,
    ) -> Assignment:
        """Send a case to the one responsible unit.

        Args:
            file: of the case.
            unit_code: of a unit of the city pack that takes cases.
            condition: code of the registration condition, if not the registered one.
            standard: what must be reached, if not the condition's text.
            limit: if not the condition's; on a clock that goes on, if not the one given before.
            note: for the handler.
            why: why this unit, if not because of the responsibility table.
            direct: past the dispatcher.
        """
        file.check(Action.DISPATCH)
        case = file.case
        unit = self._responsible_unit(unit_code)
        previous = file.charges()[-1] if file.assignments else None
        self._check_goes_back(file, unit_code)
        chosen = self._condition(case, condition)
        going_on = continues_clock(previous, unit_code, case.dispatch_reason)
        earlier = file.assignment if going_on else None
        given = self._given_limit(case, chosen, limit, earlier)
        charge = charge_of(
            previous,
            unit=unit_code,
            reason=case.dispatch_reason,
            limit=given,
            command_duty=unit.command_duty,
        )
        case.condition = chosen.code if chosen else case.condition
        row = self._assignment(
            file, charge, limit=given, standard=standard or self._standard(chosen), note=note
        )
        row.precedent = why[:500] if why else row.precedent
        row.direct = direct
        row.extended_by = earlier.extended_by if earlier else None
        case.assignments, case.unit = charge.number, unit_code
        file.assignments.append(row)
        self.repository.add(row)
        file.move(Action.DISPATCH, reason=note, unit=unit_code, dispatch=charge.number)
        row.used_seconds = file.read(at=row.dispatched_at).used // _SECOND
        self._tell_dispatched(file, row)
        await self.supervision.on_dispatched(case, row)
        return row

    def _assignment(
        self,
        file: CaseFile,
        charge: Charge,
        *,
        limit: Limit,
        standard: str,
        note: str | None,
    ) -> Assignment:
        case = file.case
        return Assignment(
            case_id=case.id,
            number=charge.number,
            unit=charge.unit,
            class_key=case.class_key,
            grid=case.grid,
            reason=case.dispatch_reason,
            condition=case.condition,
            standard=standard,
            time_limit=str(limit),
            run=charge.run,
            repeat=charge.repeat,
            command_duty=charge.command_duty,
            precedent=self._why(case, charge.unit),
            note=note,
            dispatched_at=max(self.work.now(), case.stage_started_at),
            dispatched_by=self.work.actor.id,
        )

    def _tell_dispatched(self, file: CaseFile, row: Assignment) -> None:
        case, reading = file.case, file.read(at=row.dispatched_at)
        amount, kind = str(limit_of(row)).split(" ")
        event = CaseDispatched(
            number=case.number,
            assignment=row.number,
            unit=row.unit,
            reason=row.reason,
            condition=row.condition,
            standard=row.standard,
            limit=LimitRef(amount=amount, kind=kind),
            limit_seconds=row.limit_seconds,
            used_seconds=row.used_seconds,
            due_at=reading.deadline.due_at,
            warn_at=reading.deadline.warn_at,
            provisional=reading.deadline.provisional,
            precedent=row.precedent,
            direct=row.direct,
        )
        self.work.tell(case, event)

    def _responsible_unit(self, code: str) -> Unit:
        unit = self.pack.units.get(code)
        if unit is None:
            raise UnitUnknown(f"The city has no unit {code}; see suggested-units for likely ones.")
        if not unit.responsible:
            raise NotAResponsibleUnit(f"{unit.name.en} takes no cases; see suggested-units.")
        return unit

    def _check_goes_back(self, file: CaseFile, unit: str) -> None:
        failed = file.case.dispatch_reason is DispatchReason.AFTER_FAILED_VERIFICATION
        if failed and file.assignment.unit != unit:
            raise DispatchToSameUnit(
                f"What failed its verification goes out again to {file.assignment.unit}; if it is"
                " not theirs, they return it.",
                unit=file.assignment.unit,
            )

    def _condition(self, case: Case, code: str | None) -> RegistrationCondition | None:
        """The condition that holds; None where the pack no longer has the registered one."""
        try:
            condition = self.pack.condition(code or case.condition)
        except NotFound:
            if code is None:
                return None
            raise ConditionUnknown(f"The city has no registration condition {code}.") from None
        if code is not None and str(condition.class_key) != case.class_key:
            raise ConditionOfOtherClass(
                f"{code} belongs to class {condition.class_key}, the case is of {case.class_key}."
            )
        return condition

    def _given_limit(
        self,
        case: Case,
        condition: RegistrationCondition | None,
        limit: Limit | None,
        earlier: Assignment | None,
    ) -> Limit:
        """The limit without extensions: the dispatcher's, the clock's, or the condition's."""
        if earlier is not None:
            before = Limit.parse(earlier.time_limit)
            if limit is not None and limit.kind is not before.kind:
                raise LimitOfOtherKind(
                    f"The unit's clock goes on and counts {before.kind}: state the limit in it.",
                    kind=before.kind.value,
                )
            return limit or before
        if limit is not None and case.urgent and not limit.continuous:
            raise LimitOfOtherKind(
                "An urgent case runs day and night: state the limit in minutes, hours or days.",
                kind=continuous_counterpart(limit).kind.value,
            )
        found = limit or default_limit(
            self.pack, condition.code if condition else case.condition, urgent=case.urgent
        )
        if found is None:
            raise ConditionUnknown(
                f"The city no longer has the condition {case.condition}: name one, or a limit."
            )
        return found

    def _standard(self, condition: RegistrationCondition | None) -> str:
        if condition is None:
            return "-"
        language = self.pack.city.languages[0]
        closing = condition.closing.in_language(language)
        how = condition.standard.in_language(language)
        return "\n".join(text for text in (closing, how) if text)[:2_000] or "-"

    def _why(self, case: Case, unit: str) -> str | None:
        """The line of the responsibility table that names this unit, if one does."""
        language = self.pack.city.languages[0]
        lines = self.pack.responsible_units(class_key_of(class_ref_of(case.class_key)), case.grid)
        reasons = (line.reason.in_language(language) for line in lines if line.unit.code == unit)
        reason = next(reasons, None)
        return reason and reason[:500]

    # -- the unit ------------------------------------------------------------------------------

    def accept(self, file: CaseFile) -> None:
        """A handler of the unit takes the case; the clock has been running since the dispatch."""
        moment = file.move(Action.ACCEPT)
        file.assignment.accepted_at = moment
        file.assignment.accepted_by = self.work.actor.id
        event = CaseAccepted(assignment=file.assignment.number, unit=file.assignment.unit)
        self.work.tell(file.case, event)

    async def hand_in_feedback(self, file: CaseFile, *, text: str, media: Sequence[str]) -> None:
        """The unit says that it is done."""
        moment = file.move(Action.HAND_IN_FEEDBACK)
        case, row = file.case, file.assignment
        row.handled_at, row.handled_by = moment, self.work.actor.id
        case.feedbacks += 1
        feedback = Feedback(
            case_id=case.id,
            number=case.feedbacks,
            assignment=row.number,
            text=text,
            media=list(media),
            handed_in_at=moment,
            handed_in_by=self.work.actor.id,
        )
        self.repository.add(feedback)
        file.rows.latest[Feedback] = feedback
        await self.requests.lapse_on_handing_in(file)
        event = CaseHandled(
            assignment=row.number,
            unit=row.unit,
            media=tuple(media),
            handled_at=moment,
            clock=file.clock_reading(at=moment),
        )
        self.work.tell(case, event)

    # -- the centre ----------------------------------------------------------------------------

    def check_feedback(
        self, file: CaseFile, *, accepted: bool, reason: str | None, not_before: datetime | None
    ) -> None:
        """Look at the feedback: good enough to send somebody out, or plainly not done.

        The file is one that was taken with its latest feedback.

        Raises:
            SeparationOfDuties: the handler judges the own feedback.
            InvalidInput: refused without a reason.
        """
        file.check(Action.ACCEPT_FEEDBACK if accepted else Action.REFUSE_FEEDBACK)
        check_not_own_work(self.work.actor.id, _handlers(file), "checking the feedback")
        if not accepted and not reason:
            raise InvalidInput("Say what is not done: the unit has to know what is missing.")
        case, row = file.case, file.assignment
        feedback = file.rows.latest[Feedback]
        if feedback is not None:
            feedback.accepted, feedback.check_reason = accepted, reason
            feedback.checked_at, feedback.checked_by = self.work.now(), self.work.actor.id
        if accepted:
            moment = file.move(Action.ACCEPT_FEEDBACK, reason=reason)
            self._ask_verification(file, moment, not_before)
            return
        row.feedback_refused += 1
        file.move(Action.REFUSE_FEEDBACK, reason=reason)
        event = FeedbackRefused(assignment=row.number, unit=row.unit, reason=reason or "")
        self.work.tell(case, event)

    def ask_verification_again(
        self, file: CaseFile, *, not_before: datetime | None, note: str | None
    ) -> None:
        """Send somebody out again, because the last finding decided nothing."""
        moment = file.move(Action.ASK_VERIFICATION, reason=note)
        self._ask_verification(file, moment, not_before)

    def _ask_verification(
        self, file: CaseFile, moment: datetime, not_before: datetime | None
    ) -> None:
        case, row = file.case, file.assignment
        case.rounds += 1
        verification = Verification(
            case_id=case.id,
            round=case.rounds,
            assignment=row.number,
            asked_at=moment,
            asked_by=self.work.actor.id,
            not_before=not_before,
        )
        self.repository.add(verification)
        file.rows.latest[Verification] = verification
        event = VerificationAsked(
            number=case.number,
            round=case.rounds,
            assignment=row.number,
            unit=row.unit,
            class_ref=class_ref_of(case.class_key),
            place=Place.model_validate(case.place),
            standard=row.standard,
            special=case.special,
            urgent=case.urgent,
            not_before=not_before,
        )
        self.work.tell(case, event)

    async def close(self, file: CaseFile, *, conclusion: str | None) -> None:
        """Archive a case that passed its verification.

        Raises:
            PapersOutstanding: an emergency is not written up yet.
            SeparationOfDuties: who handled it closes it.
        """
        file.check(Action.CLOSE)
        check_not_own_work(self.work.actor.id, _handlers(file), "closing it")
        await PaperService(self.work, self.pack).require_complete(file.case.id)
        case, row = file.case, file.assignment
        clock = file.clock_reading()
        moment = file.move(Action.CLOSE, reason=conclusion)
        file.release("closed", moment)
        case.outcome, case.conclusion = RESOLVED, conclusion
        await self.requests.lapse(file)
        event = CaseClosed(
            number=case.number,
            ticket_id=case.ticket_id,
            outcome=RESOLVED,
            conclusion=conclusion,
            unit=row.unit,
            assignments=case.assignments,
            closed_at=moment,
            whole_due_at=case.total_due_at,
            clock=clock,
        )
        self.work.tell(case, event)

    def urge(self, file: CaseFile, *, note: str | None) -> None:
        """Remind whoever has the case; its clocks do not change."""
        file.move(Action.URGE, reason=note)
        self.work.tell(file.case, CaseUrged(unit=file.case.unit, note=note))


def _handlers(file: CaseFile) -> set[str | None]:
    """Everybody who accepted or handled the case in any of its dispatches."""
    return {person for row in file.assignments for person in (row.accepted_by, row.handled_by)}
