"""Decides from the row what becomes of a request: who sends it, and how far it comes.

Everything here is a function of the row, the city and the options, so that a second run decides the
same.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

from services.replay.day import Day, Row
from services.replay.marks import marked
from shared.geo import Position, distance_m
from shared.pack.model import CityPack, ClassKey


class Route(StrEnum):
    """Who tells the city."""

    PHONE = "phone"
    WEB = "web"
    HANDSET = "handset"
    LIAISON = "liaison"
    INSTRUCTION = "instruction"


class End(StrEnum):
    """Where a request stands when the day is played."""

    RECEIVED = "received"
    CHECKING = "checking"
    REJECTED = "rejected"
    MERGED = "merged"
    AWAITING_DISPATCH = "awaiting-dispatch"
    DISPATCHED = "dispatched"
    ACCEPTED = "accepted"
    DEFERRED = "deferred"
    HANDLED = "handled"
    VERIFYING = "verifying"
    VERIFIED = "verified"
    CLOSED = "closed"
    VOIDED = "voided"


WITHOUT_CASE = frozenset({End.RECEIVED, End.CHECKING, End.REJECTED, End.MERGED})
"""Ends of reports that become no case."""


class Ask(StrEnum):
    """What a unit may ask the centre for."""

    RETURN = "return"
    EXTENSION = "extension"
    DEFERRAL = "deferral"


@dataclass(frozen=True, slots=True)
class Spot:
    """Where it is, as far as the reporter can say.

    Attributes:
        exact: the address names a house or a junction, not just a part of the city.
    """

    lng: float | None = None
    lat: float | None = None
    address: str | None = None
    exact: bool = False

    @property
    def position(self) -> Position | None:
        if self.lng is None or self.lat is None:
            return None
        return Position(self.lng, self.lat)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to become of one request.

    Attributes:
        created: when it was seen, as the reporter says.
        text: what is reported, with the mark of the row.
        class_key: None if the city has no such class.
        grid: where an operator would place it, None if nobody could.
        unit: whom it is dispatched to.
        second_unit: whom it is dispatched to the next time, if not the same.
        into: key of the request that it is merged into.
        reason: reason code of the rejection.
        fails: how often the verification fails before it passes.
        feedback_refused: the first feedback is plainly untrue and goes back.
        asks, granted: what the unit asks for; granted None leaves it undecided.
    """

    key: str
    route: Route
    created: datetime
    text: str
    spot: Spot
    class_key: ClassKey | None
    condition: str | None
    grid: str | None
    unit: str | None
    end: End
    into: str | None = None
    second_unit: str | None = None
    reason: str | None = None
    fails: int = 0
    feedback_refused: bool = False
    asks: Ask | None = None
    granted: bool | None = None
    urgent: bool = False

    @property
    def becomes_case(self) -> bool:
        return self.end not in WITHOUT_CASE


@dataclass(frozen=True, slots=True)
class Options:
    """Shares of the requests that go another way, between 0 and 1, and what draws them."""

    reject_share: float = 0.01
    fail_share: float = 0.05
    waiting_share: float = 0.1
    seed: str = ""


CHANNELS: Mapping[str, Route] = MappingProxyType(
    {
        "PHONE": Route.PHONE,
        "ONLINE": Route.WEB,
        "MOBILE": Route.HANDSET,
        "OTHER": Route.INSTRUCTION,
        "UNKNOWN": Route.LIAISON,
    }
)
TRUSTED = frozenset({Route.HANDSET})
"""Routes on which a complete report may become a case before anybody has looked at it."""

OPEN_ENDS: Mapping[str, End] = MappingProxyType(
    {
        "Assigned": End.ACCEPTED,
        "Started": End.ACCEPTED,
        "Pending": End.HANDLED,
        "Email Sent": End.DISPATCHED,
        "Unassigned": End.AWAITING_DISPATCH,
    }
)


