"""What a city is to the program: plain frozen values, read once from a city pack.

Nothing here reads files; `shared.pack.loader` does, and hands out only packs that are whole.
All coordinates are WGS 84 degrees, all limits carry their own kind of time, and every text that
a person may read exists in Chinese and in English.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, Self

from shared.errors import NotFound
from shared.geo import Position, Territory, distances_m
from shared.vocabulary import ClassKind, Role, SupervisionCause, SupervisionLevel

if TYPE_CHECKING:
    from shapely import MultiPolygon, Polygon

    from shared.worktime import Calendar, Limit


@dataclass(frozen=True, slots=True)
class Text:
    """One thing said in Chinese and in English."""

    zh: str
    en: str

    def in_language(self, language: str) -> str:
        """The text for a language tag such as `zh`, `zh-CN` or `en-GB`; Chinese when in doubt."""
        return self.en if language.lower().startswith("en") else self.zh


@dataclass(frozen=True, slots=True, order=True)
class ClassKey:
    """The name of a class that stays unique when standards follow one another.

    The same digits name a component and an event, and two editions of the standard give them
    different meanings, so the scheme and the kind belong to the key.
    """

    scheme: str
    kind: ClassKind
    code: str

    def __str__(self) -> str:
        return f"{self.scheme}:{self.kind.value}:{self.code}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `GB/T 47678.5-2026:component:01001`.

        Raises:
            ValueError: if one of the three parts is missing or the kind is unknown.
        """
        parts = text.rsplit(":", 2)
        if len(parts) != 3 or not all(parts):  # noqa: PLR2004 - scheme, kind and code
            raise ValueError(f"'{text}' is no class key; write scheme:kind:code")
        scheme, kind, code = parts
        if kind not in list(ClassKind):
            kinds = ", ".join(ClassKind)
            raise ValueError(f"'{kind}' is no kind of class; the kinds are {kinds}")
        return cls(scheme, ClassKind(kind), code)


class UnitKind(StrEnum):
    """What sort of body a unit is."""

    BUREAU = "bureau"
    SUBDISTRICT = "subdistrict"
    UTILITY = "utility"
    COMPANY = "company"
    CENTRE = "centre"
    COLLECTION_COMPANY = "collection-company"
    LEADING_GROUP = "leading-group"


RESPONSIBLE_KINDS = frozenset(
    {UnitKind.BUREAU, UnitKind.SUBDISTRICT, UnitKind.UTILITY, UnitKind.COMPANY}
)


ADMINISTRATORS = frozenset(
    {Role.SYSTEM_ADMINISTRATOR, Role.SECURITY_ADMINISTRATOR, Role.AUDIT_ADMINISTRATOR}
)

SYSTEM_ROLES = frozenset({Role.PARTNER, Role.PBX})
PERSON_ROLES = frozenset(Role) - SYSTEM_ROLES


class AreaLevel(StrEnum):
    """The levels above a unit grid, smallest last."""

    DISTRICT = "district"
    STREET = "street"
    COMMUNITY = "community"


class Stage(StrEnum):
    """The centre's stages that have a limit of their own. Handling is limited by the condition."""

    REGISTRATION = "registration"
    DISPATCH = "dispatch"
    SUPERVISION = "supervision"
    SENDING_OUT = "sending_out"
    VERIFICATION = "verification"
    CLOSING = "closing"


@dataclass(frozen=True, slots=True)
class Place:
    """A point in WGS 84 degrees."""

    lng: float
    lat: float


@dataclass(frozen=True, slots=True)
class City:
    """The head of a pack.

    Attributes:
        code: six characters that begin every case number: the division code of GB/T 2260, or
            another code of the same length where there is none.
        zone: IANA time zone, the one of the calendar.
        centre: where a map opens.
        languages: language tags in the order in which pages offer them.
    """

    code: str
    name: Text
    zone: str
    centre: Place
    languages: tuple[str, ...] = ("zh", "en")


@dataclass(frozen=True, slots=True)
class Unit:
    """A body: one that answers for matters, or one that works for the centre.

    Attributes:
        parent: code of the unit above, or empty.
        command_duty: dispatch and handling run on one clock for this unit.
        higher_level: the unit is not subordinate to the district; shirking goes on its record.
    """

    code: str
    name: Text
    kind: UnitKind
    parent: str
    command_duty: bool
    higher_level: bool

    @property
    def responsible(self) -> bool:
        """Whether a case may be dispatched to it."""
        return self.kind in RESPONSIBLE_KINDS


