"""`minqing assess`: scorecards from a file of assignments, without any service."""

import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, NoReturn
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer

from services.assessment.lines.domain import Line, columns_of, read_lines
from services.assessment.lines.errors import LinesRefused
from services.assessment.periods.domain import Period, parse_period
from services.assessment.scoring.domain import (
    Kind,
    Rule,
    Scorecard,
    judge,
    rounded,
    scorecards,
)
from shared.errors import MinqingError
from shared.faults import Fault
from shared.pack.reading import FaultList, Settings, parse_settings

app = typer.Typer()

EXIT_REFUSED = 2
MOST_SHOWN = 20
MOST_DUE = 10**9


@dataclass(frozen=True, slots=True)
class Parameters:
    """What a file of parameters says.

    Attributes:
        zone: whose midnight begins and ends a period.
        computed_at: what was closed later is not resolved.
    """

    zone: ZoneInfo
    rule: Rule
    computed_at: datetime


@app.callback(invoke_without_command=True)
def assess(
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="Assignments as JSON Lines; - is standard input.")
    ],
    period: Annotated[str, typer.Option("--period", help="2026-05, 2026-Q2 or 2026.")],
    parameters: Annotated[Path, typer.Option("--parameters", help="A TOML file.")],
) -> None:
    """Print the scorecard of every unit in FILE as JSON Lines, sorted by unit.

    Nothing is printed unless every line can be read. See docs/assessment.md for both files.
    """
    try:
        held = read_parameters(parameters)
        span = parse_period(period, held.zone)
        lines = _read(file)
    except LinesRefused as error:
        _refuse(error.faults)
    except ParametersRefused as error:
        _refuse(error.faults)
    except MinqingError as error:
        typer.echo(f"error: {error.message}", err=True)
        raise typer.Exit(EXIT_REFUSED) from None
    cards = _score(lines, span, held)
    written = "".join(f"{json.dumps(_written(card), ensure_ascii=False)}\n" for card in cards)
    typer.echo(written.encode("utf-8"), nl=False)


class ParametersRefused(MinqingError):
    """A file of parameters by which nothing can be computed."""

    code = "parameters-refused"

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("\n".join(str(fault) for fault in faults))
        self.faults = list(faults)


def read_parameters(path: Path) -> Parameters:
    """Read and check a file of parameters.

    Raises:
        ParametersRefused: with file, line and reason of everything that is wrong.
    """
    faults = FaultList()
    text = _parameters_text(path, faults)
    settings = None if text is None else parse_settings(str(path), text, faults)
    found = None if settings is None else _parameters(settings, faults)
    if found is None or len(faults):
        raise ParametersRefused(faults.in_order())
    return found


def _parameters_text(path: Path, faults: FaultList) -> str | None:
    try:
        raw = path.read_bytes()
    except OSError as error:
        faults.add(str(path), 1, f"the file cannot be read: {error.strerror}")
        return None
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        faults.add(str(path), raw.count(b"\n", 0, error.start) + 1, "the text is not UTF-8")
        return None


def _parameters(settings: Settings, faults: FaultList) -> Parameters | None:
    zone = _zone(settings)
    weights = settings.table("weights")
    timely, resolved = (Fraction(weights.number(key, 0, 1)) for key in ("timely", "resolved"))
    weights.refuse_the_rest()
    allowances = settings.table("allowance")
    allowance = {kind: Fraction(allowances.number(kind.value, 0, 1)) for kind in Kind}
    allowances.refuse_the_rest()
    minimum = settings.whole("rank_minimum", 0, MOST_DUE)
    computed_at = _instant(settings, "computed_at")
    settings.refuse_the_rest()
    if not len(faults) and timely + resolved != 1:
        weights.fault(
            None,
            f"weights must make 1, not {float(timely):g} + {float(resolved):g}",
        )
    if zone is None or computed_at is None:
        return None
    return Parameters(zone, Rule(timely, resolved, allowance, minimum), computed_at)


def _zone(settings: Settings) -> ZoneInfo | None:
    name = settings.text("zone")
    if not name:
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        settings.fault("zone", f"'{name}' is no IANA time zone, such as Asia/Shanghai")
        return None


def _instant(settings: Settings, key: str) -> datetime | None:
    value: Any = settings.get(key)
    if value is None:
        return None
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value) if "T" in value else None
        except ValueError:
            value = None
    if not isinstance(value, datetime) or value.utcoffset() is None:
        settings.fault(key, f"{key} must be an instant with offset: 2026-06-01T00:00:00+08:00")
        return None
    return value


def _read(file: str) -> list[Line]:
    if file == "-":
        return read_lines(sys.stdin.buffer, "-", most_faults=MOST_SHOWN)
    try:
        with Path(file).open("rb") as lines:
            return read_lines(_without_mark(lines), file, most_faults=MOST_SHOWN)
    except OSError as error:
        raise LinesRefused([Fault(file, 0, f"the file cannot be read: {error.strerror}")]) from None


def _without_mark(lines: Iterable[bytes]) -> Iterable[bytes]:
    """A byte order mark, as some editors write it, is no part of the first line."""
    for number, line in enumerate(lines):
        yield line.removeprefix(b"\xef\xbb\xbf") if number == 0 else line


def _score(lines: Sequence[Line], period: Period, held: Parameters) -> list[Scorecard]:
    assignments = columns_of(lines)
    judged = judge(assignments.columns, period.start, period.end, held.computed_at, held.rule)
    return scorecards(judged, assignments.units, held.rule)


def _written(card: Scorecard) -> dict[str, Any]:
    return {
        "unit": card.unit,
        "due": card.due,
        "resolved": card.resolved,
        "timely": card.timely,
        "timely_rate": _number(card.timely_rate),
        "resolution_rate": _number(card.resolution_rate),
        "score": _number(card.score),
        "rank": card.rank,
        "small_sample": card.small_sample,
        "forgiven": {kind.value: card.forgiven[kind] for kind in Kind},
        "returned_to_other": card.returned_to_other,
        "returns_refused": card.returns_refused,
        "repeated": card.repeated,
        "extended": card.extended,
        "deferred": card.deferred,
        "false_feedback": card.false_feedback,
    }


def _number(value: Fraction | None) -> float | None:
    # Up to 100 the shortest form of the float is those six decimals again.
    exact = rounded(value)
    return None if exact is None else float(exact)


def _refuse(faults: Sequence[Fault]) -> NoReturn:
    for fault in faults[:MOST_SHOWN]:
        typer.echo(f"error: {fault}", err=True)
    raise typer.Exit(EXIT_REFUSED)
