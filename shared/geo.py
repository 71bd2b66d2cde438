"""Where things are: positions, distances, the datums of Chinese maps, and whose area a point is in.

Everything inside the suite is WGS 84 in degrees, longitude before latitude. Map services in China
hand out shifted coordinates (GCJ-02, BD-09); they are turned into WGS 84 at the edge, once.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import shapely

from shared.errors import InvalidInput
from shared.vocabulary import PositionSource

EARTH_RADIUS_M: Final = 6_371_008.8
"""Mean radius of the WGS 84 ellipsoid; distances on this sphere are right to about 0.5 %."""

_MAX_LNG: Final = 180.0
_MAX_LAT: Final = 90.0

Floats = npt.NDArray[np.float64]


class InvalidPosition(InvalidInput, ValueError):
    """The numbers given are not a place on Earth."""

    code = "position-invalid"
    title = "The position is not valid"


class InvalidTerritory(InvalidInput, ValueError):
    """An area cannot be used to look points up in."""

    code = "territory-invalid"
    title = "The area is not valid"


@dataclass(frozen=True, slots=True)
class Position:
    """A point in WGS 84 degrees.

    Attributes:
        lng: longitude, -180 to 180.
        lat: latitude, -90 to 90.
        accuracy_m: radius in metres the true place is expected within, None where nobody said.
        source: how it was found.
    """

    lng: float
    lat: float
    accuracy_m: float | None = None
    source: PositionSource = PositionSource.UNKNOWN

    def __post_init__(self) -> None:
        object.__setattr__(self, "lng", _degrees("lng", self.lng, _MAX_LNG))
        object.__setattr__(self, "lat", _degrees("lat", self.lat, _MAX_LAT))
        if self.accuracy_m is not None:
            accuracy = _finite("accuracy_m", self.accuracy_m)
            if accuracy < 0:
                raise InvalidPosition("accuracy_m is a radius in metres and cannot be negative")
            object.__setattr__(self, "accuracy_m", accuracy)
        try:
            object.__setattr__(self, "source", PositionSource(self.source))
        except ValueError as error:
            known = ", ".join(PositionSource)
            raise InvalidPosition(f"source must be one of: {known}") from error


def _finite(name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidPosition(f"{name} must be a number")
    try:
        number = float(value)
    except OverflowError as error:
        raise InvalidPosition(f"{name} must be a finite number") from error
    if not math.isfinite(number):
        raise InvalidPosition(f"{name} must be a finite number")
    return number


def _degrees(name: str, value: object, limit: float) -> float:
    number = _finite(name, value)
    if abs(number) > limit:
        raise InvalidPosition(f"{name} must lie between -{limit:g} and {limit:g} degrees")
    return number


# --- distance ---------------------------------------------------------------------------------


def distance_m(one: Position, other: Position) -> float:
    """Metres between two positions along the great circle (haversine)."""
    lat_one, lat_other = math.radians(one.lat), math.radians(other.lat)
    half_lat = (lat_other - lat_one) / 2
    half_lng = math.radians(other.lng - one.lng) / 2
    chord = (
        math.sin(half_lat) ** 2 + math.cos(lat_one) * math.cos(lat_other) * math.sin(half_lng) ** 2
    )
    return 2 * EARTH_RADIUS_M * math.asin(min(1.0, math.sqrt(chord)))


def distances_m(position: Position, lngs: npt.ArrayLike, lats: npt.ArrayLike) -> Floats:
    """Metres from one position to each of many, given as two arrays of degrees."""
    lng, lat = np.radians(position.lng), np.radians(position.lat)
    other_lngs = np.radians(np.asarray(lngs, dtype=np.float64))
    other_lats = np.radians(np.asarray(lats, dtype=np.float64))
    chord = (
        np.sin((other_lats - lat) / 2) ** 2
        + np.cos(lat) * np.cos(other_lats) * np.sin((other_lngs - lng) / 2) ** 2
    )
    metres: Floats = 2 * EARTH_RADIUS_M * np.arcsin(np.minimum(1.0, np.sqrt(chord)))
    return metres


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in WGS 84 degrees, borders included."""

    west: float
    south: float
    east: float
    north: float

    def holds(self, lng: float, lat: float) -> bool:
        return self.west <= lng <= self.east and self.south <= lat <= self.north


