"""Months, quarters and years as the city's own calendar has them."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from services.assessment.periods.errors import PeriodUnreadable

FIRST_YEAR, LAST_YEAR = 1970, 2198
MONTHS_A_YEAR = 12
MONTHS_A_QUARTER = 3

_FORM = re.compile(
    r"(?P<year>\d{4})(?:-(?:(?P<month>0[1-9]|1[0-2])|Q(?P<quarter>[1-4])))?", re.ASCII
)


class PeriodKind(StrEnum):
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


@dataclass(frozen=True, slots=True)
class Period:
    """A span of whole months.

    Attributes:
        key: `2026-05`, `2026-Q2` or `2026`.
        first_day: local date on which it begins; the parameters that hold on it hold for all of it.
        start: first instant, UTC.
        end: first instant after it, UTC.
    """

    key: str
    kind: PeriodKind
    first_day: date
    start: datetime
    end: datetime

    def __contains__(self, instant: datetime) -> bool:
        return self.start <= instant < self.end


def parse_period(key: str, zone: ZoneInfo) -> Period:
    """Read a period as people write it.

    Args:
        key: `2026-05`, `2026-Q2` or `2026`.
        zone: whose midnight begins and ends it.

    Raises:
        PeriodUnreadable: none of the three forms, or outside the years 1970 to 2198.
    """
    match = _FORM.fullmatch(key)
    if match is None or not FIRST_YEAR <= int(match["year"]) <= LAST_YEAR:
        raise PeriodUnreadable(
            "Write a month as 2026-05, a quarter as 2026-Q2, a year as 2026;"
            f" years {FIRST_YEAR} to {LAST_YEAR}."
        )
    year = int(match["year"])
    if match["month"]:
        return _of_months(key, PeriodKind.MONTH, date(year, int(match["month"]), 1), 1, zone)
    if match["quarter"]:
        month = (int(match["quarter"]) - 1) * MONTHS_A_QUARTER + 1
        return _of_months(key, PeriodKind.QUARTER, date(year, month, 1), MONTHS_A_QUARTER, zone)
    return _of_months(key, PeriodKind.YEAR, date(year, 1, 1), MONTHS_A_YEAR, zone)


def local_day(instant: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """First instant of the local day that holds `instant`, and `instant` itself, both UTC."""
    midnight = instant.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight.astimezone(UTC), instant.astimezone(UTC)


def _of_months(key: str, kind: PeriodKind, first: date, months: int, zone: ZoneInfo) -> Period:
    years, before = divmod(first.month - 1 + months, MONTHS_A_YEAR)
    start = datetime(first.year, first.month, 1, tzinfo=zone)
    end = datetime(first.year + years, before + 1, 1, tzinfo=zone)
    return Period(key, kind, first, start.astimezone(UTC), end.astimezone(UTC))
