"""Every fault that the checker knows, provoked in a copy of the small town."""

# ruff: noqa: E501 - one broken passage a line reads as the table that it is

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_town import TOWN

from shared.pack.loader import PackFaults, load_pack

if TYPE_CHECKING:
    from shared.faults import Fault

Edit = Callable[[str, str, str], int]


def found(town: Path) -> list[tuple[str, int, str]]:
    """The faults as (file inside the pack, line, message)."""
    with pytest.raises(PackFaults) as caught:
        load_pack(town)
    return [
        (str(Path(fault.file).relative_to(town)), fault.line, fault.message)
        for fault in caught.value.faults
    ]


# file, passage, what it becomes, lines below the passage at which the fault stands, message
ONE_FAULT = [
    # responsibility.toml
    ("responsibility.toml", '"named"]', '"maintainer"]', 0, "order must name each of these once"),
    ("responsibility.toml", ', "named"]', "]", 0, "order must name each of these once"),
    ("responsibility.toml", "component_radius_m = 15", "component_radius_m = -1", 0, "must lie in 0 to"),
    ("responsibility.toml", '"1 working-days"', '"soon"', 0, "cannot read the limit"),
    ("responsibility.toml", '"1 working-days"', '"none"', 0, "must be a limit above nothing"),
    ("responsibility.toml", '"1 working-days"', '"0 hours"', 0, "must be a limit above nothing"),
    ("responsibility.toml", '"4 hours"', '"4 working-hours"', 0, "run day and night"),
    ("responsibility.toml", '"8 hours"', '"1 working-days"', 0, "run day and night"),
    ("responsibility.toml", 'office = "board"', 'office = "roads"', 0, "it must be a leading-group"),
    ("responsibility.toml", 'office = "board"', 'office = "boards"', 0, "is not in units.csv"),
    ("responsibility.toml", "recovered_to_fund = true", "recovered_to_fund = 1", 0, "true or false"),
    # components.csv
    ("components.csv", "99000101001000001", "990001010010001", 0, "17 digits"),
    ("components.csv", "99000101001000001", "99000201001000001", 0, "does not begin with 990001"),
    ("components.csv", "99000101001000001", "99000101002000001", 0, "does not name its class 01001"),
    ("components.csv", "99000101001000002", "99000101001000001", 0, "stands in line 2, too"),
    ("components.csv", "S 1:2026,01001,100.00200", "S 2:2026,01001,100.00200", 0, "is not in classes.csv"),
    ("components.csv", "30.002,water,roads", "30.002,gas,roads", 0, "'gas' is not in units.csv"),
    ("components.csv", "30.002,water,roads", "30.002,water,centre", 0, "it handles no cases"),
    # city.toml
    ("city.toml", 'code = "990001"', 'code = "99001"', 0, "six digits"),
    ("city.toml", 'code = "990001"', "code = 990001", 0, "must be text in quotes"),
    ("city.toml", 'zone = "Asia/Shanghai"', 'zone = "Asia/Nowhere"', 0, "no IANA time zone"),
    ("city.toml", 'zone = "Asia/Shanghai"', 'zone = "Asia/Tokyo"', 0, "calendar.toml counts in"),
    ("city.toml", '["zh", "en"]', '["zh", "fr"]', 0, "languages may be"),
    ("city.toml", 'en = "Small Town"\n', "", -2, "name.en is missing"),
    ("city.toml", "lat = 30.0", "lat = 300.0", 0, "must lie in -90 to 90"),
    ("city.toml", "lat = 30.0", "lat = nan", 0, "must lie in -90 to 90"),
    ("city.toml", "lat = 30.0", "lat = 30.0\nalt = 5", 1, "is no setting of this file"),
    ("city.toml", "trusted = false", 'trusted = "no"', 0, "must be true or false"),
    ("city.toml", 'code = "web"', 'code = "handset"', -1, "source handset stands in line"),
    ("city.toml", "[centre]", "[centre", 0, "the line is no TOML"),
    # calendar.toml is checked by the calendar; its faults come along
    ("calendar.toml", "09:00-17:00", "09:00-37:00", 0, ""),
    # units.csv
    ("units.csv", "kind,parent", "sort,parent", 0, "the column"),
    ("units.csv", "board,领导小组", "board,,领导小组", 0, "8 cells where the header has 7"),
    ("units.csv", "roads,道路局,Roads,bureau", "roads,道路局,Roads,buro", 0, "kind is 'buro'"),
    ("units.csv", "centre,中心", "centre,", 0, "name_zh is empty"),
    ("units.csv", "roads,道路局,Roads,bureau,board,yes", "roads,道路局,Roads,bureau,board,si", 0, "write yes"),
    ("units.csv", "Roads,bureau,board", "Roads,bureau,bord", 0, "parent unit 'bord' does not"),
    ("units.csv", "East Office,subdistrict,board", "East Office,subdistrict,east", 0, "above itself"),
    ("units.csv", "east,东街道", '"east,东街道', 0, "the record is no CSV"),
    ("units.csv", "east,东街道", "board,x,x,leading-group,,,\neast,东街道", 0, "unit board stands in"),
    # areas.csv
    ("areas.csv", "990001002001,community", "99000100200,community", 0, "a community has 12 digits"),
    ("areas.csv", "990001001,street,990001,", "990001001,street,990009,", 0, "does not exist"),
    ("areas.csv", "990001002001,community,990001002", "990001002001,community,990001", 0, "must be a"),
    ("areas.csv", "990001001001,community,990001001", "990001001001,community,990001002", 0, "begin with its parent"),
    ("areas.csv", "Small Town,,,board", "Small Town,,,bord", 0, "is no unit"),
    ("areas.csv", "990001,district,,", "990001,district,990001001,", 0, "a district has no parent"),
    ("areas.csv", "100.005,30.005,east", "100.005,x,east", 0, "which is no number"),
    ("areas.csv", "100.005,30.005,east", "100.005,91,east", 0, "must lie between -90 and 90"),
    # classes.csv
    ("classes.csv", "component,01001,01", "componant,01001,01", 0, "kind is 'componant'"),
    ("classes.csv", "event,01002,01", "event,01002,02", 0, "does not begin with its major code"),
    ("classes.csv", "Cover,,", "Cover,yes,maybe", 0, "special is 'maybe'"),
    # rules.csv
    ("rules.csv", "4 working-hours", "4 workinghours", 0, "limit:"),
    ("rules.csv", "4 working-hours", "-4 working-hours", 0, "limit:"),
    ("rules.csv", "4 working-hours", "0 working-hours", 0, "the limit is nothing"),
    ("rules.csv", "Gone,2 hours", "Gone,2 working-hours", 0, "runs day and night"),
    ("rules.csv", "C-2,", "C-1,", 0, "condition C-1 stands in line 2"),
    # responsibilities.csv
    ("responsibilities.csv", "roads,,2", "roads,,0", 0, "write a whole number from 1"),
    ("responsibilities.csv", "01001,water", "01001,watter", 0, "the unit 'watter' is not in units"),
    ("responsibilities.csv", "01001,water", "01001,centre", 0, "it handles no cases"),
    ("responsibilities.csv", "east,990001001,", "east,98,", 0, "no area begins with"),
    ("responsibilities.csv", "east,990001001,", "east,dong,", 0, "leading digits"),
    # people.csv
    ("people.csv", "agent;shift-leader", "agent;shift-leader;king", 0, "roles has 'king'"),
    ("people.csv", "operator1,乙,B,operator;video-operator", "operator1,乙,B,operator;video-operator;pbx", 0, "roles has 'pbx'"),
    ("people.csv", "supervisor1,丁,D,supervisor,centre", "supervisor1,丁,D,supervisor,center", 0, "the unit 'center'"),
    ("people.csv", "east,990001001,zh", "east,990001009,zh", 0, "the territory 990001009"),
    ("people.csv", "E,leader,board,,en", "E,leader,board,,fr", 0, "language is 'fr'"),
    ("people.csv", "dispatcher1,", "agent1,", 0, "login agent1 stands in line 2"),
    ("people.csv", "dispatcher1,", "Dispatcher One,", 0, "write small letters"),
    # systems.csv, cameras.csv
    ("systems.csv", "reports.write;reports.read", "", 0, "scopes is empty"),
    ("systems.csv", "window,partner", "window,operator", 0, "roles has 'operator'"),
    ("systems.csv", "calls.write,centre", "calls.write,center", 0, "the unit 'center'"),
    ("systems.csv", "pbx1", "partner1", 0, "client partner1 stands in"),
    ("cameras.csv", "990001001001001", "990001001001009", 0, "not in grids.geojson"),
    # grids.geojson
    ("grids.geojson", '"990001002001001"', '"99000100200100"', 0, "a unit grid has 15 digits"),
    ("grids.geojson", '"990001002001001"', '"990001009001001"', 0, "which is unknown"),
    ("grids.geojson", '"Two", "owner": "collector1"', '"Two", "owner": "nobody"', 0, "is no person"),
    ("grids.geojson", '"Two", "owner": "collector1"', '"Two", "owner": "agent1"', 0, "is no collector"),
    ("grids.geojson", '"Two", "owner": "collector1"', '"Two"', 0, "property 'owner' is missing"),
    ("grids.geojson", "[100.02, 30.0], [100.02, 30.01], [100.01, 30.01]", "[100.02, 30.01], [100.02, 30.0], [100.01, 30.01]", -1, "not valid"),
    ("grids.geojson", "[[[100.01, 30.0], [100.02, 30.0], [100.02, 30.01], [100.01, 30.01], [100.01, 30.0]]]", "[[[100.009, 30.0], [100.02, 30.0], [100.02, 30.01], [100.009, 30.01], [100.009, 30.0]]]", -1, "overlaps the grid"),
    ("grids.geojson", "[[[100.01, 30.0], [100.02, 30.0], [100.02, 30.01], [100.01, 30.01], [100.01, 30.0]]]", "[[[100.01, 30.0]]]", -1, "the coordinates are not those"),
    ("grids.geojson", "[[[100.01, 30.0], [100.02, 30.0], [100.02, 30.01], [100.01, 30.01], [100.01, 30.0]]]", "[[[200.0, 30.0], [201.0, 30.0], [201.0, 30.01], [200.0, 30.0]]]", -1, "no WGS 84 degrees"),
    ("grids.geojson", "[[[100.01, 30.0], [100.02", "[[[NaN, 30.0], [100.02", -1, "the coordinates are not those"),
    ("grids.geojson", "\n]}", "\n]", 2, "the line is no JSON"),
    # stages.toml
    ("stages.toml", "warn_share = 0.2", "warn_share = 1.2", 0, "must lie in 0 to 1"),
    ("stages.toml", 'closing = "0.5 working-hours"\n', "", -6, "ordinary.closing is missing"),
    ("stages.toml", '"60 minutes"', '"60 moments"', 0, "cannot read the limit"),
    ("stages.toml", "[special]\nsending_out", "[special]\nsendingout", 1, "is no setting of this file"),
    ("stages.toml", 'acknowledgement = "0.5 working-hours"', 'acknowledgement = "none"', 0, "needs a limit"),
    # supervision.toml
    ("supervision.toml", "[red-light]\non = true", '[red-light]\non = "yes"', 1, "must be true or false"),
    ("supervision.toml", "[red-light]", "[red-lamp]", -0, "is no setting of this file"),
    ("supervision.toml", 'level = "ordinary"', 'level = "highest"', 0, "the levels are ordinary, key"),
    ("supervision.toml", 'within = "30 minutes"', 'within = "soon"', 0, "cannot read the limit"),
    ("supervision.toml", 'within = "30 minutes"', 'within = "0 minutes"', 0, "must be above 0"),
    ("supervision.toml", "times = 2", "times = 0", 0, "must lie in 1 to 100"),
    ("supervision.toml", "window_days = 30", "window_days = 30.5", 0, "must be a whole number"),
    ("supervision.toml", "radius_m = 100\n", "", -4, "repeated-complaint.radius_m is missing"),
    ("supervision.toml", "[meeting]\n", "[meeting]\non = true\n", 1, "is no setting of this file"),
    ("supervision.toml", 'answer = "5 working-days"\n', "", -2, "meeting.answer is missing"),
    # assessment.toml
    ("assessment.toml", "timely_weight = 0.7", "timely_weight = 0.8", 0, "must make 1"),
    ("assessment.toml", "2025-01-01", "2024-01-01", 0, "valid_from 2024-01-01 stands in line 3"),
    ("assessment.toml", "2025-01-01", '"2025-01-01"', 0, "must be a date"),
    ("assessment.toml", '"second"', '"first"', 1, "version first stands in line 3"),
    ("assessment.toml", "resolution_target = 0.9", "resolution_target = true", 0, "must be a number"),
    ("assessment.toml", "resolution_target = 0.9", "resolution_target = -0.9", 0, "must lie in 0 to 1"),
    ("assessment.toml", "2024-01-01", "2024-01-01\nvalid_until = 2024-12-30", 14, "between them no version holds"),
    ("assessment.toml", "2024-01-01", "2024-01-01\nvalid_until = 2025-01-01", 14, "between them more than one version holds"),
    ("assessment.toml", "2025-01-01", "2025-01-01\nvalid_until = 2024-12-31", 0, "ends before it begins"),
    # intake.toml
    ("intake.toml", '["class", "position"]', '["class", "mood"]', 0, "'mood' is no part of a report"),
    ("intake.toml", '"S 1:2026:event:01001"', '"S 1:2026:event:01009"', 0, "is not in classes.csv"),
    ("intake.toml", '"S 1:2026:event:01001"', '"01001"', 0, "is no class key"),
    ("intake.toml", '"S 1:2026:event:01002"', '"S 1:2026:evnt:01002"', 0, "is no kind of class"),
    ("intake.toml", "radius_m = 20", "radius = 20", 0, "is no setting of this file"),
    ("intake.toml", "max_reissues = 3", "max_reissues = 1.5", 0, "must be a whole number"),
    ("intake.toml", "[tasks]\nexpiry_minutes = 60\nmax_reissues = 3\narrival_radius_m = 100\n", "", 0, "the table [tasks] is missing"),
    # emergencies.toml
    ("emergencies.toml", 'leaders = ["leader1"]', "leaders = []", 0, "leaders names nobody"),
    ("emergencies.toml", 'leaders = ["leader1"]', 'leaders = ["leader9"]', 0, "'leader9' is not in people.csv"),
    ("emergencies.toml", '["agent1", "leader1"]', '["operator1"]', 0, "'operator1' is neither shift leader nor leader"),
    ("emergencies.toml", "acknowledge_minutes = 3", "acknowledge_minutes = 0", 0, "must lie in 1 to"),
    ("emergencies.toml", '"handset"', '"pigeon"', 0, "the source 'pigeon' is not in city.toml"),
    ("emergencies.toml", '"C-1"', '"C-9"', 0, "the condition C-9 is not in rules.csv"),
    ("emergencies.toml", '"C-1"', '"C-2"', 0, "the condition C-2 is not urgent"),
    ("emergencies.toml", '"12 hours"', '"2 working-days"', 0, "papers.dispatch runs day and night"),
    ("emergencies.toml", '"12 hours"', '"none"', 0, "papers.dispatch runs day and night"),
    ("emergencies.toml", 'record = "2 days"\n', "", -3, "papers.record is missing"),
    # knowledge
    ("knowledge/rubbish.md", "2027-12-31", '"next year"', 0, "must be a date"),
    ("knowledge/rubbish.md", 'unit = "roads"', 'unit = "rods"', -4, "the unit 'rods' is not in"),
    ("knowledge/rubbish.md", 'refer_to = "east"', 'refer_to = "west"', -7, "the unit 'west' is not in"),
    ("knowledge/rubbish.md", "The roads bureau does, on Mondays.", "", 0, "the answer is empty"),
    ("knowledge/rubbish.md", "+++\nid", "id", 0, "must begin with a line +++"),
    ("knowledge/rubbish.md", "+++\n\nThe", "\nThe", 0, "the second line +++ is missing"),
    ("knowledge/rubbish.md", '"en"', '"xx"', 0, "language may be"),
]  # fmt: skip

