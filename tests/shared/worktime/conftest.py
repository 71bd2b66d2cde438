"""Calendars that the tests write themselves, beside the map of minutes that checks each."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest

from shared.worktime import Calendar, load_calendar

_SPEC = spec_from_file_location("worktime_minutes", Path(__file__).with_name("minutes.py"))
assert _SPEC is not None
assert _SPEC.loader is not None
minutes = module_from_spec(_SPEC)
_SPEC.loader.exec_module(minutes)

QILIHE = """
zone = "Asia/Shanghai"
rest_weekdays = ["sunday"]
[holidays]
source = "china"
[[season]]
from = "05-01"
to = "09-30"
hours = ["08:30-11:30", "14:00-17:30"]
[[season]]
from = "10-01"
to = "04-30"
hours = ["08:30-11:30", "13:30-17:00"]
"""
NEW_YORK = """
zone = "America/New_York"
rest_weekdays = ["saturday", "sunday"]
[holidays]
source = "country:US"
[[season]]
from = "01-01"
to = "12-31"
hours = ["09:00-17:00"]
"""
NIGHTS = """
zone = "America/New_York"
rest_weekdays = ["wednesday"]
[holidays]
source = "none"
[[season]]
from = "11-01"
to = "03-31"
hours = ["00:00-04:00", "22:00-24:00"]
[[season]]
from = "04-01"
to = "10-31"
hours = ["00:00-03:30", "20:00-24:00"]
[[override]]
date = "2026-07-03"
working = true
name = "short night"
hours = ["20:00-21:00"]
[[override]]
date = 2026-07-04
working = false
name = { zh = "独立日", en = "Independence Day" }
"""
# No step in common but the second, and full days whose common measure leaves 64 bits.
ODD = """
zone = "Asia/Shanghai"
[holidays]
source = "china"
[[season]]
from = "01-01"
to = "04-30"
hours = ["08:30:07-11:30:00", "14:00-17:30:22"]
[[season]]
from = "05-01"
to = "08-31"
hours = ["08:31:01-11:30:00", "14:00-17:30:06"]
[[season]]
from = "09-01"
to = "12-31"
hours = ["08:33:01-12:30:00"]
"""


@dataclass(frozen=True)
class Checked:
    """A calendar and the map of minutes that it must agree with."""

    calendar: Calendar
    map: Any


@pytest.fixture(scope="session")
def calendar_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Calendar]:
    def load(text: str) -> Calendar:
        path = tmp_path_factory.mktemp("calendar") / "calendar.toml"
        path.write_text(text, encoding="utf-8")
        return load_calendar(path)

    return load


@pytest.fixture(scope="session")
def checked(calendar_of: Callable[[str], Calendar]) -> dict[str, Checked]:
    return {
        "qilihe": Checked(
            calendar_of(QILIHE), minutes.MinuteMap("Asia/Shanghai", minutes.qilihe_hours)
        ),
        "new-york": Checked(
            calendar_of(NEW_YORK), minutes.MinuteMap("America/New_York", minutes.new_york_hours)
        ),
        "nights": Checked(
            calendar_of(NIGHTS), minutes.MinuteMap("America/New_York", minutes.night_hours)
        ),
    }


@pytest.fixture(scope="session")
def qilihe(calendar_of: Callable[[str], Calendar]) -> Calendar:
    return calendar_of(QILIHE)


@pytest.fixture(scope="session")
def new_york(calendar_of: Callable[[str], Calendar]) -> Calendar:
    return calendar_of(NEW_YORK)


@pytest.fixture(scope="session")
def nights(calendar_of: Callable[[str], Calendar]) -> Calendar:
    return calendar_of(NIGHTS)


@pytest.fixture(scope="session")
def qilihe_by_nth_day(calendar_of: Callable[[str], Calendar]) -> Calendar:
    return calendar_of('working_day = "end-of-nth-day"\n' + QILIHE)


@pytest.fixture(scope="session")
def qilihe_counting_first_day(calendar_of: Callable[[str], Calendar]) -> Calendar:
    return calendar_of('working_day = "end-of-nth-day"\ncount_first_day = true\n' + QILIHE)


@pytest.fixture(scope="session")
def odd(calendar_of: Callable[[str], Calendar]) -> Calendar:
    return calendar_of(ODD)
