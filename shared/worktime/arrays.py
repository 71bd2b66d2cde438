"""Working time for whole columns: the same answers as ``Calendar``, over numpy arrays.

Instants are int64 microseconds since 1970 in UTC. Opening and closing instants lie on a grid
(half an hour, say), so that a division finds the slot and one line per slot gives the answer:
no search, and nothing but integers.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from fractions import Fraction
from math import gcd
from typing import NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

from shared.worktime.calendar import Calendar
from shared.worktime.errors import EndBeforeStart, InstantNotUnderstood, MissingHolidayYear
from shared.worktime.instants import microseconds_of
from shared.worktime.limits import HOUR, Limit, LimitKind
from shared.worktime.rules import WorkingDayRule
from shared.worktime.table import Table

Instants = npt.NDArray[np.int64]

# Small enough for the intermediate columns to stay in the processor's second cache.
_CHUNK = 8_192
# Past this many slots the grid is finer than it is worth; a search is used instead.
_MOST_SLOTS = 4_000_000
_LARGEST = 2**62


class DueTimes(NamedTuple):
    """Answers in the order of the questions.

    Attributes:
        instants: int64 microseconds since 1970 in UTC.
        provisional: which of them rest on holidays that are not known yet.
    """

    instants: Instants
    provisional: npt.NDArray[np.bool_]


def instants_from(datetimes: Sequence[datetime]) -> Instants:
    """Aware datetimes as a column of instants."""
    return np.fromiter((microseconds_of(at) for at in datetimes), np.int64, len(datetimes))


def due_many(
    calendar: Calendar,
    starts: Instants,
    limits: Limit | Sequence[Limit],
    which: npt.NDArray[np.integer] | None = None,
    *,
    provisional: bool = False,
) -> DueTimes:
    """When limits begun at ``starts`` run out.

    Args:
        calendar: whose working time.
        starts: int64 microseconds since 1970 in UTC.
        limits: one limit for all, or the distinct limits that ``which`` chooses from.
        which: for each start, the index of its limit in ``limits``.
        provisional: answer with statutory holidays where the official ones are not known.

    Raises:
        MissingHolidayYear: at least one answer touches a year without holiday data.
        InstantNotUnderstood: the columns are not of int64 or not of one length.
    """
    _checked(starts)
    if isinstance(limits, Limit):
        limits, which = [limits], None
    elif which is None or which.shape != starts.shape:
        raise InstantNotUnderstood("choose a limit for every start: which needs their length")
    out = np.empty_like(starts)
    if not starts.size:
        return DueTimes(out, np.zeros(0, np.bool_))
    chosen = None if which is None else np.ascontiguousarray(which, np.intp)
    table = _table_for(calendar, starts, limits, chosen, provisional=provisional)
    _solve(table, starts, limits, chosen, out)
    counted = np.array([not limit.continuous for limit in limits])
    rows = np.broadcast_to(counted[0], starts.shape) if chosen is None else counted[chosen]
    return DueTimes(out, _touched(table, starts, out, rows, provisional=provisional))


def in_columns(calendar: Calendar, limit: Limit) -> bool:
    """Whether ``due_over_spans`` answers for this limit.

    It does for continuous time and working hours, and for working days where every full day is
    equally long; not where a limit is tied to the ends of days.
    """
    if limit.continuous or limit.kind is LimitKind.WORKING_HOURS:
        return True
    day = microseconds_of(datetime(2026, 6, 1, tzinfo=UTC))
    return _way(calendar.table(day, day, provisional=True), limit) == "hours"


def as_hours(calendar: Calendar, limit: Limit) -> Limit:
    """A limit that is `in_columns` in working hours; a continuous one as it is."""
    if limit.kind is not LimitKind.WORKING_DAYS:
        return limit
    day = microseconds_of(datetime(2026, 6, 1, tzinfo=UTC))
    units = calendar.table(day, day, provisional=True).units_in(limit)
    return Limit(Fraction(units, HOUR), LimitKind.WORKING_HOURS)


class Clocks(NamedTuple):
    """Clocks that each run in several spans of time, the last of which has no end.

    Attributes:
        starts: beginnings of all spans, clock after clock, those of a clock in order of time.
        ends: their ends; of a clock's last span it is not looked at.
        firsts: for each clock the index of its first span.
        limits: distinct limits, each of them `in_columns`.
        which: for each clock the index of its limit.
    """

    starts: Instants
    ends: Instants
    firsts: npt.NDArray[np.intp]
    limits: Sequence[Limit]
    which: npt.NDArray[np.intp]

    def lasts(self) -> npt.NDArray[np.intp]:
        """For each clock the index of its last span."""
        return np.append(self.firsts[1:], self.starts.size) - 1

    def only(self, clocks: npt.NDArray[np.bool_]) -> "Clocks":
        """Some of the clocks, with their spans."""
        sizes = self.lasts() - self.firsts + 1
        spans = np.repeat(clocks, sizes)
        chosen = sizes[clocks]
        firsts = np.cumsum(chosen) - chosen
        return Clocks(self.starts[spans], self.ends[spans], firsts, self.limits, self.which[clocks])


def due_over_spans(calendar: Calendar, clocks: Clocks) -> DueTimes:
    """When the limits of clocks run out; provisional where holidays are not known yet.

    The same answers as one `Calendar.due` after the other, each span taking what it holds.

    Raises:
        InstantNotUnderstood: the columns do not belong together.
    """
    _checked(clocks.starts)
    _checked(clocks.ends)
    if clocks.starts.shape != clocks.ends.shape or clocks.firsts.shape != clocks.which.shape:
        raise InstantNotUnderstood("spans need starts and ends, clocks a first span and a limit")
    count = clocks.firsts.size
    out, unsure = np.empty(count, np.int64), np.zeros(count, np.bool_)
    continuous = np.array([limit.continuous for limit in clocks.limits], np.bool_)[clocks.which]
    if continuous.any():
        out[continuous], _ = _over_spans(None, clocks.only(continuous))
    if not continuous.all():
        working = clocks if not continuous.any() else clocks.only(~continuous)
        owner = np.repeat(working.which, working.lasts() - working.firsts + 1)
        table = _table_for(calendar, working.starts, working.limits, owner, provisional=True)
        out[~continuous], unsure[~continuous] = _over_spans(table, working)
    return DueTimes(out, unsure)


def _over_spans(table: Table | None, clocks: Clocks) -> DueTimes:
    """One kind of time: add up what each span holds, and find the span that uses the limit up."""
    starts, firsts, lasts = clocks.starts, clocks.firsts, clocks.lasts()
    grid = None if table is None else _Grid.of(table)
    worked = starts if grid is None else grid.worked_until(starts)
    amounts = np.array(
        [
            limit.microseconds
            if limit.kind is not LimitKind.WORKING_DAYS or table is None
            else table.units_in(limit)
            for limit in clocks.limits
        ],
        np.int64,
    )[clocks.which]
    if firsts.size == starts.size:
        # Every clock has one span: nothing to look for.
        hit, target = firsts, worked + amounts
    else:
        ends = clocks.ends.copy()
        ends[lasts] = starts[lasts]
        held = (ends if grid is None else grid.worked_until(ends)) - worked
        sizes = lasts - firsts + 1
        before = np.cumsum(held) - held
        before -= np.repeat(before[firsts], sizes)
        after = before + held
        after[lasts] = np.iinfo(np.int64).max
        wanted = np.repeat(amounts, sizes)
        is_first = np.zeros(starts.size, np.bool_)
        is_first[firsts] = True
        hit = np.flatnonzero((wanted <= after) & ((before < wanted) | is_first))
        # A limit of nothing is used up in every span that holds nothing; the first one counts.
        hit = hit[np.searchsorted(hit, firsts, "left")]
        target = worked[hit] + amounts - before[hit]
    if grid is None or table is None:
        return DueTimes(target, np.zeros(target.size, np.bool_))
    out = grid.instant_of(target, (amounts > 0).astype(np.int64))
    return DueTimes(out, _unsure(table, clocks, hit, out))


def _unsure(
    table: Table, clocks: Clocks, hit: npt.NDArray[np.intp], due: Instants
) -> npt.NDArray[np.bool_]:
    """Which clocks touch a year without holiday data on the way to their due time."""
    if not table.unknown:
        return np.zeros(due.size, np.bool_)
    sizes = clocks.lasts() - clocks.firsts + 1
    ends = clocks.ends.copy()
    ends[hit] = due
    passed = np.arange(clocks.starts.size) <= np.repeat(hit, sizes)
    touched = _touched(
        table, clocks.starts, np.maximum(ends, clocks.starts), passed, provisional=True
    )
    return np.logical_or.reduceat(touched, clocks.firsts)


def elapsed_many(
    calendar: Calendar, starts: Instants, ends: Instants, *, provisional: bool = False
) -> Instants:
    """Working microseconds between ``starts`` and ``ends``.

    Raises:
        EndBeforeStart: some end lies before its start; the message names the first such row.
        MissingHolidayYear: at least one span touches a year without holiday data.
    """
    _checked(starts)
    _checked(ends)
    if starts.shape != ends.shape:
        raise InstantNotUnderstood("starts and ends need the same length")
    out = np.empty_like(starts)
    if not starts.size:
        return out
    if (ends < starts).any():
        row = int(np.argmax(ends < starts))
        raise EndBeforeStart(f"in row {row} (from 0) the end lies before the start: swap them")
    table = _covering(
        calendar,
        int(starts.min()),
        max(int(starts.max()), int(ends.max()) - 1),
        provisional=provisional,
    )
    grid = _Grid.of(table)
    for begin in range(0, starts.size, _CHUNK):
        part = slice(begin, begin + _CHUNK)
        np.subtract(grid.worked_until(ends[part]), grid.worked_until(starts[part]), out=out[part])
    _touched(table, starts, ends, np.ones(starts.shape, np.bool_), provisional=provisional)
    return out


class _Grid:
    """A table laid out for direct look-up.

    Attributes:
        working: whole-slot lines of "worked until": ``(at & mask) + base``.
        back: what to add to an amount worked to get the instant, per step of worked time.
    """

    def __init__(self, table: Table) -> None:
        self._opens = np.array(table.opens, np.int64)
        self._closes = np.array(table.closes, np.int64)
        self._worked = np.array(table.worked, np.int64)
        self._begins = table.begins
        self._step = _common_step(self._opens, self._closes, table)
        slots = (table.ends - table.begins) // self._step
        self._direct = slots <= _MOST_SLOTS
        if self._direct:
            self._lay_out(slots)

    @classmethod
    def of(cls, table: Table) -> "_Grid":
        made = _GRIDS.get(table)
        if made is None:
            made = _GRIDS[table] = cls(table)
        return made

    def _lay_out(self, slots: int) -> None:
        step, begins = self._step, self._begins
        changes = np.zeros(slots + 1, np.int64)
        np.add.at(changes, (self._opens - begins) // step, 1)
        np.add.at(changes, (self._closes - begins) // step, -1)
        rate = np.cumsum(changes)
        worked_before = np.concatenate(([0], np.cumsum(rate[:-1]) * step))
        slot_begins = begins + np.arange(slots + 1, dtype=np.int64) * step
        self._mask = -rate
        self._base = worked_before - rate * slot_begins
        lengths = self._closes - self._opens
        self._shift = np.repeat(self._opens - self._worked[:-1], lengths // step)

    def worked_until(self, at: Instants) -> Instants:
        if not self._direct:
            index = np.searchsorted(self._opens, at, "right") - 1
            return self._worked[index] + np.minimum(at, self._closes[index]) - self._opens[index]
        slot = at - self._begins
        slot //= self._step
        worked = self._mask.take(slot)
        worked &= at
        worked += self._base.take(slot)
        return worked

    def instant_of(self, target: Instants, some: Instants | int) -> Instants:
        """The instant at which so much has been worked.

        ``some`` is 1 where the limit is more than nothing, so that one that ends at a closing
        instant is due then; 0 where it is nothing and the next opening is meant.
        """
        place = target - some
        if not self._direct:
            span = np.searchsorted(self._worked, place, "right") - 1
            return target - self._worked[span] + self._opens[span]
        place //= self._step
        shift = self._shift.take(place)
        shift += target
        return shift


_GRIDS: WeakKeyDictionary[Table, _Grid] = WeakKeyDictionary()


def _common_step(opens: Instants, closes: Instants, table: Table) -> int:
    """The largest step that every opening, closing and span is a multiple of."""
    edges = np.concatenate((opens, closes)) - table.begins
    return gcd(int(np.gcd.reduce(edges)), table.ends - table.begins) or 1


def _checked(instants: Instants) -> None:
    if instants.dtype != np.int64 or instants.ndim != 1:
        raise InstantNotUnderstood(
            "give instants as one column of int64, microseconds since 1970 in UTC"
        )


def _covering(calendar: Calendar, first: int, last: int, *, provisional: bool) -> Table:
    # One after the other: a year without data between the two may concern no single row.
    calendar.table(first, first, provisional=provisional)
    return calendar.table(last, last, provisional=provisional)


def _table_for(
    calendar: Calendar,
    starts: Instants,
    limits: Sequence[Limit],
    which: npt.NDArray[np.intp] | None,
    *,
    provisional: bool,
) -> Table | None:
    """A table that holds every start and every answer; None if no limit looks at one.

    A later start is never due earlier, so the latest start of each limit speaks for its rows.
    """
    working = [index for index, limit in enumerate(limits) if not limit.continuous]
    if which is None:
        bounds = {0: (int(starts.min()), int(starts.max()))} if working else {}
    else:
        lows = np.full(len(limits), np.iinfo(np.int64).max)
        highs = np.full(len(limits), np.iinfo(np.int64).min)
        np.minimum.at(lows, which, starts)
        np.maximum.at(highs, which, starts)
        bounds = {
            index: (int(lows[index]), int(highs[index]))
            for index in working
            if lows[index] <= highs[index]
        }
    if not bounds:
        return None
    low = min(bound[0] for bound in bounds.values())
    high = max(bound[1] for bound in bounds.values())
    table = _covering(calendar, low, high, provisional=provisional)
    for index, (_, latest) in bounds.items():
        while table.due(latest, limits[index]) is None:
            table = calendar.lengthen(table, latest, provisional=provisional)
    return table


def _solve(
    table: Table | None,
    starts: Instants,
    limits: Sequence[Limit],
    which: npt.NDArray[np.intp] | None,
    out: Instants,
) -> None:
    """Answer each way of counting for the rows that are counted so."""
    ways = np.array([_way(table, limit) for limit in limits])
    if which is None or (ways == ways[0]).all():
        _solve_one_way(ways[0], table, starts, limits, which, out)
        return
    for way in np.unique(ways[np.unique(which)]):
        rows = np.flatnonzero(ways[which] == way)
        part = np.empty(rows.size, np.int64)
        _solve_one_way(way, table, starts[rows], limits, which[rows], part)
        out[rows] = part


def _solve_one_way(  # noqa: PLR0917  the columns belong together
    way: str,
    table: Table | None,
    starts: Instants,
    limits: Sequence[Limit],
    which: npt.NDArray[np.intp] | None,
    out: Instants,
) -> None:
    if table is None or way == "continuous":
        amounts = [limit.microseconds if limit.continuous else 0 for limit in limits]
        np.add(starts, _chosen(amounts, which, slice(None)), out=out)
    else:
        _WAYS[way](table, starts, limits, which, out)


def _way(table: Table | None, limit: Limit) -> str:
    if limit.continuous or table is None:
        return "continuous"
    if limit.kind is LimitKind.WORKING_HOURS or not limit.amount:
        return "hours"
    if table.rules.working_day is WorkingDayRule.END_OF_NTH_DAY:
        return "nth-day"
    # Where full days are equally long in all seasons, a working day is so many hours.
    return "hours" if set(table.weights) == {1} else "days"


def _chosen(amounts: list[int], which: npt.NDArray[np.intp] | None, part: slice) -> Instants | int:
    if which is None:
        return amounts[0]
    return np.array(amounts, np.int64).take(which[part])


def _by_hours(
    table: Table,
    starts: Instants,
    limits: Sequence[Limit],
    which: npt.NDArray[np.intp] | None,
    out: Instants,
) -> None:
    grid = _Grid.of(table)
    amounts = [
        0
        if limit.continuous
        else limit.microseconds
        if limit.kind is LimitKind.WORKING_HOURS
        else table.units_in(limit)
        for limit in limits
    ]
    some = [1 if amount else 0 for amount in amounts]
    for begin in range(0, starts.size, _CHUNK):
        part = slice(begin, begin + _CHUNK)
        target = grid.worked_until(starts[part])
        target += _chosen(amounts, which, part)
        out[part] = grid.instant_of(target, _chosen(some, which, part))


def _by_days(
    table: Table,
    starts: Instants,
    limits: Sequence[Limit],
    which: npt.NDArray[np.intp] | None,
    out: Instants,
) -> None:
    if table.units[-1] >= _LARGEST:
        # Hours so odd that their common measure leaves 64 bits: Python's integers do not mind.
        for row, start in enumerate(starts.tolist()):
            found = table.due(start, limits[0 if which is None else which[row]])
            assert found is not None, "the table was made to hold every answer"  # noqa: S101
            out[row] = table.instant(*found)
        return
    opens, closes = np.array(table.opens, np.int64), np.array(table.closes, np.int64)
    units, weights = np.array(table.units, np.int64), np.array(table.weights, np.int64)
    amounts = [0 if limit.continuous else table.units_in(limit) for limit in limits]
    span = np.searchsorted(opens, starts, "right") - 1
    target = units[span] + (np.minimum(starts, closes[span]) - opens[span]) * weights[span]
    target += _chosen(amounts, which, slice(None))
    span = np.searchsorted(units, target, "left") - 1
    out[:] = opens[span] - (units[span] - target) // weights[span]


def _by_nth_day(
    table: Table,
    starts: Instants,
    limits: Sequence[Limit],
    which: npt.NDArray[np.intp] | None,
    out: Instants,
) -> None:
    counts = [-(-limit.amount.numerator // limit.amount.denominator) for limit in limits]
    day_closes = np.array(table.day_closes, np.int64)
    if table.rules.count_first_day:
        first = np.searchsorted(day_closes, starts, "right")
    else:
        midnights = np.array(table.midnights, np.int64)
        tomorrow = midnights[np.searchsorted(midnights, starts, "right")]
        first = np.searchsorted(np.array(table.day_opens, np.int64), tomorrow, "left")
    out[:] = day_closes[first + _chosen(counts, which, slice(None)) - 1]


_WAYS = {
    "hours": _by_hours,
    "days": _by_days,
    "nth-day": _by_nth_day,
}


def _touched(
    table: Table | None,
    starts: Instants,
    ends: Instants,
    rows: npt.NDArray[np.bool_],
    *,
    provisional: bool,
) -> npt.NDArray[np.bool_]:
    """Which of ``rows`` touch a year without holiday data; refused unless provisional."""
    touched = np.zeros(starts.size, np.bool_)
    for unknown in () if table is None else table.unknown:
        here = (starts < unknown.ends) & ((ends > unknown.begins) | (starts >= unknown.begins))
        here &= rows
        if not provisional and here.any():
            raise MissingHolidayYear(unknown.year)
        touched |= here
    return touched