# Faults that are told for the whole file, because what is absent stands in no line.
AT_LINE = {
    "the second line +++ is missing": 1,
    "the answer is empty": 1,
    "the table [tasks] is missing": 1,
}
# A spoilt name also leaves the proper one missing, here or in the files that refer to it.
WITH_COMPANY = {
    "is no setting of this file",
    "the column",
    "a community has 12 digits",
    "kind is 'componant'",
}


@pytest.mark.parametrize("broken", ONE_FAULT)
def test_a_fault_is_reported_with_its_file_and_line(
    town: Path, edit: Edit, broken: tuple[str, str, str, int, str]
) -> None:
    file, old, new, below, message = broken
    line = AT_LINE.get(message, edit(file, old, new) + below)
    faults = found(town)
    assert any(one[0] == file and one[1] == line and message in one[2] for one in faults), (
        f"expected {file}:{line}: ...{message}..., found {faults}"
    )
    if message not in WITH_COMPANY:
        assert len(faults) == 1, faults


@pytest.mark.parametrize(
    ("file", "row", "where", "message"),
    [
        ("rules.csv", "E2-1,", ("classes.csv", 4), "has no registration condition"),
        ("responsibilities.csv", "S 1:2026,event,01001,", ("classes.csv", 3), "nobody is resp"),
        ("people.csv", "supervisor1", ("people.csv", 1), "nobody has the role supervisor"),
        ("people.csv", "audit1", ("people.csv", 1), "nobody has the role audit-administrator"),
        ("people.csv", "water1", ("units.csv", 6), "has nobody with the role handler"),
    ],
)
def test_a_gap_in_the_chain_is_reported_where_it_has_to_be_closed(
    town: Path, file: str, row: str, where: tuple[str, int], message: str
) -> None:
    path = town / file
    kept = [line for line in path.read_text().splitlines(keepends=True) if not line.startswith(row)]
    path.write_text("".join(kept))
    assert any((one[0], one[1]) == where and message in one[2] for one in found(town))


