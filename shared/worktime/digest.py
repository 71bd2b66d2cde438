"""What tells one calendar from another."""

import hashlib

from shared.worktime.calendar import Calendar

YEARS_BEFORE, YEARS_AFTER = 1, 2
"""Years around the present that deadlines of what is open can lie in."""


def calendar_digest(calendar: Calendar, year: int) -> str:
    """What tells one calendar from another, for the years around `year`: 64 hexadecimal digits.

    Every day with its hours goes in, so that it does not matter whether it is the file or the
    holiday data behind it that changed.
    """
    rules = calendar.rules
    parts = [str(rules.zone), rules.working_day.value, str(rules.count_first_day)]
    for known in range(year - YEARS_BEFORE, year + YEARS_AFTER + 1):
        parts.append(str(rules.knows(known)))
        parts += [
            f"{plan.date}{plan.hours}{plan.full_hours}"
            for plan in rules.plan_year(known, guess=True)
        ]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
