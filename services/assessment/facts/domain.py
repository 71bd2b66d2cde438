"""The fold of a case: all its events in, its facts out, whatever the order in which they came.

A unit's part in a case is one assignment for as long as the case stays with the unit: the first
dispatch to it and every dispatch after that until the case goes to another unit. So a case is due
once for a unit, not once for each dispatch.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from functools import singledispatchmethod
from typing import TYPE_CHECKING
from uuid import UUID

from services.assessment.events.domain import StoredEvent, in_order
from shared.events.dispatch import (
    CaseAccepted,
    CaseClosed,
    CaseDispatched,
    CaseHandled,
    CaseOpened,
    CaseReopened,
    CaseVerified,
    CaseVoided,
    DeferralDecided,
    DeferralEnded,
    ExtensionDecided,
    FeedbackRefused,
    ReturnDecided,
    VerificationAsked,
)
from shared.events.envelope import Event
from shared.events.intake import ReportRegistered, TaskCompleted, TaskIssued
from shared.events.vocabulary import ClassRef, ClockReading, DispatchReason, TaskKind
from shared.pack.model import Stage
from shared.worktime import LimitKind, OutsideCalendar

if TYPE_CHECKING:
    from shared.pack.model import StageLimits
    from shared.worktime import Calendar


class CaseState(StrEnum):
    """How far a case has come, by the last fact about it."""

    REGISTERED = "registered"
    OPENED = "opened"
    DISPATCHED = "dispatched"
    ACCEPTED = "accepted"
    DEFERRED = "deferred"
    RETURNED = "returned"
    HANDLED = "handled"
    VERIFYING = "verifying"
    PASSED = "passed"
    FAILED = "failed"
    REOPENED = "reopened"
    CLOSED = "closed"
    VOIDED = "voided"


@dataclass(frozen=True, slots=True)
class Pause:
    """A span in which a granted deferral stops the clock."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class StageSpan:
    """A stage of the centre or of a collector that is over.

    Attributes:
        post: role in which it was ended; persons are not kept.
    """

    stage: Stage
    ordinal: int
    post: str
    started_at: datetime
    ended_at: datetime


@dataclass(frozen=True, slots=True)
class AssignmentFacts:
    """A unit's part in a case, in counted seconds where nothing else is said.

    Attributes:
        ordinal: from 1, in the order in which units had the case.
        due_at: when the limit runs out with the extensions and deferrals granted.
        limit_seconds: the limit of the first dispatch, without extensions; null: no limit.
        used_seconds: as the clock of the case last read.
        closed_at: verified and closed while with this unit.
        pauses: spans of granted deferrals.
        second_dispatch_at: first time that it was dispatched to the unit once more.
        dispatches: 1 and one more for each repeated dispatch; returns do not count here.
        awaiting_dispatch: returned by the unit with consent, and not dispatched again yet.
        voided: the case should never have been one.
    """

    ordinal: int
    unit: str
    dispatched_at: datetime
    due_at: datetime
    limit_seconds: int | None
    used_seconds: int
    closed_at: datetime | None
    extension_seconds: int
    extension_granted_at: datetime | None
    pauses: tuple[Pause, ...]
    deferral_granted_at: datetime | None
    second_dispatch_at: datetime | None
    dispatches: int
    returned_to_same: int
    returned_to_other: int
    returns_refused: int
    feedback_refused: int
    awaiting_dispatch: bool
    passed_on: bool
    voided: bool


@dataclass(frozen=True, slots=True)
class CaseFacts:
    """Everything about a case that figures are computed from."""

    case_id: UUID
    state: CaseState
    number: str | None
    source: str | None
    class_ref: ClassRef | None
    condition: str | None
    grid: str | None
    urgent: bool
    special: bool
    report_id: UUID | None
    ticket_id: UUID | None
    received_at: datetime | None
    registered_at: datetime | None
    by_rule: bool
    opened_at: datetime | None
    dispatched_at: datetime | None
    closed_at: datetime | None
    voided_at: datetime | None
    redispatches: int
    failed_verifications: int
    reopenings: int
    assignments: tuple[AssignmentFacts, ...]
    stages: tuple[StageSpan, ...]


def fold_case(case_id: UUID, events: Iterable[StoredEvent]) -> CaseFacts:
    """The facts of a case from all that was told about it by any service, in any order."""
    fold = _CaseFold(case_id)
    for stored in in_order(events):
        fold.take(stored.event, stored)
    return fold.facts()


