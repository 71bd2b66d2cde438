"""What dispatch tells: the life of a case from its opening to the archive."""

from typing import ClassVar
from uuid import UUID

from pydantic import Field

from shared.events.envelope import Event
from shared.events.vocabulary import (
    ClassRef,
    ClockReading,
    DispatchReason,
    Instant,
    LimitRef,
    LimitScope,
    Place,
    Sha256,
    Source,
)
from shared.vocabulary import SupervisionCause, SupervisionLevel


class CaseOpened(Event):
    """The case file exists; the dispatch stage begins."""

    TYPE: ClassVar[str] = "dispatch.case.opened.v1"

    number: str
    report_id: UUID
    ticket_id: UUID | None = None
    source: Source
    class_ref: ClassRef
    condition: str
    place: Place
    urgent: bool
    special: bool
    registered_at: Instant
    dispatch_due_at: Instant | None = Field(description="when the dispatch stage runs out")


class CaseDispatched(Event):
    """The case was sent to the one responsible unit."""

    TYPE: ClassVar[str] = "dispatch.case.dispatched.v1"

    number: str
    assignment: int = Field(ge=1, description="n-th dispatch of the case")
    unit: str
    reason: DispatchReason
    condition: str = Field(
        description="registration condition that sets limit and closing condition"
    )
    standard: str = Field(max_length=2_000, description="what must be reached for closing")
    limit: LimitRef
    limit_seconds: int | None = Field(description="the limit in counted seconds")
    used_seconds: int = Field(
        default=0, ge=0, description="counted seconds brought along from earlier dispatches"
    )
    due_at: Instant
    warn_at: Instant = Field(description="from here on the light is yellow")
    provisional: bool = False
    precedent: str | None = Field(default=None, description="why this unit")
    direct: bool = Field(
        default=False, description="by an agent or shift leader, past the dispatcher"
    )


class CaseClassified(Event):
    """An operator has confirmed or corrected class and condition that a rule had assumed."""

    TYPE: ClassVar[str] = "dispatch.case.classified.v1"

    class_ref: ClassRef
    condition: str
    corrected: bool = Field(description="false: they were right")
    special: bool


class PaperCompleted(Event):
    """A paper that follows an emergency is complete."""

    TYPE: ClassVar[str] = "dispatch.case.paper_completed.v1"

    paper: str = Field(examples=["record"], description="classification, dispatch or record")
    in_time: bool
    corrected: bool = Field(description="the confirmation corrected something")


class PaperOverdue(Event):
    """A paper that follows an emergency was not completed in time."""

    TYPE: ClassVar[str] = "dispatch.case.paper_overdue.v1"

    paper: str = Field(examples=["record"], description="classification, dispatch or record")
    due_at: Instant


class CaseAccepted(Event):
    """A handler of the unit has taken the case."""

    TYPE: ClassVar[str] = "dispatch.case.accepted.v1"

    assignment: int = Field(ge=1)
    unit: str


class CaseHandled(Event):
    """The unit says that it is done and asks for verification."""

    TYPE: ClassVar[str] = "dispatch.case.handled.v1"

    assignment: int = Field(ge=1)
    unit: str
    media: tuple[Sha256, ...] = ()
    handled_at: Instant
    clock: ClockReading


class FeedbackRefused(Event):
    """The centre saw from the feedback alone that it is not done (false feedback)."""

    TYPE: ClassVar[str] = "dispatch.case.feedback_refused.v1"

    assignment: int = Field(ge=1)
    unit: str
    reason: str = Field(max_length=1_000)


class VerificationAsked(Event):
    """A collector is to look on the spot whether it is put right."""

    TYPE: ClassVar[str] = "dispatch.case.verification_asked.v1"

    number: str
    round: int = Field(ge=1, description="n-th verification of the case")
    assignment: int = Field(ge=1)
    unit: str
    class_ref: ClassRef
    place: Place
    standard: str = Field(max_length=2_000, description="what the collector compares with")
    special: bool
    urgent: bool
    not_before: Instant | None = Field(
        default=None, description="for problems seen only at certain times"
    )


