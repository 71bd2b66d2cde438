"""A stored fact, and the one order in which the facts of a subject are read."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

if TYPE_CHECKING:
    from shared.events.envelope import Event

CASE = "dispatch.case"
COORDINATION = "dispatch.coordination"
REPORT = "intake.report"
TASK = "intake.task"
PATROL = "intake.patrol"
CALL = "hotline.call"
TICKET = "hotline.ticket"
ACCOUNT = "identity.account"

FOLDED = frozenset({CASE, REPORT, TASK, PATROL, CALL, TICKET, ACCOUNT})
"""Aggregates that facts are folded from; those of others are stored and left alone."""

_NAMES_A_CASE = frozenset({COORDINATION, REPORT, TASK, TICKET})


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """A fact with what is known about its telling.

    Attributes:
        aggregate: `<service>.<aggregate>`; with `subject` and `sequence` it names the fact.
        at: when it happened.
        actor_role: the role in which it was done, if by a person or system.
    """

    event_id: UUID
    aggregate: str
    subject: str
    sequence: int
    at: datetime
    actor_id: str
    actor_role: str | None
    event: "Event"

    @property
    def version(self) -> int:
        return int(self.event.TYPE.rpartition(".v")[2])


def in_order(events: Iterable[StoredEvent]) -> list[StoredEvent]:
    """The events by aggregate, subject and sequence, each fact once.

    A fact that was told under two ids counts once, and of two versions of it the newer is read, so
    neither the order of arrival nor a repetition changes what is folded.
    """
    told: dict[tuple[str, str, int], StoredEvent] = {}
    for event in events:
        key = (event.aggregate, event.subject, event.sequence)
        known = told.get(key)
        if known is None or _preference(event) > _preference(known):
            told[key] = event
    return [told[key] for key in sorted(told)]


def case_of(aggregate: str, subject: str, data: dict[str, Any]) -> UUID | None:
    """The case that a fact belongs to, if it names one.

    Raises:
        ValueError: what stands in its place is no id.
    """
    if aggregate == CASE:
        return UUID(subject)
    named = data.get("case_id") if aggregate in _NAMES_A_CASE else None
    return None if named is None else UUID(str(named))


def _preference(event: StoredEvent) -> tuple[int, int]:
    return event.version, -event.event_id.int
