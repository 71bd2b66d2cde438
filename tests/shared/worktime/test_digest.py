"""What tells one calendar from another."""

from datetime import date
from pathlib import Path

from shared.worktime import Calendar, load_calendar
from shared.worktime.digest import calendar_digest
from tests.shared.worktime.calendars import with_day_off

CALENDAR = load_calendar(Path(__file__).parents[3] / "packs" / "qilihe")


def test_it_is_that_of_the_days_not_of_the_file() -> None:
    again = Calendar(CALENDAR.rules)
    assert calendar_digest(again, 2026) == calendar_digest(CALENDAR, 2026)


def test_one_day_more_off_changes_it() -> None:
    other = with_day_off(CALENDAR, date(2026, 12, 24))
    assert calendar_digest(other, 2026) != calendar_digest(CALENDAR, 2026)