@dataclass
class _Assignment:
    """An assignment while it is being folded."""

    unit: str
    dispatched_at: datetime
    due_at: datetime
    limit_seconds: int | None
    used_seconds: int
    closed_at: datetime | None = None
    extension_seconds: int = 0
    extension_granted_at: datetime | None = None
    pauses: list[Pause] = field(default_factory=list)
    deferral_granted_at: datetime | None = None
    second_dispatch_at: datetime | None = None
    dispatches: int = 1
    returned_to_same: int = 0
    returned_to_other: int = 0
    returns_refused: int = 0
    feedback_refused: int = 0
    awaiting_dispatch: bool = False
    passed_on: bool = False

    def read(self, clock: ClockReading) -> None:
        self.used_seconds = clock.used_seconds

    def again(self, event: CaseDispatched, at: datetime) -> None:
        """Dispatched to the same unit once more."""
        if event.reason is DispatchReason.AFTER_RETURN:
            self.returned_to_same += 1
        else:
            self.dispatches += 1
            self.second_dispatch_at = self.second_dispatch_at or at
        self.awaiting_dispatch = False
        self.due_at = event.due_at
        self.used_seconds = event.used_seconds

    def leave(self, reason: DispatchReason) -> None:
        """The case goes to another unit."""
        if reason is DispatchReason.AFTER_RETURN:
            self.returned_to_other += 1
        self.awaiting_dispatch = False
        self.passed_on = True

    def end_pause(self, at: datetime) -> None:
        if self.pauses and self.pauses[-1].end > at:
            start = self.pauses[-1].start
            self.pauses[-1] = Pause(start, max(start, at))


