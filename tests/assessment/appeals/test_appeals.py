"""A unit appeals in time and with evidence; two people settle it; the original stays."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from shared.ids import uuid7
from shared.journal import read_journal
from shared.testing import ServiceUnderTest
from shared.vocabulary import Role

MAY = datetime.fromisoformat("2026-05-20T02:00:00+00:00")
EVIDENCE = [{"text": "维修单 17 号"}, {"sha256": "9f" * 32}]


@pytest.fixture
async def late(sut: ServiceUnderTest, tell: Any, teller: Any) -> Any:
    """Water has one case in time and one late, post one in time; May is closed."""
    story = teller().settled("water", used=20_000, due_at=MAY)
    await tell(story, teller().settled("water", due_at=MAY), teller().settled("post", due_at=MAY))
    async with sut.client(Role.LEADER) as leader:
        closed = await leader.post("/periods/2026-05/closing", json={"reason": "通报"})
    assert closed.status_code == 201
    return story


async def appeal(
    sut: ServiceUnderTest, case_id: Any, *, unit: str = "water", period: str = "2026-05"
) -> Any:
    body = {
        "period": period,
        "case_id": str(case_id),
        "statement": "现场封路,无法进入",
        "evidence": EVIDENCE,
    }
    async with sut.client(Role.UNIT_LEAD, subject="lead", unit=unit) as lead:
        return await lead.post("/appeals", json=body)


async def step(sut: ServiceUnderTest, person: str, address: str, **body: Any) -> Any:
    async with sut.client(Role.SUPERVISOR, subject=person) as somebody:
        return await somebody.post(address, json={"reason": "查明属实", **body})


async def card(sut: ServiceUnderTest) -> dict[str, Any]:
    async with sut.client(Role.UNIT_LEAD, unit="water") as lead:
        answer: dict[str, Any] = (await lead.get("/scorecards/water/2026-05")).json()
    return answer


@pytest.mark.parametrize(
    ("correction", "counts"), [("acknowledge", (2, 2, 100)), ("leave-out", (1, 1, 100))]
)
async def test_a_granted_appeal_stands_beside_the_original(
    sut: ServiceUnderTest, late: Any, correction: str, counts: tuple[int, int, float]
) -> None:
    filed = (await appeal(sut, late.case_id)).json()
    address = f"/appeals/{filed['id']}"
    proposal = {"granted": True, "correction": correction}
    proposed = await step(sut, "first", f"{address}/proposal", **proposal)
    assert proposed.json()["state"] == "proposed"
    alone = await step(sut, "first", f"{address}/decision", agreed=True)
    assert (alone.status_code, alone.json()["code"]) == (403, "separation-of-duties")
    assert (await card(sut))["corrected"] is None

    decided = await step(sut, "second", f"{address}/decision", agreed=True)

    assert decided.json()["state"] == "granted"
    shown = await card(sut)
    assert (shown["scorecard"]["due"], shown["scorecard"]["score"]) == (2, 60)
    corrected = shown["corrected"]
    assert (corrected["due"], corrected["timely"], corrected["score"]) == counts
    (why,) = shown["corrections"]
    assert (why["case_id"], why["correction"], why["reason"]) == (
        str(late.case_id),
        correction,
        "查明属实",
    )
    (event,) = [one for one in await sut.told() if one.type == "assessment.appeal.decided.v1"]
    assert event.data == {
        "period": "2026-05",
        "unit": "water",
        "case_id": str(late.case_id),
        "granted": True,
        "correction": correction,
        "reason": "查明属实",
    }
    async with sut.client(Role.COLLECTOR) as anybody:
        ranking = (await anybody.get("/scorecards", params={"period": "2026-05"})).json()
    assert [one["unit"] for one in ranking["corrected"]] == ["water"]


async def test_a_proposal_can_be_sent_back_and_an_appeal_refused(
    sut: ServiceUnderTest, late: Any
) -> None:
    address = f"/appeals/{(await appeal(sut, late.case_id)).json()['id']}"
    grant = {"granted": True, "correction": "acknowledge"}
    await step(sut, "first", f"{address}/proposal", **grant)
    back = await step(sut, "second", f"{address}/decision", agreed=False)
    await step(sut, "second", f"{address}/proposal", granted=False)
    refused = await step(sut, "first", f"{address}/decision", agreed=True)
    again = await step(sut, "first", f"{address}/proposal", **grant)

    assert back.json()["state"] == "filed"
    assert refused.json()["state"] == "refused"
    assert (again.status_code, again.json()["code"]) == (409, "appeal-not-in-this-state")
    assert (await card(sut))["corrected"] is None
    (event,) = [one for one in await sut.told() if one.type == "assessment.appeal.decided.v1"]
    assert (event.data["granted"], event.data["correction"]) == (False, None)
    async with sut.runtime.database.reading() as session:
        journal = await read_journal(session, sut.runtime.tables, "appeals", refused.json()["id"])
    assert [(line.action, line.actor_id) for line in journal] == [
        ("file-appeal", "lead"),
        ("propose-decision", "first"),
        ("send-back-proposal", "second"),
        ("propose-decision", "second"),
        ("decide-appeal", "first"),
    ]


async def test_the_time_to_appeal_ends_with_the_last_day(sut: ServiceUnderTest, late: Any) -> None:
    until = datetime.fromisoformat((await card(sut))["closed"]["appeal_until"])
    sut.runtime.clock.advance(until - sut.runtime.clock.now())
    refused = await appeal(sut, late.case_id)
    sut.runtime.clock.advance(-timedelta(microseconds=1))
    filed = await appeal(sut, late.case_id)

    assert (refused.status_code, refused.json()["code"]) == (409, "appeal-late")
    assert filed.status_code == 201


async def test_only_own_cases_of_a_closed_period_are_appealed_once(
    sut: ServiceUnderTest, late: Any
) -> None:
    refusals = [
        (await appeal(sut, late.case_id, period="2026-04"), 404, "period-not-closed"),
        (await appeal(sut, uuid7()), 404, "assignment-not-in-period"),
        (await appeal(sut, late.case_id, unit="post"), 404, "assignment-not-in-period"),
    ]
    first = await appeal(sut, late.case_id)
    refusals.append((await appeal(sut, late.case_id), 409, "appeal-exists"))
    async with sut.client(Role.UNIT_LEAD, unit="water") as lead:
        taken_back = await lead.post(
            f"/appeals/{first.json()['id']}/withdrawal", json={"reason": "补充证据"}
        )

    for answer, status, code in refusals:
        assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert taken_back.json()["state"] == "withdrawn"
    assert (await appeal(sut, late.case_id)).status_code == 201


async def test_what_is_asked_of_an_appeal_is_checked(sut: ServiceUnderTest, late: Any) -> None:
    filed = (await appeal(sut, late.case_id)).json()
    address = f"/appeals/{filed['id']}"
    for proposal in ({"granted": True}, {"granted": False, "correction": "acknowledge"}):
        answer = await step(sut, "first", f"{address}/proposal", **proposal)
        assert (answer.status_code, answer.json()["code"]) == (422, "correction-needed")
    body = {"period": "2026-05", "case_id": filed["case_id"], "statement": "x", "evidence": []}
    async with (
        sut.client(Role.UNIT_LEAD, unit="water") as lead,
        sut.client(Role.UNIT_LEAD, unit="post") as other,
        sut.client(Role.UNIT_LEAD, Role.SUPERVISOR, subject="lead", unit="water") as both,
    ):
        assert (await lead.post("/appeals", json=body)).status_code == 422
        assert (await lead.post(f"{address}/proposal", json={})).status_code == 403
        assert (await other.get(address)).status_code == 404
        assert (await other.get("/appeals", params={"unit": "water"})).json()["items"] == []
        assert (await other.post(f"{address}/withdrawal", json={"reason": "x"})).status_code == 404
        own = await both.post(
            f"{address}/proposal",
            json={"granted": True, "correction": "acknowledge", "reason": "x"},
        )
        assert (own.status_code, own.json()["code"]) == (403, "separation-of-duties")
        listed = (await lead.get("/appeals", params={"period": "2026-05"})).json()["items"]
        assert [(one["id"], one["period"]) for one in listed] == [(filed["id"], "2026-05")]
