"""The rules of field tasks: their states, whom to send, what a finding needs."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from services.intake.tasks.errors import FindingNotOfKind, TaskStateForbids
from shared.events.vocabulary import Finding, Place, TaskKind
from shared.geo import Position, distance_m
from shared.pack.model import CityPack


class TaskState(StrEnum):
    """Waiting: for its time of day. Unassigned: nobody took it, the shift leader is asked."""

    WAITING = "waiting"
    ISSUED = "issued"
    ACCEPTED = "accepted"
    UNASSIGNED = "unassigned"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


class TaskAction(StrEnum):
    ISSUE = "issue"
    ACCEPT = "accept"
    COMPLETE = "complete"
    REASSIGN = "reassign"
    GIVE_UP = "give-up"
    CANCEL = "cancel"


OPEN_STATES = frozenset(
    {TaskState.WAITING, TaskState.ISSUED, TaskState.ACCEPTED, TaskState.UNASSIGNED}
)
WITH_SOMEBODY = frozenset({TaskState.ISSUED, TaskState.ACCEPTED})

_MOVES: dict[TaskAction, tuple[frozenset[TaskState], TaskState]] = {
    TaskAction.ISSUE: (OPEN_STATES, TaskState.ISSUED),
    TaskAction.REASSIGN: (OPEN_STATES, TaskState.ISSUED),
    TaskAction.ACCEPT: (frozenset({TaskState.ISSUED}), TaskState.ACCEPTED),
    TaskAction.COMPLETE: (WITH_SOMEBODY, TaskState.COMPLETED),
    TaskAction.GIVE_UP: (OPEN_STATES, TaskState.UNASSIGNED),
    TaskAction.CANCEL: (OPEN_STATES, TaskState.CANCELLED),
}
_BY_PEOPLE = (TaskAction.ACCEPT, TaskAction.COMPLETE, TaskAction.REASSIGN)

FINDINGS = {
    TaskKind.CHECK: frozenset({Finding.CONFIRMED, Finding.NOT_FOUND, Finding.UNDECIDABLE}),
    TaskKind.VERIFICATION: frozenset({Finding.PASSED, Finding.FAILED, Finding.UNDECIDABLE}),
}


def allowed_actions(state: TaskState) -> list[str]:
    return sorted(action for action in _BY_PEOPLE if state in _MOVES[action][0])


def next_state(state: TaskState, action: TaskAction) -> TaskState:
    """Where an action leads.

    Raises:
        TaskStateForbids: the action is not possible in this state.
    """
    sources, target = _MOVES[action]
    if state not in sources:
        allowed = allowed_actions(state)
        choice = f"possible now: {', '.join(allowed)}" if allowed else "it is over"
        raise TaskStateForbids(
            f"A task that is {state} cannot {action}; {choice}.",
            state=state.value,
            allowed=allowed,
        )
    return target


def require_fitting(kind: TaskKind, finding: Finding) -> None:
    """Refuse an answer to another question.

    Raises:
        FindingNotOfKind: `findings` lists the answers to this one.
    """
    if finding not in FINDINGS[kind]:
        answers = sorted(FINDINGS[kind])
        raise FindingNotOfKind(
            f"A {kind} is answered with one of: {', '.join(answers)}.", findings=answers
        )


def metres_apart(place: Place, position: Position | None) -> float | None:
    """How far from the place a finding was made; None where one of the two is not known."""
    if position is None or place.longitude is None or place.latitude is None:
        return None
    return distance_m(position, Position(place.longitude, place.latitude))


# --- whom to send -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Candidate:
    """A collector on duty.

    Attributes:
        position: the last one known, None if there is none or it is too old.
        street: code of the street that the position lies in.
    """

    login: str
    position: Position | None = None
    street: str | None = None


def recent(position_at: datetime | None, now: datetime, max_age: timedelta) -> bool:
    return position_at is not None and now - position_at <= max_age


def street_of(pack: CityPack, grid: str | None) -> str | None:
    found = pack.grids.get(grid) if grid else None
    return found.street if found else None


def choose_collector(
    candidates: Sequence[Candidate],
    place: Place,
    *,
    street: str | None,
    owner: str | None,
    without: Collection[str] = (),
) -> str | None:
    """Whom to send.

    The nearest on duty in the street, else the grid's owner, else the nearest on duty anywhere,
    else anybody on duty.

    Args:
        candidates: collectors on duty.
        place: where to.
        street: code of the street of the place's grid.
        owner: login of the collector who walks the grid, on duty or not.
        without: logins that are out of the question, e.g. because the task expired with them.
    """
    free = sorted(
        (candidate for candidate in candidates if candidate.login not in without),
        key=lambda candidate: (_metres(candidate, place), candidate.login),
    )
    for candidate in free:
        if candidate.position and street is not None and candidate.street == street:
            return candidate.login
    if owner and owner not in without:
        return owner
    return free[0].login if free else None


def _metres(candidate: Candidate, place: Place) -> float:
    metres = metres_apart(place, candidate.position)
    return float("inf") if metres is None else metres
