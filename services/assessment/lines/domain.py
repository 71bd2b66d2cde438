"""The form of a line, checked strictly: a figure may not hang on a guess."""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, NamedTuple
from uuid import UUID

import numpy as np

from services.assessment.lines.errors import LinesRefused
from services.assessment.scoring.domain import (
    EPOCH,
    NEVER,
    UNLIMITED,
    Columns,
    Integers,
    PeriodFacts,
    Standing,
)
from shared.faults import Fault

MOST_SECONDS = 10**12
"""Spans and counts above are taken for a mistake: a trillion seconds are thirty thousand years."""

FINEST_FRACTION = re.compile(r"[.,]\d{7}")


class Line(NamedTuple):
    """One assignment. Instants are microseconds since 1970, `NEVER` where the line says null."""

    case: str
    unit: str
    due_at: int
    limit_seconds: int
    used_seconds: int
    closed_at: int
    extension_seconds: int
    extension_granted_at: int
    deferral_seconds: int
    deferral_granted_at: int
    second_dispatch_at: int
    dispatches: int
    returned_to_same: int
    returned_to_other: int
    returns_refused: int
    feedback_refused: int


class Assignments(NamedTuple):
    """A file of lines as columns.

    Attributes:
        columns: in the order of the file.
        units: names of the units by their number, sorted.
        cases: ids of the cases, in the order of the file.
    """

    columns: Columns
    units: list[str]
    cases: list[str]


class _Pairs(list[tuple[str, Any]]):
    """A JSON object with whatever was written twice in it."""


class LineFault(Exception):
    """Why a line is refused."""


def read_lines(lines: Iterable[bytes], shown_as: str, *, most_faults: int) -> list[Line]:
    """Read a file; empty lines at its end are none.

    Args:
        lines: the file's lines, each with or without its line feed.
        shown_as: name of the file in faults.
        most_faults: how many faults are told at most.

    Raises:
        LinesRefused: with file, line and reason of each line that is no assignment.
    """
    read: list[Line] = []
    faults: list[Fault] = []
    empty: list[int] = []
    seen: dict[tuple[str, str, int, int], int] = {}
    for number, raw in enumerate(lines, start=1):
        if len(faults) >= most_faults:
            break
        if not raw.strip():
            empty.append(number)
            continue
        # An empty line is a fault only if something comes after it.
        faults += [Fault(shown_as, gap, "the line is empty") for gap in empty]
        empty.clear()
        try:
            line = read_line(raw)
        except LineFault as fault:
            faults.append(Fault(shown_as, number, str(fault)))
            continue
        first = seen.setdefault((line.case, line.unit, line.due_at, line.dispatches), number)
        if first != number:
            message = (
                f"the assignment of case {line.case} to unit {line.unit} with this due_at and"
                f" these dispatches stands in line {first} already"
            )
            faults.append(Fault(shown_as, number, message))
        read.append(line)
    if faults:
        raise LinesRefused(faults[:most_faults])
    return read


def read_line(raw: bytes) -> Line:
    """One line.

    Raises:
        LineFault: it is no JSON object, or a field is missing, unknown, of a wrong type, impossible
            or at odds with another one.
    """
    values = _fields_of(raw)
    line = Line(*[reader(name, values[name]) for name, reader in _READERS.items()])
    _agree("extension", values["extension_seconds"], values["extension_granted_at"])
    _agree("deferral", values["deferral_seconds"], values["deferral_granted_at"])
    # The other way round is possible: after a return the case is dispatched, but not repeatedly.
    if line.dispatches == 1 and line.second_dispatch_at != NEVER:
        raise LineFault("dispatches is 1, so second_dispatch_at must be null")
    return line


def columns_of(
    lines: Sequence[Line], *, ordinals: Sequence[int] = (), standing: Sequence[Standing] = ()
) -> Assignments:
    """Lines as columns.

    Args:
        lines: at most one for each case, unit, due time and number of dispatches.
        ordinals: which stay of the case with the unit each is; by due time if not given.
        standing: whether each counts at all; all do if not given.
    """
    by_field = dict(zip(Line._fields, zip(*lines, strict=True), strict=True)) if lines else {}
    units = sorted(set(by_field.get("unit", ())))
    cases = sorted(set(by_field.get("case", ())))
    number_of_unit = {unit: number for number, unit in enumerate(units)}
    number_of_case = {case: number for number, case in enumerate(cases)}
    arrays: dict[str, Integers] = {
        name: np.asarray(by_field.get(name, ()), dtype=np.int64)
        for name in Line._fields
        if name not in _TEXTS
    }
    return Assignments(
        Columns(
            unit=_numbered(by_field.get("unit", ()), number_of_unit),
            case=_numbered(by_field.get("case", ()), number_of_case),
            ordinal=np.asarray(ordinals, dtype=np.int64) if ordinals else _ordinals(arrays),
            standing=np.asarray(standing or [Standing.COUNTS] * len(lines), dtype=np.int8),
            **arrays,
        ),
        units,
        list(by_field.get("case", ())),
    )


