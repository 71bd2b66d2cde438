"""Rules of a coordination: who is heard until when, who decides, and when it may be decided.

Responsibility that is not clear is settled with the units: each invited unit states its position,
with the basis it rests on, within its time. Then the centre decides, or passes it up to the
leading group's office, which decides alone. One case has one unit; others may be named to assist.
An ordinary case waits for the decision. An urgent one does not: the ordered unit handles it, on
its own clock, while the coordination runs beside.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from services.dispatch.coordination.errors import (
    CoordinationEnded,
    DecisionWithCentre,
    DecisionWithOffice,
    NotWithTheCentre,
    PositionsOutstanding,
    UnitNotHeard,
)
from shared.vocabulary import Role


class CoordinationState(StrEnum):
    """Where a coordination stands."""

    HEARING = "hearing"
    PASSED_UP = "passed-up"
    SETTLED = "settled"
    WITHDRAWN = "withdrawn"


OPEN = frozenset({CoordinationState.HEARING, CoordinationState.PASSED_UP})


class CoordinationKind(StrEnum):
    """What is not clear."""

    UNCLEAR = "unclear"
    NO_KNOWN_SUBJECT = "no-known-subject"
    REPEATED_RETURN = "repeated-return"
    ILLEGAL_ACT = "illegal-act"
    """An illegal act that is hard to pursue: goes to the leading group's office at once."""


class Stance(StrEnum):
    """A unit's position on its own part."""

    RESPONSIBLE = "responsible"
    NOT_RESPONSIBLE = "not-responsible"
    SHARED = "shared"


class Outcome(StrEnum):
    """What a decision can be."""

    UNIT = "unit"
    NO_SUBJECT = "no-responsible-subject"


class Standing(StrEnum):
    """How an invited unit stands with its time."""

    WAITING = "waiting"
    STATED = "stated"
    STATED_LATE = "stated-late"
    OVERDUE = "overdue"


@dataclass(frozen=True, slots=True)
class Invited:
    """An invited unit: until when it is to state its position, and when it first did."""

    unit: str
    due_at: datetime
    stated_at: datetime | None


def standing(invited: Invited, now: datetime) -> Standing:
    """What is stated at the very instant it is due is in time."""
    if invited.stated_at is not None:
        late = invited.stated_at > invited.due_at
        return Standing.STATED_LATE if late else Standing.STATED
    return Standing.OVERDUE if now > invited.due_at else Standing.WAITING


def next_due(invited: Iterable[Invited], now: datetime) -> datetime | None:
    """When the next unit that has not stated its position runs out of time; None if none does."""
    waiting = [item.due_at for item in invited if item.stated_at is None and item.due_at > now]
    return min(waiting, default=None)


def check_open(state: CoordinationState) -> None:
    """Nothing is added to what has ended.

    Raises:
        CoordinationEnded: it has.
    """
    if state not in OPEN:
        raise CoordinationEnded(
            f"This coordination is {state}: open another one if it is not clear after all.",
            state=state.value,
            allowed=[],
        )


def check_with_centre(state: CoordinationState) -> None:
    """Only what lies with the centre is passed up or withdrawn by it.

    Raises:
        CoordinationEnded: it has been decided or withdrawn.
        NotWithTheCentre: it has been passed up already.
    """
    check_open(state)
    if state is CoordinationState.PASSED_UP:
        raise NotWithTheCentre("It was passed up: the leading group's office decides it.")


def decided_by_office(
    state: CoordinationState, roles: Collection[Role], unit: str | None, office: str
) -> bool:
    """Whether this person decides for the office; False: for the centre.

    Raises:
        CoordinationEnded: there is nothing to decide any more.
        DecisionWithOffice: it was passed up, and this is no leader of the office.
        DecisionWithCentre: it was not, and this is nobody who decides for the centre.
    """
    check_open(state)
    if state is CoordinationState.PASSED_UP:
        if Role.LEADER not in roles or unit != office:
            raise DecisionWithOffice(
                f"It was passed up: a leader of {office} decides it.", office=office
            )
        return True
    if {Role.DISPATCHER, Role.SUPERVISOR}.isdisjoint(roles):
        raise DecisionWithCentre(
            "It lies with the centre: a dispatcher or supervisor decides it or passes it up."
        )
    return False


def check_heard(invited: Sequence[Invited], now: datetime, early_reason: str | None) -> None:
    """A decision waits until every unit has stated its position or had its time.

    Raises:
        PositionsOutstanding: somebody has time left, and no reason says why it cannot be awaited.
    """
    waiting = [item for item in invited if standing(item, now) is Standing.WAITING]
    if waiting and not early_reason:
        units = sorted(item.unit for item in waiting)
        last = max(item.due_at for item in waiting)
        raise PositionsOutstanding(
            f"Not heard yet: {', '.join(units)}. Wait for their positions, or say in"
            " `early_reason` why that is not possible.",
            units=units,
            due_at=last.isoformat(),
        )


def check_unit_heard(unit: str, invited: Sequence[Invited], early_reason: str | None) -> None:
    """Nobody is given a case in a coordination to which it was not even invited.

    Raises:
        UnitNotHeard: it was not; invite it, or say why it cannot be heard.
    """
    if all(item.unit != unit for item in invited) and not early_reason:
        raise UnitNotHeard(
            f"{unit} was not invited: invite it first, or say in `early_reason` why not.",
            unit=unit,
        )
