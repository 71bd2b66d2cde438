"""The two cities that come with the suite."""

import csv
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.pack import AreaLevel, CityPack, ClassKey, Stage, UnitKind, load_pack
from shared.pack.territory import overlapping
from shared.vocabulary import ClassKind, Role

PACKS = Path(__file__).parents[3] / "packs"
STANDARD = "GB/T 47678.5-2026"
SUB_DISTRICTS = ("西湖", "建兰路", "西园", "西站", "敦煌路", "龚家湾", "晏家坪", "秀川")


@pytest.fixture(scope="module")
def qilihe() -> CityPack:
    return load_pack(PACKS / "qilihe")


@pytest.fixture(scope="module")
def nyc() -> CityPack:
    return load_pack(PACKS / "nyc311")


@pytest.fixture(params=["qilihe", "nyc"])
def pack(request: pytest.FixtureRequest) -> CityPack:
    found: CityPack = request.getfixturevalue(request.param)
    return found


def test_every_class_can_be_registered_and_dispatched(pack: CityPack) -> None:
    grid = next(iter(pack.grids))
    for key in pack.classes:
        assert pack.conditions_of(key), key
        anywhere = pack.responsible_units(key, None)
        assert anywhere, key
        assert {one.unit.code for one in pack.responsible_units(key, grid)} <= {
            one.unit.code for one in anywhere
        }


def test_every_role_is_filled_and_every_grid_has_its_collector(pack: CityPack) -> None:
    for role in set(Role) - {Role.PARTNER, Role.PBX}:
        assert pack.people_with(role), role
    for grid in pack.grids.values():
        assert Role.COLLECTOR in pack.person(grid.owner).roles


def test_grids_do_not_overlap(pack: CityPack) -> None:
    assert overlapping({code: grid.polygon for code, grid in pack.grids.items()}) == []


def test_urgent_matters_run_day_and_night(pack: CityPack) -> None:
    urgent = [one for one in pack.conditions if one.urgent]
    assert urgent
    assert all(one.limit.continuous for one in urgent)


def test_the_sample_district_has_its_units_and_their_ground(qilihe: CityPack) -> None:
    kinds = Counter(unit.kind for unit in qilihe.responsible)
    assert kinds[UnitKind.SUBDISTRICT] == 8
    assert sum(kinds.values()) == 24
    streets = [area for area in qilihe.areas.values() if area.level is AreaLevel.STREET]
    assert {area.name.zh for area in streets} == {f"{name}街道" for name in SUB_DISTRICTS}
    for street in streets:
        assert qilihe.units[street.office].kind is UnitKind.SUBDISTRICT
        assert any(code.startswith(street.code) for code in qilihe.grids), street.name


def test_the_codes_of_the_standard_have_five_digits(qilihe: CityPack) -> None:
    national = [key for key in qilihe.classes if key.scheme == STANDARD]
    assert len(national) >= 80
    for key in national:
        assert len(key.code) == 5
        assert key.code.isdigit()


def test_the_same_digits_name_a_component_and_nothing_else(qilihe: CityPack) -> None:
    cover = qilihe.case_class(ClassKey(STANDARD, ClassKind.COMPONENT, "01001"))
    assert cover.name.zh == "供水井盖"
    assert ClassKey(STANDARD, ClassKind.EVENT, "01001") not in qilihe.classes


@pytest.mark.parametrize(
    ("key", "words"),
    [
        (f"{STANDARD}:component:01001", "丢失"),
        (f"{STANDARD}:component:01013", "漏水"),
        (f"{STANDARD}:component:01037", "倒伏"),
        (f"{STANDARD}:component:04002", "倒伏"),
        (f"{STANDARD}:event:06013", "塌陷"),
        (f"{STANDARD}:event:06014", "大面积"),
        ("620103-2013:event:12001", "供水管破裂"),
        ("620103-2013:event:12002", "冒溢"),
    ],
)
def test_what_endangers_people_is_urgent(qilihe: CityPack, key: str, words: str) -> None:
    assert any(
        one.urgent and words in one.text.zh for one in qilihe.conditions_of(ClassKey.parse(key))
    )