def _numbered(names: Sequence[str], numbers: Mapping[str, int]) -> Integers:
    return np.asarray([numbers[name] for name in names], dtype=np.int64)


def _ordinals(arrays: Mapping[str, Integers]) -> Integers:
    """An order in which the stays of a case with a unit can be told apart, whatever the file's."""
    order = np.lexsort((arrays["dispatches"], arrays["due_at"]))
    ordinal = np.empty(len(order), dtype=np.int64)
    ordinal[order] = np.arange(len(order))
    return ordinal


def _fields_of(raw: bytes) -> dict[str, Any]:
    try:
        pairs = _DECODER.decode(raw.decode("utf-8"))
    except UnicodeDecodeError:
        raise LineFault("the line is not UTF-8 text") from None
    except json.JSONDecodeError as error:
        raise LineFault(f"the line is no JSON: {error.msg} in column {error.colno}") from None
    except (ValueError, RecursionError) as error:
        raise LineFault(f"the line is no JSON: {error}") from None
    if not isinstance(pairs, _Pairs):
        raise LineFault("the line must be one JSON object")
    values = dict(pairs)
    if values.keys() != _READERS.keys():
        missing = [name for name in _READERS if name not in values]
        unknown = [name for name in values if name not in _READERS]
        told = [f"{name} is missing" for name in missing]
        told += [f"{json.dumps(name)} is no field of an assignment" for name in unknown]
        raise LineFault("; ".join(told))
    if len(values) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise LineFault(f"{twice} stands there twice")
    return values


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} is no number of JSON")


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise LineFault(f"{name} must be text in quotes, not {_shown(value)}")
    if not value.strip():
        raise LineFault(f"{name} is empty")
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise LineFault(f"{name} holds half a character") from None
    return value


def _whole(name: str, value: Any) -> int:
    if type(value) is float and value.is_integer():
        # JSON knows one kind of number: 9000.0 is 9000.
        value = int(value)
    # True is an int to Python, but no number to JSON.
    if type(value) is not int:
        raise LineFault(f"{name} must be a whole number, not {_shown(value)}")
    if value < 0:
        raise LineFault(f"{name} is {value}; it cannot be negative")
    if value > MOST_SECONDS:
        raise LineFault(f"{name} is {_shown(value)}; more than {MOST_SECONDS} cannot be meant")
    return value


def _dispatches(name: str, value: Any) -> int:
    if _whole(name, value) < 1:
        raise LineFault(f"{name} is 0; an assignment was dispatched at least once")
    return int(value)


def _seconds(name: str, value: Any) -> int:
    return 0 if value is None else _whole(name, value)


def _instant(name: str, value: Any) -> int:
    if not isinstance(value, str):
        raise LineFault(f"{name} must be a time such as {_EXAMPLE}, not {_shown(value)}")
    try:
        instant = datetime.fromisoformat(value)
        offset = instant.utcoffset()
    except ValueError:
        raise LineFault(f"{name} must be a time such as {_EXAMPLE}, not {_shown(value)}") from None
    if "T" not in value:
        raise LineFault(f"{name} must be date, T and time, such as {_EXAMPLE}")
    if offset is None:
        raise LineFault(f"{name} needs an offset from UTC, such as {_EXAMPLE}")
    if FINEST_FRACTION.search(value):
        raise LineFault(f"{name} is finer than a microsecond")
    return (instant - EPOCH) // _MICROSECOND


def _instant_or_none(name: str, value: Any) -> int:
    return NEVER if value is None else _instant(name, value)


def _agree(what: str, seconds: Any, granted_at: Any) -> None:
    """A grant has a time and a length, or neither."""
    if granted_at is None and seconds:
        raise LineFault(
            f"{what}_seconds is {seconds}, so {what}_granted_at must say when it was granted"
        )
    if granted_at is not None and seconds is None:
        raise LineFault(f"{what}_granted_at is given, so {what}_seconds must be, too")


