"""Every fault of a calendar file is reported at once, with its line."""

from pathlib import Path

import pytest

from shared.worktime import CalendarFaults, WorkingDayRule, load_calendar

ROOT = Path(__file__).parents[3]
GOOD = """\
zone = "Asia/Shanghai"
rest_weekdays = ["sunday"]
[holidays]
source = "none"
[[season]]
from = "05-01"
to = "09-30"
hours = ["08:30-11:30", "14:00-17:30"]
[[season]]
from = "10-01"
to = "04-30"
hours = ["08:30-11:30"]
[[override]]
date = "2026-06-01"
working = false
name = "Children's Day"
"""


def faults_of(tmp_path: Path, text: str) -> list[tuple[int, str]]:
    path = tmp_path / "calendar.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(CalendarFaults) as refused:
        load_calendar(path)
    assert all(fault.file == str(path) for fault in refused.value.faults)
    return [(fault.line, fault.message) for fault in refused.value.faults]


def test_the_good_file_is_good(tmp_path: Path) -> None:
    (tmp_path / "calendar.toml").write_text(GOOD, encoding="utf-8")

    rules = load_calendar(tmp_path).rules

    assert rules.working_day is WorkingDayRule.HOURS_WORKED
    assert len(rules.seasons) == 2
    assert rules.make_up_days_work


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ('zone = "Asia/Shanghai"\n', "", 0, "zone is missing"),
        ("Asia/Shanghai", "Asia/Lanzhou", 1, "unknown zone 'Asia/Lanzhou'"),
        ('"Asia/Shanghai"', "8", 1, "unknown zone 8"),
        ('"Asia/Shanghai"', '"../etc/passwd"', 1, "unknown zone"),
        ('["sunday"]', '["Sunday"]', 2, "unknown weekday 'Sunday'"),
        ('["sunday"]', '"sunday"', 2, "must be a list"),
        (
            '["sunday"]',
            '["monday","tuesday","wednesday","thursday","friday","saturday","sunday"]',
            2,
            "every weekday rests",
        ),
        ("rest_weekdays", "rest_days", 2, 'unknown key "rest_days"'),
        ("[holidays]", 'working_day = "noon"\n[holidays]', 3, '"hours-worked" or "end-of-nth-day"'),
        ("[holidays]", "count_first_day = 1\n[holidays]", 3, "true or false"),
        ('"none"', '"mars"', 4, "unknown holiday source 'mars'"),
        ('"none"', '"country:XX"', 4, "XX not available"),
        ('"none"', '"country:CN"', 4, 'write source = "china"'),
        ('source = "none"', "", 3, "holidays.source is missing"),
        ('"none"', '"country:US"\nsubdivision = "ZZ"', 4, "subdivision ZZ"),
        ('"none"', '"none"\nsubdivision = "NY"', 5, "country only"),
        ('"none"', '"none"\nmake_up_days_work = "yes"', 5, "true or false"),
        ('"none"', '"none"\nnotice_years = ["2027"]', 5, "list of years"),
        ('"none"', '"none"\ncountry = "US"', 5, 'unknown key "country"'),
        ('"05-01"', '"05-02"', 5, "no season holds 05-01"),
        ('"05-01"', '"04-29"', 9, "overlaps an earlier one on 04-29 to 04-30 (2 days)"),
        ('"04-30"', '"04-31"', 11, "to cannot be '04-31'"),
        ('from = "05-01"\n', "", 5, "from is missing"),
        (
            '"08:30-11:30", "14:00',
            '"08:30-11:60", "14:00',
            8,
            "cannot read the hours '08:30-11:60'",
        ),
        ('"08:30-11:30", "14:00', '"8:30-11:30", "14:00', 8, "cannot read the hours '8:30-11:30'"),
        ('"08:30-11:30", "14:00', '"22:00-06:00", "14:00', 8, "end before they begin"),
        ('"08:30-11:30", "14:00', '"08:30-15:00", "14:00', 8, "begins before"),
        ('["08:30-11:30"]', "[]", 12, "hours must be a list"),
        ('hours = ["08:30-11:30"]\n', "", 9, "hours must be a list"),
        ("date =", "day =", 14, 'unknown key "day"'),
        ("2026-06-01", "2026-06-31", 14, "date cannot be '2026-06-31'"),
        ("working = false\n", "", 13, "working is missing"),
        ("working = false", "working = 0", 15, "true or false"),
        ("working = false", 'working = false\nhours = ["08:30-09:30"]', 16, "has no hours"),
        ('name = "Children\'s Day"\n', "", 13, "name must say why"),
        ('"Children\'s Day"', '{ zh = "儿童节" }', 16, "name must say why"),
        ("[[override]]", "[override]", 13, "each written as [[override]]"),
        ("[holidays]", "[[holidays]]", 3, "written as [holidays]"),
        ("working = false", "working = maybe", 15, "not valid TOML"),
    ],
)
def test_each_fault_names_its_line(
    tmp_path: Path, old: str, new: str, line: int, message: str
) -> None:
    assert old in GOOD
    faults = faults_of(tmp_path, GOOD.replace(old, new, 1))

    assert any(at == line and message in said for at, said in faults), faults


def test_a_date_overridden_twice_is_a_fault(tmp_path: Path) -> None:
    again = '[[override]]\ndate = 2026-06-01\nworking = true\nname = "again"\n'

    assert faults_of(tmp_path, GOOD + again) == [(18, "2026-06-01 is overridden twice")]


def test_all_faults_come_at_once(tmp_path: Path) -> None:
    text = (
        GOOD.replace("Asia/Shanghai", "Nowhere")
        .replace("sunday", "someday")
        .replace("14:00", "25:00")
        .replace("2026-06-01", "soon")
    )

    assert [line for line, _ in faults_of(tmp_path, text)] == [1, 2, 8, 14]


def test_a_missing_file_and_one_that_is_no_text_are_faults(tmp_path: Path) -> None:
    with pytest.raises(CalendarFaults, match="does not exist"):
        load_calendar(tmp_path)
    (tmp_path / "calendar.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(CalendarFaults, match="UTF-8"):
        load_calendar(tmp_path)


@pytest.mark.parametrize("pack", ["qilihe", "nyc311"])
def test_the_calendars_of_the_packs_are_clean(pack: str) -> None:
    assert load_calendar(ROOT / "packs" / pack).zone.key
