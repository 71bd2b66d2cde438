"""`minqing pack`: checks a city pack before a service is started on it."""

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer
from rich.console import Console
from rich.table import Table

from shared.pack.loader import PackFaults, load_pack
from shared.pack.model import ClassKey
from shared.vocabulary import Role

if TYPE_CHECKING:
    from shared.pack.model import CityPack

app = typer.Typer(no_args_is_help=True, help="City packs: a city as data.")

PackPath = Annotated[Path, typer.Argument(help="Directory of the pack, such as packs/qilihe.")]


@app.command()
def check(path: PackPath) -> None:
    """Report every fault with file and line (exit 1), or what the pack holds (exit 0)."""
    Console().print(_summary(_load(path)))


@app.command()
def show(
    path: PackPath,
    class_key: Annotated[
        str, typer.Argument(help='Key of a class, such as "GB/T 47678.5-2026:component:01001".')
    ],
    grid: Annotated[
        str | None, typer.Option(help="Code of the grid; decides whose ground it is.")
    ] = None,
    language: Annotated[str, typer.Option(help="zh or en.")] = "en",
) -> None:
    """Print the registration conditions of a class and the units that answer for it."""
    pack = _load(path)
    try:
        key = ClassKey.parse(class_key)
    except ValueError as error:
        _refuse(str(error))
    if key not in pack.classes:
        _refuse(f"the pack has no class {key}")
    if grid is not None and grid not in pack.grids:
        _refuse(f"the pack has no grid {grid}")
    typer.echo(f"{key}  {pack.classes[key].name.in_language(language)}")
    for condition in pack.conditions_of(key):
        mark = " !" if condition.urgent else ""
        text = condition.text.in_language(language)
        typer.echo(f"  {condition.code}{mark}  {condition.limit}  {text}")
    for suggestion in pack.responsible_units(key, grid):
        name = suggestion.unit.name.in_language(language)
        typer.echo(f"  -> {name}: {suggestion.reason.in_language(language)}")


def _load(path: Path) -> "CityPack":
    try:
        return load_pack(path)
    except PackFaults as error:
        for fault in error.faults:
            typer.echo(f"{fault.file}:{fault.line}: {fault.message}")
        typer.echo(f"{len(error.faults)} faults in {path}", err=True)
        raise typer.Exit(1) from None


def _refuse(message: str) -> NoReturn:
    typer.echo(message, err=True)
    raise typer.Exit(2)


def _summary(pack: "CityPack") -> Table:
    table = Table(title=f"{pack.city.name.en} / {pack.city.name.zh} ({pack.city.code})")
    table.add_column("part")
    table.add_column("count", justify="right")
    table.add_column("of which")
    kinds = Counter(one.kind.value for one in pack.classes.values())
    levels = Counter(area.level.value for area in pack.areas.values())
    roles = Counter(role.value for person in pack.people for role in person.roles)
    rows: list[tuple[str, int, str]] = [
        ("units", len(pack.units), f"{len(pack.responsible)} handle cases"),
        ("classes", len(pack.classes), _counted(kinds)),
        ("registration conditions", len(pack.conditions), _flagged(pack)),
        ("responsibilities", len(pack.responsibilities), ""),
        ("areas", len(pack.areas), _counted(levels)),
        ("grids", len(pack.grids), f"{len({grid.owner for grid in pack.grids.values()})} owners"),
        ("people", len(pack.people), f"{len(roles)} roles, {roles[Role.COLLECTOR]} collectors"),
        ("systems", len(pack.systems), ""),
        ("knowledge entries", len(pack.knowledge), ""),
        ("cameras", len(pack.cameras), ""),
        ("components", len(pack.components), ""),
        ("assessment versions", len(pack.assessment), ""),
        ("leaders told of emergencies", len(pack.emergencies.leaders), ""),
    ]
    for part, count, detail in rows:
        table.add_row(part, str(count), detail)
    return table


def _counted(counts: Counter[str]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.most_common())


def _flagged(pack: "CityPack") -> str:
    urgent = sum(condition.urgent for condition in pack.conditions)
    special = sum(condition.special for condition in pack.conditions)
    return f"{urgent} urgent, {special} special"