def share_of(seed: str, purpose: str, key: str) -> float:
    """A number from 0 to 1 that is the same whenever the same is asked."""
    digest = hashlib.sha256(f"{seed}|{purpose}|{key}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def plan_day(day: Day, pack: CityPack, options: Options) -> dict[str, Plan]:
    """What becomes of every row of a day, by key, in the order of the file."""
    boroughs = _grids_of_boroughs(day.rows, pack)
    names = {found.name.en.casefold(): key for key, found in pack.classes.items()}
    planner = _Planner(pack, options, names, boroughs)
    return with_merges([(planner.plan(row), row.duplicate) for row in day.rows], pack)


def with_merges(drafts: Iterable[tuple[Plan, bool]], pack: CityPack) -> dict[str, Plan]:
    """Let each duplicate go into an earlier request of its class at the same or a near place.

    A duplicate of something that nobody reported that day is a request of its own.
    """
    plans: dict[str, Plan] = {}
    standing: dict[ClassKey, list[Plan]] = defaultdict(list)
    for draft, duplicate in drafts:
        plan = draft
        if plan.class_key is not None and plan.becomes_case:
            here = standing[plan.class_key]
            original = _original(plan, here, pack) if duplicate else None
            if original is not None:
                plan = _merged(plan, original)
            elif not _will_be_refused(plan):
                here.append(plan)
        plans[plan.key] = plan
    return plans


class _Planner:
    """Plans single rows."""

    def __init__(
        self,
        pack: CityPack,
        options: Options,
        classes: Mapping[str, ClassKey],
        boroughs: Mapping[str, str],
    ) -> None:
        self._pack = pack
        self._options = options
        self._classes = classes
        self._boroughs = boroughs

    def plan(self, row: Row) -> Plan:
        class_key = self._classes.get(row.type.casefold())
        grid = _grid_at(self._pack, row) or self._boroughs.get(row.borough)
        plan = Plan(
            key=row.key,
            route=CHANNELS.get(row.channel, Route.LIAISON),
            created=row.created,
            text=marked(_text(row), row.key),
            spot=Spot(row.lng, row.lat, _address(row), exact=bool(row.address)),
            class_key=class_key,
            condition=_condition(self._pack, class_key, row),
            grid=grid,
            unit=self._unit(class_key, grid, row),
            end=self._end(row),
        )
        return self._judged(plan)

    def _judged(self, plan: Plan) -> Plan:
        """The plan with what an operator would decide, and the share that fails on the spot."""
        reason = None
        if plan.class_key is None or plan.unit is None:
            reason = "class-unknown"
        elif plan.grid is None:
            reason = "place-not-found"
        elif plan.route not in TRUSTED and self._drawn("reject", plan, self._options.reject_share):
            reason = "not-within-competence"
        if reason is not None:
            return replace(plan, end=End.REJECTED, reason=reason)
        fails = plan.end is End.CLOSED and self._drawn("fail", plan, self._options.fail_share)
        return replace(plan, fails=int(fails))

    def _drawn(self, purpose: str, plan: Plan, share: float) -> bool:
        return share_of(self._options.seed, purpose, plan.key) < share

    def _end(self, row: Row) -> End:
        if row.status == "Closed" or row.closed is not None:
            return End.CLOSED
        if row.status in OPEN_ENDS:
            return OPEN_ENDS[row.status]
        waits = share_of(self._options.seed, "wait", row.key) < self._options.waiting_share
        return End.AWAITING_DISPATCH if waits else End.DISPATCHED

    def _unit(self, class_key: ClassKey | None, grid: str | None, row: Row) -> str | None:
        """The agency of the row where it answers for the class, else the first that does."""
        if class_key is None:
            return None
        found = [one.unit.code for one in self._pack.responsible_units(class_key, grid)]
        agency = row.agency.lower()
        return agency if agency in found else next(iter(found), None)


def _merged(plan: Plan, original: Plan) -> Plan:
    # A collector's complete report would be a case before anybody could merge it: tenants of one
    # house report from their own telephones.
    route = Route.WEB if plan.route in TRUSTED else plan.route
    return replace(plan, route=route, end=End.MERGED, into=original.key, fails=0)


def _will_be_refused(plan: Plan) -> bool:
    """A handset knows where it is; without coordinates its report is not taken."""
    return plan.route is Route.HANDSET and plan.spot.lng is None


def _original(plan: Plan, standing: Iterable[Plan], pack: CityPack) -> Plan | None:
    radius = pack.duplicates.of(plan.class_key).radius_m
    return next((one for one in standing if _same_place(plan.spot, one.spot, radius)), None)


def _same_place(one: Spot, other: Spot, radius_m: float) -> bool:
    if one.exact and one.address == other.address:
        return True
    here, there = one.position, other.position
    return here is not None and there is not None and distance_m(here, there) <= radius_m


def _text(row: Row) -> str:
    return ": ".join(part for part in (row.type, row.descriptor) if part) or "Request"


def _address(row: Row) -> str | None:
    return ", ".join(part for part in (row.address, row.borough) if part) or None


def _condition(pack: CityPack, class_key: ClassKey | None, row: Row) -> str | None:
    if class_key is None:
        return None
    conditions = pack.conditions_of(class_key)
    wanted = f"{row.type}: {row.descriptor}".casefold()
    for condition in conditions:
        if condition.text.en.casefold() == wanted:
            return condition.code
    return conditions[0].code


def _grid_at(pack: CityPack, row: Row) -> str | None:
    if row.lng is None or row.lat is None:
        return None
    found = pack.grid_at(row.lng, row.lat)
    return found.code if found else None


def _grids_of_boroughs(rows: Iterable[Row], pack: CityPack) -> dict[str, str]:
    """The grid in which most of a borough's requests lie, as an operator would know it."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        if row.borough and (grid := _grid_at(pack, row)):
            counts[row.borough][grid] += 1
    return {borough: grids.most_common(1)[0][0] for borough, grids in counts.items()}
