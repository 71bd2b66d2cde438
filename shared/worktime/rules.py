"""The rules of a city's working time: seasons, hours, rest days, holidays and exceptions."""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from shared.worktime.holiday_sources import HolidaySource, Name, SpecialDay


class WorkingDayRule(StrEnum):
    """What a limit of N working days means."""

    HOURS_WORKED = "hours-worked"
    END_OF_NTH_DAY = "end-of-nth-day"


class DayKind(StrEnum):
    """Why a day is worked or not."""

    ORDINARY = "ordinary"
    REST_WEEKDAY = "rest-weekday"
    HOLIDAY = "holiday"
    MAKE_UP = "make-up"
    OVERRIDE = "override"


@dataclass(frozen=True, slots=True)
class Hours:
    """One span of a day on the clock of the wall, in seconds after midnight; the end is outside."""

    opens: int
    closes: int

    def __str__(self) -> str:
        return f"{clock_text(self.opens)}-{clock_text(self.closes)}"


@dataclass(frozen=True, slots=True)
class Season:
    """Days of the year that share their hours, both ends included; may run across new year.

    Attributes:
        first: (month, day) of the first day.
        last: (month, day) of the last day.
        hours: the spans of a full working day, in order, without overlap.
    """

    first: tuple[int, int]
    last: tuple[int, int]
    hours: tuple[Hours, ...]

    def holds(self, month_and_day: tuple[int, int]) -> bool:
        if self.first <= self.last:
            return self.first <= month_and_day <= self.last
        return month_and_day >= self.first or month_and_day <= self.last


@dataclass(frozen=True, slots=True)
class Override:
    """What the pack says about one date; it has the last word.

    Attributes:
        works: whether the day is worked.
        name: why.
        hours: hours of that day alone; None takes those of the season.
    """

    works: bool
    name: Name
    hours: tuple[Hours, ...] | None = None


@dataclass(frozen=True, slots=True)
class DayPlan:
    """One local date under the rules.

    Attributes:
        hours: the spans worked; empty when the day does not count.
        full_hours: the spans of a full day of the season, by which working days are measured.
        guessed: the year's notice is not known and statute alone decided.
    """

    date: date
    kind: DayKind
    name: Name | None
    hours: tuple[Hours, ...]
    full_hours: tuple[Hours, ...]
    guessed: bool


@dataclass(frozen=True)
class CalendarRules:
    """Everything that a calendar file says, checked.

    Attributes:
        zone: the zone whose dates and clock the rules speak of.
        rest_weekdays: 0 = Monday to 6 = Sunday.
        count_first_day: with ``end-of-nth-day`` only: whether the day on which work begins is
            day one, or the day after the start is.
        notice_years: years whose official notice the overrides hold in full.
    """

    zone: ZoneInfo
    seasons: tuple[Season, ...]
    rest_weekdays: frozenset[int]
    holidays: HolidaySource
    overrides: dict[date, Override]
    make_up_days_work: bool
    notice_years: frozenset[int]
    working_day: WorkingDayRule
    count_first_day: bool

    def knows(self, year: int) -> bool:
        """Whether the year's holidays are known, so that an answer in it is final."""
        return year in self.notice_years or self.holidays.knows(year)

    def plan_year(self, year: int, *, guess: bool) -> list[DayPlan]:
        """Every day of the year in order.

        In a year whose holidays are not known, ``guess`` takes those that statute fixes; without
        it the whole year is unworked, for a caller that refuses to enter it.
        """
        guessed = not self.knows(year)
        first = date(year, 1, 1)
        days = [first + timedelta(days=offset) for offset in range(366)]
        if days[-1].year != year:
            days.pop()
        special = self._special_days(year) if guess or not guessed else {}
        plans = [self._plan(day, special.get(day), guessed=guessed) for day in days]
        return [replace(plan, hours=()) for plan in plans] if guessed and not guess else plans

    def _special_days(self, year: int) -> dict[date, SpecialDay]:
        # A notice written out in full needs no guess beside it.
        written_out = year in self.notice_years and not self.holidays.knows(year)
        return {} if written_out else self.holidays.special_days(year)

    def _plan(self, day: date, special: SpecialDay | None, *, guessed: bool) -> DayPlan:
        month_and_day = (day.month, day.day)
        season = next(season for season in self.seasons if season.holds(month_and_day))
        hours = season.hours
        name: Name | None = None
        if override := self.overrides.get(day):
            works, kind, name = override.works, DayKind.OVERRIDE, override.name
            hours = hours if override.hours is None else override.hours
        elif special is not None and not special.works:
            works, kind, name = False, DayKind.HOLIDAY, special.name
        elif special is not None and self.make_up_days_work:
            works, kind, name = True, DayKind.MAKE_UP, special.name
        elif day.weekday() in self.rest_weekdays:
            works, kind = False, DayKind.REST_WEEKDAY
        else:
            works, kind = True, DayKind.ORDINARY
        return DayPlan(day, kind, name, hours if works else (), season.hours, guessed)


def clock_text(seconds: int) -> str:
    """Seconds after midnight as the clock shows them; 24:00 is the end of the day."""
    minutes, second = divmod(seconds, 60)
    text = f"{minutes // 60:02d}:{minutes % 60:02d}"
    return f"{text}:{second:02d}" if second else text
