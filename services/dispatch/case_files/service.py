"""A case file in hand: moves the case along its table of states and keeps its clock."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Self
from uuid import UUID

from services.dispatch.case_files.domain import (
    CENTRE_STAGES,
    FINAL,
    POSTS,
    STAGE_OF,
    Action,
    CaseState,
    allowed_actions,
    next_state,
)
from services.dispatch.case_files.errors import CaseNotYetKnown, NoSuchCase
from services.dispatch.case_files.models import NO_LIMIT, Assignment, Case, SegmentRow
from services.dispatch.case_files.repository import CaseFileRepository, FileRows, Latest
from services.dispatch.case_files.schemas import CaseView, TextView
from services.dispatch.clocks.domain import (
    Charge,
    ClockRules,
    Deadline,
    Reading,
    Segment,
    SegmentKind,
    Span,
    continuous_counterpart,
    deadline_of,
    light,
    paused_time,
    read_clock,
    whole_deadline,
)
from services.dispatch.config import DispatchSettings
from services.dispatch.limits.domain import Mark, Moment, Told, WatchedLimit
from shared.config import ServiceSettings
from shared.errors import NotFound
from shared.events.dispatch import DeferralEnded, LimitOverrun, LimitWarned
from shared.events.vocabulary import ClassRef, ClockReading, LimitScope
from shared.pack.model import CityPack, ClassKey, Stage, Text
from shared.service import Runtime
from shared.vocabulary import ClassKind
from shared.web.etag import check_match
from shared.work import UnitOfWork
from shared.worktime import Limit

NAMES_KEPT = 4_096
"""Names of classes and units that are read once and kept; nothing about them can change."""

_SECOND = timedelta(seconds=1)
_WAY = (
    Stage.DISPATCH,
    None,
    Stage.SUPERVISION,
    Stage.SENDING_OUT,
    Stage.VERIFICATION,
    Stage.CLOSING,
)
"""The stages of a whole case; None stands for the handling."""


def class_key_of(ref: ClassRef) -> ClassKey:
    """A class as events write it, as the city pack knows it."""
    return ClassKey(ref.scheme, ClassKind(ref.kind.value), ref.code)


@lru_cache(maxsize=NAMES_KEPT)
def class_key_named(key: str) -> ClassKey:
    """A stored class key, as the city pack knows it."""
    return ClassKey.parse(key)


@lru_cache(maxsize=NAMES_KEPT)
def class_ref_of(key: str) -> ClassRef:
    """A stored class key as events write it."""
    parsed = class_key_named(key)
    return ClassRef.model_validate(
        {"scheme": parsed.scheme, "kind": parsed.kind.value, "code": parsed.code}
    )


def clock_rules(pack: CityPack, settings: ServiceSettings) -> ClockRules:
    """The parameters of counting in this city."""
    if isinstance(settings, DispatchSettings):
        return ClockRules(pack.stages.warn_share, settings.whole_time_from)
    return ClockRules(pack.stages.warn_share)


def default_limit(pack: CityPack, condition: str, *, urgent: bool) -> Limit | None:
    """The handling limit of a registration condition; None if the pack no longer has it."""
    try:
        limit = pack.condition(condition).limit
    except NotFound:
        return None
    return continuous_counterpart(limit) if urgent else limit


def limit_of(assignment: Assignment) -> Limit:
    """The limit of a dispatch, extensions included."""
    limit = _limit_named(assignment.time_limit)
    return limit.plus(_limit_named(assignment.extended_by)) if assignment.extended_by else limit


@lru_cache(maxsize=NAMES_KEPT)
def _limit_named(text: str) -> Limit:
    return Limit.parse(text)


@dataclass
class CaseFile:
    """A case with its segments and dispatches, and what may be done with it.

    Made by `CaseFiles`. Every method changes rows of the open unit of work; none commits.
    """

    work: UnitOfWork
    pack: CityPack
    rules: ClockRules
    rows: FileRows

    @property
    def case(self) -> Case:
        return self.rows.case

    @property
    def segments(self) -> list[SegmentRow]:
        """Oldest first."""
        return self.rows.segments

    @property
    def assignments(self) -> list[Assignment]:
        """The dispatches, oldest first."""
        return self.rows.assignments

    @property
    def assignment(self) -> Assignment:
        """The latest dispatch; only asked for where there is one."""
        return self.assignments[-1]

    def charges(self) -> list[Charge]:
        return [
            Charge(
                number=item.number,
                unit=item.unit,
                run=item.run,
                repeat=item.repeat,
                limit=limit_of(item),
                command_duty=item.command_duty,
                released_at=item.released_at,
            )
            for item in self.assignments
        ]

    def timeline(self) -> list[Segment]:
        return [
            Segment(
                kind=row.kind,
                holder=row.holder,
                assignment=row.assignment,
                started_at=row.started_at,
                ended_at=row.ended_at,
                reason=row.reason,
                limited=row.limited,
            )
            for row in self.segments
        ]

    @property
    def extensions_granted(self) -> int:
        """Granted on the clock that runs now."""
        run = self.assignment.run
        return sum(row.extensions for row in self.assignments if row.run == run)

    @property
    def deferrals_granted(self) -> int:
        """Granted on the clock that runs now."""
        run = self.assignment.run
        return sum(
            row.kind is SegmentKind.DEFERRAL and row.assignment >= run for row in self.segments
        )

    def read(self, *, at: datetime | None = None, number: int | None = None) -> Reading:
        """The clock of a dispatch, the latest one unless another is named."""
        return read_clock(
            self.pack.calendar,
            self.timeline(),
            self.charges(),
            number or self.assignment.number,
            self.rules,
            at=at or self.work.now(),
            resumes_at=self.case.deferred_until,
        )

    def paused(self, *, at: datetime | None = None) -> timedelta:
        """Counted time for which deferrals have stopped the clock of the latest dispatch."""
        return paused_time(
            self.pack.calendar,
            self.timeline(),
            self.charges(),
            self.assignment.number,
            at=at or self.work.now(),
        )

    def clock_reading(self, *, at: datetime | None = None) -> ClockReading:
        """The clock of the latest dispatch as events carry it."""
        reading = self.read(at=at)
        return ClockReading(
            assignment=reading.charge.number,
            unit=reading.charge.unit,
            limit_seconds=reading.allowed // _SECOND,
            used_seconds=reading.used // _SECOND,
            paused_seconds=self.paused(at=at) // _SECOND,
            due_at=None if reading.paused else reading.deadline.due_at,
            provisional=reading.deadline.provisional,
        )

    def check(self, action: Action) -> CaseState:
        """The state that an action leads to.

        Raises:
            NotAllowedNow: it is not allowed in the present state.
        """
        return next_state(self.case.state, action)

    def move(
        self,
        action: Action,
        *,
        at: datetime | None = None,
        reason: str | None = None,
        **details: object,
    ) -> datetime:
        """Take a step: state, segment, clock and journal.

        Args:
            action: a row of the table of states.
            at: when it happened, if not now; never before the present stage began.
            reason: for the journal.
            details: for the journal; no personal data.

        Returns:
            The instant from which it counts.
        """
        case = self.case
        before, after = case.state, self.check(action)
        moment = self._not_before_stage(at or self.work.now())
        self._owe_passed(moment)
        case.state = after
        if after is not CaseState.DEFERRED:
            case.deferred_until = None
        self._turn_stage(STAGE_OF[before], STAGE_OF[after], moment, action)
        if after in FINAL:
            case.closed_at = moment
        self.reckon()
        self.work.record(
            case,
            action.value,
            from_state=before.value,
            to_state=after.value,
            reason=reason,
            details=details,
        )
        return moment

    def reckon(self) -> None:
        """Reckon every deadline anew from segments, dispatches and calendar."""
        case = self.case
        stage = STAGE_OF[case.state]
        if stage is None:
            case.stage_warn_at = case.stage_due_at = None
            case.due_order = NO_LIMIT
            self._set_timer()
            return
        deadline = self._stage_deadline(stage)
        whole = self._whole_deadline()
        case.stage_warn_at, case.stage_due_at = _instants(deadline)
        case.total_warn_at, case.total_due_at = _instants(whole)
        case.provisional = any(item is not None and item.provisional for item in (deadline, whole))
        pause_end = case.deferred_until if stage is SegmentKind.DEFERRAL else None
        case.due_order = pause_end or case.stage_due_at or NO_LIMIT
        self.segments[-1].warn_at, self.segments[-1].due_at = case.stage_warn_at, case.stage_due_at
        self._set_timer()

    # -- telling about limits ------------------------------------------------------------------

    def tell_due_moments(self) -> list[Moment]:
        """Tell what is owed and every limit that has turned yellow or red by now.

        Returns:
            What was told, oldest first; each event carries the time at which it was due.
        """
        now, told = self.work.now(), Told.from_json(self.case.limits_told)
        passed = [item for item in told.to_come(self._watched_limits()) if item.at <= now]
        moments = sorted([*told.owed, *passed], key=lambda item: item.at)
        for moment in moments:
            self._tell_moment(moment)
        if moments:
            self.case.limits_told = told.settled(passed).as_json()
        self._set_timer()
        return moments

    def _tell_moment(self, moment: Moment) -> None:
        case, limit = self.case, moment.limit
        told = LimitWarned if moment.mark is Mark.WARNED else LimitOverrun
        event = told(
            number=case.number,
            scope=limit.scope,
            assignment=limit.assignment,
            holder=limit.holder,
            unit=case.unit,
            class_ref=class_ref_of(case.class_key),
            grid=case.grid,
            urgent=case.urgent,
            warn_at=limit.warn_at,
            due_at=limit.due_at,
            provisional=limit.provisional,
        )
        self.work.tell(case, event, at=moment.at)

    def _owe_passed(self, until: datetime) -> None:
        """The case goes on: limits that have passed before and were not told are told later."""
        case = self.case
        if case.timer_at is None or case.timer_at > until:
            return
        told = Told.from_json(case.limits_told)
        passed = [item for item in told.to_come(self._watched_limits()) if item.at <= until]
        if passed:
            case.limits_told = told.owing(passed).as_json()

    def _set_timer(self) -> None:
        """Ring when the next limit turns, or when the pause ends."""
        case = self.case
        at = Told.from_json(case.limits_told).next_at(self._watched_limits())
        if case.deferred_until is not None:
            at = min(at or case.deferred_until, case.deferred_until)
        case.timer_at = at

    def _watched_limits(self) -> list[WatchedLimit]:
        """The limits that run now: that of the stage, and that of the whole way."""
        case, stage = self.case, STAGE_OF[self.case.state]
        if stage is None:
            return []
        holder = POSTS.get(stage) or case.unit or ""
        found = []
        if case.stage_warn_at is not None and case.stage_due_at is not None:
            handling = stage is SegmentKind.HANDLING
            number = self.assignment.run if handling else case.segments
            found.append(
                WatchedLimit(
                    scope=LimitScope(stage.value),
                    clock=f"{stage}:{number}",
                    assignment=case.assignments,
                    holder=holder,
                    warn_at=case.stage_warn_at,
                    due_at=case.stage_due_at,
                    provisional=case.provisional,
                )
            )
        if case.total_warn_at is not None and case.total_due_at is not None:
            found.append(
                WatchedLimit(
                    scope=LimitScope.WHOLE,
                    clock=f"whole:{case.total_started_at.isoformat()}",
                    assignment=case.assignments,
                    holder=holder,
                    warn_at=case.total_warn_at,
                    due_at=case.total_due_at,
                    provisional=case.provisional,
                )
            )
        return found

    def resume(self, *, at: datetime | None = None, reason: str | None = None) -> None:
        """Let a deferred case's clock go on, at the end of the pause or before it."""
        self.move(Action.RESUME, at=at, reason=reason)
        event = DeferralEnded(
            assignment=self.assignment.number,
            unit=self.assignment.unit,
            clock=self.clock_reading(at=self.case.stage_started_at),
        )
        self.work.tell(self.case, event, at=self.case.stage_started_at)

    def release(self, outcome: str, at: datetime) -> None:
        """The latest dispatch has ended; its unit's clock takes no more time."""
        self.assignment.outcome = outcome
        self.assignment.released_at = at

    def _not_before_stage(self, at: datetime) -> datetime:
        """Clocks of different machines differ; a segment never ends before it began."""
        return max(at, self.case.stage_started_at)

    def _turn_stage(
        self, before: SegmentKind | None, after: SegmentKind | None, at: datetime, action: Action
    ) -> None:
        if before is after and action is not Action.DISPATCH:
            return
        if self.segments and self.segments[-1].ended_at is None:
            self.segments[-1].ended_at = at
        if after is not None:
            self.begin_segment(after, at, action.value)

    def begin_segment(self, kind: SegmentKind, at: datetime, reason: str) -> None:
        """Begin a stage; the one before must have ended."""
        case = self.case
        case.segments += 1
        case.stage_started_at = at
        row = SegmentRow(
            case_id=case.id,
            number=case.segments,
            kind=kind,
            holder=POSTS.get(kind) or case.unit or "",
            assignment=case.assignments,
            started_at=at,
            reason=reason,
            limited=kind not in CENTRE_STAGES or self.stage_limit(kind) is not None,
        )
        self.segments.append(row)
        self.work.session.add(row)

    def stage_limit(self, kind: SegmentKind) -> Limit | None:
        """The limit of a stage that is not the unit's; None where it has none."""
        if kind is SegmentKind.COORDINATION:
            return self.pack.responsibility.decision
        return self.pack.stages.limit_of(
            CENTRE_STAGES[kind], urgent=self.case.urgent, special=self.case.special
        )

    def _stage_deadline(self, stage: SegmentKind) -> Deadline | None:
        of_unit = self._reckon_assignment() if self.assignments else None
        if stage is SegmentKind.DEFERRAL:
            return None
        if stage is SegmentKind.HANDLING:
            return of_unit
        started_at = self.case.stage_started_at
        return deadline_of(self.pack.calendar, started_at, self.stage_limit(stage), self.rules)

    def _reckon_assignment(self) -> Deadline:
        reading, row = self.read(), self.assignment
        row.warn_at, row.due_at = reading.deadline.warn_at, reading.deadline.due_at
        row.limit_seconds = reading.allowed // _SECOND
        row.provisional = reading.deadline.provisional
        return reading.deadline

    def whole_limits(self) -> list[Limit | None]:
        """The limits of the stages of the whole way; None for a stage without one."""
        case = self.case
        handling = (
            limit_of(self.assignment)
            if self.assignments and self.assignment.dispatched_at >= case.total_started_at
            else default_limit(self.pack, case.condition, urgent=case.urgent)
        )
        return [
            handling
            if stage is None
            else self.pack.stages.limit_of(stage, urgent=case.urgent, special=case.special)
            for stage in _WAY
        ]

    def whole_pauses(self) -> list[Span]:
        """Time that does not count for the whole: deferrals, and stages without a limit."""
        case = self.case
        pauses = [
            Span(row.started_at, row.ended_at)
            for row in self.segments
            if row.kind is SegmentKind.DEFERRAL or not row.limited
        ]
        if pauses and pauses[-1].ended_at is None and case.deferred_until is not None:
            pauses[-1] = Span(pauses[-1].started_at, case.deferred_until)
        return pauses

    def _whole_deadline(self) -> Deadline | None:
        return whole_deadline(
            self.pack.calendar,
            self.case.total_started_at,
            self.whole_limits(),
            self.whole_pauses(),
            self.rules,
        )

    # -- showing -------------------------------------------------------------------------------

    def view(self) -> CaseView:
        return view_of(self.case, self.pack, self.work.now())


