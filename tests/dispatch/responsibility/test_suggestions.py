"""Suggested units, each with its reasons."""

from shared.events.vocabulary import Finding
from shared.vocabulary import Role
from tests.dispatch.story import GRID, OTHER_UNIT, UNIT, Story


async def _suggested(story: Story, case_id: object) -> list[tuple[str, list[str]]]:
    answer = await story.dispatcher.get(f"/cases/{case_id}/suggested-units")
    assert answer.status_code == 200
    found = answer.json()
    assert [item["rank"] for item in found] == list(range(1, len(found) + 1))
    return [(item["unit"], [reason["kind"] for reason in item["reasons"]]) for item in found]


async def _lived(story: Story, unit: str) -> None:
    case_id = await story.with_unit(unit)
    await story.handled(case_id, unit)
    await story.checked(case_id)
    await story.found(case_id, Finding.PASSED)
    await story.closed(case_id)


async def test_the_table_leads_and_precedents_follow(story: Story) -> None:
    await _lived(story, "transport")
    await _lived(story, "transport")
    case_id = await story.opened()
    chosen = story.condition()
    table = [
        line.unit.code for line in story.pack.responsible_units(chosen.class_key, "620103001001001")
    ]
    found = await _suggested(story, case_id)
    assert [unit for unit, _ in found] == [*table, "transport"]
    assert found[0][1] == ["class"]
    assert found[-1][1] == ["settled-before"]
    # On another ground nothing was settled yet.
    elsewhere = await story.opened(place={"grid": "620103001001002"})
    assert "transport" not in [unit for unit, _ in await _suggested(story, elsewhere)]


async def test_who_returned_the_case_goes_to_the_end(story: Story) -> None:
    case_id = await story.opened()
    first = (await _suggested(story, case_id))[0][0]
    await story.dispatched(case_id, first)
    request = await story.asked(case_id, "returns", first, suggested_unit=UNIT)
    await story.decided(request, granted=True)
    found = await _suggested(story, case_id)
    assert found[-1][0] == first
    assert "returned-it" in found[-1][1]
    assert (UNIT, ["named-in-return"]) in found


async def test_what_failed_goes_back_to_its_unit(story: Story) -> None:
    case_id = await story.with_unit(OTHER_UNIT)
    await story.handled(case_id, OTHER_UNIT)
    await story.checked(case_id)
    await story.found(case_id, Finding.FAILED)
    assert await _suggested(story, case_id) == [(OTHER_UNIT, ["failed-verification"])]


async def test_units_do_not_see_suggestions(story: Story) -> None:
    case_id = await story.with_unit()
    client = story.someone(Role.HANDLER, unit=UNIT)
    assert (await client.get(f"/cases/{case_id}/suggested-units")).status_code == 403


async def test_the_owner_of_the_component_that_stands_there_is_named_first(story: Story) -> None:
    """Telecom covers belong to three companies; the register says whose this one is."""
    mobile = next(item for item in story.pack.components if item.owner == "mobile")
    condition = story.pack.conditions_of(mobile.class_key)[0].code
    place = {"longitude": mobile.place.lng, "latitude": mobile.place.lat, "grid": GRID}
    case_id = await story.opened(condition=condition, place=place)
    found = await _suggested(story, case_id)
    assert found[0] == ("mobile", ["owns-component", "class"])
    # A few metres on stands one of another company's.
    assert found[1] == ("telecom", ["owns-component", "class"])
    shown = (await story.dispatcher.get(f"/cases/{case_id}/suggested-units")).json()
    assert shown[0]["reasons"][0]["reference"] == mobile.code
    # Two streets away nobody's component is meant.
    away = await story.opened(condition=condition, place={**place, "latitude": 36.07})
    assert "owns-component" not in str(await _suggested(story, away))
