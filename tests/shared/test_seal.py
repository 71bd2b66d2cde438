"""Personal data at rest: opened with the key and for the own row only, found again by a mark."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.seal.domain import PersonalDataKeyUnusable, Seal, SealBroken


@given(st.text(max_size=80), st.text(max_size=40))
def test_what_is_sealed_opens_for_its_own_row_only(text: str, row: str) -> None:
    seal = Seal("hotline", [os.urandom(32)])
    closed = seal.close(text, row)
    assert seal.open(closed, row) == text
    with pytest.raises(SealBroken):
        seal.open(closed, row + "x")
    with pytest.raises(SealBroken):
        seal.open(closed[:-1] + bytes([closed[-1] ^ 1]), row)


def test_equal_numbers_are_sealed_differently_and_found_by_the_same_mark() -> None:
    seal, other = Seal("hotline", [bytes(32)]), Seal("hotline", [b"1" * 32])
    assert seal.close("13800001234", "a") != seal.close("13800001234", "a")
    assert seal.index("13800001234") == Seal("hotline", [bytes(32)]).index("13800001234")
    assert seal.index("13800001234") != other.index("13800001234")


def test_keys_change_without_losing_anybody() -> None:
    old, new = Seal("hotline", [b"o" * 32]), Seal("hotline", [b"n" * 32, b"o" * 32])
    assert new.open(old.close("x", "row"), "row") == "x"
    assert old.index("x") in new.indexes("x")
    assert new.index("x") == Seal("hotline", [b"n" * 32]).index("x")
    with pytest.raises(SealBroken):
        old.open(new.close("x", "row"), "row")


@pytest.mark.parametrize("text", ["", "abc", "AAAA", "=" * 44, "A" * 43 + "=,"])
def test_a_key_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(PersonalDataKeyUnusable):
        Seal.from_text("hotline", text)


def test_a_key_of_two_services_closes_nothing_alike() -> None:
    one, other = Seal("hotline", [bytes(32)]), Seal("intake", [bytes(32)])

    assert one.index("13800001234") != other.index("13800001234")
    with pytest.raises(SealBroken):
        other.open(one.close("x", "row"), "row")