_ROUNDING_DEGREES: Final = 1e-9
"""A tenth of a millimetre, so that rounding never leaves a point of the circle outside the box."""


def box_around(position: Position, radius_m: float) -> Box:
    """The box that holds every point within the radius: a filter that an index can answer.

    It holds more than the circle, so `distance_m` decides afterwards. Round a pole or across the
    180th meridian it spans all longitudes rather than being cut in two.
    """
    if not math.isfinite(radius_m) or radius_m < 0:
        raise InvalidPosition("radius_m must be a finite number of metres, not negative")
    angle = radius_m / EARTH_RADIUS_M
    reach = math.degrees(angle) + _ROUNDING_DEGREES
    south, north = position.lat - reach, position.lat + reach
    if south <= -_MAX_LAT or north >= _MAX_LAT:
        return Box(-_MAX_LNG, max(south, -_MAX_LAT), _MAX_LNG, min(north, _MAX_LAT))
    # The meridians that touch the circle do so nearer the pole than its centre.
    ratio = math.sin(angle) / math.cos(math.radians(position.lat))
    width = math.degrees(math.asin(min(1.0, ratio))) + _ROUNDING_DEGREES
    west, east = position.lng - width, position.lng + width
    if west < -_MAX_LNG or east > _MAX_LNG:
        west, east = -_MAX_LNG, _MAX_LNG
    return Box(west, south, east, north)


# --- datums -----------------------------------------------------------------------------------

_KRASOVSKY_AXIS_M: Final = 6_378_245.0
_KRASOVSKY_ECCENTRICITY: Final = 0.006_693_421_622_965_943  # squared
_SHIFTED: Final = Box(72.004, 0.8293, 137.8347, 55.8271)
"""Outside this rectangle map services do not shift."""
_BD_TURN: Final = math.pi * 3000 / 180
_STEPS: Final = 30
_CLOSE_ENOUGH_DEGREES: Final = 1e-12


def wgs84_to_gcj02(lng: float, lat: float) -> tuple[float, float]:
    """Shift WGS 84 to GCJ-02, as for a map layer of a Chinese provider."""
    if not _SHIFTED.holds(lng, lat):
        return lng, lat
    return _shift(lng, lat)


def gcj02_to_wgs84(lng: float, lat: float) -> tuple[float, float]:
    """Undo the GCJ-02 shift, exact to well below a millimetre."""
    if not _SHIFTED.holds(lng, lat):
        return lng, lat
    return _undo(_shift, lng, lat)


def gcj02_to_bd09(lng: float, lat: float) -> tuple[float, float]:
    radius = math.hypot(lng, lat) + 0.00002 * math.sin(lat * _BD_TURN)
    angle = math.atan2(lat, lng) + 0.000003 * math.cos(lng * _BD_TURN)
    return radius * math.cos(angle) + 0.0065, radius * math.sin(angle) + 0.006


def bd09_to_gcj02(lng: float, lat: float) -> tuple[float, float]:
    return _undo(gcj02_to_bd09, lng, lat)


def bd09_to_wgs84(lng: float, lat: float) -> tuple[float, float]:
    return gcj02_to_wgs84(*bd09_to_gcj02(lng, lat))


def _shift(lng: float, lat: float) -> tuple[float, float]:
    east, north = _shift_metres(lng - 105.0, lat - 35.0)
    sine = math.sin(math.radians(lat))
    flattening = 1 - _KRASOVSKY_ECCENTRICITY * sine * sine
    across = _KRASOVSKY_AXIS_M / math.sqrt(flattening) * math.cos(math.radians(lat))
    along = _KRASOVSKY_AXIS_M * (1 - _KRASOVSKY_ECCENTRICITY) / flattening**1.5
    return lng + math.degrees(east / across), lat + math.degrees(north / along)