@pytest.mark.parametrize(
    "pair",
    [
        "system-administrator;audit-administrator",
        "system-administrator;security-administrator",
        "security-administrator;audit-administrator",
        "dispatcher;collector",
        "handler;dispatcher",
        "handler;operator",
        "handler;collector",
    ],
)
def test_duties_that_must_be_apart_are_not_given_to_one_person(
    town: Path, edit: Edit, pair: str
) -> None:
    line = edit("people.csv", "E,leader,", f"E,leader;{pair},")
    assert [(one[0], one[1]) for one in found(town)] == [("people.csv", line)]


@pytest.mark.parametrize("kind", ["leading-group", "centre", "collection-company"])
def test_a_kind_of_unit_that_the_chain_needs_must_be_there(town: Path, kind: str) -> None:
    path = town / "units.csv"
    path.write_text(path.read_text().replace(f",{kind},", ",bureau,"))
    assert ("units.csv", 1, f"there is no unit of the kind {kind}") in found(town)


@pytest.mark.parametrize(
    "file",
    [
        "calendar.toml", "city.toml", "units.csv", "areas.csv", "classes.csv", "rules.csv",
        "responsibilities.csv", "people.csv", "systems.csv", "cameras.csv", "grids.geojson",
        "stages.toml", "assessment.toml", "intake.toml", "emergencies.toml",
        "supervision.toml",
    ],
)  # fmt: skip
def test_a_missing_file_is_named(town: Path, file: str) -> None:
    (town / file).unlink()
    assert (file, 1, "the file is missing; every pack has one") in found(town)


