"""Tickets over HTTP: recorded, classified, answered, referred, submitted, withdrawn."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from shared.events.hotline import (
    AlarmRaised,
    EmergencyRaised,
    TicketAnswered,
    TicketReferred,
    TicketSubmitted,
    TicketWithdrawn,
)
from shared.vocabulary import Role

CLASS = {"scheme": "GB/T 47678.5-2026", "kind": "component", "code": "01001"}
PLACE = {"longitude": 103.762973, "latitude": 36.066606, "address": "西津西路 100 号"}


async def test_a_recorded_ticket_has_a_number_of_the_citys_day(hotline: Any) -> None:
    first, second = await hotline.ticket(), await hotline.ticket()
    assert (first["number"], second["number"]) == ("H2026060100001", "H2026060100002")
    hotline.clock.set(datetime(2026, 6, 1, 16, 30, tzinfo=UTC))  # 00:30 of the next day there
    assert (await hotline.ticket())["number"] == "H2026060200001"
    assert first["state"] == "recorded"
    assert first["allowed"] == ["answer", "classify", "refer", "submit", "withdraw"]


async def test_tickets_recorded_at_once_have_different_numbers(hotline: Any) -> None:
    tickets = await asyncio.gather(*(hotline.ticket(caller=None) for _ in range(4)))
    assert len({ticket["number"] for ticket in tickets}) == 4


async def test_a_submission_is_told_whole_and_without_the_caller(hotline: Any) -> None:
    call = (await hotline.agent.post("/calls", json={"number": "13800001234"})).json()
    ticket = await hotline.ticket(call_id=call["id"], caller=None)
    body = {
        "place": PLACE,
        "class_ref": CLASS,
        "urgency": "urgent",
        "confidential": True,
        "description": "人行道井盖丢失，行人险些跌落",
    }
    answer = await hotline.agent.post(f"/tickets/{ticket['id']}/submission", json=body)

    assert (answer.json()["state"], answer.json()["progress"]) == ("submitted", "submitted")
    assert answer.json()["allowed"] == ["withdraw"]
    told = await hotline.sut.told(TicketSubmitted)
    assert [envelope.subject for envelope in told] == [ticket["id"]]
    data = told[0].data
    assert data["number"] == ticket["number"]
    assert (data["call_id"], data["caller_id"]) == (call["id"], call["caller_id"])
    assert (data["urgency"], data["confidential"], data["class_ref"]) == ("urgent", True, CLASS)
    assert data["place"]["grid"].startswith("620103")
    assert data["description"] == "人行道井盖丢失，行人险些跌落"
    assert await hotline.sut.told(EmergencyRaised) == []


async def test_an_emergency_is_told_past_every_queue(hotline: Any) -> None:
    ticket = await hotline.submitted(submission={"urgency": "emergency"})
    told = await hotline.sut.told()
    assert [(envelope.type, envelope.sequence) for envelope in told] == [
        (TicketSubmitted.TYPE, 1),
        (EmergencyRaised.TYPE, 2),
        (AlarmRaised.TYPE, 1),
    ]
    assert told[1].data["number"] == ticket["number"]


async def test_the_same_submission_sent_again_is_told_once(hotline: Any) -> None:
    ticket = await hotline.ticket()
    path, headers = f"/tickets/{ticket['id']}/submission", {"Idempotency-Key": "one"}
    first = await hotline.agent.post(path, json={"place": PLACE}, headers=headers)
    second = await hotline.agent.post(path, json={"place": PLACE}, headers=headers)
    assert second.json() == first.json()
    assert len(await hotline.sut.told(TicketSubmitted)) == 1
    other = await hotline.agent.post(path, json={"place": PLACE})
    assert (other.status_code, other.json()["code"]) == (409, "ticket-state")
    assert (other.json()["state"], other.json()["allowed"]) == ("submitted", ["withdraw"])


async def test_an_answer_from_the_knowledge_base_is_counted(hotline: Any) -> None:
    ticket = await hotline.ticket(appeal_kind="inquiry")
    body = {"knowledge_id": "hotline-scope"}
    answer = await hotline.agent.post(f"/tickets/{ticket['id']}/answer", json=body)
    assert (answer.json()["state"], answer.json()["knowledge_id"]) == ("answered", "hotline-scope")
    assert (await hotline.sut.told(TicketAnswered))[0].data == {
        "number": ticket["number"],
        "appeal_kind": "inquiry",
        "knowledge_id": "hotline-scope",
        "agent": "agent-1",
    }
    entry = (await hotline.agent.get("/knowledge/hotline-scope")).json()[0]
    assert entry["uses"] == 1

    other = await hotline.ticket()
    path = f"/tickets/{other['id']}/answer"
    assert (await hotline.agent.post(path, json={})).json()["code"] == "answer-missing"
    unknown = await hotline.agent.post(path, json={"knowledge_id": "nothing"})
    assert unknown.json()["code"] == "knowledge-not-found"
    hotline.clock.advance(timedelta(days=3_650))
    stale = await hotline.agent.post(path, json=body)
    assert (stale.status_code, stale.json()["code"]) == (409, "knowledge-expired")


@pytest.mark.parametrize("body", ["court", "petition", "army", "party-committee"])
async def test_other_bodies_matters_can_only_be_referred(hotline: Any, body: str) -> None:
    ticket = await hotline.ticket()
    path = f"/tickets/{ticket['id']}"
    classified = await hotline.agent.post(
        f"{path}/classification", json={"appeal_kind": "complaint", "competence": body}
    )
    assert classified.json()["allowed"] == ["classify", "refer", "withdraw"]
    for command, content in (("submission", {"place": PLACE}), ("answer", {"text": "好"})):
        refused = await hotline.agent.post(f"{path}/{command}", json=content)
        assert (refused.status_code, refused.json()["code"]) == (409, "outside-competence")
        assert refused.json()["allowed"] == ["classify", "refer", "withdraw"]
    referred = await hotline.agent.post(f"{path}/referral", json={"to": "区信访局"})
    assert referred.json()["state"] == "referred"
    told = (await hotline.sut.told(TicketReferred))[0].data
    assert (told["referred_to"], told["appeal_kind"]) == ("区信访局", "complaint")


async def test_a_withdrawal_is_told_once_the_matter_was_submitted(hotline: Any) -> None:
    early, late = await hotline.ticket(), await hotline.submitted()
    for ticket in (early, late):
        path = f"/tickets/{ticket['id']}/withdrawal"
        answer = await hotline.agent.post(path, json={"reason": "已自行解决"})
        assert (answer.json()["state"], answer.json()["allowed"]) == ("withdrawn", [])
    told = await hotline.sut.told(TicketWithdrawn)
    assert [envelope.subject for envelope in told] == [late["id"]]
    journal = (await hotline.agent.get(f"/tickets/{late['id']}/journal")).json()
    assert [line["action"] for line in journal] == ["record", "submit", "withdraw"]
    assert journal[-1]["reason"] == "已自行解决"


async def test_personal_data_are_refused_in_everything_that_travels(hotline: Any) -> None:
    ticket = await hotline.ticket()
    path, number = f"/tickets/{ticket['id']}", "13912345678"
    record = {"description": f"联系 {number}", "appeal_kind": "help"}
    for address, body, where in (
        ("/tickets", record, "description"),
        (f"{path}/submission", {"place": PLACE, "description": f"打{number}"}, "description"),
        (f"{path}/submission", {"place": {"address": f"找张小明 {number}"}}, "place.address"),
        (f"{path}/submission", {"place": {"address": "张小明家门口"}}, "place.address"),
        (f"{path}/referral", {"to": f"信访局 {number}"}, "to"),
        (f"{path}/withdrawal", {"reason": f"换号 {number}"}, "reason"),
    ):
        refused = await hotline.agent.post(address, json=body)
        assert (refused.status_code, refused.json()["code"]) == (422, "personal-data-in-text")
        assert refused.json()["where"] == where
        assert number not in refused.text
    assert await hotline.sut.told() == []


async def test_bad_input_is_refused_whole(hotline: Any) -> None:
    ticket = await hotline.ticket()
    path = f"/tickets/{ticket['id']}"
    record = {"description": "x", "appeal_kind": "help"}
    unknown = {**CLASS, "code": "99999"}
    for address, body, code in (
        ("/tickets", {}, "invalid-input"),
        ("/tickets", {**record, "description": "a\x00b"}, "invalid-input"),
        ("/tickets", {**record, "callback_consent": 1}, "invalid-input"),
        ("/tickets", {**record, "class_ref": unknown}, "class-unknown"),
        ("/tickets", {**record, "call_id": str(uuid4())}, "call-not-found"),
        (
            "/tickets",
            {**record, "caller_id": str(uuid4()), "caller": {"number": "110"}},
            "caller-ambiguous",
        ),
        (f"{path}/submission", {"place": {}}, "place-missing"),
        (f"{path}/submission", {"place": {"longitude": True, "latitude": 1}}, "invalid-input"),
        (f"{path}/submission", {"place": PLACE, "class_ref": unknown}, "class-unknown"),
        (f"{path}/submission", {"place": {"longitude": 1.0}}, "place-missing"),
        (f"/tickets/{uuid4()}/submission", {"place": PLACE}, "ticket-not-found"),
    ):
        assert (await hotline.agent.post(address, json=body)).json()["code"] == code, body
    stale = await hotline.agent.post(
        f"{path}/submission", json={"place": PLACE}, headers={"If-Match": '"9"'}
    )
    assert (stale.status_code, stale.json()["code"]) == (412, "version-changed")


async def test_agents_see_tickets_and_units_see_nothing(hotline: Any) -> None:
    ticket = await hotline.submitted(submission={"confidential": True})
    open_one = await hotline.ticket()
    for role in (Role.HANDLER, Role.UNIT_LEAD, Role.OPERATOR, Role.PARTNER, Role.PBX):
        async with hotline.sut.client(role, unit="620103-cgj") as client:
            for path in ("/tickets", f"/tickets/{ticket['id']}", "/callbacks", "/shifts"):
                assert (await client.get(path)).status_code == 403, (role, path)
            assert (await client.post("/tickets", json={})).status_code in {403, 422}
    async with hotline.sut.client() as nobody:
        assert (await nobody.get("/tickets")).status_code == 401
        assert (await nobody.post("/tickets", json={})).status_code == 401
    async with hotline.sut.client(Role.AGENT, subject="agent-2") as other:
        assert (await other.get(f"/tickets/{ticket['id']}")).json()["caller"]["name"] == "张**"
    async with hotline.sut.client(Role.SUPERVISOR) as supervisor:
        hidden = (await supervisor.get(f"/tickets/{ticket['id']}")).json()
        assert (hidden["caller"], hidden["caller_id"]) == (None, None)
        shown = (await supervisor.get(f"/tickets/{open_one['id']}")).json()
        assert shown["caller"]["number"] == "138****1234"
        denied = await supervisor.post(f"/tickets/{ticket['id']}/withdrawal", json={"reason": "x"})
        assert denied.status_code == 403


async def test_tickets_are_listed_newest_first_by_filter_and_page(hotline: Any) -> None:
    made = []
    for number in range(5):
        hotline.clock.advance(timedelta(minutes=1))
        kind = "help" if number % 2 else "complaint"
        made.append(await hotline.ticket(appeal_kind=kind, class_ref=CLASS))
    await hotline.agent.post(f"/tickets/{made[0]['id']}/submission", json={"place": PLACE})
    seen, cursor = [], None
    while True:
        query = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = (await hotline.agent.get("/tickets", params=query)).json()
        seen += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]
        if not cursor:
            break
    assert seen == [ticket["id"] for ticket in reversed(made)]
    for query, count in (
        ({"state": "submitted"}, 1),
        ({"progress": "none"}, 4),
        ({"appeal_kind": "complaint"}, 3),
        ({"urgency": "emergency"}, 0),
        ({"agent": "me"}, 5),
        ({"number": made[2]["number"]}, 1),
        ({"caller_id": made[0]["caller_id"]}, 5),
        ({"call_id": str(uuid4())}, 0),
        ({"case_id": str(uuid4())}, 0),
        ({"class_code": "01001"}, 5),
        ({"recorded_from": made[3]["recorded_at"]}, 2),
        ({"recorded_to": made[3]["recorded_at"]}, 3),
    ):
        items = (await hotline.agent.get("/tickets", params=query)).json()["items"]
        assert len(items) == count, query
