"""Checks between the files of a pack: what one names, another must have."""

from collections.abc import Callable, Iterable
from datetime import timedelta
from itertools import zip_longest
from typing import Any

from shared.pack.model import PERSON_ROLES, AreaLevel, UnitKind
from shared.pack.reading import FaultList, Located
from shared.pack.sections import Head, PackSettings, Tables
from shared.pack.territory import overlapping
from shared.vocabulary import Role

ALWAYS_NEEDED = PERSON_ROLES - {Role.HANDLER, Role.UNIT_LEAD}
"""Roles that the chain needs once; handlers and leads are needed in every responsible unit."""

DIVISION_DIGITS = 6
"""A component's code begins with that of its division; its class follows."""


def check_references(head: Head, tables: Tables, settings: PackSettings, faults: FaultList) -> None:
    """Add a fault for every name without an owner and every gap in the chain."""
    _check_unique(head, tables, settings, faults)
    _check_units(tables, faults)
    _check_areas(head, tables, faults)
    _check_grids(tables, faults)
    _check_classes(tables, faults)
    _check_responsibilities(tables, faults)
    _check_components(head, tables, faults)
    _check_office(tables, settings, faults)
    _check_people(tables, faults)
    _check_others(tables, settings, faults)


def _unique(
    values: Iterable[Located[Any]], name: Callable[[Any], str], what: str, faults: FaultList
) -> None:
    first: dict[str, Located[Any]] = {}
    for one in values:
        code = name(one.value)
        if code in first:
            faults.add(one.file, one.line, f"{what} {code} stands in line {first[code].line}, too")
        else:
            first[code] = one


def _check_versions(settings: PackSettings, faults: FaultList) -> None:
    """On every day from the first version on exactly one holds."""
    versions = sorted(settings.assessment, key=lambda one: one.value.valid_from)
    for one, following in zip_longest(versions, versions[1:]):
        until = one.value.valid_until
        if until is None:
            continue
        if until < one.value.valid_from:
            faults.add(one.file, one.line, f"version {one.value.version} ends before it begins")
        elif following is not None and following.value.valid_from != until + timedelta(days=1):
            gap = following.value.valid_from > until
            faults.add(
                following.file,
                following.line,
                f"version {one.value.version} ends on {until}, so {following.value.version} must"
                f" begin on the day after: between them {'no' if gap else 'more than one'} version"
                " holds",
            )


def _check_unique(head: Head, tables: Tables, settings: PackSettings, faults: FaultList) -> None:
    _unique(head.sources, lambda one: one.code, "source", faults)
    _unique(tables.units, lambda one: one.code, "unit", faults)
    _unique(tables.areas, lambda one: one.code, "area", faults)
    _unique(tables.grids, lambda one: one.code, "grid", faults)
    _unique(tables.classes, lambda one: str(one.key), "class", faults)
    _unique(tables.conditions, lambda one: one.code, "condition", faults)
    _unique(tables.people, lambda one: one.login, "login", faults)
    _unique(tables.systems, lambda one: one.client_id, "client", faults)
    _unique(tables.cameras, lambda one: one.code, "camera", faults)
    _unique(tables.components, lambda one: one.code, "component", faults)
    _unique(settings.assessment, lambda one: one.version, "version", faults)
    _unique(settings.assessment, lambda one: str(one.valid_from), "valid_from", faults)
    _unique(
        tables.responsibilities,
        lambda one: f"{one.class_key} {one.unit} {one.territory} {one.matter}".strip(),
        "the same responsibility",
        faults,
    )
    _check_versions(settings, faults)
    entries: dict[tuple[str, str], Located[Any]] = {}
    for entry in tables.knowledge:
        key = (entry.value.id, entry.value.language)
        if key in entries:
            other = entries[key].file
            faults.add(entry.file, entry.line, f"the entry {' '.join(key)} is in {other}, too")
        entries.setdefault(key, entry)


def _check_units(tables: Tables, faults: FaultList) -> None:
    sound = faults.clean("units.csv")
    parents = {one.value.code: one.value.parent for one in tables.units}
    for one in tables.units:
        unit = one.value
        if unit.parent and unit.parent not in tables.declared["unit"]:
            faults.add(one.file, one.line, f"the parent unit '{unit.parent}' does not exist")
        elif _circular(unit.code, parents):
            faults.add(one.file, one.line, f"the unit {unit.code} is above itself")
    for kind in (UnitKind.CENTRE, UnitKind.COLLECTION_COMPANY, UnitKind.LEADING_GROUP):
        if sound and not any(one.value.kind is kind for one in tables.units):
            faults.add(tables.files["units.csv"], 1, f"there is no unit of the kind {kind}")


