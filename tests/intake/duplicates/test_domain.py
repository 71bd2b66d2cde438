"""Squares find every neighbour that a plain measurement finds."""

import math

from hypothesis import given, settings
from hypothesis import strategies as st

from services.intake.duplicates.domain import cell_of, cells_around
from shared.geo import Position

RADIUS_M = 6_371_008.8


def chord_metres(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Distance through three-dimensional vectors: another way to the same figure."""

    def vector(point: tuple[float, float]) -> tuple[float, float, float]:
        lng, lat = math.radians(point[0]), math.radians(point[1])
        return (
            math.cos(lat) * math.cos(lng),
            math.cos(lat) * math.sin(lng),
            math.sin(lat),
        )

    chord = math.dist(vector(one), vector(other))
    return 2 * RADIUS_M * math.asin(min(1.0, chord / 2))


@settings(deadline=None)
@given(
    st.floats(-179, 179),
    st.floats(-70, 70),
    st.floats(-0.02, 0.02),
    st.floats(-0.02, 0.02),
    st.floats(1, 800),
)
def test_whatever_is_within_the_radius_lies_in_a_covered_square(
    lng: float, lat: float, east: float, north: float, radius: float
) -> None:
    there = (lng + east, lat + north)
    covered = set(cells_around(Position(lng, lat), radius))
    if chord_metres((lng, lat), there) <= radius - 0.01:
        assert cell_of(*there) in covered
    assert cell_of(lng, lat) in covered


@settings(deadline=None)
@given(st.floats(-180, 180), st.floats(-90, 90), st.floats(-180, 180), st.floats(-90, 90))
def test_one_square_holds_only_neighbours(
    lng: float, lat: float, other_lng: float, other_lat: float
) -> None:
    same = cell_of(lng, lat) == cell_of(other_lng, other_lat)
    if same:
        assert abs(lng - other_lng) <= 0.001 + 1e-9
        assert abs(lat - other_lat) <= 0.001 + 1e-9


def test_without_coordinates_there_is_no_square() -> None:
    assert cell_of(None, 1.0) is None
    assert cell_of(1.0, None) is None
