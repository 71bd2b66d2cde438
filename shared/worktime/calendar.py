"""A city's working time: when a limit is due, and how much of it a span of time has used."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple, Self
from zoneinfo import ZoneInfo

from shared.worktime.calendar_file import load_rules
from shared.worktime.errors import EndBeforeStart, MissingHolidayYear, OutsideCalendar
from shared.worktime.instants import local_instant, microseconds_of
from shared.worktime.limits import DAY, HOUR, MINUTE, Limit, LimitKind
from shared.worktime.rules import CalendarRules, DayPlan, WorkingDayRule
from shared.worktime.table import Table, UnknownYear

FIRST_YEAR, LAST_YEAR = 1900, 2199

_UNIT = {
    LimitKind.WORKING_HOURS: HOUR,
    LimitKind.HOURS: HOUR,
    LimitKind.DAYS: DAY,
    LimitKind.MINUTES: MINUTE,
}


# The constructor that a named tuple writes for itself costs more than the search.
_due_time = tuple.__new__


class DueTime(NamedTuple):
    """When a limit runs out.

    Attributes:
        instant: aware, in the calendar's zone.
        provisional: the answer rests on a year whose official holidays are not yet known.
    """

    instant: datetime
    provisional: bool


class Calendar:
    """Answers in O(log n) from tables that grow with the years asked for.

    Safe to share between threads: a table is never changed, only replaced by a longer one.
    """

    def __init__(self, rules: CalendarRules) -> None:
        self.rules = rules
        self._tables: dict[bool, Table] = {}
        self._plans: dict[tuple[int, bool], list[DayPlan]] = {}

    @classmethod
    def load(cls, path: Path | str) -> Self:
        """Read a calendar file, or the one of a pack directory."""
        return cls(load_rules(path))

    @property
    def zone(self) -> ZoneInfo:
        return self.rules.zone

    def due(self, start: datetime, limit: Limit, *, provisional: bool = False) -> DueTime:
        """When ``limit``, begun at ``start``, has been used up.

        A working limit that starts outside working time begins at the next working instant, and
        one that ends exactly at a closing instant is due then. Of nothing, the beginning itself.

        Args:
            start: aware, in any zone.
            limit: of any kind; continuous ones do not look at the calendar.
            provisional: answer with statutory holidays where the official ones are not known.

        Raises:
            MissingHolidayYear: the answer touches a year without holiday data.
            OutsideCalendar: the answer would lie beyond the year 2199.
        """
        if limit.continuous:
            at = microseconds_of(start) + limit.microseconds
            return DueTime(local_instant(at, self.rules.zone), provisional=False)
        table, at = self._placed(start, provisional=provisional)
        found = table.due(at, limit)
        while found is None:
            table = self.lengthen(table, at, provisional=provisional)
            found = table.due(at, limit)
        guessed = False
        if table.unknown:
            guessed = self._touches_unknown(
                table, at, table.instant(*found), provisional=provisional
            )
        return _due_time(DueTime, (table.local(*found), guessed))

    def elapsed(self, start: datetime, end: datetime, *, provisional: bool = False) -> timedelta:
        """The working time between two instants, exact to the microsecond.

        Raises:
            EndBeforeStart: ``end`` lies before ``start``.
            MissingHolidayYear: the span touches a year without holiday data.
        """
        table, first = self._placed(start, provisional=provisional)
        last = table.microseconds_of(end) if end.tzinfo else microseconds_of(end)
        if last < first or last > table.ends:
            first, last = _in_order(start, end)
            table = self.table(first, last, provisional=provisional)
        if table.unknown:
            self._touches_unknown(table, first, last, provisional=provisional)
        return timedelta(0, 0, table.worked_until(last) - table.worked_until(first))

    def elapsed_under(
        self, kind: LimitKind, start: datetime, end: datetime, *, provisional: bool = False
    ) -> timedelta:
        """The time between two instants as a limit of ``kind`` would count it."""
        if not kind.continuous:
            return self.elapsed(start, end, provisional=provisional)
        first, last = _in_order(start, end)
        return timedelta(microseconds=last - first)

    def used(
        self, kind: LimitKind, start: datetime, end: datetime, *, provisional: bool = False
    ) -> Limit:
        """How much of a limit of ``kind`` the span uses up, as an exact amount of that kind.

        A working day is measured by the hours of its season, under either rule for working days.
        """
        if kind is not LimitKind.WORKING_DAYS:
            passed = self.elapsed_under(kind, start, end, provisional=provisional)
            return Limit(Fraction(passed // timedelta(microseconds=1), _UNIT[kind]), kind)
        first, last = _in_order(start, end)
        table = self.table(first, last, provisional=provisional)
        self._touches_unknown(table, first, last, provisional=provisional)
        units = table.units_until(last) - table.units_until(first)
        return Limit(Fraction(units, table.units_per_day), kind)

    def remaining(
        self, limit: Limit, start: datetime, at: datetime, *, provisional: bool = False
    ) -> Limit:
        """What is left at ``at`` of a limit begun at ``start``; never less than nothing."""
        return limit.minus(self.used(limit.kind, start, at, provisional=provisional))

    def warn_at(
        self,
        start: datetime,
        limit: Limit,
        share: Fraction | Decimal,
        *,
        provisional: bool = False,
    ) -> DueTime:
        """When ``share`` of the limit is used up, for example four fifths.

        Where working days end at the close of the Nth day, it is the share of the working time
        between the start and that close.
        """
        nth_day = self.rules.working_day is WorkingDayRule.END_OF_NTH_DAY
        if limit.kind is LimitKind.WORKING_DAYS and nth_day:
            due = self.due(start, limit, provisional=provisional)
            whole = self.used(
                LimitKind.WORKING_HOURS, start, max(start, due.instant), provisional=provisional
            )
            limit = whole
        return self.due(start, limit.scaled(share), provisional=provisional)

    def advance(
        self,
        start: datetime,
        working_seconds: int | Decimal | Fraction,
        *,
        provisional: bool = False,
    ) -> DueTime:
        """The instant at which so many working seconds after ``start`` have been worked."""
        hours = Limit(Fraction(working_seconds) / 3600, LimitKind.WORKING_HOURS)
        return self.due(start, hours, provisional=provisional)

    def is_provisional(self, start: datetime, end: datetime) -> bool:
        """Whether the working time between two instants rests on unknown holidays."""
        return self._first_unknown(*_in_order(start, end)) is not None

    def is_working_day(self, day: date, *, provisional: bool = False) -> bool:
        """Whether any hours of the local date are worked."""
        return bool(self.plan(day, provisional=provisional).hours)

    def plan(self, day: date, *, provisional: bool = False) -> DayPlan:
        """What the rules say about a local date.

        Raises:
            MissingHolidayYear: the year's holidays are not known and no guess is allowed.
        """
        self._bounded(day.year)
        if not provisional and not self.rules.knows(day.year):
            raise MissingHolidayYear(day.year)
        key = (day.year, provisional)
        if key not in self._plans:
            self._plans[key] = self.rules.plan_year(day.year, guess=provisional)
        return self._plans[key][day.timetuple().tm_yday - 1]

    def table(self, first: int, last: int, *, provisional: bool) -> Table:
        """The table that holds two instants, in microseconds since 1970; grown on demand."""
        table = self._tables.get(provisional)
        if table is not None and table.holds(first, last) and first < table.ends:
            return table
        from_year, to_year = self._year_of(first), self._year_of(last)
        if not provisional:
            unknown = self._first_unknown(first, last)
            if unknown is not None:
                raise MissingHolidayYear(unknown)
        if table is not None:
            from_year = min(from_year, table.first_year)
            to_year = max(to_year, table.last_year)
        return self._remember(from_year, to_year, provisional=provisional)

    def _placed(self, instant: datetime, *, provisional: bool) -> tuple[Table, int]:
        """The table that holds an instant, and its microseconds since 1970."""
        table = self._tables.get(provisional)
        if table is not None and instant.tzinfo:
            at = table.microseconds_of(instant)
            # Quick conversion is right within the table only.
            if table.begins <= at < table.ends:
                return table, at
        at = microseconds_of(instant)
        return self.table(at, at, provisional=provisional), at

    def lengthen(self, table: Table, at: int, *, provisional: bool) -> Table:
        """A longer table, for an answer that began at ``at`` and lies beyond ``table``."""
        if not provisional:
            unknown = table.first_unknown(at, table.ends)
            if unknown is not None:
                raise MissingHolidayYear(unknown)
            if table.last_year < LAST_YEAR and not self.rules.knows(table.last_year + 1):
                raise MissingHolidayYear(table.last_year + 1)
        if table.last_year >= LAST_YEAR:
            raise OutsideCalendar(f"the answer lies beyond the year {LAST_YEAR}: check the limit")
        # Doubling keeps the cost of growing in step with the cost of having grown.
        last = table.last_year + 1
        furthest = min(LAST_YEAR, last + table.last_year - table.first_year)
        while last < furthest and (provisional or self.rules.knows(last + 1)):
            last += 1
        return self._remember(table.first_year, last, provisional=provisional)

    def _remember(self, first: int, last: int, *, provisional: bool) -> Table:
        self._bounded(first)
        self._bounded(last)
        table = Table(self.rules, first, last, guess=provisional)
        self._tables[provisional] = table
        return table

    def _touches_unknown(self, table: Table, start: int, end: int, *, provisional: bool) -> bool:
        year = table.first_unknown(start, end)
        if year is not None and not provisional:
            raise MissingHolidayYear(year)
        return year is not None

    def _first_unknown(self, start: int, end: int) -> int | None:
        for year in range(self._year_of(start), self._year_of(end) + 1):
            if not self.rules.knows(year) and UnknownYear.of(self.rules, year).touched_by(
                start, end
            ):
                return year
        return None

    def _year_of(self, microseconds: int) -> int:
        return local_instant(microseconds, self.rules.zone).year

    @staticmethod
    def _bounded(year: int) -> None:
        if not FIRST_YEAR <= year <= LAST_YEAR:
            raise OutsideCalendar(
                f"the year {year} lies outside {FIRST_YEAR} to {LAST_YEAR}: check the date"
            )


def load_calendar(path: Path | str) -> Calendar:
    """Read a calendar file, or the ``calendar.toml`` of a pack directory.

    Raises:
        CalendarFaults: with every fault of the file, each with its line.
    """
    return Calendar.load(path)


def _in_order(start: datetime, end: datetime) -> tuple[int, int]:
    first, last = microseconds_of(start), microseconds_of(end)
    if last < first:
        raise EndBeforeStart(
            f"the end {end.isoformat()} lies before the start {start.isoformat()}: swap them"
        )
    return first, last