class CaseFiles:
    """Takes case files out of the cabinet."""

    def __init__(self, work: UnitOfWork, pack: CityPack, rules: ClockRules) -> None:
        self.work = work
        self.pack = pack
        self.rules = rules
        self.repository = CaseFileRepository(work.session)

    @classmethod
    def of(cls, work: UnitOfWork, runtime: Runtime) -> Self:
        """The cabinet of a running service, for one unit of work."""
        return cls(work, runtime.pack, clock_rules(runtime.pack, runtime.settings))

    def new(self, case: Case) -> CaseFile:
        rows = FileRows(case)
        self.repository.hold(rows)
        return CaseFile(self.work, self.pack, self.rules, rows)

    async def look_at(
        self, case_id: UUID, *also: type[Latest], unit: str | None = None
    ) -> CaseFile:
        """The file of a case as it lies there, to be read only.

        Raises:
            NoSuchCase: there is none, or it is not with that unit.
        """
        rows = await self.repository.rows(case_id, *also)
        if rows is None or (unit is not None and rows.case.unit != unit):
            raise NoSuchCase("There is no such case, or it is not with your unit.")
        return CaseFile(self.work, self.pack, self.rules, rows)

    async def take(
        self,
        case_id: UUID,
        *also: type[Latest],
        unit: str | None = None,
        if_match: str | None = None,
    ) -> CaseFile:
        """The file of a case, its clock brought up to now.

        Args:
            case_id: which.
            also: further rows of which the latest is needed.
            unit: only if the case is with this unit; for people who see nothing else.
            if_match: the version that a command was meant for, as the caller sent it.

        Raises:
            NoSuchCase: there is none, or it is not with that unit.
            PreconditionFailed: it has another version now.
        """
        file = await self.look_at(case_id, *also, unit=unit)
        case = file.case
        check_match(case, if_match)
        if case.deferred_until is not None and case.deferred_until <= self.work.now():
            # The timer is late; what is done now comes after the end of the pause.
            file.resume(at=case.deferred_until, reason="date reached")
        return file

    async def take_for_fact(self, case_id: UUID, *also: type[Latest]) -> CaseFile:
        """The file that a fact from another service is about.

        Args:
            case_id: which.
            also: further rows of which the latest is needed.

        Raises:
            CaseNotYetKnown: the case has not arrived here yet; the fact is tried again.
        """
        rows = await self.repository.rows(case_id, *also)
        if rows is None:
            raise CaseNotYetKnown(f"Case {case_id} is not known here yet.")
        return CaseFile(self.work, self.pack, self.rules, rows)


