"""How a unit is scored: exact fractions from assignments, and for each assignment why it counted.

The plain formula: nothing is forgiven. An assignment is due in the period of its deadline,
resolved once verified and closed, and timely if it took no more than its limit and was neither
extended, deferred, given back in vain nor dispatched again.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import TYPE_CHECKING
from uuid import UUID

if TYPE_CHECKING:
    from shared.pack.model import AssessmentParameters

DECIMALS = 6
FULL_SCORE = 100


class Reason(StrEnum):
    """Why an assignment counted as it did; several may hold."""

    IN_TIME = "in-time"
    NOT_CLOSED = "not-closed"
    NOT_YET_DUE = "not-yet-due"
    OVER_LIMIT = "over-limit"
    EXTENDED = "extended"
    DEFERRED = "deferred"
    RETURNED_TO_SAME = "returned-to-same"
    REPEATED = "repeated"
    RETURNED_TO_OTHER = "returned-to-other"
    AWAITING_DISPATCH = "awaiting-dispatch"
    VOIDED = "voided"


@dataclass(frozen=True, slots=True)
class Assignment:
    """A unit's part in a case, as far as scoring looks at it. Seconds are counted ones.

    Attributes:
        due_at: with extensions and deferrals as granted.
        limit_seconds: without extensions; null where there is no limit.
    """

    case_id: UUID
    ordinal: int
    unit: str
    due_at: datetime
    limit_seconds: int | None
    used_seconds: int
    closed_at: datetime | None
    extension_granted_at: datetime | None
    deferral_granted_at: datetime | None
    dispatches: int
    returned_to_same: int
    returned_to_other: int
    returns_refused: int
    feedback_refused: int
    awaiting_dispatch: bool
    voided: bool

    @property
    def repeated(self) -> bool:
        return self.dispatches > 1


@dataclass(frozen=True, slots=True)
class Judgement:
    """How one assignment counts, and why."""

    due: bool
    resolved: bool
    timely: bool
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Scorecard:
    """The figures of one unit in one period; rates are exact, null where nothing was due.

    Attributes:
        not_yet_due: of `due`, those not resolved whose deadline still lies ahead.
        rank: 1 is best, equal scores share it; null without a score or for a small sample.
        small_sample: something was due, but too little to be ranked.
        returned_to_other: assignments that went to another unit with the centre's consent; not due.
        returns_refused: returns asked for and refused, in all.
        repeated, extended, deferred, false_feedback: assignments among `due`.
    """

    unit: str
    due: int
    resolved: int
    timely: int
    not_yet_due: int
    timely_rate: Fraction | None
    resolution_rate: Fraction | None
    score: Fraction | None
    rank: int | None
    small_sample: bool
    returned_to_other: int
    returns_refused: int
    repeated: int
    extended: int
    deferred: int
    extended_or_deferred: int
    false_feedback: int


def judge(assignment: Assignment, computed_at: datetime) -> Judgement:
    """How an assignment counts when the figures are computed at an instant."""
    left_out = tuple(_left_out(assignment))
    if left_out:
        return Judgement(due=False, resolved=False, timely=False, reasons=left_out)
    closed_at = assignment.closed_at
    resolved = closed_at is not None and closed_at <= computed_at
    spoiled = list(_spoiled(assignment))
    if not resolved:
        spoiled.insert(0, Reason.NOT_CLOSED)
        if assignment.due_at > computed_at:
            spoiled.insert(1, Reason.NOT_YET_DUE)
    timely = not spoiled
    return Judgement(True, resolved, timely, tuple(spoiled) or (Reason.IN_TIME,))  # noqa: FBT003


def score_units(
    units: Iterable[str],
    assignments: Sequence[Assignment],
    parameters: "AssessmentParameters",
    computed_at: datetime,
) -> list[Scorecard]:
    """Scorecards of these units and of any other that had something due, sorted by unit.

    Args:
        units: units to show even if nothing was due for them.
        assignments: those whose deadline lies in the period.
        parameters: the version that holds for the period.
        computed_at: what was closed later does not count as resolved.
    """
    by_unit: dict[str, list[Assignment]] = {unit: [] for unit in units}
    for assignment in assignments:
        by_unit.setdefault(assignment.unit, []).append(assignment)
    cards = [
        score_unit(unit, items, parameters, computed_at) for unit, items in sorted(by_unit.items())
    ]
    return ranked(cards)


def score_unit(
    unit: str,
    assignments: Sequence[Assignment],
    parameters: "AssessmentParameters",
    computed_at: datetime,
) -> Scorecard:
    """One unit's figures, not ranked yet."""
    judged = [(assignment, judge(assignment, computed_at)) for assignment in assignments]
    due = [assignment for assignment, judgement in judged if judgement.due]
    resolved = sum(judgement.resolved for _, judgement in judged)
    timely = sum(judgement.timely for _, judgement in judged)
    timely_rate = rate(timely, len(due))
    resolution_rate = rate(resolved, len(due))
    return Scorecard(
        unit=unit,
        due=len(due),
        resolved=resolved,
        timely=timely,
        not_yet_due=sum(Reason.NOT_YET_DUE in judgement.reasons for _, judgement in judged),
        timely_rate=timely_rate,
        resolution_rate=resolution_rate,
        score=score_of(timely_rate, resolution_rate, parameters),
        rank=None,
        small_sample=0 < len(due) < parameters.small_sample,
        returned_to_other=sum(a.returned_to_other > 0 and not a.voided for a in assignments),
        returns_refused=sum(a.returns_refused for a in assignments if not a.voided),
        repeated=sum(a.repeated for a in due),
        extended=sum(a.extension_granted_at is not None for a in due),
        deferred=sum(a.deferral_granted_at is not None for a in due),
        extended_or_deferred=sum(_stretched(a) for a in due),
        false_feedback=sum(a.feedback_refused > 0 for a in due),
    )


