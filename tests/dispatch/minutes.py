"""The clock once more, minute by minute and as plainly as can be, to hold the real one against.

Knows the summer hours of the sample city in June 2026 before the Dragon Boat festival, and nothing
of calendars, tables or segments.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

MINUTE = timedelta(minutes=1)
WORKED = (("08:30", "11:30"), ("14:00", "17:30"))
SUNDAY = 6
FULL_DAY = 390
BEYOND = 60 * 24 * 60


def worked(minute: datetime) -> bool:
    """Whether the minute that begins here is worked; the instant is in the city's zone."""
    if minute.weekday() == SUNDAY:
        return False
    time = minute.strftime("%H:%M")
    return any(opens <= time < closes for opens, closes in WORKED)


def count(start: datetime, end: datetime, counts: Callable[[datetime], bool]) -> int:
    """How many minutes between two instants count."""
    total, minute = 0, start
    while minute < end:
        total += counts(minute)
        minute += MINUTE
    return total


def reach(start: datetime, minutes: int, counts: Callable[[datetime], bool]) -> datetime:
    """The end of the minute in which so many have counted; of nothing, the beginning itself."""
    total, minute = 0, start
    for _ in range(BEYOND):
        if total == minutes:
            return minute
        total += counts(minute)
        minute += MINUTE
    raise AssertionError("nothing counts any more")


class CaseLog:
    """Where a case was in which minute, as somebody with a pencil would note it.

    Places: `dispatch`, `unit`, `paused`, `centre`, `nowhere`. Each entry also has the dispatch that
    was the last one then.
    """

    def __init__(self, start: datetime) -> None:
        self.entries: list[tuple[datetime, str, int]] = [(start, "dispatch", 0)]
        self.dispatches: list[tuple[str, bool, str]] = []
        self.limit = 0
        self.until: datetime | None = None

    def note(self, at: datetime, place: str) -> None:
        self.entries.append((at, place, len(self.dispatches)))

    def dispatched(self, at: datetime, unit: str, *, duty: bool, why: str) -> None:
        """Why is `first`, `returned` or `failed`."""
        self.dispatches.append((unit, duty, why))
        self.note(at, "unit")

    def first_of_run(self) -> tuple[int, int]:
        """The dispatch with which the present clock began, and how often it failed since."""
        number, failed = len(self.dispatches), 0
        while number > 1:
            unit, _, why = self.dispatches[number - 1]
            if why == "first" or self.dispatches[number - 2][0] != unit:
                break
            failed += why == "failed"
            number -= 1
        return number, failed

    def counts(self, minute: datetime) -> bool:
        """Whether a minute counts for the unit that has or had the case last."""
        if not worked(minute):
            return False
        place, last = "nowhere", 0
        for at, where, number in self.entries:
            if at <= minute:
                place, last = where, number
        if place == "paused" and self.until is not None and minute >= self.until:
            place = "unit"
        first, failed = self.first_of_run()
        duty = self.dispatches[-1][1]
        if place in {"nowhere", "paused"}:
            return False
        if failed >= 2 and last >= first:
            return True
        if place == "unit":
            return last >= first
        # The wait for a dispatch of this run, if the unit commands itself.
        return duty and place == "dispatch" and first <= last + 1 <= len(self.dispatches)

    def used(self, now: datetime) -> int:
        return count(self.entries[0][0], now, self.counts)

    def paused(self, now: datetime) -> int:
        """Minutes for which deferrals kept the present clock from running."""
        first, _ = self.first_of_run()

        def stopped(minute: datetime) -> bool:
            before = [entry for entry in self.entries if entry[0] <= minute]
            _, place, last = before[-1]
            return worked(minute) and place == "paused" and last >= first

        return count(self.entries[0][0], now, stopped)

    def due(self) -> datetime:
        """When the limit runs out if nothing else happens."""
        return reach(self.entries[0][0], self.limit, self.counts)
