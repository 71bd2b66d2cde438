"""Working spans of a run of years with running totals, so that every answer is a binary search.

All numbers are whole microseconds, or whole *units*: a unit is the share of a working day that
makes every full day, whatever its season, the same whole number of units long.
"""

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import accumulate
from math import lcm
from typing import Self

from shared.worktime.instants import EPOCH, local_instant, same_offset_all_day, wall_clock
from shared.worktime.limits import SECOND, Limit
from shared.worktime.rules import CalendarRules, DayPlan, Hours, WorkingDayRule


@dataclass(frozen=True, slots=True)
class UnknownYear:
    """A year of the table without holiday data, as a span of instants."""

    year: int
    begins: int
    ends: int

    @classmethod
    def of(cls, rules: CalendarRules, year: int) -> Self:
        begins, ends = (wall_clock(date(turn, 1, 1), 0, rules.zone) for turn in (year, year + 1))
        return cls(year, begins, ends)

    def touched_by(self, start: int, end: int) -> bool:
        """Whether a question about [start, end] depends on any instant of the year."""
        return start < self.ends and (end > self.begins or start >= self.begins)


class Table:
    """An immutable snapshot over whole years.

    Spans stand at index 1 and up; index 0 is an empty span at the table's beginning, so that
    every instant of the table has a span at or before it.

    Attributes:
        begins, ends: instants that bound the table.
        opens, closes: instants of each span.
        worked: microseconds worked before each span, and the total last.
        units: units worked before each span, and the total last.
        weights: units in one microsecond of each span.
        units_per_day: units in a full working day.
        midnights: instant at which each local date begins, and the end of the table last.
        day_opens, day_closes: first opening and last closing of each worked day.
        unknown: years without holiday data; without ``guess`` nothing is worked in them.
    """

    def __init__(self, rules: CalendarRules, first: int, last: int, *, guess: bool) -> None:
        self.rules, self.first_year, self.last_year = rules, first, last
        zone = rules.zone
        self.begins = wall_clock(date(first, 1, 1), 0, zone)
        self.ends = wall_clock(date(last + 1, 1, 1), 0, zone)
        self.opens, self.closes = [self.begins], [self.begins]
        self.midnights: list[int] = []
        self.day_opens: list[int] = []
        self.day_closes: list[int] = []
        self.unknown: list[UnknownYear] = []
        self._full_days = [0]
        self._next_midnight = self.begins
        for year in range(first, last + 1):
            if not rules.knows(year):
                self.unknown.append(UnknownYear.of(rules, year))
            self._add_year(rules.plan_year(year, guess=guess))
        self.midnights.append(self.ends)
        self.worked = [
            0,
            *accumulate(
                closes - opens for opens, closes in zip(self.opens, self.closes, strict=True)
            ),
        ]
        self._weigh()
        self._find_steady_zone()
        self._local_opens = [local_instant(opens, zone) for opens in self.opens]
        self._clock_changes_within_a_span = any(
            local.utcoffset() != local_instant(closes, zone).utcoffset()
            for local, closes in zip(self._local_opens[1:], self.closes[1:], strict=True)
        )

    def _add_year(self, plans: list[DayPlan]) -> None:
        zone = self.rules.zone
        for plan in plans:
            midnight = self._next_midnight
            steady = same_offset_all_day(plan.date, zone)
            self._next_midnight = (
                midnight + 86_400 * SECOND if steady else wall_clock(plan.date, 86_400, zone)
            )
            self.midnights.append(midnight)
            if not plan.hours:
                continue
            spans = instants_of(plan, plan.hours, self.rules, midnight if steady else None)
            full = (
                spans
                if plan.hours is plan.full_hours
                else instants_of(plan, plan.full_hours, self.rules, midnight if steady else None)
            )
            if not spans:
                continue
            self.opens += [opens for opens, _ in spans]
            self.closes += [closes for _, closes in spans]
            self._full_days += [full_day(plan, full)] * len(spans)
            self.day_opens.append(spans[0][0])
            self.day_closes.append(spans[-1][1])

    def _weigh(self) -> None:
        self.units_per_day = lcm(*set(self._full_days[1:])) if self._full_days[1:] else 1
        self.weights = [1, *(self.units_per_day // full for full in self._full_days[1:])]
        self.units = [
            0,
            *accumulate(
                (closes - opens) * weight
                for opens, closes, weight in zip(self.opens, self.closes, self.weights, strict=True)
            ),
        ]

    def _find_steady_zone(self) -> None:
        zone, day = self.rules.zone, 86_400 * SECOND
        offsets = {
            local_instant(at, zone).utcoffset()
            for at in (self.begins - day, *self.midnights, self.ends + day)
        }
        # No zone is that object, not even the None of a datetime without one.
        self._steady_zone: object = zone if len(offsets) == 1 else object()
        offset = offsets.pop() or timedelta(0)
        self._steady_epoch = (EPOCH + offset).replace(tzinfo=zone)

    def holds(self, start: int, end: int) -> bool:
        """Whether both instants lie within the years of the table."""
        return self.begins <= start and end <= self.ends

    def first_unknown(self, start: int, end: int) -> int | None:
        """The first year without holiday data that a question about [start, end] touches."""
        for unknown in self.unknown:
            if unknown.touched_by(start, end):
                return unknown.year
        return None

    def microseconds_of(self, instant: datetime) -> int:
        """Whole microseconds since 1970 in UTC, like the function of that name, but quicker.

        Raises:
            TypeError: the instant carries no zone.
        """
        # Two datetimes of one zone object subtract as their clocks show, without asking the zone
        # for its offsets, which is right and several times faster where the offset never changes.
        steady = instant.tzinfo is self._steady_zone
        since = instant - (self._steady_epoch if steady else EPOCH)
        return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds

    def worked_until(self, at: int) -> int:
        """Microseconds worked from the table's beginning to ``at``."""
        index = bisect_right(self.opens, at) - 1
        closes = self.closes[index]
        return self.worked[index] + (min(closes, at)) - self.opens[index]

    def units_until(self, at: int) -> int:
        """Units worked from the table's beginning to ``at``."""
        index = bisect_right(self.opens, at) - 1
        return (
            self.units[index]
            + (min(at, self.closes[index]) - self.opens[index]) * self.weights[index]
        )

    def due(self, at: int, limit: Limit) -> tuple[int, int] | None:
        """The span in which a working limit from ``at`` ends, and how far into it.

        Returns:
            Index of the span and microseconds after its opening; None if the end lies after
            the table.
        """
        if limit.plain_hours:
            # Written out rather than called: this is the way of nearly every question.
            opens, worked = self.opens, self.worked
            index = bisect_right(opens, at) - 1
            closes = self.closes[index]
            target = worked[index] + (min(closes, at)) - opens[index] + limit.microseconds
            # bisect_left keeps a limit that ends at a closing instant before the pause.
            index = bisect_left(worked, target) - 1
            return None if index == len(opens) else (index, target - worked[index])
        if not limit.amount:
            return self._next_working_instant(at)
        if self.rules.working_day is WorkingDayRule.END_OF_NTH_DAY:
            return self._end_of_nth_day(at, -(-limit.amount.numerator // limit.amount.denominator))
        target = self.units_until(at) + self.units_in(limit)
        index = bisect_left(self.units, target) - 1
        if index == len(self.opens):
            return None
        return index, -((self.units[index] - target) // self.weights[index])

    def units_in(self, limit: Limit) -> int:
        """A limit in working days as units, rounded up to a whole one."""
        exact = limit.amount * self.units_per_day
        return -(-exact.numerator // exact.denominator)

    def instant(self, index: int, microseconds: int) -> int:
        return self.opens[index] + microseconds

    def local(self, index: int, microseconds: int) -> datetime:
        """The instant so far into a span, on the clock of the zone."""
        if self._clock_changes_within_a_span:
            return local_instant(self.opens[index] + microseconds, self.rules.zone)
        return self._local_opens[index] + timedelta(0, 0, microseconds)

    def _next_working_instant(self, at: int) -> tuple[int, int] | None:
        index = bisect_right(self.opens, at) - 1
        if at < self.closes[index]:
            return index, at - self.opens[index]
        return None if index + 1 == len(self.opens) else (index + 1, 0)

    def _end_of_nth_day(self, at: int, count: int) -> tuple[int, int] | None:
        if self.rules.count_first_day:
            first = bisect_right(self.day_closes, at)
        else:
            tomorrow = self.midnights[bisect_right(self.midnights, at)]
            first = bisect_left(self.day_opens, tomorrow)
        nth = first + count - 1
        if nth >= len(self.day_closes):
            return None
        closes = self.day_closes[nth]
        index = bisect_left(self.opens, closes) - 1
        return index, closes - self.opens[index]


def instants_of(
    plan: DayPlan, hours: tuple[Hours, ...], rules: CalendarRules, midnight: int | None = None
) -> list[tuple[int, int]]:
    """Spans of a date as instants; one that the clock skips entirely is left out.

    ``midnight`` is the instant at which the date begins, if its clock neither skips nor repeats;
    it saves asking the zone.
    """
    if midnight is not None:
        return [(midnight + span.opens * SECOND, midnight + span.closes * SECOND) for span in hours]
    spans = [
        (
            wall_clock(plan.date, span.opens, rules.zone),
            wall_clock(plan.date, span.closes, rules.zone),
        )
        for span in hours
    ]
    return [(opens, closes) for opens, closes in spans if opens < closes]


def full_day(plan: DayPlan, full_spans: list[tuple[int, int]]) -> int:
    """Microseconds of a full working day of the date's season, as long as that date makes it."""
    really = sum(closes - opens for opens, closes in full_spans)
    return really or sum(span.closes - span.opens for span in plan.full_hours) * SECOND
