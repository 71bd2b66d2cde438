"""What becomes of a row."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.replay.day import Day, read_day
from services.replay.plan import End, Options, Plan, Route, plan_day, share_of
from shared.pack.model import CityPack
from tests.replay.conftest import MakeDay
from tests.replay.test_day import FILE, ZONE

PLAIN = Options(reject_share=0, fail_share=0, waiting_share=0)


def only(day: Day, pack: CityPack, options: Options = PLAIN) -> Plan:
    (plan,) = plan_day(day, pack, options).values()
    return plan


@pytest.mark.parametrize(
    ("channel", "route"),
    [
        ("PHONE", Route.PHONE),
        ("ONLINE", Route.WEB),
        ("MOBILE", Route.HANDSET),
        ("OTHER", Route.INSTRUCTION),
        ("UNKNOWN", Route.LIAISON),
        ("CARRIER PIGEON", Route.LIAISON),
    ],
)
def test_the_channel_says_who_reports(
    make_day: MakeDay, nyc311: CityPack, channel: str, route: Route
) -> None:
    assert only(make_day({"channel": channel}), nyc311).route is route


@pytest.mark.parametrize(
    ("status", "closed", "end"),
    [
        ("Closed", "2018-10-21T10:00", End.CLOSED),
        ("Closed", "", End.CLOSED),
        ("Open", "2018-10-21T10:00", End.CLOSED),
        ("Open", "", End.DISPATCHED),
        ("Assigned", "", End.ACCEPTED),
        ("Started", "", End.ACCEPTED),
        ("Pending", "", End.HANDLED),
        ("Email Sent", "", End.DISPATCHED),
        ("Unassigned", "", End.AWAITING_DISPATCH),
    ],
)
def test_the_status_says_how_far_it_comes(
    make_day: MakeDay, nyc311: CityPack, status: str, closed: str, end: End
) -> None:
    assert only(make_day({"status": status, "closed": closed}), nyc311).end is end


def test_the_descriptor_chooses_the_condition(make_day: MakeDay, nyc311: CityPack) -> None:
    first = only(make_day({}), nyc311)
    assert first.condition is not None
    text = nyc311.condition(first.condition).text.en
    assert text.casefold() == "noise - residential: banging/pounding"
    other = only(make_day({"descriptor": "Trumpets"}), nyc311)
    assert other.condition == nyc311.conditions_of(first.class_key)[0].code


def test_without_coordinates_an_operator_takes_the_grid_of_the_borough(
    make_day: MakeDay, nyc311: CityPack
) -> None:
    day = make_day({}, {"lat": "", "lng": ""})
    located, unlocated = plan_day(day, nyc311, PLAIN).values()
    assert unlocated.spot.lng is None
    assert unlocated.grid == located.grid is not None


def test_what_nobody_can_place_is_rejected(make_day: MakeDay, nyc311: CityPack) -> None:
    nowhere = {"lat": "", "lng": "", "borough": "Unspecified"}
    plan = only(make_day(nowhere), nyc311)
    assert (plan.end, plan.reason) == (End.REJECTED, "place-not-found")


def test_a_type_that_the_city_does_not_know_is_rejected(
    make_day: MakeDay, nyc311: CityPack
) -> None:
    plan = only(make_day({"type": "Dragons"}), nyc311)
    assert (plan.end, plan.reason) == (End.REJECTED, "class-unknown")


def test_a_duplicate_goes_into_the_earlier_request_at_its_place(
    make_day: MakeDay, nyc311: CityPack
) -> None:
    again = {"resolution": "dup", "status": "Open", "closed": ""}
    day = make_day({}, again, again | {"channel": "MOBILE", "address": "467 EAST 10 STREET"})
    first, by_phone, by_handset = plan_day(day, nyc311, PLAIN).values()
    assert (by_phone.end, by_phone.into) == (End.MERGED, first.key)
    assert (by_handset.end, by_handset.into) == (End.MERGED, first.key)
    # A rule would have registered the collector's report before anybody could merge it.
    assert by_handset.route is Route.WEB


def test_a_duplicate_of_something_else_is_a_request_of_its_own(
    make_day: MakeDay, nyc311: CityPack
) -> None:
    again = {"resolution": "dup"}
    far = {"lat": "40.8", "lng": "-73.94", "address": "1 FAR STREET"}
    day = make_day(
        again | {"type": "Rodent", "agency": "DOHMH"},
        {"type": "Rodent", "agency": "DOHMH"} | far,
        again,
        {"lat": "", "lng": "", "address": ""},
        again | {"lat": "", "lng": "", "address": ""},
    )
    assert [plan.into for plan in plan_day(day, nyc311, PLAIN).values()] == [None] * 5


def test_nothing_is_merged_into_what_will_be_refused_or_rejected(
    make_day: MakeDay, nyc311: CityPack
) -> None:
    unplaced = {"lat": "", "lng": ""}
    day = make_day(
        unplaced | {"channel": "MOBILE"},
        unplaced | {"borough": "Unspecified"},
        unplaced | {"resolution": "dup"},
        {"lat": "40.8", "lng": "-73.94", "address": "1 FAR STREET"},
    )
    assert [plan.into for plan in plan_day(day, nyc311, PLAIN).values()] == [None] * 4


def test_fixed_shares_fail_and_are_rejected(make_day: MakeDay, nyc311: CityPack) -> None:
    rows = [{"address": f"{number} EAST 10 STREET"} for number in range(400)]
    day = make_day(*rows)
    options = replace(PLAIN, reject_share=0.1, fail_share=0.25)
    plans = list(plan_day(day, nyc311, options).values())
    rejected = [plan for plan in plans if plan.end is End.REJECTED]
    failing = [plan for plan in plans if plan.fails]
    assert 20 <= len(rejected) <= 60
    assert 60 <= len(failing) <= 130
    assert not {plan.key for plan in rejected} & {plan.key for plan in failing}
    assert plans == list(plan_day(day, nyc311, options).values())
    assert plans != list(plan_day(day, nyc311, replace(options, seed="other")).values())


def test_every_row_of_the_real_day_has_one_end_that_can_be_reached(nyc311: CityPack) -> None:
    day = read_day(FILE, ZONE)
    plans = plan_day(day, nyc311, Options())
    assert list(plans) == [row.key for row in day.rows]
    order = {key: number for number, key in enumerate(plans)}
    for plan in plans.values():
        if plan.end is End.MERGED:
            assert plan.into is not None
            target = plans[plan.into]
            assert target.becomes_case
            assert target.class_key == plan.class_key
            assert order[target.key] < order[plan.key]
        elif plan.becomes_case:
            assert plan.unit in nyc311.units
            assert plan.grid in nyc311.grids
            assert plan.condition is not None


@given(seed=st.text(max_size=5), purpose=st.text(max_size=5), key=st.text(max_size=10))
def test_a_drawn_share_is_fixed_and_in_range(seed: str, purpose: str, key: str) -> None:
    drawn = share_of(seed, purpose, key)
    assert 0 <= drawn < 1
    assert share_of(seed, purpose, key) == drawn
