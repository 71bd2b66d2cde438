"""The one rule that makes assignments out of what dispatch told: a fold over columns of records.

A fact about a case that matters for the figures of units is one record of fixed width. The records
of any number of cases are folded at once, one case or a year of them by the same lines: sorted by
case and sequence, each fact once, then whole columns at a time. Neither the order in which the
records came nor a repetition changes anything.

An *assignment* is one run of a unit's clock on a case. A dispatch goes on with the assignment
before it if the unit is the same and the case came back by a granted return or a failed
verification; any other dispatch begins a new one, and so does the dispatch of a reopened case.

Instants are whole microseconds since 1970 in UTC, spans whole counted seconds as the clock of the
case gave them; nothing is counted here again.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self
from uuid import UUID

import numpy as np
import numpy.typing as npt

from services.assessment.records.domain import RECORD, Fact, Records, unit_key
from services.assessment.scoring.domain import NEVER, UNLIMITED, Columns, Standing

_KEYS = 2**64
_ROOM = 2**12
"""Sequences below this one fit beside half an id into a number of 64 bits."""

DISPATCHES = (
    Fact.DISPATCHED_ANEW,
    Fact.DISPATCHED_AFTER_RETURN,
    Fact.DISPATCHED_AFTER_FAILURE,
)

GIVEN_UP = (Fact.RETURN_GRANTED, Fact.CLOSED)
"""After these a dispatch binds its unit no more; what moves its due time later is no matter."""

Integers = npt.NDArray[np.int64]
Keys = npt.NDArray[np.uint64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class AssignmentColumns:
    """Assignments, one array a column, by case and within it by time.

    Attributes:
        ordinal: n-th assignment of its case, from 1.
        unit: `unit_key` of the unit.
        due_at: with extensions and deferrals as granted, by the calendar last told of before the
            unit gave the case back or it was closed.
        limit_seconds: without extensions, as the latest dispatch or, after it, a changed calendar
            gave it; `UNLIMITED` for none.
        used_seconds: as the clock of the case was read last, pauses left out.
        closed_at: verified and closed while with this unit; `NEVER` if it was not.
        extension_seconds: granted, in all.
        extension_granted_at: the first; `NEVER` for none.
        deferral_seconds: for which granted deferrals have stopped the clock.
        deferral_granted_at: the first; `NEVER` for none.
        second_dispatch_at: first dispatch after a failed verification; `NEVER` for none.
        dispatches: 1 and one more for each dispatch after a failed verification.
        returned_to_same: granted returns after which it came back to the unit.
        returned_to_other: 1 if it went to another unit by a granted return.
        returns_refused: returns asked for in vain.
        feedback_refused: times that it was reported done and plainly was not.
        awaiting_dispatch: given back with consent, and not dispatched again yet.
        passed_on: the case has an assignment after this one.
        voided: it should never have been a case.
    """

    case_high: Keys
    case_low: Keys
    ordinal: Integers
    unit: Keys
    dispatched_at: Integers
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
    awaiting_dispatch: Flags
    passed_on: Flags
    voided: Flags

    def __len__(self) -> int:
        return len(self.unit)

    def take(self, rows: npt.NDArray[np.generic]) -> "AssignmentColumns":
        """Some of the assignments, by index or by flag."""
        return AssignmentColumns(*(getattr(self, column.name)[rows] for column in fields(self)))

    @classmethod
    def joined(cls, parts: "list[Self]") -> "AssignmentColumns":
        """The assignments of several folds one after the other; at least one fold."""
        return AssignmentColumns(
            *(
                np.concatenate([getattr(part, column.name) for part in parts])
                for column in fields(cls)
            )
        )

    def case_id(self, row: int) -> UUID:
        return UUID(int=int(self.case_high[row]) << 64 | int(self.case_low[row]))


def fold_assignments(told: Records) -> AssignmentColumns:
    """The assignments of some cases from all records about them, in any order and number.

    Args:
        told: of `RECORD`; of each case either all records that there are, or none.
    """
    return _Fold(each_fact_once(told)).assignments()


def each_fact_once(told: Records) -> Records:
    """The records by case and sequence, each fact once.

    Of several tellings of one fact the one of the newest version counts; were there two of the same
    version that differ, the one that is smaller field by field.
    """
    told = told[_order(told)]
    again = _same_fact(told)
    if not again.any():
        return told
    repeated = np.append(again, False) | np.append(False, again)
    some = told[repeated]
    ranks = [some[name] for name in reversed(RECORD.names or ())]
    newest_first = np.iinfo(np.uint8).max - some["version"]
    keys = [*ranks, newest_first, some["sequence"], some["case_low"], some["case_high"]]
    some = some[np.lexsort(keys)]
    told[repeated] = some
    kept: Records = told[np.append(True, ~_same_fact(told))]
    return kept


def _order(told: Records) -> Integers:
    """By case and sequence.

    Ids of cases that began in the same weeks differ in few bits, so that as a rule half an id and
    the sequence make one number, which is sorted several times as fast as three.
    """
    high, low, sequence = told["case_high"], told["case_low"], told["sequence"]
    if len(told) and sequence.max() < _ROOM and high.max() - high.min() < _KEYS // _ROOM:
        order = np.argsort((high - high.min()) * np.uint64(_ROOM) + sequence)
        high, low = high[order], low[order]
        if not ((high[1:] == high[:-1]) & (low[1:] != low[:-1])).any():
            return order
    return np.lexsort((sequence, told["case_low"], told["case_high"]))


def _same_fact(told: Records) -> Flags:
    """For each record but the first, whether it tells the same fact as the one before."""
    same: Flags = _same_case(told) & (told["sequence"][1:] == told["sequence"][:-1])
    return same


def _same_case(told: Records) -> Flags:
    low, high = told["case_low"], told["case_high"]
    same: Flags = (low[1:] == low[:-1]) & (high[1:] == high[:-1])
    return same


def columns_to_score(
    folded: AssignmentColumns, units: Mapping[int, str]
) -> tuple[Columns, list[str]]:
    """Folded assignments as scoring wants them, and the units by their numbers there.

    Args:
        folded: sorted by case.
        units: codes by key, of these assignments' units at least.
    """
    codes = sorted(units.values())
    keys = np.array([unit_key(code) for code in codes], np.uint64)
    by_key = np.argsort(keys)
    number = by_key[np.searchsorted(keys[by_key], folded.unit)] if len(keys) else folded.unit
    other_case = np.ones(len(folded), bool)
    other_case[1:] = (folded.case_low[1:] != folded.case_low[:-1]) | (
        folded.case_high[1:] != folded.case_high[:-1]
    )
    waiting = np.where(folded.awaiting_dispatch, Standing.AWAITING_DISPATCH, Standing.COUNTS)
    given: dict[str, Any] = {
        column.name: getattr(folded, column.name, None) for column in fields(Columns)
    }
    given["unit"], given["case"] = number, np.cumsum(other_case)
    given["standing"] = np.where(folded.voided, Standing.VOIDED, waiting).astype(np.int8)
    return Columns(**given), codes


class _Fold:
    """The columns of the fold, each worked out once.

    Every record stands on the *dispatch* before it in its case, if it names that dispatch's number;
    what names another one waits for a dispatch that has not arrived, and is left alone.
    """

    def __init__(self, told: Records) -> None:
        self._told = told
        self._fact = np.ascontiguousarray(told["fact"])
        first = np.append(np.ones(min(len(told), 1), bool), ~_same_case(told))
        self._case = np.cumsum(first) - 1
        self._cases = int(first.sum())
        is_dispatch = np.isin(self._fact, DISPATCHES)
        self._dispatch = np.flatnonzero(is_dispatch)
        case, unit = self._case[self._dispatch], told["unit"][self._dispatch]
        goes_on = np.zeros(len(self._dispatch), bool)
        goes_on[1:] = (case[1:] == case[:-1]) & (unit[1:] == unit[:-1])
        goes_on &= self._fact[self._dispatch] != Fact.DISPATCHED_ANEW
        self._goes_on = goes_on
        self._line_of_dispatch = np.cumsum(~goes_on) - 1
        self._start = self._dispatch[~goes_on]
        self._latest = np.cumsum(is_dispatch) - 1
        self._line = self._lines()

    def _lines(self) -> Integers:
        """For each record its assignment, or -1."""
        line = np.full(len(self._told), -1)
        if not len(self._dispatch):
            return line
        dispatch = self._dispatch[self._latest]
        stands = (self._latest >= 0) & (self._case[dispatch] == self._case)
        stands &= self._told["assignment"][dispatch] == self._told["assignment"]
        line[stands] = self._line_of_dispatch[self._latest[stands]]
        given_up = np.cumsum(stands & np.isin(self._fact, GIVEN_UP))
        # Cases that wait for another dispatch are reckoned by the calendar with the last one.
        line[(self._fact == Fact.DEADLINES_MOVED) & (given_up > given_up[dispatch])] = -1
        return line

    def assignments(self) -> AssignmentColumns:
        told, start = self._told, self._start
        case = self._case[start]
        next_same = np.zeros(len(start), bool)
        next_same[:-1] = case[1:] == case[:-1]
        returned = np.zeros(len(start), bool)
        returned[:-1] = self._fact[start[1:]] == Fact.DISPATCHED_AFTER_RETURN
        again = self._dispatch[self._goes_on]
        repeats = again[self._fact[again] == Fact.DISPATCHED_AFTER_FAILURE]
        returns = again[self._fact[again] == Fact.DISPATCHED_AFTER_RETURN]
        extended, deferred = self._of(Fact.EXTENSION_GRANTED), self._of(Fact.DEFERRAL_GRANTED)
        return AssignmentColumns(
            case_high=told["case_high"][start],
            case_low=told["case_low"][start],
            ordinal=_ordinals(case),
            unit=told["unit"][start],
            dispatched_at=told["at"][start],
            due_at=self._last("due_at", told["due_at"] != NEVER, NEVER),
            limit_seconds=self._limits(),
            used_seconds=self._last("used_seconds", told["used_seconds"] >= 0, 0),
            closed_at=self._last("at", self._fact == Fact.CLOSED, NEVER),
            extension_seconds=self._sum("added_seconds", extended),
            extension_granted_at=self._first_time(extended),
            deferral_seconds=self._last("paused_seconds", told["paused_seconds"] >= 0, 0),
            deferral_granted_at=self._first_time(deferred),
            second_dispatch_at=self._first_time(repeats),
            dispatches=1 + self._count(repeats),
            returned_to_same=self._count(returns),
            returned_to_other=(next_same & returned).astype(np.int64),
            returns_refused=self._count(self._of(Fact.RETURN_REFUSED)),
            feedback_refused=self._count(self._of(Fact.FEEDBACK_REFUSED)),
            awaiting_dispatch=self._awaiting(),
            passed_on=next_same,
            voided=self._voided()[case],
        )

    def _of(self, fact: Fact) -> Integers:
        """Places of the records of a fact that stand on an assignment."""
        return np.flatnonzero((self._fact == fact) & (self._line >= 0))

    def _count(self, places: Integers) -> Integers:
        return np.bincount(self._line[places], minlength=len(self._start))

    def _sum(self, column: str, places: Integers) -> Integers:
        total = np.zeros(len(self._start), np.int64)
        np.add.at(total, self._line[places], self._told[column][places])
        return total

    def _last(self, column: str, where: Flags, otherwise: int) -> Integers:
        """The value of the last such record of each assignment."""
        places = np.flatnonzero(where & (self._line >= 0))
        found = np.full(len(self._start), otherwise)
        # Of several values for one place the last one is kept, and records stand in their order.
        found[self._line[places]] = self._told[column][places]
        return found

    def _first_time(self, places: Integers) -> Integers:
        found = np.full(len(self._start), NEVER)
        found[self._line[places[::-1]]] = self._told["at"][places[::-1]]
        return found

    def _limits(self) -> Integers:
        """What a dispatch or the calendar gave last, less the extensions that it contained."""
        added = np.where(self._line >= 0, self._told["added_seconds"], 0).astype(np.int64)
        sums = np.cumsum(added)
        gives = np.isin(self._fact, (*DISPATCHES, Fact.DEADLINES_MOVED)) & (self._line >= 0)
        places = np.flatnonzero(gives)
        line = self._line[places]
        contained = sums[places] - sums[self._start[line]]
        limit = self._told["limit_seconds"][places]
        found = np.full(len(self._start), UNLIMITED)
        found[line] = np.where(limit >= 0, limit - contained, UNLIMITED)
        return found

    def _awaiting(self) -> Flags:
        """Given back with consent after the last dispatch of the case."""
        last = np.zeros(self._cases, np.int64)
        last[self._case[self._dispatch]] = self._dispatch
        given_back = self._of(Fact.RETURN_GRANTED)
        waits = given_back[given_back > last[self._case[given_back]]]
        found = np.zeros(len(self._start), bool)
        found[self._line[waits]] = True
        return found

    def _voided(self) -> Flags:
        found = np.zeros(self._cases, bool)
        found[self._case[self._fact == Fact.VOIDED]] = True
        return found


def _ordinals(case: Integers) -> Integers:
    """1, 2, … within each case; the cases stand together."""
    place = np.arange(len(case))
    first = np.ones(len(case), bool)
    first[1:] = case[1:] != case[:-1]
    return place - np.maximum.accumulate(np.where(first, place, 0)) + 1
