"""Loads a city pack whole, or says in one go everything that is wrong with it."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shared.errors import InvalidInput
from shared.faults import Fault
from shared.pack import sections
from shared.pack.checks import check_references
from shared.pack.emergencies import ReadEmergencies, check_emergencies, read_emergencies
from shared.pack.model import CityPack, Grid, Person
from shared.pack.reading import FaultList, Located
from shared.worktime import CalendarFaults, load_calendar

if TYPE_CHECKING:
    from shared.worktime import Calendar


class PackFaults(InvalidInput):
    """The pack is not usable; `faults` lists everything that has to be put right."""

    code = "pack-faults"
    title = "The city pack has faults"

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        listed = "\n".join(f"{fault.file}:{fault.line}: {fault.message}" for fault in self.faults)
        super().__init__(f"The city pack has {len(self.faults)} faults:\n{listed}")


@dataclass(frozen=True, slots=True)
class Contents:
    """Everything that was read, before it is known to fit together."""

    head: sections.Head
    calendar: "Calendar | None"
    tables: sections.Tables
    settings: sections.PackSettings
    emergencies: ReadEmergencies | None


def load_pack(path: Path | str) -> CityPack:
    """Read and check the pack in a directory.

    Raises:
        PackFaults: if there is any fault; it lists all of them with file and line.
    """
    folder = Path(path)
    if not folder.is_dir():
        raise PackFaults([Fault(str(folder), 1, "there is no such directory")])
    faults = FaultList()
    contents = _read(folder, faults)
    check_references(contents.head, contents.tables, contents.settings, faults)
    check_emergencies(contents.emergencies, contents.head, contents.tables, faults)
    _check_zone(contents, folder, faults)
    if len(faults):
        raise PackFaults(faults.in_order())
    return _assemble(folder, contents)


def _read(folder: Path, faults: FaultList) -> Contents:
    return Contents(
        head=sections.read_head(folder, faults),
        calendar=_read_calendar(folder, faults),
        tables=sections.read_tables(folder, faults),
        settings=sections.read_pack_settings(folder, faults),
        emergencies=read_emergencies(folder, faults),
    )


def _read_calendar(folder: Path, faults: FaultList) -> "Calendar | None":
    file = folder / "calendar.toml"
    if not file.is_file():
        faults.add(str(file), 1, "the file is missing; every pack has one")
        return None
    try:
        return load_calendar(file)
    except CalendarFaults as error:
        faults.extend(list(error.faults))
        return None


def _check_zone(contents: Contents, folder: Path, faults: FaultList) -> None:
    calendar, head = contents.calendar, contents.head
    if calendar is None or head.city is None:
        return
    zone = str(calendar.zone)
    if zone != head.city.value.zone:
        faults.add(
            str(folder / "city.toml"),
            head.zone_line,
            f"zone is {head.city.value.zone} but calendar.toml counts in {zone}",
        )


def _assemble(folder: Path, contents: Contents) -> CityPack:
    tables, settings, head = contents.tables, contents.settings, contents.head
    city, calendar, stages = head.city, contents.calendar, settings.stages
    intake, responsibility = settings.intake, settings.responsibility
    emergencies, supervision = contents.emergencies, settings.supervision
    if city is None or calendar is None or stages is None or intake is None:
        raise AssertionError("a part is absent although no fault was found")
    if responsibility is None or emergencies is None or supervision is None:
        # Each of them leaves a fault when it cannot be read.
        raise AssertionError("a part is absent although no fault was found")
    grids = {grid.value.code: grid.value for grid in tables.grids}
    return CityPack(
        city=city.value,
        calendar=calendar,
        units={unit.value.code: unit.value for unit in tables.units},
        classes={one.value.key: one.value for one in tables.classes},
        conditions=_values(tables.conditions),
        responsibilities=_values(tables.responsibilities),
        areas={area.value.code: area.value for area in tables.areas},
        grids=grids,
        stages=stages,
        assessment=_values(settings.assessment),
        people=tuple(_with_grids(person.value, grids.values()) for person in tables.people),
        systems=_values(tables.systems),
        knowledge=_values(tables.knowledge),
        cameras=_values(tables.cameras),
        sources={source.value.code: source.value for source in head.sources},
        registration=intake.registration,
        duplicates=intake.duplicates,
        tasks=intake.tasks,
        responsibility=responsibility.value,
        components=_values(tables.components),
        emergencies=emergencies.rules,
        supervision=supervision,
        outline=tables.outline,
        path=str(folder),
    )


def _values(located: Iterable[Located[Any]]) -> tuple[Any, ...]:
    return tuple(one.value for one in located)


def _with_grids(person: Person, grids: Iterable[Grid]) -> Person:
    return replace(
        person,
        grids=tuple(
            grid.code
            for grid in grids
            if grid.owner == person.login
            or (person.territory and grid.code.startswith(person.territory))
        ),
    )
