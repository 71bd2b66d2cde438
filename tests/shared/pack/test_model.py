"""What a loaded pack answers."""

from collections.abc import Callable
from dataclasses import FrozenInstanceError
from datetime import date
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import NotFound
from shared.pack import CityPack, ClassKey, Stage, Text, load_pack
from shared.vocabulary import ClassKind, Role
from shared.vocabulary import Role as TokenRole

Edit = Callable[[str, str, str], int]

COVER = ClassKey("S 1:2026", ClassKind.COMPONENT, "01001")
RUBBISH = ClassKey("S 1:2026", ClassKind.EVENT, "01002")
EAST, WEST = "990001001001001", "990001002001001"


@pytest.fixture
def pack(town: Path) -> CityPack:
    return load_pack(town)


WORDS = st.text(st.characters(blacklist_characters=":", blacklist_categories=("Cs",)), min_size=1)


@given(scheme=st.text(min_size=1), kind=st.sampled_from(ClassKind), code=WORDS)
def test_a_class_key_survives_being_written_and_read(
    scheme: str, kind: ClassKind, code: str
) -> None:
    key = ClassKey(scheme, kind, code)
    assert ClassKey.parse(str(key)) == key


def test_a_class_key_is_written_as_scheme_kind_and_code() -> None:
    key = ClassKey.parse("GB/T 47678.5-2026:component:01001")
    assert (key.scheme, key.kind, key.code) == ("GB/T 47678.5-2026", "component", "01001")


@pytest.mark.parametrize("text", ["", "01001", "a:b", "a:thing:01001", "a:event:", ":event:1"])
def test_text_that_is_no_class_key_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="class"):
        ClassKey.parse(text)


def test_a_pack_cannot_be_changed(pack: CityPack) -> None:
    with pytest.raises(FrozenInstanceError):
        pack.city.code = "1"  # type: ignore[misc]


def test_the_unit_in_charge_goes_before_the_one_that_assists(pack: CityPack) -> None:
    suggested = pack.responsible_units(COVER, EAST)
    assert [one.unit.code for one in suggested] == ["water", "roads"]
    assert suggested[0].reason == Text("权属", "Owns it")


def test_whose_ground_it_is_goes_before_everybody_elsewhere(pack: CityPack) -> None:
    here = pack.responsible_units(RUBBISH, EAST)
    assert [one.unit.code for one in here] == ["east", "roads"]
    assert here[0].reason == Text("属地（属地：东街）", "Its ground (its ground: East Street)")
    assert [one.unit.code for one in pack.responsible_units(RUBBISH, WEST)] == ["roads"]


def test_without_a_grid_units_of_a_part_of_the_city_come_last(pack: CityPack) -> None:
    assert [one.unit.code for one in pack.responsible_units(RUBBISH, None)] == ["roads", "east"]


def test_nobody_is_suggested_for_a_class_that_the_pack_does_not_know(pack: CityPack) -> None:
    assert pack.responsible_units(ClassKey("X", ClassKind.EVENT, "1"), EAST) == ()


def test_conditions_keep_the_order_of_the_file(pack: CityPack) -> None:
    assert [one.code for one in pack.conditions_of(COVER)] == ["C-1", "C-2"]
    assert str(pack.condition("C-2").limit) == "0.5 working-days"
    assert pack.condition("C-2").closes_on_notice
    assert pack.conditions_of(ClassKey("X", ClassKind.EVENT, "1")) == ()


def test_what_a_pack_does_not_have_is_told_as_not_found(pack: CityPack) -> None:
    unknown = ClassKey("X", ClassKind.EVENT, "1")
    for ask in (
        lambda: pack.condition("C-9"),
        lambda: pack.case_class(unknown),
        lambda: pack.person("nobody"),
        lambda: pack.assessment_on(date(2023, 12, 31)),
    ):
        with pytest.raises(NotFound):
            ask()


@pytest.mark.parametrize(
    ("lng", "lat", "code"),
    [
        (100.005, 30.005, EAST),
        (100.015, 30.005, WEST),
        (100.01, 30.005, EAST),
        (100.0, 30.0, EAST),
        (100.02, 30.01, WEST),
        (100.0200001, 30.01, None),
        (0.0, 0.0, None),
    ],
)
def test_a_point_lies_in_one_grid_and_on_a_border_in_the_smaller_code(
    pack: CityPack, lng: float, lat: float, code: str | None
) -> None:
    grid = pack.grid_at(lng, lat)
    assert (grid.code if grid else None) == code


def test_stage_limits_differ_for_urgent_and_special_cases(pack: CityPack) -> None:
    stages = pack.stages
    assert str(stages.limit_of(Stage.VERIFICATION)) == "1 working-hours"
    assert str(stages.limit_of(Stage.VERIFICATION, urgent=True)) == "60 minutes"
    assert str(stages.limit_of(Stage.CLOSING, urgent=True)) == "0.5 working-hours"
    assert stages.limit_of(Stage.SENDING_OUT, special=True) is None
    assert stages.limit_of(Stage.SENDING_OUT, urgent=True, special=True) is None
    assert stages.warn_share == Fraction(1, 5)


def test_parameters_hold_from_their_date_until_the_next_version(pack: CityPack) -> None:
    assert pack.assessment_on(date(2024, 12, 31)).version == "first"
    assert pack.assessment_on(date(2025, 1, 1)).version == "second"
    assert pack.assessment_on(date(2030, 1, 1)).timely_weight == Fraction(7, 10)
    assert pack.assessment_on(date(2024, 1, 1)).redispatch_allowance == Fraction(3, 100)


def test_duplicates_have_a_rule_for_all_and_exceptions(pack: CityPack) -> None:
    assert pack.duplicates.of(None).window_hours == 72.5
    assert pack.duplicates.of(COVER).radius_m == 50
    assert pack.duplicates.of(RUBBISH).radius_m == 20


def test_collectors_have_the_grids_they_own_and_leaders_those_of_their_ground(
    pack: CityPack,
) -> None:
    assert pack.person("collector1").grids == (EAST, WEST)
    assert pack.person("gridlead1").grids == (EAST,)
    assert pack.person("leader1").grids == ()
    assert [one.login for one in pack.people_with(Role.HANDLER, "water")] == ["water1"]
    assert len(pack.people_with(Role.HANDLER)) == 3


def test_words_are_chosen_by_language_tag() -> None:
    text = Text("井盖", "Cover")
    assert [text.in_language(tag) for tag in ("zh", "zh-CN", "en", "en-GB", "de")] == [
        "井盖", "井盖", "Cover", "Cover", "井盖",
    ]  # fmt: skip


def test_an_entry_carries_its_answer_and_where_to_refer_to(pack: CityPack) -> None:
    (entry,) = pack.knowledge
    assert entry.answer == "The roads bureau does, on Mondays."
    assert (entry.refer_to, entry.valid_until) == ("east", date(2027, 12, 31))


def test_roles_are_the_words_that_tokens_use() -> None:
    assert {role.value for role in Role} == {role.value for role in TokenRole}


def test_a_byte_order_mark_and_blank_lines_do_no_harm(town: Path) -> None:
    path = town / "units.csv"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n") + b"\r\n\r\n")
    assert len(load_pack(town).units) == 6


def test_grids_written_over_many_lines_are_read_alike(town: Path, edit: Edit) -> None:
    edit(
        "grids.geojson",
        '"properties": {"code": "990001002001001"',
        '"properties": {\n\n"code":\n"990001002001001"',
    )
    assert set(load_pack(town).grids) == {EAST, WEST}
