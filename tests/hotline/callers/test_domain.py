"""Personal data: one form, masked, kept out of text."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.hotline.callers.domain import (
    mask_name,
    mask_number,
    normalise_number,
    refuse_personal_data,
)
from services.hotline.callers.errors import (
    NumberInvalid,
    PersonalDataInText,
)

DIGITS = st.text(string.digits, min_size=3, max_size=15)


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ("13800001234", "13800001234"),
        ("+86 138-0000-1234", "13800001234"),
        ("008613800001234", "13800001234"),
        ("１３８００００１２３４", "13800001234"),
        ("(0931) 234 5678", "09312345678"),
        ("+1 212 555 0100", "+12125550100"),
        ("110", "110"),
        ("anonymous", None),
        ("  ", None),
    ],
)
def test_a_number_has_one_form(sent: str, stored: str | None) -> None:
    assert normalise_number(sent, "86") == stored


@pytest.mark.parametrize("sent", ["12", "1380000123x", "1" * 16, "٣٤٥٦٧", "138;0000"])
def test_what_cannot_be_dialled_is_no_number(sent: str) -> None:
    with pytest.raises(NumberInvalid) as refused:
        normalise_number(sent, "86")
    assert sent not in refused.value.message


@given(DIGITS)
def test_a_masked_number_cannot_be_dialled(number: str) -> None:
    masked = mask_number(number)
    assert sum(c.isdigit() for c in masked) <= max(0, len(number) - 4)
    assert number not in masked


def test_masks_are_as_people_know_them() -> None:
    assert mask_number("13800001234") == "138****1234"
    assert (mask_name("张小明"), mask_name("欧")) == ("张**", "欧**")


@pytest.mark.parametrize(
    "text",
    [
        "电话13800001234请联系",
        "打 138-0000-1234",
        "+86 138 0000 1234",
        "100 13800001234",
        "１３８００００１２３４",
        "座机0931-2345678",
        "身份证620103199001011234",
        "620103 19900101 123X",
        "call (212) 555-0100",
        "+44 20 7946 0958",
        "mail a.b@example.com",
        "张小明说井盖丢失",
    ],
)
def test_obvious_personal_data_are_refused_without_being_repeated(text: str) -> None:
    with pytest.raises(PersonalDataInText) as refused:
        refuse_personal_data(text, "description", names=["张小明"])
    assert refused.value.extra["where"] == "description"
    assert "1234" not in refused.value.message


@pytest.mark.parametrize(
    "text",
    [
        "西津西路 100 号 3 号楼 1502 室门前井盖丢失",
        "案卷 6201032026112200001 仍未处理",
        "网格 620103001001001 内",
        "部件 62010301001000123 破损",
        "工单 H2026112200001，2026-11-22 08:30 上报",
        "12345 热线、110 报警",
        "36.066606, 103.762973",
        "张家滩小学门口",
        "The anvil on Main Street, 10 feet from 2nd Ave",
    ],
)
def test_places_numbers_and_dates_are_no_personal_data(text: str) -> None:
    refuse_personal_data(text, "description", names=["张", "An"])


@given(
    st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True), st.sampled_from(["", " ", "号", "，", "x"])
)
def test_every_mobile_number_is_seen_in_any_surroundings(number: str, beside: str) -> None:
    with pytest.raises(PersonalDataInText):
        refuse_personal_data(f"请拨{beside}{number}{beside}谢谢", "description")
