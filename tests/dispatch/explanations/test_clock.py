"""The explained clock: what a person would check by hand."""

from pathlib import Path

from services.dispatch.app import service
from shared.clock import ManualClock
from shared.events.vocabulary import Finding
from shared.pack.model import CityPack
from shared.testing import service_under_test
from tests.dispatch.story import MONDAY, Story, instant, local


async def test_it_lists_segments_spans_rule_and_sum(story: Story) -> None:
    case_id = await story.opened()
    story.later(minutes=10)
    await story.dispatched(case_id)
    await story.accepted(case_id)
    story.at("2026-06-02 09:00")
    await story.handled(case_id)
    story.later(minutes=40)
    clock = (await story.dispatcher.get(f"/cases/{case_id}/clock")).json()

    kinds = [(item["kind"], item["holder"], item["light"]) for item in clock["segments"]]
    assert kinds == [
        ("dispatch", "dispatcher", "green"),
        ("handling", "street-xiyuan", "red"),
        ("supervision", "centre", "red"),
    ]
    [handling] = clock["clocks"]
    # Monday 09:10-11:30 and the whole afternoon, Tuesday half an hour: 6 h 20 min of 4 hours.
    assert handling["used_seconds"] == (6 * 60 + 20) * 60
    assert handling["limit"] == "4 working-hours"
    assert handling["limit_seconds"] == 4 * 3600
    assert handling["light"] == "red"
    [counted] = handling["counted"]
    assert (counted["segment"], counted["rule"]) == (2, "own-handling")
    assert counted["rule_words"]["zh"]
    assert [(day["date"], day["spans"]) for day in counted["days"]] == [
        ("2026-06-01", ["09:10-11:30", "14:00-17:30"]),
        ("2026-06-02", ["08:30-09:00"]),
    ]


async def test_handed_in_on_time_stays_green_whatever_the_centre_takes(story: Story) -> None:
    case_id = await story.with_unit()
    story.later(minutes=30)
    await story.handled(case_id)
    story.later(days=3)
    clock = (await story.handler().get(f"/cases/{case_id}/clock")).json()
    assert clock["clocks"][0]["light"] == "green"
    assert clock["clocks"][0]["used_seconds"] == 1800
    assert clock["segments"][-1]["light"] == "red"


async def test_each_dispatch_has_its_own_sum(story: Story) -> None:
    case_id = await story.with_unit()
    story.later(minutes=30)
    await story.handled(case_id)
    await story.checked(case_id)
    await story.found(case_id, Finding.FAILED)
    story.later(minutes=30)
    await story.dispatched(case_id)
    story.later(minutes=15)
    clock = (await story.dispatcher.get(f"/cases/{case_id}/clock")).json()
    assert [item["used_seconds"] for item in clock["clocks"]] == [1800, 2700]
    assert [item["segment"] for item in clock["clocks"][1]["counted"]] == [2, 7]


async def test_urgent_time_is_counted_around_the_clock(story: Story) -> None:
    story.at("2026-06-06 23:00")
    case_id = await story.with_unit(urgent=True)
    story.later(hours=2, seconds=30)
    clock = (await story.dispatcher.get(f"/cases/{case_id}/clock")).json()
    [counted] = clock["clocks"][0]["counted"]
    assert counted["seconds"] == 7230
    assert [day["spans"] for day in counted["days"]] == [["23:00-24:00"], ["00:00-01:00:30"]]


async def test_a_year_without_its_holiday_notice_is_marked(story: Story) -> None:
    story.at("2026-12-31 17:00")
    case_id = await story.with_unit(condition="LB01001-4")
    view = await story.case(case_id)
    assert view["provisional"] is True
    assert view["assignments"][0]["provisional"] is True
    assert instant(view["stage"]["due_at"]) > local("2027-01-05 00:00")


async def test_nothing_of_one_city_is_built_in(
    database_url: str, nyc311: CityPack, tmp_path: Path
) -> None:
    """The second city has other units, classes, hours and zone; the same story holds."""
    clock = ManualClock(MONDAY.replace(hour=22))
    async with service_under_test(
        service, database_url=database_url, pack=nyc311, folder=tmp_path, clock=clock
    ) as sut:
        story = Story(sut, nyc311, clock)
        condition = nyc311.conditions[0]
        unit = nyc311.responsible_units(condition.class_key, None)[0].unit.code
        grid = next(iter(nyc311.grids))
        case_id = await story.opened(condition=condition.code, place={"grid": grid})
        view = await story.dispatched(case_id, unit)
        due = nyc311.calendar.due(clock.now(), condition.limit, provisional=True)
        assert instant(view["stage"]["due_at"]) == due.instant
        await story.accepted(case_id, unit)
        await story.handled(case_id, unit)
        await story.checked(case_id)
        await story.found(case_id, Finding.PASSED)
        assert (await story.closed(case_id))["state"] == "closed"