def _shown(value: Any) -> str:
    text = "an object" if isinstance(value, _Pairs) else json.dumps(value, default=str)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"


_EXAMPLE = "2026-05-20T17:30:00+08:00"
_LONGEST_SHOWN = 40
_MICROSECOND = timedelta(microseconds=1)
_TEXTS = ("case", "unit")
_DECODER = json.JSONDecoder(object_pairs_hook=_Pairs, parse_constant=_no_number)

_READERS: dict[str, Callable[[str, Any], Any]] = {
    "case": _text,
    "unit": _text,
    "due_at": _instant,
    "limit_seconds": _whole,
    "used_seconds": _whole,
    "closed_at": _instant_or_none,
    "extension_seconds": _seconds,
    "extension_granted_at": _instant_or_none,
    "deferral_seconds": _seconds,
    "deferral_granted_at": _instant_or_none,
    "second_dispatch_at": _instant_or_none,
    "dispatches": _dispatches,
    "returned_to_same": _whole,
    "returned_to_other": _whole,
    "returns_refused": _whole,
    "feedback_refused": _whole,
}
_INSTANTS = [name for name, reader in _READERS.items() if reader in (_instant, _instant_or_none)]


def freeze(facts: PeriodFacts) -> dict[str, str]:
    """The facts of a period as lines by unit, sorted by due time, case and stay.

    A line has the fields of `minqing assess`, in UTC, and `ordinal` and `standing` besides; its
    limit is null where there is none. The same facts always make the same text.
    """
    lines = facts.columns
    order = np.lexsort((lines.ordinal, lines.case, lines.due_at, lines.unit))
    case_ids = [facts.case_ids[row] for row in order.tolist()]
    columns = [_written(name, getattr(lines, name)[order]) for name in _NUMBERS]
    # Many lines at once: a form with places is filled in faster than a document is built.
    places = ", ".join(f'"{name}": %s' for name in _NUMBERS)
    texts: dict[str, str] = {}
    ends = np.searchsorted(lines.unit[order], np.arange(len(facts.units)), side="right").tolist()
    first = 0
    for unit, end in zip(facts.units, ends, strict=True):
        name = json.dumps(unit, ensure_ascii=False).replace("%", "%%")
        form = f'{{"case": "%s", "unit": {name}, {places}}}\n'
        rows = zip(case_ids[first:end], *(column[first:end] for column in columns), strict=True)
        if text := "".join([form % row for row in rows]):
            texts[unit] = text
        first = end
    return texts


def thaw(texts: Mapping[str, str]) -> PeriodFacts:
    """The facts that were frozen."""
    units = sorted(texts)
    read = [json.loads(line) for unit in units for line in texts[unit].splitlines()]
    number_of = {unit: number for number, unit in enumerate(units)}
    case_ids = [UUID(line["case"]) for line in read]
    columns = {
        name: np.asarray([_thawed(name, line[name]) for line in read], dtype=np.int64)
        for name in _NUMBERS
    }
    return PeriodFacts(
        Columns(
            unit=np.asarray([number_of[line["unit"]] for line in read], dtype=np.int64),
            case=np.asarray([case_id.bytes for case_id in case_ids], dtype="S16"),
            **columns,
        ),
        units,
        case_ids,
    )


def hash_of(texts: Mapping[str, str]) -> str:
    """SHA-256 of all frozen lines in the order of units."""
    digest = sha256()
    for unit in sorted(texts):
        digest.update(texts[unit].encode())
    return digest.hexdigest()


def _written(name: str, values: Integers) -> list[Any]:
    """A column as it is written into lines."""
    if name in _INSTANTS:
        given = values != NEVER
        texts = np.datetime_as_string(np.where(given, values, 0).astype("datetime64[us]"))
        quoted = np.char.add(np.char.add('"', texts), 'Z"')
        return list(np.where(given, quoted, "null").tolist())
    if name == "standing":
        return [f'"{Standing(code).name.lower()}"' for code in values.tolist()]
    if name == "limit_seconds":
        return ["null" if limit >= UNLIMITED else limit for limit in values.tolist()]
    return list(values.tolist())


def _thawed(name: str, value: Any) -> int:
    if name in _INSTANTS:
        return _instant_or_none(name, value)
    if name == "standing":
        return Standing[value.upper()]
    return UNLIMITED if value is None else int(value)


_NUMBERS = (*(name for name in Line._fields if name not in _TEXTS), "ordinal", "standing")