class CaseVerified(Event):
    """The finding of the collector has reached the case file."""

    TYPE: ClassVar[str] = "dispatch.case.verified.v1"

    round: int = Field(ge=1)
    assignment: int = Field(ge=1)
    unit: str
    task_id: UUID
    passed: bool
    clock: ClockReading


class CaseClosed(Event):
    """Put right, seen on the spot, archived."""

    TYPE: ClassVar[str] = "dispatch.case.closed.v1"

    number: str
    ticket_id: UUID | None = None
    outcome: str = Field(
        examples=["resolved"], description="resolved, or another way that the condition allows"
    )
    conclusion: str | None = Field(
        default=None, max_length=2_000, description="what the reporter may be told"
    )
    unit: str
    assignments: int = Field(ge=1)
    closed_at: Instant
    whole_due_at: Instant | None = Field(
        default=None,
        description="when the whole way of the case would have run out; null where it has no limit",
    )
    clock: ClockReading


class CaseVoided(Event):
    """It should never have been a case; approved by a second person."""

    TYPE: ClassVar[str] = "dispatch.case.voided.v1"

    number: str
    ticket_id: UUID | None = None
    reason: str = Field(max_length=1_000)
    approved_by: str


class CaseReopened(Event):
    """A closed case goes on because the reporter is not satisfied."""

    TYPE: ClassVar[str] = "dispatch.case.reopened.v1"

    number: str
    ticket_id: UUID | None = None
    reason: str = Field(max_length=1_000)


class RequestAsked(Event):
    """A unit asks for something that only the centre can grant; its clock goes on meanwhile."""

    request_id: UUID
    assignment: int = Field(ge=1)
    unit: str
    reason: str = Field(max_length=2_000)
    basis: str | None = Field(
        default=None, max_length=500, description="regulation or duty table it rests on"
    )


class ReturnAsked(RequestAsked):
    """The unit says that the case is not its own."""

    TYPE: ClassVar[str] = "dispatch.case.return_asked.v1"

    suggested_unit: str | None = None


class ExtensionAsked(RequestAsked):
    """The unit asks for more time."""

    TYPE: ClassVar[str] = "dispatch.case.extension_asked.v1"

    limit: LimitRef = Field(description="the time asked for")


class DeferralAsked(RequestAsked):
    """The unit asks to put the case off until a date."""

    TYPE: ClassVar[str] = "dispatch.case.deferral_asked.v1"

    until: Instant


class RequestDecided(Event):
    """The centre's decision on a unit's request."""

    request_id: UUID
    assignment: int = Field(ge=1)
    unit: str
    granted: bool
    reason: str = Field(max_length=2_000)
    clock: ClockReading
    decision_due_at: Instant | None = Field(
        default=None, description="when the centre's time to decide ran out"
    )
    decided_in_time: bool | None = Field(
        default=None, description="whether the centre kept it; its lateness is not the unit's"
    )


class ReturnDecided(RequestDecided):
    """Granted: the assignment ends and the case is dispatched again."""

    TYPE: ClassVar[str] = "dispatch.case.return_decided.v1"


class ExtensionDecided(RequestDecided):
    """Granted: the time is added to the limit."""

    TYPE: ClassVar[str] = "dispatch.case.extension_decided.v1"

    limit: LimitRef
    added_seconds: int | None = Field(
        default=None, ge=0, description="counted seconds added, if granted"
    )
    new_due_at: Instant | None = None


class DeferralDecided(RequestDecided):
    """Granted: the clock stands still until the date."""

    TYPE: ClassVar[str] = "dispatch.case.deferral_decided.v1"

    until: Instant
    new_due_at: Instant | None = None


class DeferralEnded(Event):
    """The date has come, or the unit took the case up again before it."""

    TYPE: ClassVar[str] = "dispatch.case.deferral_ended.v1"

    assignment: int = Field(ge=1)
    unit: str
    clock: ClockReading


