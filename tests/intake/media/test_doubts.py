"""A photograph that contradicts what it is to prove is shown as doubtful, and refused never."""

import math
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.intake.media.domain import (
    Claim,
    Doubt,
    Photograph,
    Tolerance,
    doubts_about,
    look_alike,
    quarters,
)
from shared.geo import Position

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SQUARE = Position(103.8, 36.06)
TOLERANCE = Tolerance(200.0, timedelta(hours=12))

hours = st.integers(-48 * 60, 48 * 60).map(lambda minutes: minutes / 60)
aside = st.floats(-0.02, 0.02)


def metres(one: Position, other: Position) -> float:
    """By the law of cosines on a globe; ours uses another formula."""
    a, b = math.radians(one.lat), math.radians(other.lat)
    turn = math.radians(other.lng - one.lng)
    cosine = math.sin(a) * math.sin(b) + math.cos(a) * math.cos(b) * math.cos(turn)
    return 6_371_008.8 * math.acos(min(1.0, cosine))


@given(
    st.builds(Position, aside.map(SQUARE.lng.__add__), aside.map(SQUARE.lat.__add__)),
    st.none() | st.floats(0, 500),
    hours,
    hours,
    st.none() | hours,
)
def test_every_contradiction_is_named_and_nothing_else(
    there: Position, accuracy: float | None, taken: float, sent: float, like: float | None
) -> None:
    photograph = Photograph(
        captured_at=NOON + timedelta(hours=taken),
        captured_position=there,
        first_sent_at=NOON + timedelta(hours=sent),
        like_first_sent_at=None if like is None else NOON + timedelta(hours=like),
    )
    claim = Claim(Position(SQUARE.lng, SQUARE.lat, accuracy), NOON)

    found = doubts_about(photograph, claim, TOLERANCE)

    apart, allowed = metres(SQUARE, there), 200 + (accuracy or 0)
    if abs(apart - allowed) > 1:  # a metre of rounding between the formulas
        assert (Doubt.TAKEN_ELSEWHERE in found) == (apart > allowed)
    assert (Doubt.TAKEN_AT_ANOTHER_TIME in found) == (abs(taken) > 12)
    assert (Doubt.SENT_BEFORE in found) == (sent < -12)
    assert (Doubt.LIKE_ONE_SENT_BEFORE in found) == (like is not None and like < -12)


@given(st.integers(0, 2**64 - 1), st.sets(st.integers(0, 63), max_size=6))
def test_pictures_that_look_alike_have_a_quarter_in_common(bits: int, turned: set[int]) -> None:
    one, other = f"{bits:016x}", f"{bits ^ sum(1 << bit for bit in turned):016x}"

    assert look_alike(one, other) == (len(turned) <= 3)
    if look_alike(one, other):
        assert any(a == b for a, b in zip(quarters(one), quarters(other), strict=True))


def test_a_photograph_that_says_nothing_contradicts_nothing() -> None:
    silent = Photograph(captured_at=None, captured_position=None, first_sent_at=NOON)

    assert not doubts_about(silent, Claim(SQUARE, NOON), TOLERANCE)
    spoken = Photograph(captured_at=NOON, captured_position=SQUARE, first_sent_at=NOON)
    assert not doubts_about(spoken, Claim(None, NOON), TOLERANCE)
