"""Which moments of a case's limits are still to be told, and when the next one comes.

A limit has two moments: from `warn_at` on its light is yellow, after `due_at` it is red. Each is
told once. A limit that moves to a later time after it was told is told again when the new time
comes; one that moves to an earlier time is not. What passed before anybody could tell it, because
the case went on in the very second or no worker was running, is owed and told all the same.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Self

from shared.events.vocabulary import LimitScope

_INSTANT_AFTER = timedelta(microseconds=1)


class Mark(StrEnum):
    """What is told about a limit."""

    WARNED = "warned"
    OVERRUN = "overrun"


@dataclass(frozen=True, slots=True)
class WatchedLimit:
    """A limit that is running now.

    Attributes:
        clock: name of the clock that it is on, unique within the case; the second handling span
            of a unit goes on with the clock of the first.
        assignment: number of the latest dispatch; 0 before the first.
        holder: code of the unit, or the post of the centre, where the case lies.
    """

    scope: LimitScope
    clock: str
    assignment: int
    holder: str
    warn_at: datetime
    due_at: datetime
    provisional: bool


@dataclass(frozen=True, slots=True)
class Moment:
    """A limit that turns yellow or red."""

    limit: WatchedLimit
    mark: Mark

    @property
    def at(self) -> datetime:
        """The first instant at which it is true; at `due_at` itself all is still in time."""
        if self.mark is Mark.WARNED:
            return self.limit.warn_at
        return self.limit.due_at + _INSTANT_AFTER

    def as_json(self) -> dict[str, Any]:
        limit = self.limit
        return {
            "mark": self.mark.value,
            "scope": limit.scope.value,
            "clock": limit.clock,
            "assignment": limit.assignment,
            "holder": limit.holder,
            "warn_at": limit.warn_at.isoformat(),
            "due_at": limit.due_at.isoformat(),
            "provisional": limit.provisional,
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        limit = WatchedLimit(
            scope=LimitScope(stored["scope"]),
            clock=stored["clock"],
            assignment=stored["assignment"],
            holder=stored["holder"],
            warn_at=datetime.fromisoformat(stored["warn_at"]),
            due_at=datetime.fromisoformat(stored["due_at"]),
            provisional=stored["provisional"],
        )
        return cls(limit, Mark(stored["mark"]))


@dataclass(frozen=True, slots=True)
class Told:
    """What was told about the limits of a case, and what is owed.

    Attributes:
        last: by clock and mark, the instant of the moment told last; owed ones included.
        owed: moments that passed before they could be told.
    """

    last: Mapping[str, datetime]
    owed: tuple[Moment, ...] = ()

    @classmethod
    def from_json(cls, stored: Mapping[str, Any] | None) -> Self:
        stored = stored or {}
        last = {key: datetime.fromisoformat(at) for key, at in stored.get("last", {}).items()}
        return cls(last, tuple(Moment.from_json(item) for item in stored.get("owed", ())))

    def as_json(self) -> dict[str, Any]:
        return {
            "last": {key: at.isoformat() for key, at in self.last.items()},
            "owed": [moment.as_json() for moment in self.owed],
        }

    def to_come(self, limits: Iterable[WatchedLimit]) -> list[Moment]:
        """The moments of running limits that were not told yet, soonest first."""
        moments = (Moment(limit, mark) for limit in limits for mark in Mark)
        fresh = (moment for moment in moments if self._is_new(moment))
        return sorted(fresh, key=lambda moment: (moment.at, moment.mark, moment.limit.scope))

    def owing(self, moments: Iterable[Moment]) -> "Told":
        """The same after these have passed untold."""
        added = tuple(moments)
        return Told(self._with(added), self.owed + added)

    def settled(self, moments: Iterable[Moment]) -> "Told":
        """The same after these and everything owed were told."""
        return Told(self._with(tuple(moments)))

    def next_at(self, limits: Iterable[WatchedLimit]) -> datetime | None:
        """When something is to be told next; None if nothing is."""
        moments = [*self.owed, *self.to_come(limits)]
        return min((moment.at for moment in moments), default=None)

    def _is_new(self, moment: Moment) -> bool:
        before = self.last.get(_key(moment))
        return before is None or moment.at > before

    def _with(self, moments: tuple[Moment, ...]) -> dict[str, datetime]:
        return {**self.last, **{_key(moment): moment.at for moment in moments}}


def _key(moment: Moment) -> str:
    return f"{moment.limit.clock}/{moment.mark}"