@pytest.mark.parametrize(
    "file", ["city.toml", "units.csv", "grids.geojson", "knowledge/rubbish.md"]
)
def test_text_that_is_not_utf8_is_reported_at_the_line_of_the_first_bad_byte(
    town: Path, file: str
) -> None:
    path = town / file
    path.write_bytes(path.read_bytes().replace(b"\n", b"\n\xc4\xe3", 1))
    assert (file, 2, "the text is not UTF-8; save the file as UTF-8") in found(town)


def test_a_city_without_grids_or_sources_or_versions_is_no_city(town: Path, edit: Edit) -> None:
    (town / "grids.geojson").write_text('{"type": "FeatureCollection", "features": []}')
    (town / "assessment.toml").write_text("# nothing yet\n")
    (town / "cameras.csv").write_text("code,name_zh,name_en,lng,lat,grid,unit\n")
    city = (town / "city.toml").read_text()
    (town / "city.toml").write_text(city[: city.index("[[source]]")])
    assert {(one[0], one[1]) for one in found(town)} == {
        ("grids.geojson", 1),
        ("assessment.toml", 1),
        ("city.toml", 1),
    }


def test_the_lines_of_a_record_that_spans_lines_are_counted(town: Path, edit: Edit) -> None:
    edit("units.csv", "board,领导小组,Board", 'board,"领导\n小组",Board')
    line = edit("units.csv", "water,水务局,Water,utility", "water,水务局,Water,utilty")
    assert line == 7
    assert [(one[0], one[1]) for one in found(town)] == [("units.csv", 7)]