def score_of(
    timely_rate: Fraction | None,
    resolution_rate: Fraction | None,
    parameters: "AssessmentParameters",
) -> Fraction | None:
    """The score of 100; none where nothing was due."""
    if timely_rate is None or resolution_rate is None:
        return None
    return FULL_SCORE * (
        parameters.timely_weight * timely_rate + parameters.resolution_weight * resolution_rate
    )


def ranked(cards: Sequence[Scorecard]) -> list[Scorecard]:
    """The same scorecards with ranks: one more than the number of units with a better score."""
    scores = sorted(
        (c.score for c in cards if c.score is not None and not c.small_sample), reverse=True
    )
    place = {score: scores.index(score) + 1 for score in set(scores)}
    return [_with_rank(card, place) for card in cards]


def rate(part: int, whole: int) -> Fraction | None:
    """A share, exact; none of nothing."""
    return Fraction(part, whole) if whole else None


def rounded(value: Fraction | None) -> Decimal | None:
    """Six decimals, halves to the even neighbour."""
    if value is None:
        return None
    return Decimal(round(value * 10**DECIMALS)).scaleb(-DECIMALS)


def _with_rank(card: Scorecard, place: dict[Fraction, int]) -> Scorecard:
    if card.small_sample or card.score is None:
        return card
    values = {name: getattr(card, name) for name in Scorecard.__slots__}
    return Scorecard(**{**values, "rank": place[card.score]})


def _left_out(assignment: Assignment) -> Iterable[Reason]:
    if assignment.voided:
        yield Reason.VOIDED
    if assignment.returned_to_other:
        yield Reason.RETURNED_TO_OTHER
    if assignment.awaiting_dispatch:
        yield Reason.AWAITING_DISPATCH


def _spoiled(assignment: Assignment) -> Iterable[Reason]:
    limit = assignment.limit_seconds
    if limit is not None and assignment.used_seconds > limit:
        yield Reason.OVER_LIMIT
    if assignment.extension_granted_at is not None:
        yield Reason.EXTENDED
    if assignment.deferral_granted_at is not None:
        yield Reason.DEFERRED
    if assignment.returned_to_same:
        yield Reason.RETURNED_TO_SAME
    if assignment.repeated:
        yield Reason.REPEATED


def _stretched(assignment: Assignment) -> bool:
    return assignment.extension_granted_at is not None or assignment.deferral_granted_at is not None
