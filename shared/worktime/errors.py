"""What can go wrong when working time is asked for."""

from collections.abc import Iterable

from shared.errors import InvalidInput
from shared.faults import Fault


class LimitNotUnderstood(InvalidInput):
    code = "limit-not-understood"
    title = "The time limit cannot be read"


class InstantNotUnderstood(InvalidInput):
    code = "instant-not-understood"
    title = "The point in time cannot be read"


class OutsideCalendar(InvalidInput):
    """The question or its answer lies outside the years that a calendar can cover."""

    code = "outside-calendar"
    title = "The calendar does not reach that far"


class EndBeforeStart(InvalidInput):
    code = "end-before-start"
    title = "The end lies before the start"


class MissingHolidayYear(InvalidInput):
    """The official holidays of a year that the answer needs are not known."""

    code = "missing-holiday-year"
    title = "The holidays of that year are not known"

    def __init__(self, year: int) -> None:
        super().__init__(
            f"there is no holiday data for the year {year}: enter that year's official notice in "
            f"calendar.toml, or ask for a provisional answer (--provisional)",
            year=year,
        )
        self.year = year


class CalendarFaults(InvalidInput):
    """A calendar file cannot be used; all its faults at once."""

    code = "calendar-faults"
    title = "The calendar has faults"

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = sorted(faults)
        super().__init__(
            "\n".join(str(fault) for fault in self.faults),
            faults=[
                {"file": fault.file, "line": fault.line, "message": fault.message}
                for fault in self.faults
            ],
        )
