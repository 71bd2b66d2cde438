"""An independent oracle: a year as a map of minutes, filled by asking the wall clock each minute.

It knows the rules of its calendars by itself, shares no code with what it checks, and answers by
counting.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

import chinese_calendar
import holidays

BEGIN = datetime(2026, 1, 1, 12, tzinfo=UTC)
END = datetime(2026, 12, 31, 4, tzinfo=UTC)
MINUTES = (END - BEGIN) // timedelta(minutes=1)

Spans = list[tuple[int, int]]


class MinuteMap:
    """Working minutes of 2026, and for each the minutes of a full day of its season."""

    def __init__(self, zone: str, hours_of: Callable[[date], tuple[Spans, Spans]]) -> None:
        self.zone = ZoneInfo(zone)
        self.works = bytearray(MINUTES)
        self.full = [0] * MINUTES
        days: dict[date, tuple[Spans, int]] = {}
        wall = [(BEGIN + timedelta(minutes=n)).astimezone(self.zone) for n in range(MINUTES)]
        full_minutes: dict[date, int] = {}
        # A day more at either end, so that the first and the last date are seen whole.
        padded = range(-1440, MINUTES + 1440)
        for local in ((BEGIN + timedelta(minutes=n)).astimezone(self.zone) for n in padded):
            day = local.date()
            if day not in days:
                worked, full = hours_of(day)
                days[day] = worked, full
            minute = local.hour * 60 + local.minute
            if any(opens <= minute < closes for opens, closes in days[day][1]):
                full_minutes[day] = full_minutes.get(day, 0) + 1
        for n, local in enumerate(wall):
            minute = local.hour * 60 + local.minute
            if any(opens <= minute < closes for opens, closes in days[local.date()][0]):
                self.works[n] = 1
                self.full[n] = full_minutes[local.date()]

    def at(self, minute: int) -> datetime:
        return (BEGIN + timedelta(minutes=minute)).astimezone(self.zone)

    def elapsed(self, first: int, last: int) -> timedelta:
        return timedelta(minutes=sum(self.works[first:last]))

    def due_after_minutes(self, start: int, minutes: int) -> int | None:
        """The end of the minute in which so many minutes have been worked."""
        n, left = start, minutes
        while left:
            n = self.works.find(1, n)
            if n < 0:
                return None
            left -= 1
            n += 1
        return n

    def due_after_days(self, start: int, days: Fraction) -> tuple[int, Fraction] | None:
        """The minute in which the share is reached, and how far into it, in minutes."""
        n, left = start, days
        while True:
            n = self.works.find(1, n)
            if n < 0:
                return None
            share = Fraction(1, self.full[n])
            if share >= left:
                return n, left / share
            left -= share
            n += 1

    def days(self, first: int, last: int) -> Fraction:
        return sum(
            (Fraction(1, self.full[n]) for n in range(first, last) if self.works[n]),
            start=Fraction(0),
        )

    def close_of_nth_day(self, start: int, count: int, *, count_first: bool) -> int | None:
        """The end of the last worked minute of the Nth worked date."""
        begun = self.at(start).date()
        seen: list[date] = []
        n = start - 1
        close = None
        while True:
            n = self.works.find(1, n + 1)
            if n < 0:
                return None
            day = self.at(n).date()
            if day == begun and not count_first:
                continue
            if day not in seen:
                if len(seen) == count:
                    return close
                seen.append(day)
            close = n + 1


def _clock(text: str) -> Spans:
    spans = []
    for span in text.split():
        opens, closes = span.split("-")
        spans.append(
            (
                int(opens[:2]) * 60 + int(opens[3:]),
                int(closes[:2]) * 60 + int(closes[3:]),
            )
        )
    return spans


def qilihe_hours(day: date) -> tuple[Spans, Spans]:
    summer = 5 <= day.month <= 9
    full = _clock("08:30-11:30 14:00-17:30" if summer else "08:30-11:30 13:30-17:00")
    if day in chinese_calendar.holidays:
        return [], full
    if day in chinese_calendar.workdays:
        return full, full
    return ([] if day.isoweekday() == 7 else full), full


AMERICAN = holidays.country_holidays("US", years=[2025, 2026, 2027])


def new_york_hours(day: date) -> tuple[Spans, Spans]:
    full = _clock("09:00-17:00")
    return ([] if day.isoweekday() >= 6 or day in AMERICAN else full), full


def night_hours(day: date) -> tuple[Spans, Spans]:
    """Nights over the change of the clock, seasons of unequal length, one short day."""
    winter = day.month in (11, 12, 1, 2, 3)
    full = _clock("00:00-04:00 22:00-24:00" if winter else "00:00-03:30 20:00-24:00")
    if day == date(2026, 7, 3):
        return _clock("20:00-21:00"), full
    if day == date(2026, 7, 4):
        return [], full
    return ([] if day.isoweekday() == 3 else full), full