@dataclass(frozen=True, slots=True)
class Responsibility:
    """One line of the responsibility table.

    Attributes:
        territory: leading digits of the grid codes it holds for; empty means everywhere.
        rank: 1 is the unit in charge; higher numbers assist or stand in.
        matter: the matter as the city's own table calls it.
        basis: why this unit, in words for the dispatcher.
    """

    class_key: ClassKey
    unit: str
    territory: str
    rank: int
    matter: str
    basis: Text


@dataclass(frozen=True, slots=True)
class ResponsibleUnit:
    """A suggestion for the dispatcher: the unit and why it stands where it stands."""

    unit: Unit
    responsibility: Responsibility
    reason: Text


@dataclass(frozen=True, slots=True)
class Component:
    """A fixture whose owner is known.

    Attributes:
        code: 17 digits: 6 division, 2 major, 3 minor, 6 sequence (16 in older schemes).
        owner: code of the unit that owns it (权属单位).
        maintainer: code of the unit that keeps it up (养护单位), or empty.
    """

    code: str
    class_key: ClassKey
    place: Place
    owner: str
    maintainer: str


class CandidateRung(StrEnum):
    """What may speak for a unit when nobody has been sent a case yet."""

    DECISION = "decision"
    OWNER = "owner"
    MAINTAINER = "maintainer"
    TABLE = "table"
    SETTLED = "settled"
    NAMED = "named"


@dataclass(frozen=True, slots=True)
class ResponsibilityRules:
    """How a city settles whose a case is.

    Attributes:
        order: every rung once; a unit stands where the first of the rungs that name it stands.
        component_radius_m: a component of the case's class as near as this is the one meant.
        position: time that an invited unit has to state its position.
        urgent_position: the same for urgent cases, day and night.
        decision: time within which a coordination is to be decided; the case waits for it.
        urgent_decision: the same for urgent cases, which are handled meanwhile.
        office: unit that decides what is passed up and answers for the fund; of the kind
            leading group.
        recovered_to_fund: money recovered goes back into the fund of the year in which it comes
            in; otherwise it goes to the treasury.
    """

    order: tuple[CandidateRung, ...]
    component_radius_m: float
    position: "Limit"
    urgent_position: "Limit"
    decision: "Limit"
    urgent_decision: "Limit"
    office: str
    recovered_to_fund: bool


@dataclass(frozen=True, slots=True)
class CaseClass:
    """A minor class.

    Attributes:
        urgent: goes past the queue and runs on calendar time.
        special: shows at night only, or is hard to find again; verification waits for its time.
    """

    key: ClassKey
    major_code: str
    major_name: Text
    name: Text
    urgent: bool
    special: bool

    @property
    def scheme(self) -> str:
        return self.key.scheme

    @property
    def kind(self) -> ClassKind:
        return self.key.kind

    @property
    def code(self) -> str:
        return self.key.code


@dataclass(frozen=True, slots=True)
class RegistrationCondition:
    """One condition under which a report becomes a case, with its own limit and end.

    A case is urgent or special if its class or its condition is.

    Attributes:
        code: unique in the pack, by habit the class code, a dash and a number.
        limit: time that the unit has for the handling.
        closing: what must be true before the case may be closed.
        standard: how the work has to be done, handed to the unit with the dispatch.
        closes_on_notice: a notice or a plan is enough where the work cannot be done now.
    """

    code: str
    class_key: ClassKey
    text: Text
    limit: "Limit"
    closing: Text
    standard: Text
    urgent: bool
    special: bool
    closes_on_notice: bool


@dataclass(frozen=True, slots=True)
class Area:
    """A district, a street (sub-district) or a community.

    Attributes:
        code: 6, 9 or 12 digits.
        centre: WGS 84, or None if only the name is known.
        office: unit code of the body that administers it, or empty.
    """

    code: str
    name: Text
    level: AreaLevel
    parent: str
    centre: Place | None
    office: str


@dataclass(frozen=True, slots=True)
class Grid:
    """A unit grid, the smallest ground with an owner.

    Attributes:
        code: 15 digits: 6 county, 3 street, 3 community, 3 sequence.
        community: code of the area it lies in (the first 12 digits).
        polygon: WGS 84 ring(s).
        owner: login of the collector who walks it.
    """

    code: str
    name: Text
    community: str
    polygon: "Polygon | MultiPolygon"
    owner: str

    @property
    def street(self) -> str:
        """Code of the street, the first nine digits."""
        return self.code[:9]


