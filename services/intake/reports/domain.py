"""The rules of a report: its states, where it is, what it is about."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

import shapely

from services.intake.reports.errors import (
    ClassUnknown,
    ConditionNotOfClass,
    GridUnknown,
    ObservedInFuture,
    PlaceMissing,
    PlaceOutsideCity,
    ReportStateForbids,
)
from shared.errors import NotFound
from shared.events.vocabulary import ClassRef, Place, Source
from shared.geo import Position
from shared.pack.model import CaseClass, CityPack, ClassKey, RegistrationCondition
from shared.vocabulary import ClassKind

# A handset's clock may be wrong; a day in the future is not a wrong clock but a wrong date.
FUTURE_TOLERANCE = timedelta(days=1)


class ReportState(StrEnum):
    RECEIVED = "received"
    CHECKING = "checking"
    CHECKED = "checked"
    REGISTERED = "registered"
    REJECTED = "rejected"
    MERGED = "merged"


class ReportAction(StrEnum):
    REGISTER = "register"
    REJECT = "reject"
    CHECK = "check"
    MERGE = "merge"
    UNMERGE = "unmerge"
    FINISH_CHECK = "finish-check"


OPEN_STATES = frozenset({ReportState.RECEIVED, ReportState.CHECKING, ReportState.CHECKED})
"""States in which the registration stage is still running."""

_DECISIONS = {
    ReportAction.REGISTER: ReportState.REGISTERED,
    ReportAction.REJECT: ReportState.REJECTED,
    ReportAction.MERGE: ReportState.MERGED,
}
_MOVES: dict[ReportState, dict[ReportAction, ReportState]] = {
    ReportState.RECEIVED: {**_DECISIONS, ReportAction.CHECK: ReportState.CHECKING},
    ReportState.CHECKING: {**_DECISIONS, ReportAction.FINISH_CHECK: ReportState.CHECKED},
    ReportState.CHECKED: {**_DECISIONS, ReportAction.CHECK: ReportState.CHECKING},
    ReportState.REGISTERED: {},
    ReportState.REJECTED: {},
    # Where an unmerged report goes back to is written on the report itself.
    ReportState.MERGED: {ReportAction.UNMERGE: ReportState.RECEIVED},
}


def allowed_actions(state: ReportState) -> list[str]:
    """What a person may do with a report in this state."""
    return sorted(action for action in _MOVES[state] if action != ReportAction.FINISH_CHECK)


def state_before_merge(state: ReportState) -> ReportState:
    """Where a report goes back to when its merge is undone; a check was withdrawn by the merge."""
    return ReportState.RECEIVED if state is ReportState.CHECKING else state


def next_state(state: ReportState, action: ReportAction) -> ReportState:
    """Where an action leads.

    Raises:
        ReportStateForbids: the action is not possible in this state.
    """
    target = _MOVES[state].get(action)
    if target is None:
        allowed = allowed_actions(state)
        choice = f"possible now: {', '.join(allowed)}" if allowed else "it is decided"
        raise ReportStateForbids(
            f"A report that is {state} cannot {action}; {choice}.",
            state=state.value,
            allowed=allowed,
        )
    return target


# --- classes ------------------------------------------------------------------------------------


def class_key(ref: ClassRef) -> ClassKey:
    return ClassKey(ref.scheme, ClassKind(ref.kind.value), ref.code)


def case_class(pack: CityPack, ref: ClassRef) -> CaseClass:
    """The pack's class.

    Raises:
        ClassUnknown: the pack does not have it.
    """
    try:
        return pack.case_class(class_key(ref))
    except NotFound:
        raise ClassUnknown(
            f"The city has no class {ref}: choose one of its list, or leave it open."
        ) from None


def condition_of(
    pack: CityPack, ref: ClassRef | None, code: str | None
) -> RegistrationCondition | None:
    """The registration condition meant: the one named, or the only one that the class has.

    Raises:
        ConditionNotOfClass: it belongs to another class or to none.
    """
    of_class = pack.conditions_of(class_key(ref)) if ref else ()
    if code is None:
        return of_class[0] if len(of_class) == 1 else None
    for condition in of_class:
        if condition.code == code:
            return condition
    raise ConditionNotOfClass(
        f"Condition {code} does not belong to class {ref}.",
        conditions=[condition.code for condition in of_class],
    )


# --- places -------------------------------------------------------------------------------------


def in_city(pack: CityPack, place: Place) -> bool:
    """Whether a place with coordinates lies in a grid or at least within the city's outline."""
    if place.longitude is None or place.latitude is None:
        return False
    if pack.grid_at(place.longitude, place.latitude) is not None:
        return True
    point = shapely.Point(place.longitude, place.latitude)
    return pack.outline is not None and bool(pack.outline.covers(point))