class CaseUrged(Event):
    """The unit was reminded, by a person or because the reporter asked again."""

    TYPE: ClassVar[str] = "dispatch.case.urged.v1"

    unit: str | None = None
    note: str | None = Field(default=None, max_length=1_000)


class DeadlinesMoved(Event):
    """Another calendar holds, for instance by a new holiday notice; due times are reckoned anew."""

    TYPE: ClassVar[str] = "dispatch.case.deadlines_moved.v1"

    number: str
    calendar: str = Field(description="digest of the calendar that holds now", max_length=64)
    assignment: int = Field(ge=0, description="latest dispatch; 0 before the first")
    unit: str | None = Field(default=None, description="of the latest dispatch")
    due_at: Instant | None = Field(
        default=None,
        description="of the unit's handling, extensions and pauses included",
    )
    warn_at: Instant | None = None
    limit_seconds: int | None = Field(
        default=None, description="its limit in counted seconds, extensions granted so far included"
    )
    provisional: bool = False
    stage_due_at: Instant | None = Field(default=None, description="of the present stage")
    whole_due_at: Instant | None = Field(default=None, description="of the whole way")


class LimitPassed(Event):
    """A limit of a case has turned yellow or red; the event's own time is when it did.

    It may be told late, after an outage, and then with the time at which it was true. A limit that
    moves to a later time, for instance by an extension, is told about again when that time comes.
    """

    number: str
    scope: LimitScope = Field(description="which limit: of a stage, or of the whole way")
    assignment: int = Field(ge=0, description="latest dispatch; 0 before the first")
    holder: str = Field(description="code of the unit, or the post, that had the case")
    unit: str | None = Field(default=None, description="the unit that has the case, or had it last")
    class_ref: ClassRef
    grid: str | None = None
    urgent: bool
    warn_at: Instant = Field(description="from here on the light is yellow")
    due_at: Instant = Field(description="after this instant the light is red")
    provisional: bool = False


class LimitWarned(LimitPassed):
    """The last part of a limit has begun; its light is yellow."""

    TYPE: ClassVar[str] = "dispatch.case.limit_warned.v1"


class LimitOverrun(LimitPassed):
    """A limit has run out; its light is red."""

    TYPE: ClassVar[str] = "dispatch.case.limit_overrun.v1"


class SupervisionFact(Event):
    """What every fact of a supervision order says about it."""

    number: str = Field(examples=["D2026-00042"], description="of the order in the ledger")
    unit: str
    cause: SupervisionCause
    level: SupervisionLevel
    case_ids: tuple[UUID, ...] = Field(
        default=(), description="cases it is about; empty for a matter of its own"
    )


class SupervisionOrdered(SupervisionFact):
    """A unit was told what is asked of it and by when."""

    TYPE: ClassVar[str] = "dispatch.supervision.ordered.v1"

    title: str = Field(max_length=300, examples=["井盖缺失多次核查未通过"])
    by_rule: str | None = Field(
        default=None,
        examples=["failed-verification"],
        description="rule that opened it; null: a person",
    )
    caused_at: Instant = Field(
        description="when its cause happened; a timer that is late gives the true time"
    )
    ordered_at: Instant = Field(description="its limits count from here")
    acknowledge_due_at: Instant = Field(description="until then the unit acknowledges it")
    due_at: Instant = Field(description="until then the unit answers it")
    provisional: bool = Field(
        default=False, description="a date rests on holidays that are not official yet"
    )


class SupervisionAcknowledged(SupervisionFact):
    """The unit has taken note of the order."""

    TYPE: ClassVar[str] = "dispatch.supervision.acknowledged.v1"

    in_time: bool


class SupervisionAnswered(SupervisionFact):
    """The unit says what it has done; the text stays at home."""

    TYPE: ClassVar[str] = "dispatch.supervision.answered.v1"

    answer: int = Field(ge=1, description="n-th answer to the order")
    media: tuple[Sha256, ...] = ()
    in_time: bool


