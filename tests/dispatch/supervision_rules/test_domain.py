"""Which complaints make a series, beside a plain loop; when a count is due."""

from dataclasses import replace
from datetime import timedelta
from math import asin, cos, radians, sin, sqrt

from hypothesis import given
from hypothesis import strategies as st

from services.dispatch.supervision_rules.domain import (
    Complaint,
    accepted_in_time,
    is_due,
    series_of,
)
from shared.geo import Position
from shared.pack.model import CityPack
from shared.vocabulary import SupervisionCause
from tests.dispatch.story import MONDAY

EARTH_M = 6_371_008.8


def haversine_m(one: Position, other: Position) -> float:
    """Distance on a sphere, by the textbook."""
    lat1, lat2 = radians(one.lat), radians(other.lat)
    half = sin((lat2 - lat1) / 2) ** 2
    half += cos(lat1) * cos(lat2) * sin(radians(other.lng - one.lng) / 2) ** 2
    return 2 * EARTH_M * asin(sqrt(half))


@st.composite
def complaints(draw: st.DrawFn) -> Complaint:
    # Some 0.0001 of a degree are ten metres: near enough to be close, far enough to be apart.
    lng, lat = draw(st.integers(0, 40)), draw(st.integers(0, 40))
    known = draw(st.booleans())
    return Complaint(
        report_id=draw(st.uuids()),
        case_id=draw(st.uuids()),
        position=Position(103.7 + lng / 10_000, 36.0 + lat / 10_000) if known else None,
        grid=draw(st.sampled_from([None, "620103001001001", "620103001001002"])),
        at=MONDAY + timedelta(hours=draw(st.integers(0, 24 * 60))),
    )


@given(one=complaints(), others=st.lists(complaints(), max_size=12))
def test_a_series_is_what_a_plain_loop_finds(
    qilihe: CityPack, one: Complaint, others: list[Complaint]
) -> None:
    settings = qilihe.supervision
    expected = {one.report_id}
    unclear = False
    for other in others:
        if abs(other.at - one.at) > timedelta(days=30):
            continue
        if one.position and other.position:
            metres = haversine_m(one.position, other.position)
            # Two formulas for the earth may differ right at the edge.
            unclear |= abs(metres - 100) < 1
            near = metres <= 100
        else:
            near = one.grid is not None and one.grid == other.grid
        if near:
            expected.add(other.report_id)
    found = series_of(one, others, settings)
    assert unclear or {item.report_id for item in found} == expected
    assert [item.at for item in found] == sorted(item.at for item in found)


def test_a_rule_that_is_switched_off_is_never_due(qilihe: CityPack) -> None:
    settings = qilihe.supervision
    cause = SupervisionCause.SHIRKING
    assert [is_due(cause, count, settings) for count in (2, 3, 4)] == [False, True, True]
    off = replace(settings, by_rule=frozenset())
    assert not is_due(cause, 3, off)


@given(
    accepted=st.none() | st.integers(-5, 5),
    released=st.none() | st.integers(-5, 5),
)
def test_to_accept_at_the_very_end_is_in_time(accepted: int | None, released: int | None) -> None:
    times = [None if at is None else MONDAY + timedelta(seconds=at) for at in (accepted, released)]
    expected = (accepted is not None and accepted <= 0) or (released is not None and released <= 0)
    assert accepted_in_time(times[0], times[1], MONDAY) is expected