class _CaseFold:
    """Walks through a case's events once."""

    def __init__(self, case_id: UUID) -> None:
        self._case_id = case_id
        self._state = CaseState.REGISTERED
        self._opened: CaseOpened | None = None
        self._opened_at: datetime | None = None
        self._registered: ReportRegistered | None = None
        self._registrar: str = ""
        self._closed_at: datetime | None = None
        self._voided_at: datetime | None = None
        self._first_dispatch_at: datetime | None = None
        self._redispatches = 0
        self._failed = 0
        self._reopenings = 0
        self._assignments: list[_Assignment] = []
        self._by_number: dict[int, _Assignment] = {}
        self._stages: list[StageSpan] = []
        self._waiting: dict[Stage, datetime] = {}
        self._asked: dict[int, datetime] = {}
        self._issued: dict[int, tuple[datetime, str]] = {}
        self._completed: dict[int, tuple[datetime, str]] = {}

    def facts(self) -> CaseFacts:
        self._field_stages()
        opened, registered = self._opened, self._registered
        known = opened or registered
        return CaseFacts(
            case_id=self._case_id,
            state=self._state,
            number=self._number(),
            source=known.source.value if known else None,
            class_ref=known.class_ref if known else None,
            condition=known.condition if known else None,
            grid=known.place.grid if known else None,
            urgent=known.urgent if known else False,
            special=known.special if known else False,
            report_id=opened.report_id if opened else None,
            ticket_id=known.ticket_id if known else None,
            received_at=registered.received_at if registered else None,
            registered_at=known.registered_at if known else None,
            by_rule=registered is not None and registered.by_rule is not None,
            opened_at=self._opened_at,
            dispatched_at=self._first_dispatch_at,
            closed_at=self._closed_at,
            voided_at=self._voided_at,
            redispatches=self._redispatches,
            failed_verifications=self._failed,
            reopenings=self._reopenings,
            assignments=tuple(
                self._assignment(ordinal, item) for ordinal, item in enumerate(self._assignments, 1)
            ),
            stages=tuple(self._stages),
        )

    def _number(self) -> str | None:
        if self._opened is not None:
            return self._opened.number
        return self._registered.case_number if self._registered is not None else None

    def _assignment(self, ordinal: int, item: _Assignment) -> AssignmentFacts:
        return AssignmentFacts(
            ordinal=ordinal,
            unit=item.unit,
            dispatched_at=item.dispatched_at,
            due_at=item.due_at,
            limit_seconds=item.limit_seconds,
            used_seconds=item.used_seconds,
            closed_at=item.closed_at,
            extension_seconds=item.extension_seconds,
            extension_granted_at=item.extension_granted_at,
            pauses=tuple(item.pauses),
            deferral_granted_at=item.deferral_granted_at,
            second_dispatch_at=item.second_dispatch_at,
            dispatches=item.dispatches,
            returned_to_same=item.returned_to_same,
            returned_to_other=item.returned_to_other,
            returns_refused=item.returns_refused,
            feedback_refused=item.feedback_refused,
            awaiting_dispatch=item.awaiting_dispatch,
            passed_on=item.passed_on,
            voided=self._voided_at is not None,
        )

    # -- the case's own life -------------------------------------------------------------------

    @singledispatchmethod
    def take(self, _event: Event, _stored: StoredEvent) -> None:
        """Facts without a rule of their own change nothing here."""

    @take.register
    def _(self, event: CaseOpened, stored: StoredEvent) -> None:
        self._opened, self._opened_at = event, stored.at
        self._state = CaseState.OPENED
        self._waiting[Stage.DISPATCH] = stored.at

    @take.register
    def _(self, event: CaseDispatched, stored: StoredEvent) -> None:
        self._state = CaseState.DISPATCHED
        self._first_dispatch_at = self._first_dispatch_at or stored.at
        self._end(Stage.DISPATCH, stored.at, _post(stored, "dispatcher"))
        if event.reason is DispatchReason.AFTER_FAILED_VERIFICATION:
            self._redispatches += 1
        last = self._assignments[-1] if self._assignments else None
        if last is not None and last.unit == event.unit:
            last.again(event, stored.at)
        else:
            if last is not None:
                last.leave(event.reason)
            last = _Assignment(
                unit=event.unit,
                dispatched_at=stored.at,
                due_at=event.due_at,
                limit_seconds=event.limit_seconds,
                used_seconds=event.used_seconds,
            )
            self._assignments.append(last)
        self._by_number[event.assignment] = last

    @take.register
    def _(self, _event: CaseAccepted, _stored: StoredEvent) -> None:
        self._state = CaseState.ACCEPTED

    @take.register
    def _(self, event: CaseHandled, _stored: StoredEvent) -> None:
        self._state = CaseState.HANDLED
        self._waiting[Stage.SUPERVISION] = event.handled_at
        self._read(event.clock)

    @take.register
    def _(self, event: FeedbackRefused, stored: StoredEvent) -> None:
        self._state = CaseState.ACCEPTED
        self._end(Stage.SUPERVISION, stored.at, _post(stored, "dispatcher"))
        assignment = self._by_number.get(event.assignment)
        if assignment is not None:
            assignment.feedback_refused += 1

    @take.register
    def _(self, event: VerificationAsked, stored: StoredEvent) -> None:
        self._state = CaseState.VERIFYING
        self._end(Stage.SUPERVISION, stored.at, _post(stored, "dispatcher"))
        self._asked.setdefault(event.round, stored.at)

    @take.register
    def _(self, event: CaseVerified, stored: StoredEvent) -> None:
        self._read(event.clock)
        if event.passed:
            self._state = CaseState.PASSED
            self._waiting[Stage.CLOSING] = stored.at
        else:
            self._state = CaseState.FAILED
            self._failed += 1
            self._waiting[Stage.DISPATCH] = stored.at

    @take.register
    def _(self, event: CaseClosed, stored: StoredEvent) -> None:
        self._state = CaseState.CLOSED
        self._closed_at = event.closed_at
        self._end(Stage.CLOSING, event.closed_at, _post(stored, "operator"))
        self._read(event.clock)
        if self._assignments:
            self._assignments[-1].closed_at = event.closed_at

    @take.register
    def _(self, _event: CaseReopened, stored: StoredEvent) -> None:
        self._state = CaseState.REOPENED
        self._closed_at = None
        self._reopenings += 1
        self._waiting[Stage.DISPATCH] = stored.at
        if self._assignments:
            self._assignments[-1].closed_at = None

    @take.register
    def _(self, _event: CaseVoided, stored: StoredEvent) -> None:
        self._state = CaseState.VOIDED
        self._voided_at = stored.at

    # -- what a unit asked for -----------------------------------------------------------------

    @take.register
    def _(self, event: ReturnDecided, stored: StoredEvent) -> None:
        self._read(event.clock)
        assignment = self._by_number.get(event.assignment)
        if event.granted:
            self._state = CaseState.RETURNED
            self._waiting[Stage.DISPATCH] = stored.at
        if assignment is None:
            return
        if event.granted:
            assignment.awaiting_dispatch = True
            assignment.end_pause(stored.at)
        else:
            assignment.returns_refused += 1

    @take.register
    def _(self, event: ExtensionDecided, stored: StoredEvent) -> None:
        self._read(event.clock)
        assignment = self._by_number.get(event.assignment)
        if assignment is None or not event.granted:
            return
        assignment.extension_seconds += event.added_seconds or 0
        assignment.extension_granted_at = assignment.extension_granted_at or stored.at
        assignment.due_at = event.new_due_at or event.clock.due_at or assignment.due_at

    @take.register
    def _(self, event: DeferralDecided, stored: StoredEvent) -> None:
        self._read(event.clock)
        assignment = self._by_number.get(event.assignment)
        if assignment is None or not event.granted:
            return
        self._state = CaseState.DEFERRED
        assignment.deferral_granted_at = assignment.deferral_granted_at or stored.at
        assignment.pauses.append(Pause(stored.at, max(stored.at, event.until)))
        assignment.due_at = event.new_due_at or max(assignment.due_at, event.until)

    @take.register
    def _(self, event: DeferralEnded, stored: StoredEvent) -> None:
        self._read(event.clock)
        self._state = CaseState.ACCEPTED
        assignment = self._by_number.get(event.assignment)
        if assignment is not None:
            assignment.end_pause(stored.at)
            assignment.due_at = event.clock.due_at or assignment.due_at

    # -- what intake tells ---------------------------------------------------------------------

    @take.register
    def _(self, event: ReportRegistered, stored: StoredEvent) -> None:
        if self._registered is not None:
            return
        self._registered = event
        if event.by_rule is None:
            span = StageSpan(
                Stage.REGISTRATION,
                1,
                _post(stored, "operator"),
                event.received_at,
                event.registered_at,
            )
            self._stages.append(span)

    @take.register
    def _(self, event: TaskIssued, stored: StoredEvent) -> None:
        if event.kind is TaskKind.VERIFICATION:
            found = (stored.at, _post(stored, "operator"))
            self._issued[event.round] = min(found, self._issued.get(event.round, found))

    @take.register
    def _(self, event: TaskCompleted, stored: StoredEvent) -> None:
        if event.kind is TaskKind.VERIFICATION:
            found = (event.completed_at, _post(stored, "collector"))
            self._completed[event.round] = min(found, self._completed.get(event.round, found))

    # -- stages --------------------------------------------------------------------------------

    def _read(self, clock: ClockReading) -> None:
        assignment = self._by_number.get(clock.assignment)
        if assignment is not None:
            assignment.read(clock)

    def _end(self, stage: Stage, at: datetime, post: str) -> None:
        started_at = self._waiting.pop(stage, None)
        if started_at is not None:
            self._span(stage, started_at, at, post)

    def _span(self, stage: Stage, started_at: datetime, ended_at: datetime, post: str) -> None:
        ordinal = 1 + sum(span.stage is stage for span in self._stages)
        # Two services may differ by a moment about the time; no stage is shorter than nothing.
        self._stages.append(StageSpan(stage, ordinal, post, min(started_at, ended_at), ended_at))

    def _field_stages(self) -> None:
        for round_, (issued_at, post) in sorted(self._issued.items()):
            if round_ in self._asked:
                self._span(Stage.SENDING_OUT, self._asked[round_], issued_at, post)
            if round_ in self._completed:
                completed_at, collector_post = self._completed[round_]
                self._span(Stage.VERIFICATION, issued_at, completed_at, collector_post)


