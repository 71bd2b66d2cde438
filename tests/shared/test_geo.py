"""Positions, distances, datums and areas."""

import math

import numpy as np
import pytest
import shapely
from hypothesis import assume, given
from hypothesis import strategies as st

from shared.errors import InvalidInput
from shared.geo import (
    InvalidPosition,
    InvalidTerritory,
    Position,
    Territory,
    bd09_to_gcj02,
    bd09_to_wgs84,
    box_around,
    distance_m,
    distances_m,
    gcj02_to_bd09,
    gcj02_to_wgs84,
    wgs84_to_gcj02,
)
from shared.vocabulary import PositionSource

LNGS = st.floats(-180, 180)
LATS = st.floats(-90, 90)
CHINESE_LNGS = st.floats(74, 135)
CHINESE_LATS = st.floats(4, 53)

# The same eight places as a map service gives them: BD-09, GCJ-02 and (to six decimals, converted
# in a single step) WGS 84, each longitude then latitude.
PLACES = [
    ((103.771994, 35.992495), (103.765481, 35.986572), (103.762973, 35.986815)),
    ((103.808455, 36.064571), (103.802061, 36.058261), (103.799593, 36.058530)),
    ((103.798434, 36.072822), (103.792039, 36.066540), (103.789554, 36.066793)),
    ((103.773078, 36.087910), (103.766576, 36.081971), (103.764064, 36.082195)),
    ((103.758133, 36.082548), (103.751559, 36.076808), (103.749044, 36.077028)),
    ((103.775407, 36.068352), (103.768903, 36.062371), (103.766393, 36.062600)),
    ((103.742674, 36.056429), (103.736059, 36.050731), (103.733555, 36.050960)),
    ((103.765167, 36.083924), (103.758622, 36.078103), (103.756107, 36.078324)),
]


# --- positions


def test_a_position_keeps_what_was_measured() -> None:
    position = Position(103, 36.05, 8, PositionSource.GNSS)

    assert (position.lng, position.lat, position.accuracy_m) == (103.0, 36.05, 8.0)
    assert isinstance(position.lng, float)
    assert position.source == "gnss"
    assert Position(0, 0).source is PositionSource.UNKNOWN


def test_a_source_may_come_as_text() -> None:
    assert Position(1, 2, None, "network").source is PositionSource.NETWORK  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("lng", "lat", "accuracy_m", "source"),
    [
        (180.0001, 0, None, "gnss"),
        (-181, 0, None, "gnss"),
        (0, 90.5, None, "gnss"),
        (36.05, 103.7, None, "gnss"),
        (math.nan, 0, None, "gnss"),
        (0, math.inf, None, "gnss"),
        (10**400, 0, None, "gnss"),
        (0, 0, -1, "gnss"),
        (0, 0, math.inf, "gnss"),
        (0, 0, None, "guessed"),
        (True, 0, None, "gnss"),
        ("103", 36, None, "gnss"),
        (None, 36, None, "gnss"),
    ],
)
def test_what_is_no_place_on_earth_is_refused(
    lng: object, lat: object, accuracy_m: object, source: object
) -> None:
    with pytest.raises(InvalidPosition) as refusal:
        Position(lng, lat, accuracy_m, source)  # type: ignore[arg-type]

    assert refusal.value.code == "position-invalid"
    assert isinstance(refusal.value, InvalidInput)


# --- distances


@given(LNGS, LATS, LNGS, LATS)
def test_distance_agrees_with_the_angle_between_vectors(
    lng: float, lat: float, other_lng: float, other_lat: float
) -> None:
    def vector(lng: float, lat: float) -> np.ndarray:
        east, north = math.radians(lng), math.radians(lat)
        return np.array(
            [math.cos(north) * math.cos(east), math.cos(north) * math.sin(east), math.sin(north)]
        )

    one, other = vector(lng, lat), vector(other_lng, other_lat)
    angle = math.atan2(float(np.linalg.norm(np.cross(one, other))), float(one @ other))

    metres = distance_m(Position(lng, lat), Position(other_lng, other_lat))

    assert metres == pytest.approx(angle * 6_371_008.8, rel=1e-6, abs=0.2)
    assert distances_m(Position(lng, lat), [other_lng], [other_lat])[0] == pytest.approx(
        metres, rel=1e-9, abs=1e-3
    )


def test_a_minute_of_latitude_is_a_sea_mile() -> None:
    assert distance_m(Position(103, 36), Position(103, 36 + 1 / 60)) == pytest.approx(
        1852, rel=2e-3
    )


@given(LNGS, LATS, st.floats(0, 3_000_000), st.floats(0, 1), st.floats(0, 2 * math.pi))
def test_every_point_within_the_radius_is_in_the_box(
    lng: float, lat: float, radius_m: float, share: float, bearing: float
) -> None:
    centre = Position(lng, lat)
    angle = share * radius_m / 6_371_008.8
    north = math.radians(lat)
    sine = math.sin(north) * math.cos(angle) + math.cos(north) * math.sin(angle) * math.cos(bearing)
    there_lat = math.asin(max(-1.0, min(1.0, sine)))
    across = math.atan2(
        math.sin(bearing) * math.sin(angle) * math.cos(north),
        math.cos(angle) - math.sin(north) * math.sin(there_lat),
    )
    there_lng = (lng + math.degrees(across) + 540) % 360 - 180
    there = Position(there_lng, math.degrees(there_lat))
    assume(distance_m(centre, there) <= radius_m)

    assert box_around(centre, radius_m).holds(there.lng, there.lat)


