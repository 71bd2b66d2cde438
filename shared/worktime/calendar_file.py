"""Reading ``calendar.toml``: every fault is collected with its line, and nothing is half-read."""

import re
from collections.abc import Iterable
from datetime import date, datetime
from enum import StrEnum
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from shared.faults import Fault
from shared.worktime.errors import CalendarFaults
from shared.worktime.holiday_sources import (
    ChinaHolidays,
    CountryHolidays,
    HolidaySource,
    Name,
    NoHolidays,
)
from shared.worktime.rules import CalendarRules, Hours, Override, Season, WorkingDayRule
from shared.worktime.toml_lines import LineIndex, read_toml

FILE_NAME = "calendar.toml"
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

_CLOCK = re.compile(r"(\d{2}):(\d{2})(?::(\d{2}))?", re.ASCII)
_SPAN = re.compile(r"\s*([\d:]+)\s*-\s*([\d:]+)\s*", re.ASCII)
_MONTH_AND_DAY = re.compile(r"(\d{2})-(\d{2})", re.ASCII)
_COUNTRY = re.compile(r"country:([A-Z]{2})")
_END_OF_DAY = 24 * 3600
_A_LEAP_YEAR = 2000

_KEYS = {
    "zone",
    "working_day",
    "count_first_day",
    "rest_weekdays",
    "holidays",
    "season",
    "override",
}
_HOLIDAY_KEYS = {"source", "subdivision", "make_up_days_work", "notice_years"}
_SEASON_KEYS = {"from", "to", "hours"}
_OVERRIDE_KEYS = {"date", "working", "name", "hours"}


def load_rules(path: Path | str) -> CalendarRules:
    """Read the rules from a calendar file, or from the ``calendar.toml`` of a pack directory.

    Raises:
        CalendarFaults: with every fault of the file.
    """
    path = Path(path)
    if path.is_dir():
        path /= FILE_NAME
    shown_as = str(path)
    data, lines, faults = read_toml(path, shown_as)
    if faults:
        raise CalendarFaults(faults)
    reader = _Reader(shown_as, data, lines)
    rules = reader.rules()
    if rules is None:
        raise CalendarFaults(reader.faults)
    return rules