def test_one_run_reports_every_fault_in_every_file(town: Path, edit: Edit) -> None:
    edit("units.csv", "Roads,bureau,board", "Roads,bureau,bord")
    edit("rules.csv", "4 working-hours", "soon")
    edit("stages.toml", "warn_share = 0.2", "warn_share = 2")
    edit("intake.toml", '["class", "position"]', '["mood"]')
    edit("knowledge/rubbish.md", "2027-12-31", "1")
    assert {one[0] for one in found(town)} == {
        "units.csv", "rules.csv", "stages.toml", "intake.toml", "knowledge/rubbish.md",
    }  # fmt: skip


def test_an_urgent_class_needs_a_condition_that_runs_day_and_night(town: Path, edit: Edit) -> None:
    edit("rules.csv", "Drained,抽排,Pump,yes", "Drained,抽排,Pump,no")
    message = "the urgent class S 1:2026:event:01001 has no urgent condition"
    assert found(town) == [("classes.csv", 3, message)]


def test_two_entries_of_one_name_and_language_are_a_fault(town: Path) -> None:
    entry = (town / "knowledge" / "rubbish.md").read_text()
    (town / "knowledge" / "waste.md").write_text(entry)
    ((file, line, message),) = found(town)
    assert (file, line) == ("knowledge/waste.md", 2)
    assert "the entry rubbish en is in" in message


