"""How units are scored: allowances, recognised limits, exact fractions, ranks; over columns.

What counts, for a unit in a period:

- Its assignments whose due time (with everything that was granted) lies in the period are *before
  allowance*, except those that were returned to another unit, which are counted as returns.
- Of each kind (repeated dispatch, deferral, extension) the first `floor(share x before allowance)`
  assignments are *forgiven*: by the time of granting (for a repeat, of the second dispatch), ties
  by the case's id. The kinds are counted apart from each other.
- A forgiven deferral leaves what was due. A forgiven extension lengthens the recognised limit. A
  forgiven repeat has no effect. Beyond the allowance the pause of a deferral counts as used time,
  the time of an extension is not recognised, and none of the three is timely.
- *Resolved*: due, and closed when the figures are computed. *Timely*: resolved, the counted time
  not above the recognised limit, nothing beyond an allowance, never returned to the same unit.

Instants are whole microseconds since 1970 in UTC, spans are whole counted seconds; everything is an
integer or a fraction, never a float.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import IntEnum, StrEnum
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from shared.pack.model import AssessmentParameters

DECIMALS = 6
FULL_SCORE = 100

NEVER = int(np.iinfo(np.int64).max)
"""The instant in place of none: not closed, not granted."""

UNLIMITED = 2**62
"""The limit in place of none, in seconds; any extension can still be added to it."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Stay = tuple[UUID, str, int | None]
"""A case, a unit, and which stay of the case with the unit."""

Integers = npt.NDArray[np.integer]
Flags = npt.NDArray[np.bool_]


class Standing(IntEnum):
    """Whether an assignment takes part at all.

    Attributes:
        COUNTS: it is judged by the rule.
        VOIDED: it should never have been a case; nothing of it counts.
        EXCLUDED: left out by a decision of two people; nothing of it counts.
        AWAITING_DISPATCH: given back with consent, and nobody knows yet to whom it goes; not due.
        ACKNOWLEDGED: a granted appeal has it count as resolved in time, whatever the facts say.
    """

    COUNTS = 0
    VOIDED = 1
    EXCLUDED = 2
    AWAITING_DISPATCH = 3
    ACKNOWLEDGED = 4


class Kind(StrEnum):
    """What an allowance forgives."""

    REPEAT = "repeat"
    DEFERRAL = "deferral"
    EXTENSION = "extension"


class Reason(StrEnum):
    """Why an assignment counted as it did; several may hold. The codes never change."""

    VOIDED = "voided"
    EXCLUDED = "excluded"
    RETURNED_TO_OTHER = "returned-to-other"
    AWAITING_DISPATCH = "awaiting-dispatch"
    DEFERRAL_FORGIVEN = "deferral-forgiven"
    ACKNOWLEDGED = "acknowledged"
    IN_TIME = "in-time"
    NOT_CLOSED = "not-closed"
    NOT_YET_DUE = "not-yet-due"
    OVER_LIMIT = "over-limit"
    EXTENSION_BEYOND = "extension-beyond-allowance"
    DEFERRAL_BEYOND = "deferral-beyond-allowance"
    REPEAT_BEYOND = "repeat-beyond-allowance"
    RETURNED_TO_SAME = "returned-to-same"
    EXTENSION_FORGIVEN = "extension-forgiven"
    REPEAT_FORGIVEN = "repeat-forgiven"
    RETURN_REFUSED = "return-refused"
    FALSE_FEEDBACK = "false-feedback"


_BIT = {reason: 1 << position for position, reason in enumerate(Reason)}


