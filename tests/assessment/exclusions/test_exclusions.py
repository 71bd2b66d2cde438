"""A case is left out by two people with a reason, and counts again the same way."""

from datetime import datetime
from typing import Any

import pytest

from shared.ids import uuid7
from shared.journal import read_journal
from shared.testing import ServiceUnderTest
from shared.vocabulary import Role

MAY = datetime.fromisoformat("2026-05-20T02:00:00+00:00")


@pytest.fixture
async def late(sut: ServiceUnderTest, tell: Any, teller: Any) -> Any:
    """A late case of water, known to the facts, and one in time."""
    story = teller().settled("water", used=20_000, due_at=MAY)
    await tell(story, teller().settled("water", due_at=MAY))
    assert (await scored(sut))[0] == 2
    return story


async def propose(sut: ServiceUnderTest, case_id: Any, unit: str = "water") -> Any:
    body = {"case_id": str(case_id), "unit": unit, "reason": "洪水封路"}
    async with sut.client(Role.SUPERVISOR, subject="first") as first:
        return await first.post("/exclusions", json=body)


async def step(sut: ServiceUnderTest, person: str, address: str, **body: Any) -> Any:
    async with sut.client(Role.SUPERVISOR, subject=person) as somebody:
        return await somebody.post(address, json={"reason": "属实", **body})


async def scored(sut: ServiceUnderTest) -> tuple[int, Any, list[list[str]]]:
    async with sut.client(Role.SUPERVISOR) as anybody:
        answer = (await anybody.get("/scorecards/water/2026-05/explain")).json()
    card = answer["scorecard"]
    return card["due"], card["score"], [item["reasons"] for item in answer["cases"]["items"]]


async def test_two_people_leave_a_case_out_and_two_take_it_back(
    sut: ServiceUnderTest, late: Any
) -> None:
    proposed = (await propose(sut, late.case_id)).json()
    address = f"/exclusions/{proposed['id']}"
    assert await scored(sut) == (2, 60, [["over-limit"], ["in-time"]])

    alone = await step(sut, "first", f"{address}/decision", granted=True)
    assert (alone.status_code, alone.json()["code"]) == (403, "separation-of-duties")
    granted = await step(sut, "second", f"{address}/decision", granted=True)
    assert granted.json()["state"] == "granted"
    assert await scored(sut) == (1, 100, [["excluded"], ["in-time"]])

    assert (await step(sut, "second", f"{address}/lifting")).status_code == 403
    assert (await step(sut, "first", f"{address}/lifting")).json()["state"] == "lifted"
    assert await scored(sut) == (2, 60, [["over-limit"], ["in-time"]])
    async with sut.runtime.database.reading() as session:
        journal = await read_journal(
            session, sut.runtime.tables, "exclusions", granted.json()["id"]
        )
    assert [(line.action, line.actor_id, line.reason) for line in journal] == [
        ("propose-exclusion", "first", "洪水封路"),
        ("decide-exclusion", "second", "属实"),
        ("lift-exclusion", "first", "属实"),
    ]


async def test_a_refused_exclusion_changes_nothing_and_is_over(
    sut: ServiceUnderTest, late: Any
) -> None:
    proposed = (await propose(sut, late.case_id)).json()
    address = f"/exclusions/{proposed['id']}"
    twice = await propose(sut, late.case_id)
    refused = await step(sut, "second", f"{address}/decision", granted=False)
    again = await step(sut, "second", f"{address}/decision", granted=True)
    lifted = await step(sut, "first", f"{address}/lifting")

    assert (twice.status_code, twice.json()["code"]) == (409, "exclusion-pending")
    assert refused.json()["state"] == "refused"
    assert (again.status_code, again.json()["allowed"]) == (409, [])
    assert lifted.status_code == 409
    assert await scored(sut) == (2, 60, [["over-limit"], ["in-time"]])


async def test_only_cases_of_the_unit_are_excluded(sut: ServiceUnderTest, late: Any) -> None:
    for case_id, unit in ((uuid7(), "water"), (late.case_id, "post")):
        answer = await propose(sut, case_id, unit)
        assert (answer.status_code, answer.json()["code"]) == (404, "assignment-unknown")


async def test_units_read_their_own_exclusions_and_propose_none(
    sut: ServiceUnderTest, late: Any
) -> None:
    proposed = (await propose(sut, late.case_id)).json()
    async with (
        sut.client(Role.UNIT_LEAD, unit="water") as own,
        sut.client(Role.UNIT_LEAD, unit="post") as other,
    ):
        listed = (await own.get("/exclusions", params={"state": "proposed"})).json()["items"]
        assert [one["id"] for one in listed] == [proposed["id"]]
        assert (await own.get(f"/exclusions/{proposed['id']}")).json()["reason"] == "洪水封路"
        assert (await other.get("/exclusions", params={"unit": "water"})).json()["items"] == []
        assert (await other.get(f"/exclusions/{proposed['id']}")).status_code == 404
        body = {"case_id": proposed["case_id"], "unit": "water", "reason": "x"}
        assert (await own.post("/exclusions", json=body)).status_code == 403


async def test_an_exclusion_after_closing_changes_only_what_is_recomputed(
    sut: ServiceUnderTest, late: Any
) -> None:
    await step(sut, "first", "/periods/2026-05/closing")
    proposed = (await propose(sut, late.case_id)).json()
    await step(sut, "second", f"/exclusions/{proposed['id']}/decision", granted=True)
    async with sut.client(Role.LEADER) as leader:
        beside = (await leader.get("/periods/2026-05/recomputed")).json()

    assert await scored(sut) == (2, 60, [["over-limit"], ["in-time"]])
    (pair,) = [pair for pair in beside["units"] if pair["changed"]]
    assert (pair["unit"], pair["held"]["score"], pair["other"]["score"]) == ("water", 60, 100)
