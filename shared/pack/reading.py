"""Reads the files of a pack so that every value still knows its file and line."""

import csv
import io
import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Generic, TypeVar

from shared.faults import Fault

T = TypeVar("T")

YES = frozenset({"yes", "true", "1"})
NO = frozenset({"", "no", "false", "0"})
FRONT_MATTER_FENCE = "+++"

_TOML_POSITION = re.compile(r"\(at line (\d+)")
_TOML_TABLE = re.compile(r"\s*(\[\[?)\s*([^\]]+?)\s*\]\]?\s*(?:#.*)?$")
_TOML_KEY = re.compile(r"\s*([A-Za-z0-9_\-.\"']+)\s*=")
_FEATURE_CODE = re.compile(r'"code"\s*:\s*"')


@dataclass(frozen=True, slots=True)
class Located(Generic[T]):
    """A value with the place it was read from, so that later checks can point at it."""

    value: T
    file: str
    line: int


class FaultList:
    """Collects faults, so that one run tells everything that is wrong."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._incomplete: set[str] = set()

    def add(self, file: str, line: int, message: str) -> None:
        self._faults.append(Fault(file, line, message))

    def lose(self, file: str, line: int, message: str) -> None:
        """A fault after which part of the file could not even be read.

        What other files refer to may stand in that part, so it is not reported as unknown.
        """
        self._incomplete.add(Path(file).name)
        self.add(file, line, message)

    def complete(self, name: str) -> bool:
        """Whether every record of the file could be read, if perhaps with faults."""
        return name not in self._incomplete

    def clean(self, name: str) -> bool:
        """Whether the file has no fault so far."""
        return all(Path(fault.file).name != name for fault in self._faults)

    def extend(self, faults: list[Fault]) -> None:
        self._faults.extend(faults)

    def __len__(self) -> int:
        return len(self._faults)

    def in_order(self) -> list[Fault]:
        """By file and line, each once."""
        return sorted(set(self._faults), key=lambda fault: (fault.file, fault.line, fault.message))


def read_text(path: Path, faults: FaultList) -> str | None:
    """The text of a UTF-8 file, or None with a fault."""
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        faults.lose(str(path), 1, "the file is missing; every pack has one")
        return None
    except OSError as error:
        faults.lose(str(path), 1, f"the file cannot be read: {error.strerror}")
        return None
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        faults.lose(str(path), line, "the text is not UTF-8; save the file as UTF-8")
        return None


class Row:
    """One record of a table. A cell that cannot be read becomes a fault and spoils the row."""

    def __init__(self, file: str, line: int, cells: Mapping[str, str], faults: FaultList) -> None:
        self.file = file
        self.line = line
        self.sound = True
        self._cells = cells
        self._faults = faults

    def fault(self, message: str) -> None:
        self.sound = False
        self._faults.add(self.file, self.line, message)

    def optional(self, column: str) -> str:
        return self._cells[column].strip()

    def text(self, column: str) -> str:
        value = self.optional(column)
        if not value:
            self.fault(f"{column} is empty")
        return value

    def flag(self, column: str) -> bool:
        value = self.optional(column).lower()
        if value not in YES | NO:
            self.fault(f"{column} is '{value}'; write yes or leave it empty")
        return value in YES

    def number(self, column: str, low: float, high: float) -> float:
        value = self.text(column)
        try:
            number = float(value)
        except ValueError:
            if value:
                self.fault(f"{column} is '{value}', which is no number")
            return low
        if not low <= number <= high:
            self.fault(f"{column} is {value}; it must lie between {low:g} and {high:g}")
        return number

    def whole(self, column: str, low: int) -> int:
        value = self.text(column)
        if not value.isascii() or not value.isdigit() or int(value) < low:
            if value:
                self.fault(f"{column} is '{value}'; write a whole number from {low}")
            return low
        return int(value)

    def several(self, column: str) -> tuple[str, ...]:
        """Values separated by semicolons."""
        return tuple(part.strip() for part in self.optional(column).split(";") if part.strip())


def read_table(path: Path, columns: tuple[str, ...], faults: FaultList) -> Iterator[Row]:
    """Records of a CSV file with exactly these columns, in any order. Blank lines are skipped."""
    text = read_text(path, faults)
    if text is None:
        return
    file = str(path)
    start = 1
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = [name.strip() for name in next(reader, [])]
        if not _header_fits(file, header, columns, faults):
            return
        start = reader.line_num + 1
        for cells in reader:
            line, start = start, reader.line_num + 1
            if not cells:
                continue
            if len(cells) != len(header):
                faults.lose(
                    file, line, f"{len(cells)} cells where the header has {len(header)} columns"
                )
                continue
            yield Row(file, line, dict(zip(header, cells, strict=True)), faults)
    except csv.Error as error:
        faults.lose(file, start, f"the record is no CSV: {error}")


def _header_fits(file: str, header: list[str], columns: tuple[str, ...], faults: FaultList) -> bool:
    sound = True
    for name in columns:
        if name not in header:
            sound = False
            faults.lose(file, 1, f"the column '{name}' is missing")
    for name in header:
        if name not in columns:
            sound = False
            faults.lose(file, 1, f"the column '{name}' is unknown")
    if sound and len(set(header)) != len(header):
        sound = False
        faults.lose(file, 1, "a column stands there twice")
    return sound


class Settings:
    """A table of a TOML file. Every read names what is expected and faults point at the line."""

    def __init__(
        self,
        file: str,
        values: Mapping[str, Any],
        lines: Mapping[tuple[str | int, ...], int],
        faults: FaultList,
        path: tuple[str | int, ...] = (),
    ) -> None:
        self.file = file
        self._values = values
        self._lines = lines
        self._faults = faults
        self._path = path
        self._used: set[str] = set()

    @property
    def line(self) -> int:
        return self.line_of()

    def line_of(self, key: str | None = None) -> int:
        """Line of a key, else of the table, else of the nearest table above."""
        path = self._path if key is None else (*self._path, key)
        while path and path not in self._lines:
            path = path[:-1]
        return self._lines.get(path, 1)

    def fault(self, key: str | None, message: str) -> None:
        self._faults.add(self.file, self.line_of(key), message)

    def has(self, key: str) -> bool:
        return key in self._values

    def keys(self) -> tuple[str, ...]:
        return tuple(self._values)

    def get(self, key: str) -> Any | None:
        """The raw value, or None with a fault if it is missing."""
        self._used.add(key)
        if key not in self._values:
            self.fault(key, f"{self._name(key)} is missing")
            return None
        return self._values[key]

    def text(self, key: str) -> str:
        value = self.get(key)
        if value is None:
            return ""
        if not isinstance(value, str) or not value.strip():
            self.fault(key, f"{self._name(key)} must be text in quotes")
            return ""
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        value = self.get(key)
        if value is None:
            return ()
        if not isinstance(value, list) or not all(isinstance(part, str) for part in value):
            self.fault(key, f"{self._name(key)} must be a list of texts")
            return ()
        return tuple(value)

    def flag(self, key: str) -> bool:
        value = self.get(key)
        if value is not None and not isinstance(value, bool):
            self.fault(key, f"{self._name(key)} must be true or false")
        return value is True

    def number(self, key: str, low: float, high: float) -> Decimal:
        """An exact number; integers and decimals are the same here."""
        value = self.get(key)
        if value is None:
            return Decimal(0)
        if isinstance(value, bool) or not isinstance(value, int | Decimal):
            self.fault(key, f"{self._name(key)} must be a number")
            return Decimal(0)
        number = Decimal(value)
        # A TOML nan compares with nothing.
        if not number.is_finite() or not low <= number <= high:
            self.fault(key, f"{self._name(key)} is {value}; it must lie in {low:g} to {high:g}")
            return Decimal(0)
        return number

    def whole(self, key: str, low: int, high: int) -> int:
        number = self.number(key, low, high)
        if number != int(number):
            self.fault(key, f"{self._name(key)} must be a whole number")
        return int(number)

    def day(self, key: str) -> Any | None:
        """A TOML date, or None with a fault."""
        value = self.get(key)
        # A TOML date-time is a datetime, which is a date, too; only the plain date is meant.
        if value is not None and type(value).__name__ != "date":
            self.fault(key, f"{self._name(key)} must be a date such as 2026-07-01, without quotes")
            return None
        return value

    def table(self, key: str, *, required: bool = True) -> "Settings":
        """A table inside this one; an empty one if it is missing."""
        self._used.add(key)
        value = self._values.get(key)
        if value is None and required:
            self.fault(None, f"the table [{self._name(key)}] is missing")
        if value is not None and not isinstance(value, dict):
            self.fault(key, f"{self._name(key)} must be a table")
            value = None
        return Settings(self.file, value or {}, self._lines, self._faults, (*self._path, key))

    def tables(self, key: str) -> tuple["Settings", ...]:
        """The tables of an array of tables; none if it is missing."""
        self._used.add(key)
        value = self._values.get(key, [])
        if not isinstance(value, list) or not all(isinstance(part, dict) for part in value):
            self.fault(key, f"{self._name(key)} must be written as [[{self._name(key)}]]")
            return ()
        return tuple(
            Settings(self.file, part, self._lines, self._faults, (*self._path, key, index))
            for index, part in enumerate(value)
        )

    def refuse_the_rest(self) -> None:
        """Fault every key that nobody asked for: a misspelt setting must not pass in silence."""
        for key in self._values:
            if key not in self._used:
                self.fault(key, f"{self._name(key)} is no setting of this file")

    def _name(self, key: str) -> str:
        return ".".join(str(part) for part in (*self._path, key) if isinstance(part, str))


def read_settings(path: Path, faults: FaultList) -> Settings | None:
    """A TOML file, or None with a fault that names the line."""
    text = read_text(path, faults)
    return None if text is None else parse_settings(str(path), text, faults)


def parse_settings(file: str, text: str, faults: FaultList, offset: int = 0) -> Settings | None:
    """TOML text whose first line is line `offset` + 1 of the file."""
    try:
        values = tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        found = _TOML_POSITION.search(str(error))
        # At the end of the document tomllib names no line.
        line = int(found.group(1)) if found else text.count("\n") + 1
        faults.lose(file, line + offset, f"the line is no TOML: {error}")
        return None
    except (ValueError, RecursionError) as error:
        # Python itself refuses numbers of thousands of digits and tables without end.
        faults.lose(file, offset + 1, f"the file cannot be read as TOML: {error}")
        return None
    lines = {path: line + offset for path, line in _toml_lines(text).items()}
    return Settings(file, values, lines, faults)


def _toml_lines(text: str) -> dict[tuple[str | int, ...], int]:
    """Where each table and key begins. Good for the plain TOML of packs, with one key a line."""
    lines: dict[tuple[str | int, ...], int] = {}
    counts: dict[tuple[str | int, ...], int] = {}
    prefix: tuple[str | int, ...] = ()
    for number, line in enumerate(text.splitlines(), start=1):
        if table := _TOML_TABLE.match(line):
            prefix = _within_arrays(_dotted(table.group(2)), counts)
            if table.group(1) == "[[":
                index = counts.get(prefix, 0)
                counts[prefix] = index + 1
                lines.setdefault(prefix, number)
                prefix = (*prefix, index)
            lines.setdefault(prefix, number)
        elif key := _TOML_KEY.match(line):
            path = (*prefix, *_dotted(key.group(1)))
            for length in range(len(prefix) + 1, len(path) + 1):
                lines.setdefault(path[:length], number)
    return lines


def _dotted(name: str) -> tuple[str, ...]:
    return tuple(part.strip().strip("\"'") for part in name.split("."))


def _within_arrays(
    name: tuple[str, ...], counts: Mapping[tuple[str | int, ...], int]
) -> tuple[str | int, ...]:
    """A table written under an array of tables belongs to its last member."""
    path: tuple[str | int, ...] = ()
    for position, part in enumerate(name):
        path = (*path, part)
        if position < len(name) - 1 and path in counts:
            path = (*path, counts[path] - 1)
    return path


def read_features(
    path: Path, faults: FaultList
) -> list[Located[tuple[Mapping[str, Any], Mapping[str, Any]]]]:
    """Features of a GeoJSON collection as (properties, geometry), with the line of their code."""
    text = read_text(path, faults)
    if text is None:
        return []
    file = str(path)
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        faults.lose(file, error.lineno, f"the line is no JSON: {error.msg}")
        return []
    except (ValueError, RecursionError) as error:
        faults.lose(file, 1, f"the file cannot be read as JSON: {error}")
        return []
    features = document.get("features") if isinstance(document, dict) else None
    if not isinstance(features, list):
        faults.lose(file, 1, "a GeoJSON FeatureCollection is expected")
        return []
    lines = _feature_lines(text, features)
    found: list[Located[tuple[Mapping[str, Any], Mapping[str, Any]]]] = []
    for line, feature in zip(lines, features, strict=True):
        properties = feature.get("properties") if isinstance(feature, dict) else None
        geometry = feature.get("geometry") if isinstance(feature, dict) else None
        if not isinstance(properties, dict) or not isinstance(geometry, dict):
            faults.lose(file, line, "a feature needs properties and a geometry")
            continue
        found.append(Located((properties, geometry), file, line))
    return found


def _feature_lines(text: str, features: list[Any]) -> list[int]:
    """Lines of the codes, in order. Features without a code take the line of the one before."""
    ends = [found.start() for found in _FEATURE_CODE.finditer(text)]
    lines: list[int] = []
    line, seen, used = 1, 0, 0
    for feature in features:
        properties = feature.get("properties") if isinstance(feature, dict) else None
        coded = isinstance(properties, dict) and isinstance(properties.get("code"), str)
        if coded and used < len(ends):
            line += text.count("\n", seen, ends[used])
            seen = ends[used]
            used += 1
        lines.append(line)
    return lines


def read_front_matter(path: Path, faults: FaultList) -> tuple[Settings, str] | None:
    """A Markdown file that begins with TOML between two lines of `+++`."""
    text = read_text(path, faults)
    if text is None:
        return None
    lines = text.splitlines()
    if not lines or lines[0].strip() != FRONT_MATTER_FENCE:
        faults.add(str(path), 1, f"the entry must begin with a line {FRONT_MATTER_FENCE}")
        return None
    for number, line in enumerate(lines[1:], start=1):
        if line.strip() == FRONT_MATTER_FENCE:
            settings = parse_settings(str(path), "\n".join(lines[1:number]), faults, offset=1)
            body = "\n".join(lines[number + 1 :]).strip()
            return None if settings is None else (settings, body)
    faults.add(str(path), 1, f"the second line {FRONT_MATTER_FENCE} is missing")
    return None