@dataclass(frozen=True, slots=True)
class Columns:
    """Assignments, one array a column, all of the same length.

    Attributes:
        unit: number of the unit, from 0.
        case: the case's id, or numbers or bytes that sort as the ids do.
        ordinal: sets apart assignments of one case with one unit.
        due_at: microseconds; with extensions and deferrals as granted.
        limit_seconds: original limit; `UNLIMITED` for none.
        used_seconds: counted by the clock of the case, pauses left out.
        closed_at: microseconds at which it was verified and closed; `NEVER` if it was not.
        extension_seconds: granted; 0 for none.
        extension_granted_at: microseconds; `NEVER` for none.
        deferral_seconds: counted seconds of the pause; 0 for none.
        deferral_granted_at: microseconds; `NEVER` for none.
        second_dispatch_at: microseconds at which it was dispatched again; `NEVER` if it was not.
        dispatches: 1 and one more for each further one; `second_dispatch_at` tells of a repeat.
        returned_to_same: granted returns after which it came back to the unit.
        returned_to_other: granted returns after which it went to another unit.
        returns_refused: returns that were asked for in vain.
        feedback_refused: times that it was reported done and plainly was not.
        standing: codes of `Standing`.
    """

    unit: Integers
    case: npt.NDArray[np.generic]
    ordinal: Integers
    due_at: Integers
    limit_seconds: Integers
    used_seconds: Integers
    closed_at: Integers
    extension_seconds: Integers
    extension_granted_at: Integers
    deferral_seconds: Integers
    deferral_granted_at: Integers
    second_dispatch_at: Integers
    dispatches: Integers
    returned_to_same: Integers
    returned_to_other: Integers
    returns_refused: Integers
    feedback_refused: Integers
    standing: Integers

    def __len__(self) -> int:
        return len(self.unit)

    def take(self, rows: Integers) -> "Columns":
        """Some of the assignments."""
        return Columns(*(getattr(self, column.name)[rows] for column in fields(self)))

    def with_standing(self, standing: Integers) -> "Columns":
        """The same assignments with other standings."""
        return replace(self, standing=standing)


class PeriodFacts(NamedTuple):
    """Assignments as columns, with what the numbers in them stand for.

    Attributes:
        columns: `case` holds the bytes of the case's id.
        units: codes of the units by their number, sorted.
        case_ids: in the order of the columns.
    """

    columns: Columns
    units: list[str]
    case_ids: list[UUID]

    def among(self, units: list[str]) -> "PeriodFacts":
        """The same with the units' numbers those of a longer list, which holds all of `units`."""
        number_of = {unit: number for number, unit in enumerate(units)}
        numbers = np.asarray([number_of[unit] for unit in self.units], dtype=np.int64)
        return self._replace(
            columns=replace(self.columns, unit=numbers[self.columns.unit]), units=units
        )

    def with_standings(self, standings: Mapping[Stay, Standing]) -> "PeriodFacts":
        """The same with some assignments standing otherwise; a stay of None means every stay."""
        if not standings:
            return self
        cases = {case_id for case_id, _, _ in standings}
        standing = self.columns.standing.copy()
        for row, case_id in enumerate(self.case_ids):
            if case_id in cases:
                unit = self.units[int(self.columns.unit[row])]
                ordinal = int(self.columns.ordinal[row])
                decided = standings.get(
                    (case_id, unit, ordinal), standings.get((case_id, unit, None))
                )
                # What should never have been a case stays none.
                if decided is not None and standing[row] != Standing.VOIDED:
                    standing[row] = decided
        return self._replace(columns=self.columns.with_standing(standing))


@dataclass(frozen=True, slots=True)
class Rule:
    """The numbers of one version of the parameters. Shares are exact fractions of 1.

    Attributes:
        timely: weight of the timely rate; with `resolved` it makes 1.
        resolved: weight of the resolution rate.
        allowance: share that is forgiven, by kind.
        rank_minimum: units with fewer due are not ranked.
    """

    timely: Fraction
    resolved: Fraction
    allowance: Mapping[Kind, Fraction]
    rank_minimum: int


@dataclass(frozen=True, slots=True)
class Judgement:
    """How each assignment of a period counts.

    Attributes:
        rows: positions of these assignments among the columns that were judged.
        columns: these assignments only.
        due: counts as due after the allowance.
        resolved: of these, closed.
        timely: of these, in time.
        before: counts as due before the allowance.
        returned: left out because it went to another unit.
        forgiven: by kind.
        counted_seconds: used time with the pause of a deferral that is not forgiven.
        recognised_seconds: limit with the extension that is forgiven.
        reasons: bits of `Reason`; see `reasons_of`.
    """

    rows: Integers
    columns: Columns
    due: Flags
    resolved: Flags
    timely: Flags
    before: Flags
    returned: Flags
    forgiven: Mapping[Kind, Flags]
    counted_seconds: Integers
    recognised_seconds: Integers
    reasons: Integers