def view_of(case: Case, pack: CityPack, now: datetime) -> CaseView:
    """A case as lists and commands show it, with its lights as of `now`.

    What is below it is handed over as plain values: read in one go, they cost a third of what as
    many models would, and a page holds up to two hundred cases.
    """
    unit = pack.units.get(case.unit) if case.unit else None
    case_class = pack.classes.get(class_key_named(case.class_key))
    end = case.closed_at or now
    return CaseView.model_validate(
        {
            "id": case.id,
            "version": case.version,
            "number": case.number,
            "state": case.state,
            "allowed": allowed_actions(case.state),
            "stage": {
                "kind": STAGE_OF[case.state],
                "started_at": case.stage_started_at,
                "warn_at": case.stage_warn_at,
                "due_at": case.stage_due_at,
                "light": light(case.stage_warn_at, case.stage_due_at, now),
            },
            "total": {
                "started_at": case.total_started_at,
                "warn_at": case.total_warn_at,
                "due_at": case.total_due_at,
                "light": light(case.total_warn_at, case.total_due_at, end),
            },
            "provisional": case.provisional,
            "unit": case.unit,
            "unit_name": None if unit is None else text_view(unit.name),
            "class_ref": class_ref_of(case.class_key),
            "class_name": None if case_class is None else text_view(case_class.name),
            "condition": case.condition,
            "description": case.description,
            "place": case.place,
            "urgent": case.urgent,
            "special": case.special,
            "source": case.source,
            "registered_at": case.registered_at,
            "closed_at": case.closed_at,
            "deferred_until": case.deferred_until,
            "dispatches": case.assignments,
            "dispatch_reason": case.dispatch_reason,
            "verification_round": case.rounds,
            "failed_verifications": case.failed_verifications,
            "returns_granted": case.returns_granted,
            "coordination_needed": case.coordination_needed,
            "coordination_id": case.coordination_id,
            "category": case.category,
            "pending_requests": case.pending_requests,
            "open_orders": case.open_orders,
            "reporters": case.reporters,
        }
    )


@lru_cache(maxsize=NAMES_KEPT)
def text_view(text: Text) -> TextView:
    """A text of the city pack as answers carry it."""
    return TextView(zh=text.zh, en=text.en)


def _instants(deadline: Deadline | None) -> tuple[datetime | None, datetime | None]:
    return (None, None) if deadline is None else (deadline.warn_at, deadline.due_at)
