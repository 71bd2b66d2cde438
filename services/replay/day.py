"""Reads a day of requests as it was recorded: rows with their faults, nothing corrected."""

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from services.replay.errors import DayUnreadable

COLUMNS = frozenset(
    {
        "key",
        "created",
        "closed",
        "agency",
        "type",
        "descriptor",
        "status",
        "channel",
        "borough",
        "lat",
        "lng",
        "address",
        "resolution",
    }
)
UNSPECIFIED = "unspecified"


@dataclass(frozen=True, slots=True)
class Row:
    """One request as the file has it.

    Attributes:
        created, closed: instants in the zone of the city; `closed` is None while it is open.
        lng, lat: WGS 84 degrees as written, None where unknown.
        borough: where it says which, else empty.
        duplicate: the resolution says that the matter had been reported already.
    """

    key: str
    created: datetime
    closed: datetime | None
    agency: str
    type: str
    descriptor: str
    status: str
    channel: str
    borough: str
    lng: float | None
    lat: float | None
    address: str
    duplicate: bool

    @property
    def faults(self) -> list[str]:
        """What is wrong with the record itself, by name."""
        found = {
            "closed-before-created": self.closed is not None and self.closed < self.created,
            "closed-without-time": self.status == "Closed" and self.closed is None,
            "time-of-closing-but-open": self.status != "Closed" and self.closed is not None,
            "without-coordinates": self.lng is None,
            "without-place": self.lng is None and not self.address and not self.borough,
        }
        return [name for name, is_so in found.items() if is_so]


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A row that tells nothing that could be sent."""

    line: int
    code: str


@dataclass(frozen=True, slots=True)
class Day:
    """A recorded day: what can be sent, and what cannot even be read."""

    name: str
    rows: tuple[Row, ...]
    unreadable: tuple[Unreadable, ...]


def read_day(path: Path, zone: ZoneInfo, *, limit: int | None = None) -> Day:
    """Read a day's file and `resolutions.csv` beside it.

    Args:
        path: CSV with the columns that the second city's README explains.
        zone: of its times.
        limit: only so many rows, from the top.

    Raises:
        DayUnreadable: it is no such file.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            reader = csv.DictReader(lines)
            if missing := COLUMNS - set(reader.fieldnames or ()):
                raise DayUnreadable(f"{path}:1: columns are missing: {', '.join(sorted(missing))}.")
            records = [record for record, _ in zip(reader, _counted(limit), strict=False)]
    except (OSError, UnicodeError, csv.Error) as error:
        raise DayUnreadable(f"{path}: {error}") from error
    duplicates = _duplicates(path.with_name("resolutions.csv"))
    return day_of(path.stem, records, zone, duplicates)


def day_of(
    name: str, records: Iterable[dict[str, str]], zone: ZoneInfo, duplicates: frozenset[str]
) -> Day:
    """Make a day of records; `duplicates` are the resolutions that speak of an earlier report."""
    rows: dict[str, Row] = {}
    unreadable = []
    for line, record in enumerate(records, start=2):
        fault = _fault(record, rows)
        row = None if fault else _row(record, zone, duplicates)
        if row is None:
            unreadable.append(Unreadable(line, fault or "row-unreadable"))
        else:
            rows[row.key] = row
    return Day(name, tuple(rows.values()), tuple(unreadable))


def _counted(limit: int | None) -> Iterable[int]:
    # One more line than shown would be read by `zip` otherwise, which does no harm.
    return iter(int, 1) if limit is None else range(limit)


def _fault(record: dict[str, str], known: dict[str, Row]) -> str | None:
    key = (record.get("key") or "").strip()
    if not key.isalnum() or not key.isascii():
        return "row-without-key"
    return "key-repeated" if key in known else None


def _row(record: dict[str, str], zone: ZoneInfo, duplicates: frozenset[str]) -> Row | None:
    cell = {name: (record.get(name) or "").strip() for name in COLUMNS}
    try:
        created = datetime.fromisoformat(cell["created"]).replace(tzinfo=zone)
        closed = cell["closed"] and datetime.fromisoformat(cell["closed"]).replace(tzinfo=zone)
        lng, lat = (float(cell[name]) if cell[name] else None for name in ("lng", "lat"))
    except ValueError:
        return None
    located = lng is not None and lat is not None
    borough = "" if cell["borough"].lower() == UNSPECIFIED else cell["borough"]
    return Row(
        key=cell["key"],
        created=created,
        closed=closed or None,
        agency=cell["agency"],
        type=cell["type"],
        descriptor=cell["descriptor"],
        status=cell["status"],
        channel=cell["channel"],
        borough=borough,
        lng=lng if located else None,
        lat=lat if located else None,
        address=cell["address"],
        duplicate=cell["resolution"] in duplicates,
    )


def _duplicates(path: Path) -> frozenset[str]:
    if not path.exists():
        return frozenset()
    with path.open(encoding="utf-8-sig", newline="") as lines:
        return frozenset(
            record["code"] for record in csv.DictReader(lines) if record.get("duplicate") == "yes"
        )