def _post(stored: StoredEvent, usual: str) -> str:
    """The role in which a stage was ended; rules and timers of the program are one post."""
    if stored.actor_role:
        return stored.actor_role
    return "program" if stored.actor_id.startswith(("rule:", "service:")) else usual


@dataclass(frozen=True, slots=True)
class MeasuredStage:
    """A stage against its limit.

    Attributes:
        used_seconds: counted under the kind of the limit.
        kept: within the limit; null where the stage has none.
    """

    span: StageSpan
    used_seconds: int
    kept: bool | None


def measure_stage(
    span: StageSpan, limits: "StageLimits", calendar: "Calendar", *, urgent: bool, special: bool
) -> MeasuredStage:
    """Hold a stage against the limit that the pack gives it."""
    limit = limits.limit_of(span.stage, urgent=urgent, special=special)
    kind = limit.kind if limit is not None else _kind(urgent=urgent)
    used = _counted(calendar, kind, span.started_at, span.ended_at)
    if limit is None:
        return MeasuredStage(span, used, None)
    try:
        due = calendar.due(span.started_at, limit, provisional=True).instant
    except OutsideCalendar:
        return MeasuredStage(span, used, None)
    return MeasuredStage(span, used, span.ended_at <= due)


def paused_seconds(assignment: AssignmentFacts, calendar: "Calendar", *, urgent: bool) -> int:
    """Counted seconds of an assignment's granted deferrals."""
    kind = _kind(urgent=urgent)
    return sum(_counted(calendar, kind, pause.start, pause.end) for pause in assignment.pauses)


def _kind(*, urgent: bool) -> LimitKind:
    return LimitKind.HOURS if urgent else LimitKind.WORKING_HOURS


def _counted(calendar: "Calendar", kind: LimitKind, start: datetime, end: datetime) -> int:
    try:
        counted = calendar.elapsed_under(kind, start, max(start, end), provisional=True)
    except OutsideCalendar:
        return 0
    return counted // timedelta(seconds=1)