def _circular(code: str, parents: dict[str, str]) -> bool:
    seen: set[str] = set()
    above = parents.get(code, "")
    while above and above not in seen:
        if above == code:
            return True
        seen.add(above)
        above = parents.get(above, "")
    return False


def _check_areas(head: Head, tables: Tables, faults: FaultList) -> None:
    levels = {one.value.code: one.value.level for one in tables.areas}
    above = {AreaLevel.STREET: AreaLevel.DISTRICT, AreaLevel.COMMUNITY: AreaLevel.STREET}
    city = head.city.value.code if head.city else None
    for one in tables.areas:
        area = one.value
        if city and not area.code.startswith(city):
            faults.add(one.file, one.line, f"the area {area.code} does not begin with {city}")
        if area.level is AreaLevel.DISTRICT:
            if area.parent:
                faults.add(one.file, one.line, "a district has no parent in the pack")
        elif area.parent not in tables.declared["area"]:
            faults.add(one.file, one.line, f"the parent area '{area.parent}' does not exist")
        elif levels.get(area.parent, above[area.level]) is not above[area.level]:
            wanted = above[area.level]
            faults.add(one.file, one.line, f"the parent of a {area.level} must be a {wanted}")
        elif not area.code.startswith(area.parent):
            message = f"the area {area.code} does not begin with its parent {area.parent}"
            faults.add(one.file, one.line, message)
        if area.office and area.office not in tables.declared["unit"]:
            faults.add(one.file, one.line, f"the office '{area.office}' is no unit")


def _check_grids(tables: Tables, faults: FaultList) -> None:
    owners = {one.value.login: Role.COLLECTOR in one.value.roles for one in tables.people}
    for one in tables.grids:
        grid = one.value
        if grid.community not in tables.declared["area"]:
            message = f"the grid {grid.code} lies in community {grid.community}, which is unknown"
            faults.add(one.file, one.line, message)
        if grid.owner not in tables.declared["login"]:
            faults.add(one.file, one.line, f"the owner '{grid.owner}' is no person of the pack")
        elif not owners.get(grid.owner, True):
            faults.add(one.file, one.line, f"the owner '{grid.owner}' is no collector")
    lines = {one.value.code: one for one in tables.grids}
    shapes = {code: one.value.polygon for code, one in lines.items()}
    for first, second in overlapping(shapes):
        one = lines[second]
        faults.add(one.file, one.line, f"the grid {second} overlaps the grid {first}")


def _check_classes(tables: Tables, faults: FaultList) -> None:
    # Lines with a fault of their own count: the class is not to blame for them.
    with_condition, with_unit = tables.declared["ruled"], tables.declared["held"]
    urgent = {str(one.value.class_key) for one in tables.conditions if one.value.urgent}
    for one in tables.classes:
        key = str(one.value.key)
        if key not in with_condition:
            faults.add(one.file, one.line, f"the class {key} has no registration condition")
        elif one.value.urgent and key not in urgent and faults.clean("rules.csv"):
            faults.add(one.file, one.line, f"the urgent class {key} has no urgent condition")
        if key not in with_unit:
            faults.add(one.file, one.line, f"nobody is responsible for the class {key}")
    lines: list[Located[Any]] = [*tables.conditions, *tables.responsibilities]
    for line in lines:
        key = str(line.value.class_key)
        if key not in tables.declared["class"]:
            faults.add(line.file, line.line, f"the class {key} is not in classes.csv")


def _check_responsibilities(tables: Tables, faults: FaultList) -> None:
    units = {one.value.code: one.value for one in tables.units}
    for line in tables.responsibilities:
        duty = line.value
        unit = units.get(duty.unit)
        if duty.unit not in tables.declared["unit"]:
            faults.add(line.file, line.line, f"the unit '{duty.unit}' is not in units.csv")
        elif unit is not None and not unit.responsible:
            message = f"the unit '{duty.unit}' is a {unit.kind}; it handles no cases"
            faults.add(line.file, line.line, message)
        if duty.territory and not tables.declared["area"].any_beginning(duty.territory):
            faults.add(line.file, line.line, f"no area begins with the territory {duty.territory}")