class SupervisionAccepted(SupervisionFact):
    """The answer is accepted: what was asked is done."""

    TYPE: ClassVar[str] = "dispatch.supervision.accepted.v1"

    answer: int = Field(ge=1)
    in_time: bool = Field(description="whether the accepted answer came in time")


class SupervisionSentBack(SupervisionFact):
    """The answer is not enough; the unit answers again."""

    TYPE: ClassVar[str] = "dispatch.supervision.sent_back.v1"

    answer: int = Field(ge=1)
    reason: str = Field(max_length=2_000)


class SupervisionOverdue(SupervisionFact):
    """The unit has not acknowledged or not answered in time; the event's own time is when."""

    TYPE: ClassVar[str] = "dispatch.supervision.overdue.v1"

    step: str = Field(examples=["answer"], description="acknowledgement or answer")
    due_at: Instant


class SupervisionExtended(SupervisionFact):
    """A leader consented to a later date on the unit's written problem report."""

    TYPE: ClassVar[str] = "dispatch.supervision.extended.v1"

    extension: int = Field(ge=1, description="n-th problem report of the order")
    old_due_at: Instant
    new_due_at: Instant
    reason: str = Field(max_length=2_000)


class SupervisionStruckOff(SupervisionFact):
    """Done, and off the ledger."""

    TYPE: ClassVar[str] = "dispatch.supervision.struck_off.v1"

    in_time: bool
    ordered_at: Instant
    due_at: Instant = Field(description="as it stood in the end")


class SupervisionPublished(SupervisionFact):
    """The order was named in a bulletin."""

    TYPE: ClassVar[str] = "dispatch.supervision.published.v1"

    bulletin: str = Field(max_length=300, examples=["督办通报〔2026〕第 6 期"])
    in_time: bool


class CoordinationOpened(Event):
    """It is not clear whose a case is: units are heard, each within its time."""

    TYPE: ClassVar[str] = "dispatch.coordination.opened.v1"

    number: str = Field(description="of the case")
    case_id: UUID
    kind: str = Field(
        examples=["unclear"],
        description="unclear, no-known-subject, repeated-return or illegal-act",
    )
    class_ref: ClassRef
    grid: str | None = None
    urgent: bool
    beside: bool = Field(description="the case is handled meanwhile")
    units: tuple[str, ...] = Field(description="invited", examples=[["telecom", "mobile"]])
    by_rule: str | None = Field(default=None, description="the rule that opened it, if one did")
    due_at: Instant = Field(description="until when it is to be decided")


class PositionStated(Event):
    """An invited unit has said what it thinks of its own part."""

    TYPE: ClassVar[str] = "dispatch.coordination.position_stated.v1"

    case_id: UUID
    unit: str
    stance: str = Field(
        examples=["not-responsible"], description="responsible, not-responsible or shared"
    )
    basis: str = Field(max_length=500)
    suggested_unit: str | None = None
    due_at: Instant
    late: bool = Field(description="its first position came after its time")
    again: bool = Field(description="it had stated another position before")


class PositionMissed(Event):
    """An invited unit let its time pass without a position."""

    TYPE: ClassVar[str] = "dispatch.coordination.position_missed.v1"

    case_id: UUID
    unit: str
    due_at: Instant


class CoordinationPassedUp(Event):
    """The leading group's office decides it, not the centre."""

    TYPE: ClassVar[str] = "dispatch.coordination.passed_up.v1"

    case_id: UUID
    office: str = Field(examples=["leading-group"], description="code of the unit")
    units: tuple[str, ...] = Field(description="invited", examples=[["telecom", "mobile"]])
    reason: str = Field(max_length=1_000)


class CoordinationSettled(Event):
    """It is decided whose the case is."""

    TYPE: ClassVar[str] = "dispatch.coordination.settled.v1"

    number: str = Field(description="of the case")
    case_id: UUID
    outcome: str = Field(examples=["unit"], description="unit, or no-responsible-subject")
    unit: str | None = Field(default=None, description="the one responsible unit")
    assisting: tuple[str, ...] = Field(default=(), examples=[["mobile"]])
    basis: str = Field(max_length=500)
    by_office: bool = Field(description="by the leading group's office, not by the centre")
    dispatched: bool = Field(description="the decision sent the case to the unit")
    precedent_id: UUID | None = Field(
        default=None, description="what it is kept as for the same class and ground"
    )