def test_the_box_is_tight_away_from_poles_and_date_line() -> None:
    centre = Position(103.8, 36.06)
    box = box_around(centre, 50)

    assert distance_m(centre, Position(box.east, 36.06)) == pytest.approx(50, rel=1e-3)
    assert distance_m(centre, Position(103.8, box.south)) == pytest.approx(50, rel=1e-3)
    assert distance_m(centre, Position(box.west, 36.06)) == pytest.approx(50, rel=1e-3)
    assert distance_m(centre, Position(103.8, box.north)) == pytest.approx(50, rel=1e-3)


@pytest.mark.parametrize("radius_m", [-1, math.nan, math.inf])
def test_a_radius_that_is_none_is_refused(radius_m: float) -> None:
    with pytest.raises(InvalidPosition):
        box_around(Position(0, 0), radius_m)


# --- datums


@pytest.mark.parametrize(("bd09", "gcj02", "wgs84"), PLACES)
def test_datums_agree_with_reference_places(
    bd09: tuple[float, float], gcj02: tuple[float, float], wgs84: tuple[float, float]
) -> None:
    # The reference WGS 84 is a one-step approximation, itself off by up to 0.6 m.
    assert bd09_to_gcj02(*bd09) == pytest.approx(gcj02, rel=0, abs=2e-6)
    assert gcj02_to_wgs84(*gcj02) == pytest.approx(wgs84, rel=0, abs=1e-5)
    assert bd09_to_wgs84(*bd09) == pytest.approx(wgs84, rel=0, abs=1e-5)


@given(CHINESE_LNGS, CHINESE_LATS)
def test_undoing_a_shift_returns_to_the_start(lng: float, lat: float) -> None:
    shifted = wgs84_to_gcj02(lng, lat)

    assert gcj02_to_wgs84(*shifted) == pytest.approx((lng, lat), rel=0, abs=1e-9)
    assert bd09_to_gcj02(*gcj02_to_bd09(*shifted)) == pytest.approx(shifted, rel=0, abs=1e-9)
    assert bd09_to_wgs84(*gcj02_to_bd09(*shifted)) == pytest.approx((lng, lat), rel=0, abs=1e-9)


def test_the_shift_is_some_hundred_metres_in_lanzhou_and_none_in_new_york() -> None:
    there = wgs84_to_gcj02(103.8, 36.06)

    assert 100 < distance_m(Position(103.8, 36.06), Position(*there)) < 700
    assert wgs84_to_gcj02(-73.98, 40.75) == (-73.98, 40.75)
    assert gcj02_to_wgs84(-73.98, 40.75) == (-73.98, 40.75)


# --- areas


def squares(side: int) -> dict[str, shapely.Polygon]:
    """A chessboard of unit squares; the code of the square at column 2, row 1 is "12"."""
    return {f"{y}{x}": shapely.box(x, y, x + 1, y + 1) for x in range(side) for y in range(side)}


def test_a_point_inside_belongs_to_its_area_and_outside_to_none() -> None:
    territory = Territory(squares(3))

    assert len(territory) == 9
    assert territory.locate(2.5, 1.5) == "12"
    assert territory.locate(3.5, 1.5) is None
    assert territory.locate(math.nan, 1.5) is None


@pytest.mark.parametrize(
    ("lng", "lat", "code"),
    [(1, 0.5, "00"), (1, 1, "00"), (2, 1, "01"), (2.5, 2, "12"), (3, 3, "22"), (0, 0, "00")],
)
def test_a_border_point_belongs_to_the_smallest_code(lng: float, lat: float, code: str) -> None:
    for areas in (squares(3), dict(reversed(squares(3).items()))):
        assert Territory(areas).locate(lng, lat) == code


@given(st.lists(st.tuples(st.integers(-2, 14), st.integers(-2, 14)), max_size=30))
def test_lookup_agrees_with_trying_every_area_in_order(points: list[tuple[int, int]]) -> None:
    areas = squares(3) | {
        "1-split": shapely.union_all([shapely.box(-1, -1, 0.3, 0.3), shapely.box(2, 2, 3.5, 3.5)]),
        "05": shapely.Polygon([(0, 0), (3, 0), (0, 3)]),
    }
    territory = Territory(areas)
    lngs, lats = [x / 4 for x, _ in points], [y / 4 for _, y in points]
    expected = [
        next((code for code in sorted(areas) if areas[code].covers(shapely.Point(lng, lat))), None)
        for lng, lat in zip(lngs, lats, strict=True)
    ]

    assert [territory.locate(*at) for at in zip(lngs, lats, strict=True)] == expected
    assert territory.locate_many(lngs, lats) == expected


def test_no_areas_hold_nothing() -> None:
    assert Territory({}).locate(0, 0) is None
    assert Territory({}).locate_many([0, 1], [0, 1]) == [None, None]


@pytest.mark.parametrize(
    "area",
    [
        shapely.Polygon(),
        shapely.Point(0, 0),
        shapely.Polygon([(0, 0), (1, 1), (1, 0), (0, 1)]),
        None,
    ],
)
def test_an_area_that_is_no_sound_polygon_is_refused(area: object) -> None:
    with pytest.raises(InvalidTerritory) as refusal:
        Territory({"620103001001001": area})

    assert refusal.value.extra == {"area": "620103001001001"}
