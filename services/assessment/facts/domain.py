"""The fold of cases: all their events in, their facts out, whatever the order in which they came.

What units are scored by, the assignments, is folded by `services.assessment.assignments`, by the
same lines for one case and for a year of them. Here is the rest: how far a case has come, and the
stages of the centre.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from enum import StrEnum
from functools import singledispatchmethod
from typing import TYPE_CHECKING, Any
from uuid import UUID

from services.assessment.assignments.domain import (
    AssignmentColumns,
    fold_assignments,
)
from services.assessment.events.domain import CASE, StoredEvent, in_order
from services.assessment.records.domain import instant, record_of, records, unit_key
from services.assessment.scoring.domain import UNLIMITED
from shared.events.dispatch import (
    CaseAccepted,
    CaseClosed,
    CaseDispatched,
    CaseHandled,
    CaseOpened,
    CaseReopened,
    CaseVerified,
    CaseVoided,
    CoordinationOpened,
    CoordinationSettled,
    CoordinationWithdrawn,
    DeferralDecided,
    DeferralEnded,
    FeedbackRefused,
    ReturnDecided,
    VerificationAsked,
)
from shared.events.envelope import Event
from shared.events.intake import ReportRegistered, TaskCompleted, TaskIssued
from shared.events.vocabulary import ClassRef, DispatchReason, TaskKind
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


@dataclass(slots=True)
class _Hearing:
    """A coordination for which a case waited: its time is no stage of the dispatcher.

    Attributes:
        post: role in which it was opened, which ended the wait before it.
        ended_at: decided or withdrawn; None while the units are heard.
        dispatched: the decision sent the case to the unit, so that nobody waited after it.
    """

    opened_at: datetime
    post: str
    ended_at: datetime | None = None
    dispatched: bool = False


@dataclass(frozen=True, slots=True)
class AssignmentFacts:
    """A unit's part in a case: one run of its clock. `AssignmentColumns` says what each figure is.

    Spans are counted seconds; null stands for no limit, and for what has not happened.
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
    deferral_seconds: int
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
    """Everything about a case that figures are computed from.

    Attributes:
        closed_in_time: before the whole way of the case had run out; null until it is closed, and
            where its way has no limit.
    """

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
    closed_in_time: bool | None
    voided_at: datetime | None
    redispatches: int
    failed_verifications: int
    reopenings: int
    assignments: tuple[AssignmentFacts, ...]
    stages: tuple[StageSpan, ...]


def fold_case(case_id: UUID, events: Iterable[StoredEvent]) -> CaseFacts:
    """The facts of a case from all that was told about it by any service, in any order."""
    return fold_cases({case_id: events})[0]


def fold_cases(cases: Mapping[UUID, Iterable[StoredEvent]]) -> list[CaseFacts]:
    """The facts of some cases, sorted by case."""
    told = {case_id: in_order(cases[case_id]) for case_id in sorted(cases)}
    rows = [record for events in told.values() for record in map(_record, events) if record]
    assignments = _by_case(
        fold_assignments(records(rows)),
        {
            unit_key(stored.event.unit): stored.event.unit
            for events in told.values()
            for stored in events
            if isinstance(stored.event, CaseDispatched)
        },
    )
    return [
        _walked(case_id, events).facts(assignments.get(case_id, []))
        for case_id, events in told.items()
    ]


def _record(stored: StoredEvent) -> tuple[int, ...] | None:
    if stored.aggregate != CASE:
        return None
    return record_of(
        stored.event, case_id=UUID(stored.subject), sequence=stored.sequence, at=stored.at
    )


def _by_case(
    columns: AssignmentColumns, units: Mapping[int, str]
) -> dict[UUID, list[AssignmentFacts]]:
    """Assignments one by one, by the case they belong to."""
    found: dict[UUID, list[AssignmentFacts]] = {}
    names = [item.name for item in fields(AssignmentFacts)]
    rows = zip(*(getattr(columns, name).tolist() for name in names), strict=True)
    for place, row in enumerate(rows):
        figures = dict(zip(names, map(_plain, names, row), strict=True))
        figures["unit"] = units[figures["unit"]]
        found.setdefault(columns.case_id(place), []).append(AssignmentFacts(**figures))
    return found


def _plain(name: str, value: int) -> Any:
    """A number of a column as a row says it: instants as such, null for what is not."""
    if name.endswith("_at"):
        return instant(value)
    return None if name == "limit_seconds" and value >= UNLIMITED else value


def _walked(case_id: UUID, events: Iterable[StoredEvent]) -> "_CaseFold":
    fold = _CaseFold(case_id)
    for stored in events:
        fold.take(stored.event, stored)
    return fold