@dataclass(frozen=True, slots=True)
class Scorecard:
    """The figures of one unit in one period; rates are exact, null where nothing was due.

    Attributes:
        due: after the allowance, that is without forgiven deferrals.
        resolved: of `due`, verified and closed.
        timely: of `due`, in time.
        rank: 1 is best, equal scores share it; null without a score or for a small sample.
        small_sample: something was due, but too little to be ranked.
        forgiven: assignments forgiven, by kind.
        returned_to_other: assignments that went to another unit with the centre's consent.
        returns_refused: returns asked for and refused, in all.
        repeated, extended, deferred: assignments before allowance, whether forgiven or not.
        false_feedback: refused feedbacks, in all, on assignments before allowance.
        with_false_feedback: of these assignments, those on which it happened.
        extended_or_deferred: assignments before allowance that were one of the two or both.
        before_allowance: due before the allowance.
        not_yet_due: of `due`, those not resolved whose deadline still lies ahead.
    """

    unit: str
    due: int
    resolved: int
    timely: int
    timely_rate: Fraction | None
    resolution_rate: Fraction | None
    score: Fraction | None
    rank: int | None
    small_sample: bool
    forgiven: Mapping[Kind, int]
    returned_to_other: int
    returns_refused: int
    repeated: int
    extended: int
    deferred: int
    false_feedback: int
    with_false_feedback: int
    extended_or_deferred: int
    before_allowance: int
    not_yet_due: int


def rule_of(parameters: "AssessmentParameters") -> Rule:
    """The rule that a version of the city pack's parameters makes."""
    return Rule(
        timely=parameters.timely_weight,
        resolved=parameters.resolution_weight,
        allowance={
            Kind.REPEAT: parameters.redispatch_allowance,
            Kind.DEFERRAL: parameters.deferral_allowance,
            Kind.EXTENSION: parameters.extension_allowance,
        },
        rank_minimum=parameters.small_sample,
    )


def microseconds(instant: datetime | None) -> int:
    """An aware instant as columns have it."""
    return NEVER if instant is None else (instant - EPOCH) // timedelta(microseconds=1)


