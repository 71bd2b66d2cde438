"""Reading a recorded day."""

from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from services.replay.day import read_day
from services.replay.errors import DayUnreadable
from tests.replay.conftest import ROOT, MakeDay

ZONE = ZoneInfo("America/New_York")
FILE = ROOT / "packs" / "nyc311" / "2018-10-21.csv"


def test_the_whole_day_is_read() -> None:
    day = read_day(FILE, ZONE)
    assert len(day.rows) == 6_765
    assert day.unreadable == ()
    assert sum(row.duplicate for row in day.rows) == 1_051


def test_a_limit_takes_the_first_rows() -> None:
    day = read_day(FILE, ZONE, limit=60)
    assert [row.key for row in day.rows] == [row.key for row in read_day(FILE, ZONE).rows[:60]]


def test_faults_of_a_row_are_named(make_day: MakeDay) -> None:
    day = make_day(
        {},
        {"closed": "2018-10-21T07:00"},
        {"closed": ""},
        {"status": "Open"},
        {"lat": "", "lng": ""},
        {"lat": "", "lng": "", "address": "", "borough": "Unspecified"},
        {"lat": ""},
    )
    assert [row.faults for row in day.rows] == [
        [],
        ["closed-before-created"],
        ["closed-without-time"],
        ["time-of-closing-but-open"],
        ["without-coordinates"],
        ["without-coordinates", "without-place"],
        ["without-coordinates"],
    ]


def test_rows_that_tell_nothing_are_kept_apart(make_day: MakeDay) -> None:
    day = make_day({"key": "7"}, {"key": ""}, {"key": "7"}, {"created": "soon"}, {"lat": "north"})
    assert [row.key for row in day.rows] == ["7"]
    assert [(one.line, one.code) for one in day.unreadable] == [
        (3, "row-without-key"),
        (4, "key-repeated"),
        (5, "row-unreadable"),
        (6, "row-unreadable"),
    ]


def test_a_file_of_something_else_is_refused(tmp_path: Path) -> None:
    other = tmp_path / "units.csv"
    other.write_text("code,name\na,b\n", encoding="utf-8")
    with pytest.raises(DayUnreadable, match=r"units\.csv:1: columns are missing: address"):
        read_day(other, ZONE)
    with pytest.raises(DayUnreadable):
        read_day(tmp_path / "nothing.csv", ZONE)