class _Reader:
    """Walks the parsed file once; each part gives its value, or None and a fault."""

    def __init__(self, shown_as: str, data: dict[str, Any], lines: LineIndex) -> None:
        self._shown_as, self._data, self._lines = shown_as, data, lines
        self.faults: list[Fault] = []

    def rules(self) -> CalendarRules | None:
        self._only(self._data, _KEYS)
        zone = self._zone()
        seasons = self._seasons()
        rest_weekdays = self._rest_weekdays()
        holidays_table = self._table("holidays")
        holidays = self._holiday_source(holidays_table)
        working_day = self._one_of("working_day", WorkingDayRule, WorkingDayRule.HOURS_WORKED)
        overrides = self._overrides()
        make_up_days_work = self._flag(
            holidays_table, "make_up_days_work", "holidays", default=True
        )
        notice_years = self._notice_years(holidays_table)
        count_first_day = self._flag(self._data, "count_first_day", default=False)
        if self.faults or zone is None or holidays is None or working_day is None:
            return None
        return CalendarRules(
            zone=zone,
            seasons=seasons,
            rest_weekdays=rest_weekdays,
            holidays=holidays,
            working_day=working_day,
            overrides=overrides,
            make_up_days_work=make_up_days_work,
            notice_years=notice_years,
            count_first_day=count_first_day,
        )

    def _fault(self, message: str, *path: str | int) -> None:
        self.faults.append(Fault(self._shown_as, self._lines.line(*path), message))

    def _only(self, table: dict[str, Any], known: set[str], *path: str | int) -> None:
        for key in table:
            if key not in known:
                self._fault(
                    f'unknown key "{key}": known here are {", ".join(sorted(known))}', *path, key
                )

    def _table(self, key: str) -> dict[str, Any]:
        value = self._data.get(key, {})
        if isinstance(value, dict):
            return value
        self._fault(f"{key} must be a table, written as [{key}]", key)
        return {}

    def _tables(self, key: str) -> list[dict[str, Any]]:
        value = self._data.get(key, [])
        if isinstance(value, list) and all(isinstance(item, dict) for item in value):
            return value
        self._fault(f"{key} must be a list of tables, each written as [[{key}]]", key)
        return []

    def _flag(self, table: dict[str, Any], key: str, *path: str | int, default: bool) -> bool:
        value = table.get(key, default)
        if isinstance(value, bool):
            return value
        self._fault(f"{key} must be true or false, not {value!r}", *path, key)
        return default

    def _one_of(
        self, key: str, kinds: type[WorkingDayRule], default: WorkingDayRule
    ) -> WorkingDayRule | None:
        value = self._data.get(key, default)
        try:
            return kinds(value)
        except ValueError:
            self._fault(f"{key} must be {_choices(kinds)}, not {value!r}", key)
            return None

    def _zone(self) -> ZoneInfo | None:
        value = self._data.get("zone")
        if value is None:
            self._fault('zone is missing: name one of the IANA database, such as "Asia/Shanghai"')
            return None
        try:
            return ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, TypeError, OSError):
            self._fault(
                f'unknown zone {value!r}: name one of the IANA database, such as "Asia/Shanghai"',
                "zone",
            )
            return None

    def _rest_weekdays(self) -> frozenset[int]:
        value = self._data.get("rest_weekdays", [])
        if not isinstance(value, list):
            self._fault('rest_weekdays must be a list such as ["sunday"]', "rest_weekdays")
            return frozenset()
        unknown = [day for day in value if day not in WEEKDAYS]
        for day in unknown:
            self._fault(
                f"unknown weekday {day!r}: write {', '.join(WEEKDAYS)}, in small letters",
                "rest_weekdays",
            )
        rest = frozenset(WEEKDAYS.index(day) for day in value if day not in unknown)
        if len(rest) == len(WEEKDAYS):
            self._fault("every weekday rests: leave at least one to work on", "rest_weekdays")
        return rest

    def _holiday_source(self, table: dict[str, Any]) -> HolidaySource | None:
        self._only(table, _HOLIDAY_KEYS, "holidays")
        source, subdivision = table.get("source"), table.get("subdivision")
        where = ("holidays", "source")
        country = _COUNTRY.fullmatch(source) if isinstance(source, str) else None
        if source is None:
            self._fault(
                'holidays.source is missing: write "china", "country:US" with the country\'s '
                'two letters, or "none"',
                *where,
            )
        elif country and country[1] == "CN":
            self._fault(
                'write source = "china": it knows the make-up workdays, and refuses a year '
                "whose notice is not out",
                *where,
            )
        elif country:
            return self._country(country[1], subdivision)
        elif subdivision is not None:
            self._fault("subdivision goes with a country only", "holidays", "subdivision")
        elif source == "china":
            return ChinaHolidays()
        elif source == "none":
            return NoHolidays()
        else:
            self._fault(
                f'unknown holiday source {source!r}: write "china", "country:US" with the '
                f'country\'s two letters, or "none"',
                *where,
            )
        return None

    def _country(self, country: str, subdivision: object) -> HolidaySource | None:
        if subdivision is not None and not isinstance(subdivision, str):
            self._fault("subdivision must be text", "holidays", "subdivision")
            return None
        try:
            return CountryHolidays(country, subdivision)
        except NotImplementedError as error:
            self._fault(f"no holidays known: {error}", "holidays", "source")
            return None

    def _notice_years(self, table: dict[str, Any]) -> frozenset[int]:
        value = table.get("notice_years", [])
        if isinstance(value, list) and all(type(year) is int for year in value):
            return frozenset(value)
        self._fault(
            "notice_years must be a list of years such as [2027]", "holidays", "notice_years"
        )
        return frozenset()

    def _seasons(self) -> tuple[Season, ...]:
        tables = self._tables("season")
        if not tables and "season" not in self._data:
            self._fault("there is no [[season]]: say at least which hours are worked all year")
        read = [self._season(table, index) for index, table in enumerate(tables)]
        seasons = tuple(season for season in read if season is not None)
        if tables and len(seasons) == len(read):
            self._cover_the_year(seasons)
        return seasons

    def _season(self, table: dict[str, Any], index: int) -> Season | None:
        where = ("season", index)
        self._only(table, _SEASON_KEYS, *where)
        first = self._month_and_day(table, "from", *where)
        last = self._month_and_day(table, "to", *where)
        hours = self._hours(table, *where)
        if not hours:
            return None
        return None if first is None or last is None else Season(first, last, hours)

    def _month_and_day(
        self, table: dict[str, Any], key: str, *where: str | int
    ) -> tuple[int, int] | None:
        value = table.get(key)
        match = _MONTH_AND_DAY.fullmatch(value) if isinstance(value, str) else None
        if match:
            try:
                day = date(_A_LEAP_YEAR, int(match[1]), int(match[2]))
            except ValueError:
                pass
            else:
                return day.month, day.day
        said = "is missing" if value is None else f"cannot be {value!r}"
        self._fault(f'{key} {said}: write month and day, such as "05-01"', *where, key)
        return None

    def _cover_the_year(self, seasons: tuple[Season, ...]) -> None:
        uncovered: list[str] = []
        doubled: dict[int, list[str]] = {}
        for ordinal in range(366):
            day = date.fromordinal(date(_A_LEAP_YEAR, 1, 1).toordinal() + ordinal)
            holding = [
                index for index, season in enumerate(seasons) if season.holds((day.month, day.day))
            ]
            if not holding:
                uncovered.append(f"{day:%m-%d}")
            elif len(holding) > 1:
                doubled.setdefault(holding[-1], []).append(f"{day:%m-%d}")
        if uncovered:
            self._fault(f"no season holds {_first_and_last(uncovered)}", "season", 0)
        for index, days in doubled.items():
            self._fault(
                f"the season overlaps an earlier one on {_first_and_last(days)}", "season", index
            )

    def _hours(self, table: dict[str, Any], *where: str | int) -> tuple[Hours, ...]:
        value = table.get("hours")
        if not isinstance(value, list) or not value:
            self._fault('hours must be a list such as ["08:30-11:30"]', *where, "hours")
            return ()
        read = [self._span(text, *where) for text in value]
        spans = [span for span in read if span is not None]
        if len(spans) < len(read):
            return ()
        for earlier, later in pairwise(spans):
            if later.opens < earlier.closes:
                self._fault(
                    f"{later} begins before {earlier} ends: put the spans in order, apart",
                    *where,
                    "hours",
                )
                return ()
        return tuple(spans)

    def _span(self, text: object, *where: str | int) -> Hours | None:
        match = _SPAN.fullmatch(text) if isinstance(text, str) else None
        opens = None if match is None else _seconds_of_day(match[1])
        closes = None if match is None else _seconds_of_day(match[2])
        if opens is None or closes is None:
            self._fault(f'cannot read the hours {text!r}: write "08:30-11:30"', *where, "hours")
            return None
        if opens >= closes:
            self._fault(
                f"the hours {text!r} end before they begin: split a night at 24:00",
                *where,
                "hours",
            )
            return None
        return Hours(opens, closes)

    def _overrides(self) -> dict[date, Override]:
        overrides: dict[date, Override] = {}
        for index, table in enumerate(self._tables("override")):
            where = ("override", index)
            self._only(table, _OVERRIDE_KEYS, *where)
            day = self._date(table, *where)
            if "working" not in table:
                self._fault("working is missing: write true or false", *where)
            works = self._flag(table, "working", *where, default=False)
            hours = self._hours(table, *where) if "hours" in table else None
            if hours is not None and not works:
                self._fault("a day that is not worked has no hours", *where, "hours")
            if day in overrides:
                self._fault(f"{day} is overridden twice", *where, "date")
            name = self._name(table, *where)
            if day is not None and name is not None:
                overrides[day] = Override(works, name, hours)
        return overrides

    def _date(self, table: dict[str, Any], *where: str | int) -> date | None:
        value = table.get("date")
        if isinstance(value, date) and not isinstance(value, datetime):
            return value
        try:
            return date.fromisoformat(value)  # type: ignore[arg-type]  # a TypeError is the answer
        except (TypeError, ValueError):
            said = "is missing" if value is None else f"cannot be {value!r}"
            self._fault(f"date {said}: write it like 2026-10-01", *where, "date")
            return None

    def _name(self, table: dict[str, Any], *where: str | int) -> Name | None:
        match table.get("name"):
            case str() as name if name.strip():
                return Name(name, name)
            case {"zh": str() as zh, "en": str() as en, **rest} if not rest:
                return Name(zh, en)
        self._fault('name must say why, as text or as { zh = "...", en = "..." }', *where, "name")
        return None


def _seconds_of_day(text: str) -> int | None:
    match = _CLOCK.fullmatch(text)
    if match is None:
        return None
    hour, minute, second = int(match[1]), int(match[2]), int(match[3] or 0)
    seconds = hour * 3600 + minute * 60 + second
    sound = minute < 60 and second < 60 and seconds <= _END_OF_DAY  # noqa: PLR2004
    return seconds if sound else None


def _choices(kinds: Iterable[StrEnum]) -> str:
    return " or ".join(f'"{kind}"' for kind in kinds)


def _first_and_last(days: list[str]) -> str:
    return days[0] if len(days) == 1 else f"{days[0]} to {days[-1]} ({len(days)} days)"