def _check_components(head: Head, tables: Tables, faults: FaultList) -> None:
    """A component has the class that its code says, and owners that a case may be sent to."""
    units = {one.value.code: one.value for one in tables.units}
    city = head.city.value.code if head.city else ""
    for one in tables.components:
        component, key = one.value, one.value.class_key
        if not component.code.startswith(city):
            message = f"the component {component.code} does not begin with {city}"
            faults.add(one.file, one.line, message)
        if not component.code[DIVISION_DIGITS:].startswith(key.code):
            message = f"the component {component.code} does not name its class {key.code}"
            faults.add(one.file, one.line, message)
        if str(key) not in tables.declared["class"]:
            faults.add(one.file, one.line, f"the class {key} is not in classes.csv")
        for code in filter(None, (component.owner, component.maintainer)):
            if code not in tables.declared["unit"]:
                faults.add(one.file, one.line, f"the unit '{code}' is not in units.csv")
            elif code in units and not units[code].responsible:
                message = f"the unit '{code}' is a {units[code].kind}; it handles no cases"
                faults.add(one.file, one.line, message)


def _check_office(tables: Tables, settings: PackSettings, faults: FaultList) -> None:
    """What is passed up lands with somebody who may decide it."""
    rules = settings.responsibility
    if rules is None:
        return
    office = rules.value.office
    kinds = {one.value.code: one.value.kind for one in tables.units}
    if office not in tables.declared["unit"]:
        faults.add(rules.file, rules.line, f"the office '{office}' is not in units.csv")
    elif kinds.get(office, UnitKind.LEADING_GROUP) is not UnitKind.LEADING_GROUP:
        message = f"the office '{office}' is a {kinds[office]}; it must be a leading-group"
        faults.add(rules.file, rules.line, message)
    elif faults.clean("people.csv") and not any(
        one.value.unit == office and Role.LEADER in one.value.roles for one in tables.people
    ):
        faults.add(rules.file, rules.line, f"the office '{office}' has nobody with the role leader")


def _check_people(tables: Tables, faults: FaultList) -> None:
    sound = faults.clean("people.csv")
    held: dict[str, set[Role]] = {}
    everywhere: set[Role] = set()
    for one in tables.people:
        person = one.value
        held.setdefault(person.unit, set()).update(person.roles)
        everywhere |= person.roles
        if person.unit not in tables.declared["unit"]:
            faults.add(one.file, one.line, f"the unit '{person.unit}' is not in units.csv")
        for area in person.territory:
            if area not in tables.declared["area"]:
                faults.add(one.file, one.line, f"the territory {area} is not in areas.csv")
        _check_duties(one, faults)
    # A person left out for a fault may be the one who has the role.
    if not sound:
        return
    for role in sorted(ALWAYS_NEEDED - everywhere):
        faults.add(tables.files["people.csv"], 1, f"nobody has the role {role}")
    for unit in tables.units:
        if not unit.value.responsible:
            continue
        for role in sorted({Role.HANDLER, Role.UNIT_LEAD} - held.get(unit.value.code, set())):
            message = f"the unit {unit.value.code} has nobody with the role {role}"
            faults.add(unit.file, unit.line, message)


def _check_duties(one: Located[Any], faults: FaultList) -> None:
    """Duties that one person must not unite: who administers must not audit, and so on."""
    apart = (
        {Role.SYSTEM_ADMINISTRATOR, Role.SECURITY_ADMINISTRATOR},
        {Role.SYSTEM_ADMINISTRATOR, Role.AUDIT_ADMINISTRATOR},
        {Role.SECURITY_ADMINISTRATOR, Role.AUDIT_ADMINISTRATOR},
        {Role.DISPATCHER, Role.COLLECTOR},
        {Role.HANDLER, Role.DISPATCHER},
        {Role.HANDLER, Role.COLLECTOR},
        {Role.HANDLER, Role.OPERATOR},
    )
    for pair in apart:
        if pair <= one.value.roles:
            names = " and ".join(sorted(pair))
            faults.add(one.file, one.line, f"{names} must not be the same person")


def _check_others(tables: Tables, settings: PackSettings, faults: FaultList) -> None:
    for camera in tables.cameras:
        if camera.value.grid not in tables.declared["grid"]:
            message = f"the grid {camera.value.grid} is not in grids.geojson"
            faults.add(camera.file, camera.line, message)
    with_unit: list[tuple[Located[Any], str]] = []
    with_unit += [(camera, camera.value.unit) for camera in tables.cameras]
    with_unit += [(client, client.value.unit) for client in tables.systems]
    for entry in tables.knowledge:
        with_unit += [(entry, entry.value.unit), (entry, entry.value.refer_to)]
    for one, unit in with_unit:
        if unit and unit not in tables.declared["unit"]:
            faults.add(one.file, one.line, f"the unit '{unit}' is not in units.csv")
    if settings.intake is not None:
        for named in settings.intake.named_classes:
            if str(named.value) not in tables.declared["class"]:
                faults.add(named.file, named.line, f"the class {named.value} is not in classes.csv")
