"""Whether unit grids tile the ground: a point must have one answer."""

from typing import TYPE_CHECKING

import numpy as np
import shapely

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shapely import MultiPolygon, Polygon

# About a metre on a side: corners rounded to six decimals make slivers far below this.
SLIVER_DEGREES2 = 1e-10


def overlapping(polygons: "Mapping[str, Polygon | MultiPolygon]") -> list[tuple[str, str]]:
    """Pairs of codes whose polygons share more ground than rounding explains."""
    codes = sorted(polygons)
    # An object array of their own keeps numpy from guessing, even when there are none.
    shapes = np.empty(len(codes), dtype=object)
    shapes[:] = [polygons[code] for code in codes]
    left, right = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    once = left < right
    left, right = left[once], right[once]
    shared_ground = shapely.area(shapely.intersection(shapes[left], shapes[right]))
    found = shared_ground > SLIVER_DEGREES2
    return sorted((codes[a], codes[b]) for a, b in zip(left[found], right[found], strict=True))
