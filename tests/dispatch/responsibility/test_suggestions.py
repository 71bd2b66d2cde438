"""Suggested units, each with its reasons."""

from hypothesis import given
from hypothesis import strategies as st

from services.dispatch.responsibility.domain import (
    PastDispatch,
    Precedent,
    Reason,
    ReasonKind,
    candidates,
)
from shared.events.vocabulary import Finding
from shared.vocabulary import Role
from tests.dispatch.story import MONDAY, OTHER_UNIT, UNIT, Story

UNITS = st.sampled_from(["a", "b", "c", "d", "e"])


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
    assert found[0][1] == ["responsibility-table"]
    assert found[-1][1] == ["precedent"]
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


@given(
    table=st.lists(UNITS, unique=True),
    precedents=st.lists(st.tuples(UNITS, st.integers(1, 9)), unique_by=lambda item: item[0]),
    returned=st.lists(UNITS),
    named=st.dictionaries(UNITS, st.just("reason")),
)
def test_every_unit_once_and_those_who_returned_it_last(
    table: list[str],
    precedents: list[tuple[str, int]],
    returned: list[str],
    named: dict[str, str],
) -> None:
    found = candidates(
        [(unit, Reason(ReasonKind.TABLE, "", "")) for unit in table],
        [Precedent(unit, cases, MONDAY) for unit, cases in precedents],
        [PastDispatch(unit, "returned") for unit in returned],
        named,
    )
    units = [item.unit for item in found]
    assert sorted(units) == sorted({*table, *(unit for unit, _ in precedents), *named})
    # Once somebody returned it, nobody behind them is free of that.
    flags = [unit in returned for unit in units]
    assert flags == sorted(flags)
    assert [unit for unit in units if unit in table and unit not in returned] == [
        unit for unit in table if unit not in returned
    ]