def judge(
    columns: Columns, start: datetime, end: datetime, computed_at: datetime, rule: Rule
) -> Judgement:
    """Judge the assignments whose due time lies in a period.

    Args:
        columns: assignments, those of other periods among them or not.
        start: first instant of the period.
        end: first instant after it.
        computed_at: what was closed later does not count as resolved.
        rule: the numbers that hold for the period.
    """
    first, last, at = (microseconds(instant) for instant in (start, end, computed_at))
    rows = np.flatnonzero((columns.due_at >= first) & (columns.due_at < last))
    lines = columns if len(rows) == len(columns) else columns.take(rows)
    part = (lines.standing != Standing.VOIDED) & (lines.standing != Standing.EXCLUDED)
    returned = part & (lines.returned_to_other > 0)
    before = part & ~returned & (lines.standing != Standing.AWAITING_DISPATCH)
    acknowledged = before & (lines.standing == Standing.ACKNOWLEDGED)
    has = _kinds(lines, before & ~acknowledged)
    forgiven = _forgiven(lines, before, has, rule)
    beyond = {kind: has[kind] & ~forgiven[kind] for kind in Kind}
    due = before & ~forgiven[Kind.DEFERRAL]
    # What counts by decision is resolved in time; everything else by its clock.
    closed = lines.closed_at <= at
    resolved = due & (closed | acknowledged)
    counted = lines.used_seconds + np.where(beyond[Kind.DEFERRAL], lines.deferral_seconds, 0)
    recognised = lines.limit_seconds + np.where(
        forgiven[Kind.EXTENSION], lines.extension_seconds, 0
    )
    over = counted > recognised
    same = lines.returned_to_same > 0
    spoiled = over | same | beyond[Kind.REPEAT] | beyond[Kind.DEFERRAL] | beyond[Kind.EXTENSION]
    timely = due & (acknowledged | (resolved & ~spoiled))
    judged = due & ~acknowledged
    reasons = _bits(
        {
            Reason.VOIDED: lines.standing == Standing.VOIDED,
            Reason.EXCLUDED: lines.standing == Standing.EXCLUDED,
            Reason.RETURNED_TO_OTHER: returned,
            Reason.AWAITING_DISPATCH: part & (lines.standing == Standing.AWAITING_DISPATCH),
            Reason.DEFERRAL_FORGIVEN: forgiven[Kind.DEFERRAL],
            Reason.ACKNOWLEDGED: acknowledged,
            Reason.IN_TIME: timely & judged,
            Reason.NOT_CLOSED: judged & ~closed,
            Reason.NOT_YET_DUE: judged & ~closed & (lines.due_at > at),
            Reason.OVER_LIMIT: judged & over,
            Reason.EXTENSION_BEYOND: judged & beyond[Kind.EXTENSION],
            Reason.DEFERRAL_BEYOND: judged & beyond[Kind.DEFERRAL],
            Reason.REPEAT_BEYOND: judged & beyond[Kind.REPEAT],
            Reason.RETURNED_TO_SAME: judged & same,
            Reason.EXTENSION_FORGIVEN: forgiven[Kind.EXTENSION],
            Reason.REPEAT_FORGIVEN: forgiven[Kind.REPEAT],
            Reason.RETURN_REFUSED: part & (lines.returns_refused > 0),
            Reason.FALSE_FEEDBACK: before & (lines.feedback_refused > 0),
        },
        len(lines),
    )
    return Judgement(
        rows=rows,
        columns=lines,
        due=due,
        resolved=resolved,
        timely=timely,
        before=before,
        returned=returned,
        forgiven=forgiven,
        counted_seconds=counted,
        recognised_seconds=recognised,
        reasons=reasons,
    )


def scorecards(judgement: Judgement, units: Sequence[str], rule: Rule) -> list[Scorecard]:
    """The scorecards of all units, ranked, in the order of `units`.

    Args:
        judgement: of one period.
        units: names of the units by their number in the columns; also those without assignments.
        rule: the same that was judged by.
    """
    lines = judgement.columns
    before, due = judgement.before, judgement.due
    extended = before & (lines.extension_granted_at != NEVER)
    deferred = before & (lines.deferral_granted_at != NEVER)
    part = (lines.standing != Standing.VOIDED) & (lines.standing != Standing.EXCLUDED)
    waiting = has_reason(judgement, Reason.NOT_YET_DUE)

    def count(which: Flags) -> list[int]:
        return _by_unit(lines.unit[which], len(units))

    counts = {
        "due": count(due),
        "resolved": count(judgement.resolved),
        "timely": count(judgement.timely),
        "returned_to_other": count(judgement.returned),
        "returns_refused": _sums(lines.unit[part], lines.returns_refused[part], len(units)),
        "repeated": count(before & (lines.second_dispatch_at != NEVER)),
        "extended": count(extended),
        "deferred": count(deferred),
        "false_feedback": _sums(lines.unit[before], lines.feedback_refused[before], len(units)),
        "with_false_feedback": count(has_reason(judgement, Reason.FALSE_FEEDBACK)),
        "extended_or_deferred": count(extended | deferred),
        "before_allowance": count(before),
        "not_yet_due": count(waiting),
    }
    forgiven = {kind: count(which) for kind, which in judgement.forgiven.items()}
    cards = [
        _scorecard(
            unit,
            {name: of_unit[number] for name, of_unit in counts.items()},
            {kind: of_unit[number] for kind, of_unit in forgiven.items()},
            rule,
        )
        for number, unit in enumerate(units)
    ]
    return _ranked(cards)


def reasons_of(bits: int) -> tuple[Reason, ...]:
    """The reasons of one assignment, in the order of `Reason`."""
    return tuple(reason for reason, bit in _BIT.items() if bits & bit)


def has_reason(judgement: Judgement, reason: Reason) -> Flags:
    """Which assignments have a reason."""
    flags: Flags = (judgement.reasons & _BIT[reason]) != 0
    return flags


