"""How near is near: squares that an index can find, and the distance that decides."""

import math
from collections.abc import Iterator

from shared.geo import Position, box_around

CELLS_A_DEGREE = 1_000
"""A cell is a thousandth of a degree on a side: 111 m from south to north, less across."""
_COLUMNS = 360 * CELLS_A_DEGREE


def cell_of(longitude: float | None, latitude: float | None) -> int | None:
    """The number of the square that a point lies in; None without coordinates."""
    if longitude is None or latitude is None:
        return None
    return _number(_row(latitude), _column(longitude))


def cells_around(position: Position, radius_m: float) -> Iterator[int]:
    """Every square that a point within the radius can lie in, and a few more."""
    box = box_around(position, radius_m)
    for row in range(_row(box.south), _row(box.north) + 1):
        for column in range(_column(box.west), _column(box.east) + 1):
            yield _number(row, column)


def _row(latitude: float) -> int:
    return math.floor((latitude + 90) * CELLS_A_DEGREE)


def _column(longitude: float) -> int:
    return math.floor((longitude + 180) * CELLS_A_DEGREE)


def _number(row: int, column: int) -> int:
    return row * (_COLUMNS + 1) + column
