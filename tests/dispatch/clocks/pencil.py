"""A unit's clock kept with pencil and paper, from the district's rules and nothing else.

Every minute of autumn 2026 is written down once: worked or not. A case is a list of notes, each
saying from which minute on it lies where. What counts, when a limit runs out and what the whole
way allows are found by going through the minutes one by one.
"""

import itertools
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("Asia/Shanghai")
MIDNIGHT = datetime(2026, 9, 1, tzinfo=ZONE)
DAYS = 150

# The State Council's notice for 2026, autumn: Mid-Autumn and National Day.
HOLIDAYS = {date(2026, 9, day) for day in (25, 26, 27)} | {
    date(2026, 10, day) for day in range(1, 8)
}
WORKED_WEEKENDS = {date(2026, 9, 20), date(2026, 10, 10)}
NEW_YEAR = date(2027, 1, 1)
SUNDAY = 6


def _is_worked(day: date, minute: int) -> bool:
    """Whether a minute of a day is worked: the season's hours, six days a week."""
    if day in HOLIDAYS or day == NEW_YEAR:
        return False
    if day.weekday() == SUNDAY and day not in WORKED_WEEKENDS:
        return False
    morning = 8 * 60 + 30 <= minute < 11 * 60 + 30
    summer = 5 <= day.month <= 9
    opens, closes = (14 * 60, 17 * 60 + 30) if summer else (13 * 60 + 30, 17 * 60)
    return morning or opens <= minute < closes


WORKED = [
    _is_worked((MIDNIGHT + timedelta(days=day)).date(), minute)
    for day in range(DAYS)
    for minute in range(24 * 60)
]


def minute_of(at: datetime) -> int:
    return round((at - MIDNIGHT).total_seconds()) // 60


def instant_of(minute: int) -> datetime:
    return MIDNIGHT + timedelta(minutes=minute)


@dataclass
class Note:
    """From this minute on the case lies here.

    Places: `desk` (waits for its dispatch), `unit`, `off` (put off), `checking`, `sending`,
    `field`, `closing`.
    """

    minute: int
    place: str
    dispatches: int


@dataclass
class Sent:
    """A dispatch: to whom, why, and whether that unit has command duty."""

    unit: str
    why: str
    duty: bool


@dataclass
class Paper:
    """The sheet of one case.

    Attributes:
        limit: minutes that the present clock of the unit allows, extensions included.
        off_until: end of the pause while the case is put off.
        stages: minutes that each place of the centre may take; None without a limit.
        handling: minutes of the handling in the allowance of the whole way.
    """

    urgent: bool
    special: bool
    notes: list[Note] = field(default_factory=list)
    sent: list[Sent] = field(default_factory=list)
    limit: int = 0
    handling: int = 0
    off_until: int | None = None

    @property
    def stages(self) -> dict[str, int | None]:
        sending = None if self.special else 30
        return {"desk": 30, "checking": 30, "sending": sending, "field": 60, "closing": 30}

    def note(self, minute: int, place: str) -> None:
        self.notes.append(Note(minute, place, len(self.sent)))

    def ticks(self, minute: int) -> bool:
        """Whether a minute counts at all for this kind of case."""
        return self.urgent or WORKED[minute]

    def stays(self) -> list[tuple[int, int, str, int]]:
        """Where the case lay from which minute until which, and the dispatches so far.

        A pause ends by itself; where the case lies now, it stays.
        """
        found = []
        for note, following in itertools.zip_longest(self.notes, self.notes[1:]):
            end = following.minute if following else len(WORKED)
            if following is None and note.place == "off" and self.off_until is not None:
                found.append((note.minute, self.off_until, "off", note.dispatches))
                found.append((self.off_until, end, "unit", note.dispatches))
            else:
                found.append((note.minute, end, note.place, note.dispatches))
        return found

    # -- the unit's clock ----------------------------------------------------------------------

    def first_of_clock(self) -> int:
        """Number of the dispatch with which the present clock of the unit began."""
        number = len(self.sent)
        while number > 1:
            this, before = self.sent[number - 1], self.sent[number - 2]
            if this.why == "first" or this.unit != before.unit:
                break
            number -= 1
        return number

    def times_sent(self) -> int:
        """Which dispatch for the same work it is: a return does not make one more."""
        of_clock = self.sent[self.first_of_clock() :]
        return 1 + sum(one.why == "failed" for one in of_clock)

    def on_clock(self, place: str, dispatches: int) -> bool:
        """Whether time there is on the clock of the unit that has, or had, the case last."""
        first = self.first_of_clock()
        if place == "off":
            return False
        if dispatches >= first and (place == "unit" or self.times_sent() >= 3):
            return True
        # The wait for a dispatch of this clock, if the unit commands itself.
        waited_for = place == "desk" and first <= dispatches + 1 <= len(self.sent)
        return waited_for and self.sent[-1].duty

    def read(self, now: int, *limits: int) -> tuple[int, list[int | None]]:
        """Minutes on the unit's clock until now, and when so many of each limit will be on it.

        A limit is reached at the end of the minute that uses it up; None if that never comes.
        """
        used, total = 0, 0
        reached: dict[int, int] = {}
        for start, end, place, dispatches in self.stays():
            if not self.on_clock(place, dispatches):
                continue
            for minute in range(start, end):
                if minute >= now and len(reached) == len(set(limits)):
                    break
                if not self.ticks(minute):
                    continue
                total += 1
                if minute < now:
                    used = total
                if total in limits:
                    reached[total] = minute + 1
        return used, [reached.get(limit) for limit in limits]

    # -- the centre's stages and the whole -----------------------------------------------------

    def stage_due(self) -> int | None:
        """When the present stage of the centre runs out; None where it has no limit."""
        note = self.notes[-1]
        allowed = self.stages[note.place]
        return None if allowed is None else self._walk(note.minute, allowed)

    def whole_allowed(self) -> int:
        """Minutes for the whole way: all stages with a limit, and the handling."""
        return self.handling + sum(allowed or 0 for allowed in self.stages.values())

    def whole_counted(self, end: int) -> int:
        """Minutes of the whole way until then; pauses and waiting for the night do not count."""
        outside = {"off", "sending"} if self.special else {"off"}
        total = 0
        for start, stop, place, _ in self.stays():
            if place not in outside:
                for minute in range(start, min(stop, end)):
                    total += self.ticks(minute)
        return total

    def whole_runs(self) -> bool:
        """Whether the whole way has a due time now: not while a stage without limit lasts."""
        place = self.notes[-1].place
        return place != "sending" or self.stages["sending"] is not None

    def _walk(self, start: int, minutes: int) -> int | None:
        total = 0
        for minute in range(start, len(WORKED)):
            total += self.ticks(minute)
            if total == minutes:
                return minute + 1
        return None