def rate(part: int, whole: int) -> Fraction | None:
    """A share, exact; none of nothing."""
    return Fraction(part, whole) if whole else None


def rounded(value: Fraction | None) -> Decimal | None:
    """Six decimals, halves to the even neighbour."""
    if value is None:
        return None
    return Decimal(round(value * 10**DECIMALS)).scaleb(-DECIMALS)


def _kinds(lines: Columns, counted: Flags) -> dict[Kind, Flags]:
    return {
        Kind.REPEAT: counted & (lines.second_dispatch_at != NEVER),
        Kind.DEFERRAL: counted & (lines.deferral_granted_at != NEVER),
        Kind.EXTENSION: counted & (lines.extension_granted_at != NEVER),
    }


def _forgiven(
    lines: Columns, before: Flags, has: Mapping[Kind, Flags], rule: Rule
) -> dict[Kind, Flags]:
    granted = {
        Kind.REPEAT: lines.second_dispatch_at,
        Kind.DEFERRAL: lines.deferral_granted_at,
        Kind.EXTENSION: lines.extension_granted_at,
    }
    units = int(lines.unit.max()) + 1 if len(lines) else 0
    counts = _by_unit(lines.unit[before], units)
    return {
        kind: _first(lines, has[kind], granted[kind], _quota(counts, rule.allowance[kind]))
        for kind in Kind
    }


def _quota(counts: Sequence[int], share: Fraction) -> Integers:
    """Whole assignments that a share forgives, in integers: 3 % of 100 are 3, never 2."""
    quota = [count * share.numerator // share.denominator for count in counts]
    return np.asarray(quota, dtype=np.int64)


def _first(lines: Columns, which: Flags, granted_at: Integers, quota: Integers) -> Flags:
    """Of some assignments the first of each unit, as many as its quota."""
    rows = np.flatnonzero(which)
    chosen = np.zeros(len(which), dtype=bool)
    if len(rows):
        keys = (lines.ordinal[rows], lines.case[rows], granted_at[rows], lines.unit[rows])
        ordered = rows[np.lexsort(keys)]
        unit = lines.unit[ordered]
        begins = np.searchsorted(unit, unit, side="left")
        chosen[ordered] = np.arange(len(ordered)) - begins < quota[unit]
    return chosen


def _bits(reasons: Mapping[Reason, Flags], length: int) -> Integers:
    bits = np.zeros(length, dtype=np.int32)
    for reason, flags in reasons.items():
        bits[flags] |= _BIT[reason]
    return bits


def _by_unit(units: Integers, length: int) -> list[int]:
    counts: list[int] = np.bincount(units, minlength=length).tolist()
    return counts


def _sums(units: Integers, values: Integers, length: int) -> list[int]:
    sums = np.zeros(length, dtype=np.int64)
    np.add.at(sums, units, values)
    total: list[int] = sums.tolist()
    return total


def _scorecard(
    unit: str, counts: Mapping[str, int], forgiven: Mapping[Kind, int], rule: Rule
) -> Scorecard:
    due = counts["due"]
    timely_rate = rate(counts["timely"], due)
    resolution_rate = rate(counts["resolved"], due)
    score = None
    if timely_rate is not None and resolution_rate is not None:
        score = FULL_SCORE * (rule.timely * timely_rate + rule.resolved * resolution_rate)
    return Scorecard(
        unit=unit,
        timely_rate=timely_rate,
        resolution_rate=resolution_rate,
        score=score,
        rank=None,
        small_sample=0 < due < rule.rank_minimum,
        forgiven=forgiven,
        **counts,
    )


def _ranked(cards: Sequence[Scorecard]) -> list[Scorecard]:
    """The same scorecards with ranks: one more than the number of units with a better score."""
    scores = [card.score for card in cards if card.score is not None and not card.small_sample]
    place: dict[Fraction, int] = {}
    for number, score in enumerate(sorted(scores, reverse=True), start=1):
        place.setdefault(score, number)
    return [
        card if card.score is None or card.small_sample else replace(card, rank=place[card.score])
        for card in cards
    ]