def position_of(place: Place) -> Position | None:
    """The coordinates of a place, if it has any."""
    if place.longitude is None or place.latitude is None:
        return None
    return Position(place.longitude, place.latitude, place.accuracy_m, place.position_source)


def located(pack: CityPack, place: Place) -> Place:
    """The place with the grid that its coordinates lie in.

    Coordinates decide; a grid that was only named counts where there are none.

    Raises:
        PlaceOutsideCity: the coordinates lie neither in a grid nor within the outline.
        GridUnknown: a grid was named that the city does not have.
    """
    if place.longitude is None or place.latitude is None:
        if place.grid is not None and place.grid not in pack.grids:
            raise GridUnknown(f"The city has no grid {place.grid}: name another or none.")
        return place
    grid = pack.grid_at(place.longitude, place.latitude)
    if grid is not None:
        return place.model_copy(update={"grid": grid.code})
    if not in_city(pack, place):
        raise PlaceOutsideCity(
            "The coordinates lie outside the city. Send WGS 84 degrees, longitude and latitude not"
            " exchanged, or report it to the city it lies in."
        )
    # Inside the city, but where no grids are drawn: the nearest one that somebody named.
    return place.model_copy(update={"grid": place.grid if place.grid in pack.grids else None})


def located_if_possible(pack: CityPack, place: Place) -> Place:
    """As `located`, but what cannot be right is left for somebody to correct.

    An accepted call is never refused afterwards.
    """
    try:
        return located(pack, place)
    except (PlaceOutsideCity, GridUnknown):
        return place.model_copy(update={"grid": None})


def class_if_known(pack: CityPack, ref: ClassRef | None) -> ClassRef | None:
    return ref if ref is not None and class_key(ref) in pack.classes else None


def needs_place(place: Place) -> bool:
    """Whether somebody has to say where it is before it can become a case."""
    return place.grid is None


def require_coordinates(place: Place) -> None:
    """For sources that know where they are.

    Raises:
        PlaceMissing: no coordinates.
    """
    if place.longitude is None or place.latitude is None:
        raise PlaceMissing("Send the longitude and latitude of the problem.")


def require_some_place(place: Place) -> None:
    """For citizens and systems: coordinates, a grid or an address.

    Raises:
        PlaceMissing: none of them.
    """
    if place.longitude is None and place.grid is None and place.address is None:
        raise PlaceMissing("Send coordinates, or an address that somebody can find.")


def require_plausible_time(observed_at: datetime, received_at: datetime) -> None:
    """Refuse what was seen tomorrow.

    Raises:
        ObservedInFuture: more than a day ahead of our clock.
    """
    if observed_at > received_at + FUTURE_TOLERANCE:
        raise ObservedInFuture(
            "The time of observation lies more than a day in the future: set the device's clock."
        )


# --- what comes in ------------------------------------------------------------------------------

PACK_SOURCES = {
    Source.COLLECTOR: "handset",
    Source.LEADER: "instruction",
}
"""Names of sources in city packs where they differ from those in events."""


def source_code(source: Source) -> str:
    """What city packs call a source."""
    return PACK_SOURCES.get(source, source.value)


def is_trusted(pack: CityPack, source: Source) -> bool:
    found = pack.sources.get(source_code(source))
    return found is not None and found.trusted


@dataclass(frozen=True, kw_only=True, slots=True)
class Draft:
    """A report as its source tells it, already checked.

    Attributes:
        channel: finer than the source: camera, partner, or how a citizen came.
        client_key: stands for the report in its source's own storage; sent twice, stored once.
        device_position: what the device measured, where a person moved the mark on the map.
        box: what a video operator drew, in shares of the frame.
        follow_key: the citizen's own secret that the token for following is made from.
        direct_unit, direct_by: of an emergency, the unit it goes to and who named it.
    """

    source: Source
    place: Place
    description: str
    observed_at: datetime
    channel: str | None = None
    reporter_id: str | None = None
    client_key: str | None = None
    external_id: str | None = None
    ticket_id: UUID | None = None
    class_ref: ClassRef | None = None
    condition: str | None = None
    urgent: bool = False
    emergency: bool = False
    confidential: bool = False
    media: tuple[str, ...] = ()
    device_position: dict[str, Any] | None = None
    box: dict[str, float] | None = None
    follow_key: UUID | None = None
    direct_unit: str | None = None
    direct_by: str | None = None


def masked_name(name: str) -> str:
    """Only the family name, as notices in the field do it."""
    return name[:1] + "*" * max(len(name) - 1, 1)


def masked_number(number: str) -> str:
    """First three and last four digits of a telephone number; less of a short one."""
    if len(number) < 8:  # noqa: PLR2004 - too short to show two ends of it
        return "*" * len(number)
    return f"{number[:3]}{'*' * (len(number) - 7)}{number[-4:]}"
