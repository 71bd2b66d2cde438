"""Calendars that differ by a day, as a new holiday notice makes them."""

from dataclasses import replace
from datetime import date

from shared.worktime import Calendar
from shared.worktime.rules import Name, Override

DAY_OFF = Override(works=False, name=Name(zh="放假一天", en="a day off"))


def with_day_off(calendar: Calendar, day: date) -> Calendar:
    """The same calendar with one day more on which nothing is worked."""
    overrides = {**calendar.rules.overrides, day: DAY_OFF}
    return Calendar(replace(calendar.rules, overrides=overrides))