class _CaseFold:
    """Walks through a case's events once, for everything but its assignments."""

    def __init__(self, case_id: UUID) -> None:
        self._case_id = case_id
        self._state = CaseState.REGISTERED
        self._opened: CaseOpened | None = None
        self._opened_at: datetime | None = None
        self._registered: ReportRegistered | None = None
        self._registrar: str = ""
        self._closed_at: datetime | None = None
        self._closed_in_time: bool | None = None
        self._voided_at: datetime | None = None
        self._first_dispatch_at: datetime | None = None
        self._redispatches = 0
        self._failed = 0
        self._reopenings = 0
        self._stages: list[StageSpan] = []
        self._waiting: dict[Stage, datetime] = {}
        self._hearings: dict[str, _Hearing] = {}
        self._asked: dict[int, datetime] = {}
        self._issued: dict[int, tuple[datetime, str]] = {}
        self._completed: dict[int, tuple[datetime, str]] = {}

    def facts(self, assignments: Iterable[AssignmentFacts]) -> CaseFacts:
        self._take_out_hearings()
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
            closed_in_time=self._closed_in_time,
            voided_at=self._voided_at,
            redispatches=self._redispatches,
            failed_verifications=self._failed,
            reopenings=self._reopenings,
            assignments=tuple(assignments),
            stages=tuple(self._stages),
        )

    def _number(self) -> str | None:
        if self._opened is not None:
            return self._opened.number
        return self._registered.case_number if self._registered is not None else None

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

    @take.register
    def _(self, _event: CaseAccepted, _stored: StoredEvent) -> None:
        self._state = CaseState.ACCEPTED

    @take.register
    def _(self, event: CaseHandled, _stored: StoredEvent) -> None:
        self._state = CaseState.HANDLED
        self._waiting[Stage.SUPERVISION] = event.handled_at

    @take.register
    def _(self, _event: FeedbackRefused, stored: StoredEvent) -> None:
        self._state = CaseState.ACCEPTED
        self._end(Stage.SUPERVISION, stored.at, _post(stored, "dispatcher"))

    @take.register
    def _(self, event: VerificationAsked, stored: StoredEvent) -> None:
        self._state = CaseState.VERIFYING
        self._end(Stage.SUPERVISION, stored.at, _post(stored, "dispatcher"))
        self._asked.setdefault(event.round, stored.at)

    @take.register
    def _(self, event: CaseVerified, stored: StoredEvent) -> None:
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
        whole = event.whole_due_at
        self._closed_in_time = None if whole is None else event.closed_at <= whole
        self._end(Stage.CLOSING, event.closed_at, _post(stored, "operator"))

    @take.register
    def _(self, _event: CaseReopened, stored: StoredEvent) -> None:
        self._state = CaseState.REOPENED
        self._closed_at = self._closed_in_time = None
        self._reopenings += 1
        self._waiting[Stage.DISPATCH] = stored.at

    @take.register
    def _(self, _event: CaseVoided, stored: StoredEvent) -> None:
        self._state = CaseState.VOIDED
        self._voided_at = stored.at

    # -- what a unit asked for -----------------------------------------------------------------

    @take.register
    def _(self, event: ReturnDecided, stored: StoredEvent) -> None:
        if event.granted:
            self._state = CaseState.RETURNED
            self._waiting[Stage.DISPATCH] = stored.at

    @take.register
    def _(self, event: DeferralDecided, _stored: StoredEvent) -> None:
        if event.granted:
            self._state = CaseState.DEFERRED

    @take.register
    def _(self, _event: DeferralEnded, _stored: StoredEvent) -> None:
        self._state = CaseState.ACCEPTED

    # -- whose it is ---------------------------------------------------------------------------

    @take.register
    def _(self, event: CoordinationOpened, stored: StoredEvent) -> None:
        if not event.beside:
            self._hearings[stored.subject] = _Hearing(stored.at, _post(stored, "dispatcher"))

    @take.register
    def _(self, event: CoordinationSettled, stored: StoredEvent) -> None:
        self._end_hearing(stored, dispatched=event.dispatched)

    @take.register
    def _(self, _event: CoordinationWithdrawn, stored: StoredEvent) -> None:
        self._end_hearing(stored, dispatched=False)

    def _end_hearing(self, stored: StoredEvent, *, dispatched: bool) -> None:
        hearing = self._hearings.get(stored.subject)
        if hearing is not None:
            hearing.ended_at, hearing.dispatched = stored.at, dispatched

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

    def _end(self, stage: Stage, at: datetime, post: str) -> None:
        started_at = self._waiting.pop(stage, None)
        if started_at is not None:
            self._span(stage, started_at, at, post)

    def _span(self, stage: Stage, started_at: datetime, ended_at: datetime, post: str) -> None:
        ordinal = 1 + sum(span.stage is stage for span in self._stages)
        # Two services may differ by a moment about the time; no stage is shorter than nothing.
        self._stages.append(StageSpan(stage, ordinal, post, min(started_at, ended_at), ended_at))

    def _take_out_hearings(self) -> None:
        """Cut the waits for dispatch where units were heard meanwhile, as dispatch's clock does."""
        if not self._hearings:
            return
        waits: list[tuple[datetime, datetime | None, str]] = [
            (span.started_at, span.ended_at, span.post)
            for span in self._stages
            if span.stage is Stage.DISPATCH
        ]
        if Stage.DISPATCH in self._waiting:
            waits.append((self._waiting[Stage.DISPATCH], None, ""))
        self._stages = [span for span in self._stages if span.stage is not Stage.DISPATCH]
        for started_at, ended_at, post in waits:
            for span in self._between_hearings(started_at, ended_at, post):
                self._span(Stage.DISPATCH, *span)

    def _between_hearings(
        self, started_at: datetime, ended_at: datetime | None, post: str
    ) -> Iterator[tuple[datetime, datetime, str]]:
        """The parts of a wait for dispatch that are over, each with the post that ended it."""
        for hearing in sorted(self._hearings.values(), key=lambda item: item.opened_at):
            over = hearing.ended_at is not None and hearing.ended_at <= started_at
            if over or (ended_at is not None and hearing.opened_at >= ended_at):
                continue
            if hearing.opened_at > started_at:
                yield started_at, hearing.opened_at, hearing.post
            if hearing.ended_at is None or hearing.dispatched:
                return
            started_at = hearing.ended_at
        if ended_at is not None:
            yield started_at, ended_at, post

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


def _kind(*, urgent: bool) -> LimitKind:
    return LimitKind.HOURS if urgent else LimitKind.WORKING_HOURS


def _counted(calendar: "Calendar", kind: LimitKind, start: datetime, end: datetime) -> int:
    try:
        counted = calendar.elapsed_under(kind, start, max(start, end), provisional=True)
    except OutsideCalendar:
        return 0
    return counted // timedelta(seconds=1)
