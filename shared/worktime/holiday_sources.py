"""Where a calendar learns which days of a year are holidays and which are worked to make up."""

from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import NamedTuple, Protocol

import chinese_calendar.constants as china_days


class Name(NamedTuple):
    """What a day is called, in the two languages of the pages."""

    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class SpecialDay:
    """A day that the official notice takes out of the ordinary week.

    Attributes:
        works: True for a make-up workday, False for a day off.
        name: the holiday that it belongs to.
    """

    works: bool
    name: Name


class HolidaySource(Protocol):
    """One authority's special days, year by year."""

    def knows(self, year: int) -> bool:
        """Whether the official notice of the year is in hand."""
        ...

    def special_days(self, year: int) -> dict[date, SpecialDay]:
        """The special days of a year; of an unknown year those fixed by statute, as a guess."""
        ...


class NoHolidays:
    """A city that works through: only weekdays and overrides matter."""

    def knows(self, year: int) -> bool:  # noqa: ARG002  the protocol's form
        return True

    def special_days(self, year: int) -> dict[date, SpecialDay]:  # noqa: ARG002
        return {}


class ChinaHolidays:
    """The State Council's yearly notice: days off, days off in lieu, and make-up workdays."""

    def __init__(self) -> None:
        self._years = frozenset(day.year for day in china_days.holidays)

    def knows(self, year: int) -> bool:
        return year in self._years

    def special_days(self, year: int) -> dict[date, SpecialDay]:
        if not self.knows(year):
            return _statutory_days_of_china(year)
        off = {
            day: SpecialDay(works=False, name=_china_name(english))
            for day, english in china_days.holidays.items()
            if day.year == year
        }
        made_up = {
            day: SpecialDay(works=True, name=_china_name(english))
            for day, english in china_days.workdays.items()
            if day.year == year
        }
        return off | made_up


class CountryHolidays:
    """The public holidays of a country, or of one of its parts, that follow from its law.

    Raises:
        NotImplementedError: the country or the part is not known.
    """

    def __init__(self, country: str, subdivision: str | None = None) -> None:
        # Imported late: half of the command line's start-up would go into a package
        # that a calendar of another source never asks.
        import holidays  # noqa: PLC0415

        self._country, self._subdivision = country, subdivision
        sample = holidays.country_holidays(country, subdiv=subdivision)
        self._first, self._last = sample.start_year, sample.end_year

    def knows(self, year: int) -> bool:
        return self._first <= year <= self._last

    def special_days(self, year: int) -> dict[date, SpecialDay]:
        import holidays  # noqa: PLC0415  see above

        days = holidays.country_holidays(self._country, subdiv=self._subdivision, years=year)
        off = {
            day: SpecialDay(works=False, name=Name(name, name))
            for day, name in days.items()
            if day.year == year
        }
        made_up = {
            day: SpecialDay(works=True, name=Name("调休上班", "make-up workday"))
            for day in days.weekend_workdays
            if day.year == year
        }
        return off | made_up


@cache
def _china_name(english: str) -> Name:
    return Name(china_days.Holiday(english).chinese, english)


def _statutory_days_of_china(year: int) -> dict[date, SpecialDay]:
    """The days that the regulation itself gives; which weekends are shifted, nobody knows yet."""
    import holidays  # noqa: PLC0415  see CountryHolidays

    days = holidays.country_holidays("CN", years=year, observed=False, language="zh_CN")
    english = holidays.country_holidays("CN", years=year, observed=False, language="en_US")
    return {
        day: SpecialDay(works=False, name=Name(name, english[day]))
        for day, name in days.items()
        # Days off in lieu come with a notice; a guess leaves them out.
        if day.year == year and not name.startswith("休息日")
    }
