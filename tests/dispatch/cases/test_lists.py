"""Lists of cases: filters, order, pages, lights, and the indexes under them."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import pytest
import sqlalchemy as sa

from services.dispatch.case_files.domain import CaseState
from services.dispatch.cases.repository import CaseQuery, page_statement
from services.dispatch.clocks.domain import Light
from shared.web.paging import PageRequest
from tests.dispatch.story import MONDAY, OTHER_UNIT, UNIT, Story


async def listed(story: Story, **query: Any) -> list[str]:
    answer = await story.dispatcher.get(f"/cases?{urlencode(query)}")
    assert answer.status_code == 200, answer.text
    return [item["id"] for item in answer.json()["items"]]


async def test_what_is_due_next_comes_first_on_every_page(story: Story) -> None:
    cases = []
    for minutes in range(7):
        story.at(f"2026-06-01 09:{minutes:02d}")
        cases.append(str(await story.opened()))
    # The one reported second is with a unit now and has hours.
    await story.dispatched(UUID(cases[1]))
    wanted = [cases[0], *cases[2:], cases[1]]
    seen, cursor = [], None
    while True:
        query = {"limit": 3} | ({"cursor": cursor} if cursor else {})
        page = (await story.dispatcher.get(f"/cases?{urlencode(query)}")).json()
        seen += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == wanted
    assert await listed(story, order="newest") == list(reversed(cases))


async def test_every_filter_narrows(story: Story) -> None:
    ticket = story.new_id()
    plain = str(await story.opened())
    story.later(minutes=1)
    urgent = str(await story.opened(urgent=True, ticket_id=ticket, condition="B01002-2"))
    sent = await story.with_unit()
    number = (await story.case(sent))["number"]
    mine = str(sent)
    assert set(await listed(story)) == {plain, urgent, mine}
    for query, wanted in (
        ({"state": "accepted"}, [mine]),
        ({"stage": "handling"}, [mine]),
        ({"unit": UNIT}, [mine]),
        ({"unit": OTHER_UNIT}, []),
        ({"urgent": "true"}, [urgent]),
        ({"ticket": str(ticket)}, [urgent]),
        ({"number": number}, [mine]),
        ({"class": "GB/T 47678.5-2026:component:01002"}, [urgent]),
        ({"registered_to": "2026-06-01T09:01:00+08:00"}, [plain]),
        ({"registered_from": "2026-06-01T09:01:00+08:00", "state": "accepted"}, [mine]),
        ({"street": "620103001", "state": "accepted"}, [mine]),
        ({"street": "620103002"}, []),
        ({"street": "%"}, []),
        ({"grid": "620103001001001", "state": "accepted"}, [mine]),
        ({"open": "false"}, []),
        ({"coordination_needed": "true"}, []),
    ):
        assert await listed(story, **query) == wanted, query


async def test_lights_are_those_of_this_moment(story: Story) -> None:
    case_id = str(await story.opened())
    moments = {"09:10": "green", "09:23": "green", "09:24": "yellow", "09:30": "yellow"}
    for moment, light in (moments | {"09:31": "red"}).items():
        story.at(f"2026-06-01 {moment}")
        page = (await story.dispatcher.get("/cases")).json()
        assert page["items"][0]["stage"]["light"] == light, moment
        for wanted in ("green", "yellow", "red", "none"):
            found = await listed(story, light=wanted)
            assert found == ([case_id] if wanted == light else []), (moment, wanted)


async def test_the_whole_has_a_light_of_its_own(story: Story) -> None:
    case_id = str(await story.opened())
    # Seven working hours for the whole way; now the half hour for dispatch is long over.
    story.at("2026-06-01 15:00")
    assert await listed(story, total_light="green", light="red") == [case_id]
    story.at("2026-06-02 08:31")
    assert await listed(story, total_light="yellow") == [case_id]
    story.at("2026-06-02 09:31")
    assert await listed(story, total_light="red") == [case_id]


async def test_the_archive_has_no_lights(story: Story) -> None:
    case_id = await story.opened()
    asked = await story.post(story.operator, f"/cases/{case_id}/voiding", 201, reason="误报")
    path = f"/requests/{asked['request']['id']}/void-decision"
    await story.post(story.supervisor, path, granted=True, reason="属实")
    story.later(days=30)
    assert await listed(story, open="true") == []
    assert await listed(story, open="false") == [str(case_id)]
    assert await listed(story, light="red") == []
    assert await listed(story, total_light="red") == []
    assert (await story.case(case_id))["total"]["light"] == "green"


@pytest.mark.parametrize("query", ["state=nowhere", "limit=0", "urgent=perhaps", "order=random"])
async def test_a_filter_that_makes_no_sense_is_refused(story: Story, query: str) -> None:
    assert (await story.dispatcher.get(f"/cases?{query}")).status_code == 422


async def test_a_cursor_of_another_list_is_refused(story: Story) -> None:
    answer = await story.dispatcher.get("/cases?cursor=abc")
    assert (answer.status_code, answer.json()["code"]) == (400, "cursor-invalid")


PLANS = {
    "all": CaseQuery(now=MONDAY),
    "open": CaseQuery(now=MONDAY, open=True),
    "red": CaseQuery(now=MONDAY, light=Light.RED),
    "unit": CaseQuery(now=MONDAY, unit=UNIT, open=True),
    "state": CaseQuery(now=MONDAY, state=CaseState.AWAITING_DISPATCH),
    "grid": CaseQuery(now=MONDAY, grid="620103001001001"),
    "class": CaseQuery(now=MONDAY, class_key="GB/T 47678.5-2026:component:01001"),
    "newest": CaseQuery(now=MONDAY, newest=True),
    "newest of a unit": CaseQuery(now=MONDAY, unit=UNIT, newest=True),
}


@pytest.mark.parametrize("name", PLANS)
async def test_a_page_rides_on_an_index_and_sorts_nothing(story: Story, name: str) -> None:
    database = story.sut.runtime.database
    if database.is_sqlite:
        pytest.skip("the planner that matters is PostgreSQL's")
    statement = page_statement(PLANS[name], PageRequest())
    text = str(
        statement.compile(dialect=database.engine.dialect, compile_kwargs={"literal_binds": True})
    )
    async with database.engine.connect() as connection:
        await connection.execute(sa.text("SET enable_seqscan = off"))
        await connection.execute(sa.text("SET enable_bitmapscan = off"))
        # On a few rows sorting costs nothing: it may only be chosen where no index gives the order.
        await connection.execute(sa.text("SET enable_sort = off"))
        rows = await connection.execute(sa.text(f"EXPLAIN {text}".replace(":", "\\:")))
        plan = "\n".join(row[0] for row in rows)
    assert "Index Scan" in plan, plan
    assert "Sort" not in plan, plan