@pytest.mark.parametrize(
    "key",
    [
        "component:01037", "component:01038", "component:01004", "component:03007",
        "event:06019", "event:07003", "event:09001", "event:09002", "event:09006",
    ],
)  # fmt: skip
def test_what_shows_only_at_times_is_special(qilihe: CityPack, key: str) -> None:
    case_class = ClassKey.parse(f"{STANDARD}:{key}")
    assert any(one.special for one in qilihe.conditions_of(case_class))


def test_sub_districts_answer_on_their_own_ground_only(qilihe: CityPack) -> None:
    rubbish = ClassKey(STANDARD, ClassKind.EVENT, "06010")
    for grid in qilihe.grids.values():
        (only,) = qilihe.responsible_units(rubbish, grid.code)
        assert only.unit.code == qilihe.areas[grid.street].office


def test_the_stage_limits_of_the_sample_district(qilihe: CityPack) -> None:
    for stage in Stage:
        expected = "1 working-hours" if stage is Stage.VERIFICATION else "0.5 working-hours"
        assert str(qilihe.stages.limit_of(stage)) == expected
    assert qilihe.stages.limit_of(Stage.SENDING_OUT, special=True) is None


@settings(max_examples=300)
@given(lng=st.floats(103.69, 103.81), lat=st.floats(36.04, 36.10))
def test_the_grid_of_a_point_is_the_one_whose_corners_enclose_it(lng: float, lat: float) -> None:
    """The cells of the sample are rectangles, so comparing four numbers is an oracle."""
    pack = WHOLE
    enclosing = [
        code
        for code, (west, south, east, north) in BOXES.items()
        if west <= lng <= east and south <= lat <= north
    ]
    found = pack.grid_at(lng, lat)
    assert (found.code if found else None) == min(enclosing, default=None)


WHOLE = load_pack(PACKS / "qilihe")
BOXES = {code: grid.polygon.bounds for code, grid in WHOLE.grids.items()}


def test_the_cells_of_the_sample_are_rectangles(qilihe: CityPack) -> None:
    for grid in qilihe.grids.values():
        west, south, east, north = grid.polygon.bounds
        assert grid.polygon.area == pytest.approx((east - west) * (north - south), rel=1e-9)


# --- the second city ---------------------------------------------------------------------------


def rows(name: str) -> list[dict[str, str]]:
    with (PACKS / "nyc311" / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_real_day_is_complete_and_fits_the_pack(nyc: CityPack) -> None:
    day = rows("2018-10-21.csv")
    assert len(day) == 6765
    assert len({row["key"] for row in day}) == 6765
    types = {one.name.en for one in nyc.classes.values()}
    assert {row["type"] for row in day} == types
    assert {row["agency"].lower() for row in day} == {unit.code for unit in nyc.responsible}
    resolutions = {row["code"] for row in rows("resolutions.csv")}
    assert {row["resolution"] for row in day} - {""} <= resolutions


def test_the_agency_of_each_request_is_suggested_first(nyc: CityPack) -> None:
    by_type = {one.name.en: one.key for one in nyc.classes.values()}
    for row in rows("2018-10-21.csv"):
        first = nyc.responsible_units(by_type[row["type"]], None)[0]
        assert first.unit.code == row["agency"].lower()


def test_nearly_every_place_lies_in_the_polygon_of_its_borough(nyc: CityPack) -> None:
    right = wrong = outside = 0
    for row in rows("2018-10-21.csv"):
        if not row["lat"] or row["borough"] == "Unspecified":
            continue
        grid = nyc.grid_at(float(row["lng"]), float(row["lat"]))
        if grid is None:
            outside += 1
        elif grid.name.en.upper() == row["borough"]:
            right += 1
        else:
            wrong += 1
    assert right / (right + wrong + outside) > 0.99
    assert right > 6600


def test_nothing_of_the_first_city_is_in_the_second(qilihe: CityPack, nyc: CityPack) -> None:
    assert nyc.city.zone == "America/New_York"
    assert nyc.city.languages == ("en", "zh")
    assert not {key.scheme for key in nyc.classes} & {key.scheme for key in qilihe.classes}
    assert not any(code.startswith(qilihe.city.code) for code in nyc.grids)
