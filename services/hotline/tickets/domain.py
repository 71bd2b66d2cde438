"""The rules of a ticket: where it stands, what may be done, which way a matter has to go."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from services.hotline.tickets.errors import (
    ClassUnknown,
    DirectUnitRefused,
    OutsideCompetence,
    PlaceMissing,
    TicketStateForbids,
)
from shared.events.hotline import Urgency
from shared.events.vocabulary import ClassRef, Place
from shared.pack.model import CityPack, ClassKey
from shared.vocabulary import ClassKind, PositionSource


class TicketState(StrEnum):
    """Where a ticket stands for the hotline."""

    RECORDED = "recorded"
    ANSWERED = "answered"
    REFERRED = "referred"
    SUBMITTED = "submitted"
    CLOSED = "closed"
    WITHDRAWN = "withdrawn"


class Progress(StrEnum):
    """How far a submitted matter has come, as intake and dispatch tell."""

    NONE = "none"
    SUBMITTED = "submitted"
    RECEIVED = "received"
    MERGED = "merged"
    UNMERGED = "unmerged"
    REGISTERED = "registered"
    REJECTED = "rejected"
    OPENED = "opened"
    DISPATCHED = "dispatched"
    ACCEPTED = "accepted"
    HANDLED = "handled"
    VERIFIED = "verified"
    VERIFICATION_FAILED = "verification-failed"
    CLOSED = "closed"
    VOIDED = "voided"
    REOPENING = "reopening"
    REOPENED = "reopened"


FINAL = frozenset({Progress.REJECTED, Progress.CLOSED, Progress.VOIDED})
"""Where a matter has its result and the caller gets an answer."""


class Competence(StrEnum):
    """Whose matter it is. The hotline takes on the government's; the rest have their own doors."""

    GOVERNMENT = "government"
    PARTY_COMMITTEE = "party-committee"
    PEOPLES_CONGRESS = "peoples-congress"
    CONSULTATIVE_CONFERENCE = "consultative-conference"
    ARMY = "army"
    COURT = "court"
    PROCURATORATE = "procuratorate"
    PETITION = "petition"


class TicketAction(StrEnum):
    CLASSIFY = "classify"
    ANSWER = "answer"
    REFER = "refer"
    SUBMIT = "submit"
    WITHDRAW = "withdraw"
    REOPEN = "reopen"


_MOVES: dict[TicketState, dict[TicketAction, TicketState]] = {
    TicketState.RECORDED: {
        TicketAction.CLASSIFY: TicketState.RECORDED,
        TicketAction.ANSWER: TicketState.ANSWERED,
        TicketAction.REFER: TicketState.REFERRED,
        TicketAction.SUBMIT: TicketState.SUBMITTED,
        TicketAction.WITHDRAW: TicketState.WITHDRAWN,
    },
    TicketState.SUBMITTED: {TicketAction.WITHDRAW: TicketState.WITHDRAWN},
    # By the call-back, once after each closing of the case.
    TicketState.CLOSED: {TicketAction.REOPEN: TicketState.SUBMITTED},
    TicketState.ANSWERED: {},
    TicketState.REFERRED: {},
    TicketState.WITHDRAWN: {},
}
_NOT_OUTSIDE = frozenset({TicketAction.ANSWER, TicketAction.SUBMIT})


def allowed_actions(state: TicketState, competence: Competence) -> list[str]:
    """What may be done with a ticket, for its `allowed` in answers and refusals."""
    actions = set(_MOVES[state])
    if competence != Competence.GOVERNMENT:
        actions -= _NOT_OUTSIDE
    return sorted(action.value for action in actions)


def next_state(state: TicketState, competence: Competence, action: TicketAction) -> TicketState:
    """Where an action leads.

    Raises:
        TicketStateForbids: not from this state.
        OutsideCompetence: the matter is another body's and may only be referred there.
    """
    allowed = allowed_actions(state, competence)
    target = _MOVES[state].get(action)
    if target is None:
        raise TicketStateForbids(
            f"The ticket is {state}; allowed now: {', '.join(allowed) or 'nothing more'}.",
            state=state.value,
            allowed=allowed,
        )
    if competence != Competence.GOVERNMENT and action in _NOT_OUTSIDE:
        raise OutsideCompetence(
            "The hotline does not accept such matters: refer the caller to the right address,"
            " or correct the classification.",
            state=state.value,
            allowed=allowed,
        )
    return target


def ticket_number(day: str, sequence: int) -> str:
    """The number told to the caller: H, the date, the day's running number."""
    return f"H{day}{sequence:05d}"


def class_key(ref: ClassRef) -> ClassKey:
    return ClassKey(ref.scheme, ClassKind(ref.kind.value), ref.code)


def check_class(pack: CityPack, ref: ClassRef) -> None:
    """Refuse a class that the city does not have.

    Raises:
        ClassUnknown: it has none of this key.
    """
    if class_key(ref) not in pack.classes:
        raise ClassUnknown(f"The city has no class {ref}: choose one of its list.")


def check_direct_unit(pack: CityPack, code: str, urgency: Urgency) -> None:
    """Refuse to send a ticket straight to a unit where that is not allowed or not possible.

    Raises:
        DirectUnitRefused: it is no emergency, or the unit takes no cases.
    """
    if urgency is not Urgency.EMERGENCY:
        raise DirectUnitRefused(
            "Only an emergency goes past the dispatcher: mark it as one, or name no `direct_unit`."
        )
    unit = pack.units.get(code)
    if unit is None or not unit.responsible:
        raise DirectUnitRefused(
            f"The city has no unit {code} that takes cases; leave it out where you are not sure.",
            units=[one.code for one in pack.responsible],
        )


def located(
    pack: CityPack,
    *,
    longitude: float | None,
    latitude: float | None,
    accuracy_m: float | None,
    address: str | None,
) -> Place:
    """The place of a matter, with its grid where the position is known and lies in one.

    A caller may know only the address; intake finds the spot then.

    Raises:
        PlaceMissing: neither a whole position nor an address.
    """
    if (longitude is None) != (latitude is None):
        raise PlaceMissing("Send both longitude and latitude, or neither.")
    if longitude is None or latitude is None:
        if address is None:
            raise PlaceMissing("Send an address, or longitude and latitude.")
        return Place(address=address, position_source=PositionSource.ADDRESS)
    grid = pack.grid_at(longitude, latitude)
    return Place(
        longitude=longitude,
        latitude=latitude,
        accuracy_m=accuracy_m,
        position_source=PositionSource.MANUAL,
        address=address,
        grid=grid.code if grid else None,
    )


@dataclass(frozen=True, slots=True)
class Step:
    """Something that happened to the matter, for the ticket's timeline.

    Attributes:
        source: the subject and number of the fact, so that a fact makes one line only.
        text: what may be told to the caller.
    """

    kind: Progress
    at: datetime
    source: str
    unit: str | None = None
    text: str | None = None