def _shift_metres(x: float, y: float) -> tuple[float, float]:
    """The published polynomial and waves of the shift, in metres east and north."""
    root = math.sqrt(abs(x))
    fine = _waves((x, 6, 20), (x, 2, 20))
    east = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root
    east += fine + _waves((x, 1, 20), (x, 1 / 3, 40), (x, 1 / 12, 150), (x, 1 / 30, 300))
    north = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root
    north += fine + _waves((y, 1, 20), (y, 1 / 3, 40), (y, 1 / 12, 160), (y, 1 / 30, 320))
    return east, north


def _waves(*terms: tuple[float, float, float]) -> float:
    return sum(size * math.sin(at * often * math.pi) for at, often, size in terms) * 2 / 3


def _undo(
    shift: Callable[[float, float], tuple[float, float]], lng: float, lat: float
) -> tuple[float, float]:
    """Fixed-point search: the shift changes slowly, so each step gains about three digits."""
    guess_lng, guess_lat = lng, lat
    for _ in range(_STEPS):
        there_lng, there_lat = shift(guess_lng, guess_lat)
        off_lng, off_lat = lng - there_lng, lat - there_lat
        guess_lng, guess_lat = guess_lng + off_lng, guess_lat + off_lat
        if abs(off_lng) < _CLOSE_ENOUGH_DEGREES and abs(off_lat) < _CLOSE_ENOUGH_DEGREES:
            break
    return guess_lng, guess_lat


# --- areas ------------------------------------------------------------------------------------


class Territory:
    """Tells which of many areas (grids, communities, sub-districts) a point lies in.

    Borders belong to the area. A point that several areas hold, on a shared border or where they
    overlap, goes to the smallest code, so that the answer is the same everywhere and always.
    """

    def __init__(self, areas: Mapping[str, Any]) -> None:
        """Index the areas.

        Args:
            areas: shapely polygons or multipolygons in WGS 84 degrees, by the code of the area.

        Raises:
            InvalidTerritory: an area is empty, crosses itself or is no polygon.
        """
        self._codes = sorted(areas)
        for code in self._codes:
            _check_area(code, areas[code])
        self._polygons = np.array([areas[code] for code in self._codes], dtype=object)
        shapely.prepare(self._polygons)
        self._tree = shapely.STRtree(self._polygons)

    def __len__(self) -> int:
        return len(self._codes)

    def locate(self, lng: float, lat: float) -> str | None:
        """The code of the area that holds the point, None where no area does."""
        point = shapely.Point(lng, lat)
        near = self._tree.query(point)
        held = near[shapely.intersects(self._polygons[near], point)]
        return self._codes[int(held.min())] if held.size else None

    def locate_many(self, lngs: npt.ArrayLike, lats: npt.ArrayLike) -> list[str | None]:
        """The code for each of many points, in their order."""
        points = shapely.points(
            np.asarray(lngs, dtype=np.float64).ravel(), np.asarray(lats, dtype=np.float64).ravel()
        )
        which, near = self._tree.query(points)
        held = shapely.intersects(self._polygons[near], points[which])
        nowhere = len(self._codes)
        smallest = np.full(len(points), nowhere)
        np.minimum.at(smallest, which[held], near[held])
        return [None if index == nowhere else self._codes[index] for index in smallest]


def _check_area(code: str, area: Any) -> None:
    if getattr(area, "geom_type", None) not in {"Polygon", "MultiPolygon"}:
        raise InvalidTerritory(f"The area {code} must be a polygon or multipolygon", area=code)
    if area.is_empty:
        raise InvalidTerritory(f"The area {code} is empty: give its outline", area=code)
    if not area.is_valid:
        reason = shapely.is_valid_reason(area)
        raise InvalidTerritory(f"The outline of area {code} is faulty: {reason}", area=code)