class CoordinationWithdrawn(Event):
    """It ended without a decision."""

    TYPE: ClassVar[str] = "dispatch.coordination.withdrawn.v1"

    case_id: UUID
    reason: str = Field(max_length=1_000)


class RemediationOrdered(Event):
    """Nobody answers for a case: a unit is ordered to put it right, paid from the year's fund."""

    TYPE: ClassVar[str] = "dispatch.remediation.ordered.v1"

    number: str = Field(description="of the case")
    case_id: UUID
    unit: str = Field(description="the ordered unit")
    year: int = Field(examples=[2026], description="of the fund that pays")
    estimate_fen: int = Field(ge=0, description="kept back in the fund, in fen")
    dispatched: bool = Field(description="the order sent the case to the unit")
    basis: str = Field(max_length=500)


class RemediationEstimated(Event):
    """It is expected to cost more, or less, than before."""

    TYPE: ClassVar[str] = "dispatch.remediation.estimated.v1"

    case_id: UUID
    estimate_fen: int = Field(ge=0, description="in fen")
    committed_fen: int = Field(ge=0, description="kept back from now on, in fen")


class CostRecorded(Event):
    """A cost of the work was handed in; nothing is paid yet."""

    TYPE: ClassVar[str] = "dispatch.remediation.cost_recorded.v1"

    case_id: UUID
    unit: str
    cost: int = Field(ge=1, description="number of the cost")
    amount_fen: int = Field(gt=0, examples=[125_000], description="in fen")


class CostDecided(Event):
    """The office has paid a cost, or refused it."""

    TYPE: ClassVar[str] = "dispatch.remediation.cost_decided.v1"

    case_id: UUID
    unit: str
    cost: int = Field(ge=1, description="number of the cost")
    amount_fen: int = Field(gt=0, examples=[125_000], description="in fen")
    paid: bool
    year: int = Field(examples=[2026], description="of the fund")


class RemediationCompleted(Event):
    """No more costs will come; what was kept back is free again."""

    TYPE: ClassVar[str] = "dispatch.remediation.completed.v1"

    case_id: UUID
    unit: str
    spent_fen: int = Field(ge=0, description="in fen")
    released_fen: int = Field(ge=0, description="in fen")


class RecoveryClaimed(Event):
    """A responsible subject was found: what was spent is claimed back from it."""

    TYPE: ClassVar[str] = "dispatch.remediation.recovery_claimed.v1"

    case_id: UUID
    recovery_id: UUID
    unit: str | None = Field(default=None, description="who owes it, if it is a unit")
    amount_fen: int = Field(gt=0, examples=[125_000], description="in fen")


class RecoveryChanged(Event):
    """Money has come in for a claim, or the rest of it was given up."""

    TYPE: ClassVar[str] = "dispatch.remediation.recovery_changed.v1"

    case_id: UUID
    recovery_id: UUID
    state: str = Field(
        examples=["partly-recovered"],
        description="claimed, partly-recovered, recovered, written-off or cancelled",
    )
    to_recover_fen: int = Field(ge=0, description="still owed, in fen")
    recovered_fen: int = Field(ge=0, description="come in so far, in fen")
    written_off_fen: int = Field(ge=0, description="given up, in fen")


class LedgerCorrected(Event):
    """An entry about a remediation was undone by a counter-entry."""

    TYPE: ClassVar[str] = "dispatch.remediation.corrected.v1"

    case_id: UUID
    kind: str = Field(examples=["payment"], description="of the entry that was undone")
    amount_fen: int = Field(gt=0, examples=[125_000], description="in fen")
    year: int = Field(examples=[2026], description="of the fund")
