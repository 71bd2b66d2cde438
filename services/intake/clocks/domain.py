"""When a stage of intake runs out, and the light that shows it."""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from fractions import Fraction

from shared.pack.model import CityPack, Stage
from shared.worktime import Limit, LimitKind


class Light(StrEnum):
    """Green: in time. Yellow: about to run out. Red: overrun."""

    GREEN = "green"
    YELLOW = "yellow"
    RED = "red"


@dataclass(frozen=True, slots=True)
class StageClock:
    """The deadline of a stage, in UTC.

    Attributes:
        due_at: None means that the stage has no limit.
        warn_at: from here on the light is yellow.
        provisional: reckoned without the official holiday notice of a year.
    """

    due_at: datetime | None
    warn_at: datetime | None
    provisional: bool


NO_LIMIT = StageClock(None, None, provisional=False)


def stage_clock(
    pack: CityPack, stage: Stage, start: datetime, *, urgent: bool, special: bool = False
) -> StageClock:
    """The clock of a stage that begins at `start`; urgent ones run day and night."""
    limit = pack.stages.limit_of(stage, urgent=urgent, special=special)
    if limit is None:
        return NO_LIMIT
    due = pack.calendar.due(start, limit, provisional=True)
    share = 1 - pack.stages.warn_share
    warn = pack.calendar.warn_at(start, limit, share, provisional=True)
    return StageClock(
        due.instant.astimezone(UTC), warn.instant.astimezone(UTC), provisional=due.provisional
    )


def expiry(pack: CityPack, start: datetime, *, around_the_clock: bool) -> datetime:
    """When a task that nobody has taken up goes to somebody else.

    Working time unless the task runs around the clock: an ordinary task issued in the evening is
    not passed from one sleeper to the next.
    """
    minutes = pack.tasks.expiry_minutes
    limit = (
        Limit(Fraction(minutes), LimitKind.MINUTES)
        if around_the_clock
        else Limit(Fraction(minutes, 60), LimitKind.WORKING_HOURS)
    )
    return pack.calendar.due(start, limit, provisional=True).instant.astimezone(UTC)


def light_at(now: datetime, *, warn_at: datetime | None, due_at: datetime | None) -> Light:
    """The light of a clock that is still running; never stored, because it changes by itself."""
    if due_at is None:
        return Light.GREEN
    if now >= due_at:
        return Light.RED
    return Light.YELLOW if warn_at is not None and now >= warn_at else Light.GREEN
