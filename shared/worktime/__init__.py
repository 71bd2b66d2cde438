"""Working time, exact to the microsecond: deadlines, durations, and why they are what they are.

The rules come from a city's ``calendar.toml``; no hours, seasons or holidays stand in code. Columns
of instants are answered by ``shared.worktime.arrays``, which is imported by itself because numpy
costs more start-up than a single answer is worth.
"""

from shared.worktime.calendar import Calendar, DueTime, load_calendar
from shared.worktime.errors import (
    CalendarFaults,
    EndBeforeStart,
    InstantNotUnderstood,
    LimitNotUnderstood,
    MissingHolidayYear,
    OutsideCalendar,
)
from shared.worktime.explanation import Explanation, explain_due, explain_elapsed
from shared.worktime.instants import parse_instant
from shared.worktime.limits import Limit, LimitKind
from shared.worktime.rules import CalendarRules, WorkingDayRule

__all__ = [
    "Calendar",
    "CalendarFaults",
    "CalendarRules",
    "DueTime",
    "EndBeforeStart",
    "Explanation",
    "InstantNotUnderstood",
    "Limit",
    "LimitKind",
    "LimitNotUnderstood",
    "MissingHolidayYear",
    "OutsideCalendar",
    "WorkingDayRule",
    "explain_due",
    "explain_elapsed",
    "load_calendar",
    "parse_instant",
]