@dataclass(frozen=True, slots=True)
class StageLimits:
    """Limits of the centre's stages.

    Attributes:
        ordinary: limit of each stage; None means that the stage has no limit.
        urgent: replaces the ordinary limit for urgent cases.
        special: replaces both for special cases.
        acknowledgement: time a unit has to answer a supervision order.
        warn_share: the last share of a limit in which the light is yellow.
    """

    ordinary: Mapping[Stage, "Limit | None"]
    urgent: Mapping[Stage, "Limit | None"]
    special: Mapping[Stage, "Limit | None"]
    acknowledgement: "Limit"
    warn_share: Fraction

    def limit_of(
        self, stage: Stage, *, urgent: bool = False, special: bool = False
    ) -> "Limit | None":
        """The limit that holds for a stage of such a case; None means no limit."""
        if special and stage in self.special:
            return self.special[stage]
        if urgent and stage in self.urgent:
            return self.urgent[stage]
        return self.ordinary[stage]


@dataclass(frozen=True, slots=True)
class AssessmentParameters:
    """One version of the figures that units are scored by. Shares are exact fractions of 1.

    Attributes:
        version: name under which a bulletin quotes it.
        valid_from: first day of the periods that are computed with it.
        valid_until: last such day; null until the next version begins.
        timely_weight: weight of the timely rate; with `resolution_weight` it makes 1.
        small_sample: below this many cases due a rate is shown with a remark and not ranked high.
        trial: figures are shown but carry no consequence.
        appeal_days: calendar days in which a unit may appeal a published figure.
    """

    version: str
    valid_from: date
    timely_weight: Fraction
    resolution_weight: Fraction
    redispatch_allowance: Fraction
    extension_allowance: Fraction
    deferral_allowance: Fraction
    resolution_target: Fraction
    small_sample: int
    trial: bool
    appeal_days: int
    valid_until: date | None = None


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with an account. Passwords are never part of a pack.

    Attributes:
        territory: area codes that a grid leader or courtyard head answers for.
        grids: codes of the grids a collector owns, and of those inside the territory.
        language: tag of the language that pages open in.
    """

    login: str
    name: Text
    roles: frozenset[Role]
    unit: str
    territory: tuple[str, ...]
    grids: tuple[str, ...]
    language: str


@dataclass(frozen=True, slots=True)
class SystemClient:
    """Another system with an account for programs. Its secret is made when it is enrolled."""

    client_id: str
    name: Text
    roles: frozenset[Role]
    scopes: frozenset[str]
    unit: str


@dataclass(frozen=True, slots=True)
class KnowledgeEntry:
    """An answer that an agent may give on the spot.

    Attributes:
        language: language of this entry; the same question in another language is an entry too.
        answer: Markdown.
        basis: the rule or decision it rests on.
        valid_until: last day on which it may be given.
        refer_to: unit that the caller is referred to when the answer is not enough, or empty.
    """

    id: str
    language: str
    title: str
    answer: str
    basis: str
    unit: str
    valid_until: date
    keywords: tuple[str, ...]
    refer_to: str


@dataclass(frozen=True, slots=True)
class Camera:
    """A video camera that operators may draw findings on."""

    code: str
    name: Text
    place: Place
    grid: str
    unit: str


@dataclass(frozen=True, slots=True)
class Source:
    """Where reports may come from. `trusted` sources may be registered by rule."""

    code: str
    name: Text
    trusted: bool


@dataclass(frozen=True, slots=True)
class RegistrationRules:
    """When a rule may register a report without an operator.

    Attributes:
        automatic: the whole rule is on.
        requires: parts that have to be there: class, condition, position, grid, text, photograph.
        max_accuracy_m: worst accuracy of the position that still counts as known, in metres.
        excluded: classes that a person always looks at.
    """

    automatic: bool
    requires: frozenset[str]
    max_accuracy_m: float
    excluded: frozenset[ClassKey]


@dataclass(frozen=True, slots=True)
class DuplicateRule:
    """How near and how recent a report has to be to look like the same matter."""

    radius_m: float
    window_hours: float


@dataclass(frozen=True, slots=True)
class DuplicateSettings:
    """The rule for all classes and its exceptions."""

    default: DuplicateRule
    by_class: Mapping[ClassKey, DuplicateRule]

    def of(self, class_key: ClassKey | None) -> DuplicateRule:
        """The rule for a class; for a report without a class the rule for all."""
        if class_key is None:
            return self.default
        return self.by_class.get(class_key, self.default)


@dataclass(frozen=True, slots=True)
class TaskSettings:
    """Field tasks.

    Attributes:
        expiry_minutes: a task not accepted by then goes to somebody else.
        max_reissues: after so many the shift leader is asked.
        arrival_radius_m: a finding posted from farther away is marked.
    """

    expiry_minutes: int
    max_reissues: int
    arrival_radius_m: float


class Paper(StrEnum):
    """What is written up after an emergency that went past the queue."""

    CLASSIFICATION = "classification"
    """An operator confirms or corrects class and condition."""
    DISPATCH = "dispatch"
    """A dispatcher confirms the unit."""
    RECORD = "record"
    """Whoever was in charge writes down what happened."""


@dataclass(frozen=True, slots=True)
class EmergencyRules:
    """What happens with anything urgent or marked as an emergency.

    Attributes:
        leaders: logins told at once, with the shift leader on duty.
        escalation: logins told one after another while nobody acknowledges.
        acknowledge_minutes: time for that, after each telling.
        rounds: how often `escalation` is gone through.
        sources: of marked emergencies that become cases at once.
        default_condition: code of the urgent condition, and so of the class, where none is named.
        papers: time for each paper that follows, counted day and night.
    """

    leaders: tuple[str, ...]
    escalation: tuple[str, ...]
    acknowledge_minutes: int
    rounds: int
    sources: frozenset[str]
    default_condition: str
    papers: Mapping[Paper, "Limit"]


@dataclass(frozen=True, slots=True)
class OrderTerms:
    """What a supervision order says unless whoever opens it says otherwise.

    Attributes:
        answer: time in which the unit has to answer it.
        asked: what is asked of the unit.
    """

    level: SupervisionLevel
    answer: "Limit"
    asked: Text


@dataclass(frozen=True, slots=True)
class SupervisionSettings:
    """Supervision orders: their terms by cause, and the rules that open one by themselves.

    Attributes:
        terms: of every cause.
        by_rule: causes whose rule is switched on.
        failed_verifications: the failed verification of a run that opens an order.
        returns: the return of a case, granted or refused, that counts as shirking.
        acceptance: time in which an urgent case has to be accepted.
        complaints: of one caller about one place, that open an order.
        complaint_days: calendar days back in which complaints are counted together.
        complaint_radius_m: how far apart complaints may lie and still be about one place.
    """

    terms: Mapping[SupervisionCause, OrderTerms]
    by_rule: frozenset[SupervisionCause]
    failed_verifications: int
    returns: int
    acceptance: "Limit"
    complaints: int
    complaint_days: int
    complaint_radius_m: float


@dataclass(frozen=True)
class CityPack:
    """A whole city. Only the loader makes one, and only without a single fault."""

    city: City
    calendar: "Calendar"
    units: Mapping[str, Unit]
    classes: Mapping[ClassKey, CaseClass]
    conditions: tuple[RegistrationCondition, ...]
    responsibilities: tuple[Responsibility, ...]
    areas: Mapping[str, Area]
    grids: Mapping[str, Grid]
    stages: StageLimits
    assessment: tuple[AssessmentParameters, ...]
    people: tuple[Person, ...]
    systems: tuple[SystemClient, ...]
    knowledge: tuple[KnowledgeEntry, ...]
    cameras: tuple[Camera, ...]
    sources: Mapping[str, Source]
    registration: RegistrationRules
    duplicates: DuplicateSettings
    tasks: TaskSettings
    responsibility: ResponsibilityRules
    emergencies: EmergencyRules
    supervision: SupervisionSettings
    components: tuple[Component, ...] = ()
    outline: "Polygon | MultiPolygon | None" = None
    path: str = field(default="", compare=False)

    def grid_at(self, lng: float, lat: float) -> Grid | None:
        """The grid that a WGS 84 point lies in; on a border the smallest code, outside None."""
        code = self._territory.locate(lng, lat)
        return None if code is None else self.grids[code]

    def case_class(self, class_key: ClassKey) -> CaseClass:
        """The class of a key.

        Raises:
            NotFound: if the pack has no such class.
        """
        try:
            return self.classes[class_key]
        except KeyError:
            raise NotFound(f"The pack has no class {class_key}.") from None

    def conditions_of(self, class_key: ClassKey) -> tuple[RegistrationCondition, ...]:
        """The registration conditions of a class in the order of the pack; empty if unknown."""
        return self._conditions_by_class.get(class_key, ())

    def condition(self, code: str) -> RegistrationCondition:
        """The registration condition of a code.

        Raises:
            NotFound: if the pack has no such condition.
        """
        try:
            return self._conditions_by_code[code]
        except KeyError:
            raise NotFound(f"The pack has no registration condition {code}.") from None

    def responsible_units(
        self, class_key: ClassKey, grid_code: str | None
    ) -> tuple[ResponsibleUnit, ...]:
        """Units that answer for a class on a ground, the first one best, each with its reason.

        The unit in charge goes before the ones that assist. Among equals the narrower territory
        goes first: whose ground it is, answers for it. Without a grid, lines that hold for a
        part of the city come last, because nobody knows yet whether they apply.
        """
        lines = [
            line
            for line in self._responsibilities_by_class.get(class_key, ())
            if grid_code is None or grid_code.startswith(line.territory)
        ]
        if grid_code is None:
            lines.sort(key=lambda line: (line.territory != "", line.rank))
        else:
            lines.sort(key=lambda line: (line.rank, -len(line.territory)))
        suggested: dict[str, ResponsibleUnit] = {}
        for line in lines:
            if line.unit not in suggested:
                suggested[line.unit] = ResponsibleUnit(
                    self.units[line.unit], line, self._reason(line)
                )
        return tuple(suggested.values())

    def components_near(
        self, class_key: ClassKey, lng: float, lat: float
    ) -> tuple[tuple[Component, float], ...]:
        """Known components of a class close enough to be meant, the nearest first, with metres."""
        components, lngs, lats = self._components_by_class.get(class_key, ((), (), ()))
        if not components:
            return ()
        distances = distances_m(Position(lng, lat), lngs, lats)
        radius = self.responsibility.component_radius_m
        found = [
            (component, float(metres))
            for component, metres in zip(components, distances, strict=True)
            if metres <= radius
        ]
        return tuple(sorted(found, key=lambda item: (item[1], item[0].code)))

    def assessment_on(self, day: date) -> AssessmentParameters:
        """The version of the parameters that holds on a day.

        Raises:
            NotFound: if the first version begins later.
        """
        begun = [version for version in self.assessment if version.valid_from <= day]
        if not begun:
            raise NotFound(f"No assessment parameters hold on {day.isoformat()} yet.")
        held = max(begun, key=lambda version: version.valid_from)
        if held.valid_until is not None and held.valid_until < day:
            raise NotFound(
                f"No assessment parameters hold on {day.isoformat()}: version {held.version} ended"
                f" on {held.valid_until.isoformat()}. Add the next one to assessment.toml."
            )
        return held

    def person(self, login: str) -> Person:
        """The person of a login.

        Raises:
            NotFound: if the pack has no such person.
        """
        try:
            return self._people_by_login[login]
        except KeyError:
            raise NotFound(f"The pack has no person '{login}'.") from None

    def people_with(self, role: Role, unit: str | None = None) -> tuple[Person, ...]:
        """People who have a role, in the pack's order; of one unit if it is given."""
        return tuple(
            person
            for person in self.people
            if role in person.roles and (unit is None or person.unit == unit)
        )

    @property
    def responsible(self) -> tuple[Unit, ...]:
        """Units that cases may be dispatched to."""
        return tuple(unit for unit in self.units.values() if unit.responsible)

    def _reason(self, line: Responsibility) -> Text:
        if not line.territory:
            return line.basis
        area = self.areas.get(line.territory)
        zh = area.name.zh if area else line.territory
        en = area.name.en if area else line.territory
        return Text(f"{line.basis.zh}（属地：{zh}）", f"{line.basis.en} (its ground: {en})")

    @cached_property
    def _territory(self) -> Territory:
        return Territory({code: grid.polygon for code, grid in self.grids.items()})

    @cached_property
    def _conditions_by_class(self) -> dict[ClassKey, tuple[RegistrationCondition, ...]]:
        found: dict[ClassKey, tuple[RegistrationCondition, ...]] = {}
        for condition in self.conditions:
            found[condition.class_key] = (*found.get(condition.class_key, ()), condition)
        return found

    @cached_property
    def _conditions_by_code(self) -> dict[str, RegistrationCondition]:
        return {condition.code: condition for condition in self.conditions}

    @cached_property
    def _responsibilities_by_class(self) -> dict[ClassKey, list[Responsibility]]:
        found: dict[ClassKey, list[Responsibility]] = {}
        for line in self.responsibilities:
            found.setdefault(line.class_key, []).append(line)
        return found

    @cached_property
    def _components_by_class(
        self,
    ) -> dict[ClassKey, tuple[tuple[Component, ...], tuple[float, ...], tuple[float, ...]]]:
        grouped: dict[ClassKey, list[Component]] = {}
        for component in self.components:
            grouped.setdefault(component.class_key, []).append(component)
        return {
            key: (
                tuple(components),
                tuple(component.place.lng for component in components),
                tuple(component.place.lat for component in components),
            )
            for key, components in grouped.items()
        }

    @cached_property
    def _people_by_login(self) -> dict[str, Person]:
        return {person.login: person for person in self.people}