def test_a_directory_that_is_not_there_is_a_fault_and_no_crash(tmp_path: Path) -> None:
    with pytest.raises(PackFaults, match="there is no such directory"):
        load_pack(tmp_path / "nowhere")


def test_the_error_tells_every_fault_in_its_message(town: Path, edit: Edit) -> None:
    line = edit("rules.csv", "4 working-hours", "soon")
    with pytest.raises(PackFaults) as caught:
        load_pack(town)
    assert caught.value.code == "pack-faults"
    assert f"{town / 'rules.csv'}:{line}: " in str(caught.value)


SCRAPS = [
    "",
    '"',
    "nan",
    "1e999",
    "-",
    "[",
    "]",
    "{",
    "}",
    "\n",
    ",",
    "\x00",
    "9" * 400,
    "9" * 5000,
    '"""',
    "#",
    "true",
    "[]",
    "{}",
    "²",
    "٣",
    "\r",
    "=",
    "[" * 2000,
]


@pytest.mark.parametrize("file", [name for name in sorted(TOWN) if name.endswith(".toml")])
@pytest.mark.parametrize("endless", ["[" * 2_000, "9" * 5_000])
def test_what_python_itself_cannot_read_is_a_fault_of_the_file(
    town: Path, file: str, endless: str
) -> None:
    path = town / file
    path.write_text(f"first = {endless}\n{path.read_text()}")

    assert file in {one[0] for one in found(town)}


@settings(max_examples=300, deadline=None)
@given(
    name=st.sampled_from(sorted(TOWN)),
    at=st.floats(0, 1),
    gone=st.integers(0, 20),
    scrap=st.sampled_from(SCRAPS),
)
def test_whatever_is_typed_into_a_file_is_a_fault_or_a_pack_and_never_a_crash(
    tmp_path_factory: pytest.TempPathFactory, name: str, at: float, gone: int, scrap: str
) -> None:
    town = tmp_path_factory.mktemp("typed")
    (town / "knowledge").mkdir()
    for file, text in TOWN.items():
        (town / file).write_text(text, encoding="utf-8")
    text = TOWN[name]
    position = int(at * len(text))
    (town / name).write_text(text[:position] + scrap + text[position + gone :], encoding="utf-8")
    faults: tuple[Fault, ...] = ()
    try:
        load_pack(town)
    except PackFaults as error:
        faults = error.faults
    # The calendar may report what is absent from the whole file at line 0.
    assert all(fault.line >= 0 and fault.message for fault in faults)
