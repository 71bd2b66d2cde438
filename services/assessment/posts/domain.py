"""How the work of people and posts is counted: plain counts and shares, nobody beside another."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID
from zoneinfo import ZoneInfo

SECONDS_TO_ANSWER = 15
"""GB/T 33358: a call is answered within 15 seconds."""


class Duty(StrEnum):
    """What a post of the centre decides, and can decide wrongly."""

    RECEPTION = "reception"
    REGISTRATION = "registration"
    DISPATCH = "dispatch"


@dataclass(frozen=True, slots=True)
class DutyCounts:
    """Decisions of people in a period.

    Attributes:
        done: decisions; those of a rule of the pack are left out.
        wrong: those that had to be taken back.
        timed: of `done`, those with a limit of their own that is counted here.
        in_time: of `timed`, within the limit.
    """

    done: int = 0
    wrong: int = 0
    timed: int = 0
    in_time: int = 0


@dataclass(frozen=True, slots=True)
class ReportCounts:
    """Reports sent in a period; valid are those that became cases."""

    reported: int = 0
    valid: int = 0


@dataclass(frozen=True, slots=True)
class TaskCounts:
    """Field tasks of one kind: those that ended with the collector, those done in time."""

    issued: int = 0
    ended: int = 0
    in_time: int = 0


@dataclass(frozen=True, slots=True)
class Patrol:
    started_at: datetime
    ended_at: datetime
    grids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FoundByOthers:
    """A case that somebody else than the collector reported."""

    grid: str
    observed_at: datetime
    report_id: UUID
    number: str | None
    case_id: UUID | None


def covered(patrols: Iterable[Patrol], assigned: Collection[str]) -> set[str]:
    """Assigned grids in which the collector was on patrol at least once."""
    return {grid for patrol in patrols for grid in patrol.grids} & set(assigned)


def missed(
    patrols: Iterable[Patrol], found: Iterable[FoundByOthers], zone: ZoneInfo
) -> list[FoundByOthers]:
    """What others found in a grid on a local day on which the collector patrolled it."""
    days = {
        (grid, patrol.started_at.astimezone(zone).date())
        for patrol in patrols
        for grid in patrol.grids
    }
    return [item for item in found if (item.grid, item.observed_at.astimezone(zone).date()) in days]
