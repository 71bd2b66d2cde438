"""Reads each part of a pack into its values. Whether the parts fit together is checked later."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import shapely
from shapely import GEOSException
from shapely.geometry import shape

from shared.pack.model import (
    PERSON_ROLES,
    SYSTEM_ROLES,
    Area,
    AreaLevel,
    AssessmentParameters,
    Camera,
    CandidateRung,
    CaseClass,
    City,
    ClassKey,
    Component,
    DuplicateRule,
    DuplicateSettings,
    Grid,
    KnowledgeEntry,
    Person,
    Place,
    RegistrationCondition,
    RegistrationRules,
    Responsibility,
    ResponsibilityRules,
    Source,
    Stage,
    StageLimits,
    SupervisionSettings,
    SystemClient,
    TaskSettings,
    Text,
    Unit,
    UnitKind,
)
from shared.pack.reading import (
    FaultList,
    Located,
    Row,
    Settings,
    read_features,
    read_front_matter,
    read_settings,
    read_table,
)
from shared.pack.supervision import read_supervision
from shared.vocabulary import ClassKind, Role
from shared.worktime import Limit, LimitNotUnderstood

if TYPE_CHECKING:
    from enum import StrEnum

    from shapely import MultiPolygon, Polygon

T = TypeVar("T")
E = TypeVar("E", bound="StrEnum")

CITY_CODE = re.compile(r"[0-9]{6}")
GRID_CODE = re.compile(r"[0-9]{15}")
COMPONENT_CODE = re.compile(r"[0-9]{16,17}")
NAME_CODE = re.compile(r"[a-z0-9][a-z0-9_.-]{1,63}")
AREA_DIGITS = {AreaLevel.DISTRICT: 6, AreaLevel.STREET: 9, AreaLevel.COMMUNITY: 12}
REPORT_PARTS = frozenset({"class", "condition", "position", "grid", "text", "photograph"})
LANGUAGES = frozenset({"zh", "en"})
NO_LIMIT = "none"

# Wide enough for a city that never closes a class of matter before a year has passed.
MAX_METRES = 100_000
MAX_HOURS = 24 * 366
MAX_MINUTES = 60 * 24 * 31


@dataclass(frozen=True, slots=True)
class Head:
    """What city.toml says."""

    city: Located[City] | None
    zone_line: int
    sources: tuple[Located[Source], ...]


@dataclass(frozen=True, slots=True)
class Declared:
    """Codes that a file declares, records with faults included.

    A file that could not be read to its end declares everything: nobody can tell.
    """

    codes: frozenset[str]
    complete: bool

    def __contains__(self, code: str) -> bool:
        return not self.complete or code in self.codes

    def any_beginning(self, prefix: str) -> bool:
        return not self.complete or any(code.startswith(prefix) for code in self.codes)


DECLARING_FILES = {
    "unit": "units.csv",
    "area": "areas.csv",
    "class": "classes.csv",
    "ruled": "rules.csv",
    "held": "responsibilities.csv",
    "login": "people.csv",
    "grid": "grids.geojson",
}


@dataclass(frozen=True, slots=True)
class Tables:
    """All tables of a pack; rows with faults are left out, their codes are still `declared`."""

    units: tuple[Located[Unit], ...]
    areas: tuple[Located[Area], ...]
    grids: tuple[Located[Grid], ...]
    classes: tuple[Located[CaseClass], ...]
    conditions: tuple[Located[RegistrationCondition], ...]
    responsibilities: tuple[Located[Responsibility], ...]
    people: tuple[Located[Person], ...]
    systems: tuple[Located[SystemClient], ...]
    cameras: tuple[Located[Camera], ...]
    components: tuple[Located[Component], ...]
    knowledge: tuple[Located[KnowledgeEntry], ...]
    outline: "Polygon | MultiPolygon | None"
    files: Mapping[str, str]
    declared: Mapping[str, Declared]


@dataclass(frozen=True, slots=True)
class IntakeSettings:
    """What intake.toml says, with the lines of the classes that it names."""

    registration: RegistrationRules
    duplicates: DuplicateSettings
    tasks: TaskSettings
    named_classes: tuple[Located[ClassKey], ...]


@dataclass(frozen=True, slots=True)
class PackSettings:
    """The settings files. None where a file could not be read."""

    stages: StageLimits | None
    assessment: tuple[Located[AssessmentParameters], ...]
    intake: IntakeSettings | None
    responsibility: Located[ResponsibilityRules] | None
    supervision: SupervisionSettings | None


# --- city.toml -------------------------------------------------------------------------------


def read_head(folder: Path, faults: FaultList) -> Head:
    settings = read_settings(folder / "city.toml", faults)
    if settings is None:
        return Head(None, 1, ())
    before = len(faults)
    code = settings.text("code")
    if code and not CITY_CODE.fullmatch(code):
        settings.fault("code", f"code is '{code}'; it must be six digits")
    zone = settings.text("zone")
    if zone and not _known_zone(zone):
        settings.fault("zone", f"'{zone}' is no IANA time zone")
    languages = settings.texts("languages")
    if languages and not set(languages) <= LANGUAGES:
        settings.fault("languages", f"languages may be {', '.join(sorted(LANGUAGES))}")
    city = City(code, _named(settings), zone, _centre(settings), languages)
    sound = len(faults) == before
    sources = tuple(_source(one) for one in settings.tables("source"))
    if not sources:
        settings.fault(None, "no [[source]] is given; say where reports may come from")
    settings.refuse_the_rest()
    located = Located(city, settings.file, settings.line_of("code")) if sound else None
    return Head(located, settings.line_of("zone"), sources)


def _known_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return False
    return True


def _named(settings: Settings) -> Text:
    name = settings.table("name")
    text = Text(name.text("zh"), name.text("en")) if name.keys() else Text("", "")
    name.refuse_the_rest()
    return text


def _centre(settings: Settings) -> Place:
    centre = settings.table("centre")
    if not centre.keys():
        return Place(0, 0)
    place = Place(float(centre.number("lng", -180, 180)), float(centre.number("lat", -90, 90)))
    centre.refuse_the_rest()
    return place


def _source(settings: Settings) -> Located[Source]:
    source = Source(settings.text("code"), _named(settings), settings.flag("trusted"))
    settings.refuse_the_rest()
    return Located(source, settings.file, settings.line)


# --- tables ----------------------------------------------------------------------------------


def read_tables(folder: Path, faults: FaultList) -> Tables:
    declared: dict[str, set[str]] = {kind: set() for kind in DECLARING_FILES}

    def rows(
        name: str,
        columns: str,
        build: Callable[[Row], T],
        declares: Callable[[Row], tuple[str, str]] | None = None,
    ) -> tuple[Located[T], ...]:
        found = []
        for row in read_table(folder / name, tuple(columns.split()), faults):
            if declares is not None:
                kind, code = declares(row)
                declared[kind].add(code)
            value = build(row)
            if row.sound:
                found.append(Located(value, row.file, row.line))
        return tuple(found)

    parts: dict[str, Any] = {
        "units": rows(
            "units.csv",
            "code name_zh name_en kind parent command_duty higher_level",
            _unit,
            lambda row: ("unit", row.optional("code")),
        ),
        "areas": rows(
            "areas.csv",
            "code level parent name_zh name_en lng lat office",
            _area,
            lambda row: ("area", row.optional("code")),
        ),
        "classes": rows(
            "classes.csv",
            "scheme kind code major_code major_zh major_en name_zh name_en urgent special",
            _case_class,
            lambda row: ("class", _raw_key(row)),
        ),
        "conditions": rows(
            "rules.csv",
            "code scheme kind class text_zh text_en limit closing_zh closing_en"
            " standard_zh standard_en urgent special closes_on_notice",
            _condition,
            lambda row: ("ruled", _raw_key(row, "class")),
        ),
        "responsibilities": rows(
            "responsibilities.csv",
            "scheme kind code unit territory rank matter basis_zh basis_en",
            _responsibility,
            lambda row: ("held", _raw_key(row)),
        ),
        "people": rows(
            "people.csv",
            "login name_zh name_en roles unit territory language",
            _person,
            lambda row: ("login", row.optional("login")),
        ),
        "systems": rows("systems.csv", "client_id name_zh name_en roles scopes unit", _system),
        "cameras": rows("cameras.csv", "code name_zh name_en lng lat grid unit", _camera),
        # A register of components may be absent: the owner is then found by class and ground.
        "components": rows(
            "components.csv", "code scheme class lng lat owner maintainer", _component
        )
        if (folder / "components.csv").exists()
        else (),
        "grids": _read_grids(folder, declared["grid"], faults),
        "knowledge": _read_knowledge(folder, faults),
        "outline": _read_outline(folder, faults),
        "files": {name: str(folder / name) for name in ("people.csv", "units.csv")},
    }
    known = {
        kind: Declared(frozenset(declared[kind]), faults.complete(file))
        for kind, file in DECLARING_FILES.items()
    }
    return Tables(**parts, declared=known)


def _raw_key(row: Row, code_column: str = "code") -> str:
    return ":".join(row.optional(column) for column in ("scheme", "kind", code_column))


def _text(row: Row, prefix: str) -> Text:
    return Text(row.text(f"{prefix}_zh"), row.text(f"{prefix}_en"))


def _member(row: Row, column: str, kinds: type[E]) -> E:
    value = row.text(column)
    members = list(kinds)
    if value in members:
        return kinds(value)
    if value:
        row.fault(f"{column} is '{value}'; it may be {', '.join(members)}")
    return members[0]


def _name_code(row: Row, column: str) -> str:
    value = row.text(column)
    if value and not NAME_CODE.fullmatch(value):
        row.fault(f"{column} is '{value}'; write small letters, digits, dot, dash or underscore")
    return value


def _limit(row: Row) -> Limit:
    value = row.text("limit")
    try:
        return Limit.parse(value or "0 hours")
    except LimitNotUnderstood as error:
        row.fault(f"limit: {error.message}")
        return Limit.parse("0 hours")


def _unit(row: Row) -> Unit:
    return Unit(
        code=_name_code(row, "code"),
        name=_text(row, "name"),
        kind=_member(row, "kind", UnitKind),
        parent=row.optional("parent"),
        command_duty=row.flag("command_duty"),
        higher_level=row.flag("higher_level"),
    )


def _area(row: Row) -> Area:
    level = _member(row, "level", AreaLevel)
    code = row.text("code")
    digits = AREA_DIGITS[level]
    if code and (len(code) != digits or not code.isascii() or not code.isdigit()):
        row.fault(f"code is '{code}'; a {level} has {digits} digits")
    centre = None
    if row.optional("lng") or row.optional("lat"):
        centre = _place(row)
    return Area(
        code, _text(row, "name"), level, row.optional("parent"), centre, row.optional("office")
    )


def _place(row: Row) -> Place:
    return Place(row.number("lng", -180, 180), row.number("lat", -90, 90))


def _class_key(row: Row, code_column: str) -> ClassKey:
    return ClassKey(row.text("scheme"), _member(row, "kind", ClassKind), row.text(code_column))


def _case_class(row: Row) -> CaseClass:
    key = _class_key(row, "code")
    major = row.text("major_code")
    if key.code and not key.code.startswith(major):
        row.fault(f"code {key.code} does not begin with its major code {major}")
    if ":" in key.code:
        row.fault("code holds a colon, which separates the parts of a class key")
    return CaseClass(
        key=key,
        major_code=major,
        major_name=_text(row, "major"),
        name=_text(row, "name"),
        urgent=row.flag("urgent"),
        special=row.flag("special"),
    )


def _condition(row: Row) -> RegistrationCondition:
    limit = _limit(row)
    urgent = row.flag("urgent")
    if urgent and not limit.continuous:
        row.fault(f"an urgent condition runs day and night, so its limit cannot be {limit}")
    if row.sound and limit.amount == 0:
        row.fault("the limit is nothing; nobody can keep it")
    return RegistrationCondition(
        code=row.text("code"),
        class_key=_class_key(row, "class"),
        text=_text(row, "text"),
        limit=limit,
        closing=_text(row, "closing"),
        standard=_text(row, "standard"),
        urgent=urgent,
        special=row.flag("special"),
        closes_on_notice=row.flag("closes_on_notice"),
    )


def _responsibility(row: Row) -> Responsibility:
    territory = row.optional("territory")
    if territory and not (territory.isascii() and territory.isdigit()):
        row.fault(f"territory is '{territory}'; write leading digits of grid codes")
    return Responsibility(
        class_key=_class_key(row, "code"),
        unit=row.text("unit"),
        territory=territory,
        rank=row.whole("rank", 1),
        matter=row.text("matter"),
        basis=_text(row, "basis"),
    )


def _roles(row: Row, allowed: frozenset[Role]) -> frozenset[Role]:
    names = row.several("roles")
    if not names:
        row.fault("roles is empty")
    for name in names:
        if name not in allowed:
            row.fault(f"roles has '{name}'; it may be {', '.join(sorted(allowed))}")
    return frozenset(Role(name) for name in names if name in allowed)


def _person(row: Row) -> Person:
    language = row.text("language")
    if language and language not in LANGUAGES:
        row.fault(f"language is '{language}'; it may be {', '.join(sorted(LANGUAGES))}")
    return Person(
        login=_name_code(row, "login"),
        name=_text(row, "name"),
        roles=_roles(row, PERSON_ROLES),
        unit=row.text("unit"),
        territory=row.several("territory"),
        grids=(),
        language=language,
    )


def _system(row: Row) -> SystemClient:
    scopes = row.several("scopes")
    if not scopes:
        row.fault("scopes is empty; a client that may do nothing is no use")
    return SystemClient(
        client_id=_name_code(row, "client_id"),
        name=_text(row, "name"),
        roles=_roles(row, SYSTEM_ROLES),
        scopes=frozenset(scopes),
        unit=row.optional("unit"),
    )


def _camera(row: Row) -> Camera:
    return Camera(
        code=_name_code(row, "code"),
        name=_text(row, "name"),
        place=_place(row),
        grid=row.text("grid"),
        unit=row.optional("unit"),
    )


def _component(row: Row) -> Component:
    code = row.text("code")
    if code and not COMPONENT_CODE.fullmatch(code):
        row.fault(f"code is '{code}'; a component has 17 digits, 16 in older schemes")
    return Component(
        code=code,
        class_key=ClassKey(row.text("scheme"), ClassKind.COMPONENT, row.text("class")),
        place=_place(row),
        owner=row.text("owner"),
        maintainer=row.optional("maintainer"),
    )


# --- geometry --------------------------------------------------------------------------------


def _read_grids(folder: Path, declared: set[str], faults: FaultList) -> tuple[Located[Grid], ...]:
    found = []
    already = len(faults)
    features = read_features(folder / "grids.geojson", faults)
    if not features and len(faults) == already:
        faults.add(str(folder / "grids.geojson"), 1, "there is no grid; a city has at least one")
    for one in features:
        properties, geometry = one.value
        before = len(faults)
        code = _property(properties, "code", one, faults)
        declared.add(code)
        if code and not GRID_CODE.fullmatch(code):
            faults.add(one.file, one.line, f"code is '{code}'; a unit grid has 15 digits")
        name = Text(
            _property(properties, "name_zh", one, faults),
            _property(properties, "name_en", one, faults),
        )
        owner = _property(properties, "owner", one, faults)
        polygon = _polygon(geometry, one, faults)
        if polygon is not None and len(faults) == before:
            found.append(Located(Grid(code, name, code[:12], polygon, owner), one.file, one.line))
    return tuple(found)


def _property(
    properties: Mapping[str, Any], name: str, place: Located[Any], faults: FaultList
) -> str:
    value = properties.get(name)
    if isinstance(value, str) and value.strip():
        return value
    faults.add(place.file, place.line, f"the property '{name}' is missing or no text")
    return ""


def _polygon(
    geometry: Mapping[str, Any], place: Located[Any], faults: FaultList
) -> "Polygon | MultiPolygon | None":
    if geometry.get("type") not in ("Polygon", "MultiPolygon"):
        faults.add(place.file, place.line, "the geometry must be a Polygon or MultiPolygon")
        return None
    try:
        polygon: Polygon | MultiPolygon = shape(geometry)
    except (ArithmeticError, LookupError, TypeError, ValueError, AttributeError, GEOSException):
        faults.add(place.file, place.line, "the coordinates are not those of a polygon")
        return None
    if polygon.is_empty or not polygon.is_valid:
        faults.add(place.file, place.line, f"the polygon is not valid: {_why(polygon)}")
        return None
    west, south, east, north = polygon.bounds
    if west < -180 or east > 180 or south < -90 or north > 90:  # noqa: PLR2004 - degrees
        faults.add(place.file, place.line, "the coordinates are no WGS 84 degrees (lng, lat)")
        return None
    return polygon


def _why(polygon: "Polygon | MultiPolygon") -> str:
    return "it is empty" if polygon.is_empty else str(shapely.is_valid_reason(polygon))


def _read_outline(folder: Path, faults: FaultList) -> "Polygon | MultiPolygon | None":
    path = folder / "outline.geojson"
    if not path.exists():
        return None
    polygons = [_polygon(one.value[1], one, faults) for one in read_features(path, faults)]
    return next((polygon for polygon in polygons if polygon is not None), None)


# --- knowledge -------------------------------------------------------------------------------


def _read_knowledge(folder: Path, faults: FaultList) -> tuple[Located[KnowledgeEntry], ...]:
    found = []
    for path in sorted((folder / "knowledge").glob("*.md")):
        read = read_front_matter(path, faults)
        if read is None:
            continue
        settings, answer = read
        before = len(faults)
        if not answer:
            settings.fault(None, "the answer is empty")
        language = settings.text("language")
        if language and language not in LANGUAGES:
            settings.fault("language", f"language may be {', '.join(sorted(LANGUAGES))}")
        valid_until = settings.day("valid_until")
        entry = KnowledgeEntry(
            id=settings.text("id"),
            language=language,
            title=settings.text("title"),
            answer=answer,
            basis=settings.text("basis"),
            unit=settings.text("unit"),
            valid_until=valid_until or date.min,
            keywords=settings.texts("keywords"),
            refer_to=settings.text("refer_to") if settings.has("refer_to") else "",
        )
        settings.refuse_the_rest()
        if len(faults) == before:
            found.append(Located(entry, settings.file, settings.line_of("id")))
    return tuple(found)


# --- settings --------------------------------------------------------------------------------


def read_pack_settings(folder: Path, faults: FaultList) -> PackSettings:
    return PackSettings(
        stages=_read_stages(folder, faults),
        assessment=_read_assessment(folder, faults),
        intake=_read_intake(folder, faults),
        responsibility=_read_responsibility(folder, faults),
        supervision=read_supervision(folder, faults),
    )


def settings_limit(settings: Settings, key: str) -> Limit | None:
    """The limit under a key; None where it says `none`, or cannot be read, which is a fault."""
    value = settings.text(key)
    if not value or value == NO_LIMIT:
        return None
    try:
        return Limit.parse(value)
    except LimitNotUnderstood as error:
        settings.fault(key, f"{key}: {error.message}")
        return None


def _read_stages(folder: Path, faults: FaultList) -> StageLimits | None:
    settings = read_settings(folder / "stages.toml", faults)
    if settings is None:
        return None
    before = len(faults)
    warn_share = Fraction(settings.number("warn_share", 0, 1))
    acknowledgement = settings_limit(settings, "acknowledgement")
    ordinary = settings.table("ordinary")
    limits = {stage: settings_limit(ordinary, stage.value) for stage in Stage}
    ordinary.refuse_the_rest()
    urgent = _some_stages(settings.table("urgent", required=False))
    special = _some_stages(settings.table("special", required=False))
    settings.refuse_the_rest()
    if acknowledgement is None:
        if len(faults) == before:
            settings.fault("acknowledgement", "acknowledgement needs a limit")
        return None
    return StageLimits(limits, urgent, special, acknowledgement, warn_share)


def _some_stages(settings: Settings) -> dict[Stage, Limit | None]:
    found = {stage: settings_limit(settings, stage.value) for stage in Stage if settings.has(stage)}
    settings.refuse_the_rest()
    return found


def _read_assessment(folder: Path, faults: FaultList) -> tuple[Located[AssessmentParameters], ...]:
    settings = read_settings(folder / "assessment.toml", faults)
    if settings is None:
        return ()
    versions = tuple(_assessment_version(one, faults) for one in settings.tables("version"))
    if not versions:
        settings.fault(None, "no [[version]] is given; assessment needs one")
    settings.refuse_the_rest()
    return tuple(version for version in versions if version is not None)


def _assessment_version(
    settings: Settings, faults: FaultList
) -> Located[AssessmentParameters] | None:
    before = len(faults)

    def share(key: str) -> Fraction:
        return Fraction(settings.number(key, 0, 1))

    valid_from = settings.day("valid_from")
    parameters = AssessmentParameters(
        version=settings.text("name"),
        valid_from=valid_from or date.min,
        timely_weight=share("timely_weight"),
        resolution_weight=share("resolution_weight"),
        redispatch_allowance=share("redispatch_allowance"),
        extension_allowance=share("extension_allowance"),
        deferral_allowance=share("deferral_allowance"),
        resolution_target=share("resolution_target"),
        small_sample=settings.whole("small_sample", 0, 10**6),
        trial=settings.flag("trial"),
        appeal_days=settings.whole("appeal_days", 0, 366),
        valid_until=settings.day("valid_until") if settings.has("valid_until") else None,
    )
    settings.refuse_the_rest()
    if len(faults) == before and parameters.timely_weight + parameters.resolution_weight != 1:
        settings.fault("timely_weight", "timely_weight and resolution_weight must make 1")
    if len(faults) > before:
        return None
    return Located(parameters, settings.file, settings.line_of("valid_from"))


def _read_intake(folder: Path, faults: FaultList) -> IntakeSettings | None:
    settings = read_settings(folder / "intake.toml", faults)
    if settings is None:
        return None
    named: list[Located[ClassKey]] = []
    intake = IntakeSettings(
        registration=_registration(settings.table("registration"), named),
        duplicates=_duplicates(settings.table("duplicates"), named),
        tasks=_tasks(settings.table("tasks")),
        named_classes=(),
    )
    settings.refuse_the_rest()
    return IntakeSettings(intake.registration, intake.duplicates, intake.tasks, tuple(named))


def _named_class(
    settings: Settings, key: str, text: str, named: list[Located[ClassKey]]
) -> ClassKey | None:
    try:
        class_key = ClassKey.parse(text)
    except ValueError as error:
        settings.fault(key, str(error))
        return None
    named.append(Located(class_key, settings.file, settings.line_of(key)))
    return class_key


def _registration(settings: Settings, named: list[Located[ClassKey]]) -> RegistrationRules:
    if not settings.keys():
        return RegistrationRules(
            automatic=False, requires=frozenset(), max_accuracy_m=0, excluded=frozenset()
        )
    requires = settings.texts("requires")
    for part in requires:
        if part not in REPORT_PARTS:
            known = ", ".join(sorted(REPORT_PARTS))
            settings.fault("requires", f"'{part}' is no part of a report; they are {known}")
    keys = (_named_class(settings, "excluded", text, named) for text in settings.texts("excluded"))
    rules = RegistrationRules(
        automatic=settings.flag("automatic"),
        requires=frozenset(requires),
        max_accuracy_m=float(settings.number("max_accuracy_m", 0, MAX_METRES)),
        excluded=frozenset(key for key in keys if key is not None),
    )
    settings.refuse_the_rest()
    return rules


def _duplicates(settings: Settings, named: list[Located[ClassKey]]) -> DuplicateSettings:
    default = DuplicateRule(0, 0)
    by_class: dict[ClassKey, DuplicateRule] = {}
    if not settings.keys():
        return DuplicateSettings(default, by_class)
    default = _duplicate_rule(settings)
    for override in settings.tables("override"):
        key = _named_class(override, "class", override.text("class"), named)
        rule = _duplicate_rule(override)
        if key in by_class:
            override.fault("class", f"the class {key} has two overrides")
        elif key is not None:
            by_class[key] = rule
        override.refuse_the_rest()
    settings.refuse_the_rest()
    return DuplicateSettings(default, by_class)


def _duplicate_rule(settings: Settings) -> DuplicateRule:
    return DuplicateRule(
        radius_m=float(settings.number("radius_m", 0, MAX_METRES)),
        window_hours=float(settings.number("window_hours", 0, MAX_HOURS)),
    )


def _tasks(settings: Settings) -> TaskSettings:
    if not settings.keys():
        return TaskSettings(0, 0, 0)
    tasks = TaskSettings(
        expiry_minutes=settings.whole("expiry_minutes", 1, MAX_MINUTES),
        max_reissues=settings.whole("max_reissues", 0, 100),
        arrival_radius_m=float(settings.number("arrival_radius_m", 0, MAX_METRES)),
    )
    settings.refuse_the_rest()
    return tasks


def _read_responsibility(folder: Path, faults: FaultList) -> Located[ResponsibilityRules] | None:
    settings = read_settings(folder / "responsibility.toml", faults)
    if settings is None:
        return None
    before = len(faults)
    candidates = settings.table("candidates")
    coordination = settings.table("coordination")
    remediation = settings.table("remediation")
    order = _rungs(candidates)
    radius = float(candidates.number("component_radius_m", 0, MAX_METRES))
    position = _time_to_answer(coordination, "position")
    decision = _time_to_answer(coordination, "decision")
    urgent_position = _time_day_and_night(coordination, "urgent_position")
    urgent_decision = _time_day_and_night(coordination, "urgent_decision")
    office, line = coordination.text("office"), coordination.line_of("office")
    recovered_to_fund = remediation.flag("recovered_to_fund")
    for table in (candidates, coordination, remediation, settings):
        table.refuse_the_rest()
    if position is None or decision is None or urgent_position is None or urgent_decision is None:
        return None
    rules = ResponsibilityRules(
        order=order,
        component_radius_m=radius,
        position=position,
        urgent_position=urgent_position,
        decision=decision,
        urgent_decision=urgent_decision,
        office=office,
        recovered_to_fund=recovered_to_fund,
    )
    return Located(rules, settings.file, line) if len(faults) == before else None


def _rungs(settings: Settings) -> tuple[CandidateRung, ...]:
    order = settings.texts("order")
    if order and sorted(order) != sorted(CandidateRung):
        names = ", ".join(CandidateRung)
        settings.fault("order", f"order must name each of these once: {names}")
        return ()
    return tuple(CandidateRung(name) for name in order)


def _time_day_and_night(settings: Settings, key: str) -> Limit | None:
    limit = _time_to_answer(settings, key)
    if limit is not None and not limit.continuous:
        settings.fault(key, f"urgent cases run day and night, so {key} cannot be {limit}")
    return limit


def _time_to_answer(settings: Settings, key: str) -> Limit | None:
    value = settings.text(key)
    limit = None if value in ("", NO_LIMIT) else settings_limit(settings, key)
    if value == NO_LIMIT or (limit is not None and limit.amount == 0):
        settings.fault(key, f"{key} must be a limit above nothing")
        return None
    return limit
