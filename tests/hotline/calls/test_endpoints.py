"""Calls over HTTP: opened, answered, ended, told."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

from hypothesis import given
from hypothesis import strategies as st

from services.hotline.calls.domain import CallOutcome, weightier
from shared.events.hotline import CallEnded
from shared.vocabulary import Role


async def test_an_agents_call_is_opened_answered_and_ended(hotline: Any) -> None:
    opened = await hotline.agent.post("/calls", json={"number": "13800001234"})
    call = opened.json()
    assert opened.status_code == 201
    assert opened.headers["location"] == f"/calls/{call['id']}"
    assert (call["state"], call["agent"], call["caller"]["number"]) == (
        "answered",
        "agent-1",
        "138****1234",
    )
    hotline.clock.advance(timedelta(seconds=90))
    ended = await hotline.agent.post(f"/calls/{call['id']}/end", json={"recording": "rec-1"})

    assert (ended.json()["state"], ended.json()["seconds"], ended.json()["allowed"]) == (
        "ended",
        90.0,
        [],
    )
    told = (await hotline.sut.told(CallEnded))[0].data
    assert told == {
        "direction": "inbound",
        "agent": "agent-1",
        "seconds_to_answer": 0.0,
        "seconds": 90.0,
        "outcome": "none",
    }
    again = await hotline.agent.post(f"/calls/{call['id']}/end", json={})
    assert (again.status_code, again.json()["code"]) == (409, "call-state")
    assert (again.json()["state"], again.json()["allowed"]) == ("ended", [])
    journal = (await hotline.agent.get(f"/calls/{call['id']}/journal")).json()
    assert [line["action"] for line in journal] == ["open", "end"]


async def test_the_exchange_opens_a_ringing_call_once_and_says_who_answers(hotline: Any) -> None:
    body = {"number": "13800001234", "external_id": "pbx-7"}
    async with hotline.sut.client(Role.PBX) as pbx:
        first = await pbx.post("/calls", json=body)
        second = await pbx.post("/calls", json=body)
        assert (first.status_code, second.status_code) == (201, 200)
        assert second.json() == first.json()
        assert (first.json()["state"], first.json()["agent"]) == ("ringing", None)
        path = f"/calls/{first.json()['id']}"
        nobody = await pbx.post(f"{path}/answer", json={})
        assert nobody.json()["code"] == "agent-missing"
        hotline.clock.advance(timedelta(seconds=12))
        answered = await pbx.post(f"{path}/answer", json={"agent": "agent-9"})
        assert (answered.json()["agent"], answered.json()["seconds_to_answer"]) == ("agent-9", 12.0)
        twice = await hotline.agent.post(f"{path}/answer", json={})
        assert (twice.status_code, twice.json()["allowed"]) == (409, ["end"])
        other = await hotline.agent.post(f"{path}/end", json={})
        assert (other.status_code, other.json()["code"]) == (403, "call-of-another-agent")
        assert (await pbx.post(f"{path}/end", json={})).status_code == 200
        assert (await pbx.get("/calls")).status_code == 403


async def test_a_call_nobody_answered_has_no_answering_time(hotline: Any) -> None:
    async with hotline.sut.client(Role.PBX) as pbx:
        call = (await pbx.post("/calls", json={"number": "anonymous"})).json()
        assert (call["caller"], call["caller_id"]) == (None, None)
        await pbx.post(f"/calls/{call['id']}/end", json={})

    told = (await hotline.sut.told(CallEnded))[0].data
    assert (told["seconds_to_answer"], told["seconds"], told["agent"]) == (None, 0.0, "")


async def test_what_came_of_a_call_is_what_its_weightiest_ticket_says(hotline: Any) -> None:
    call = (await hotline.agent.post("/calls", json={"number": "13800001234"})).json()
    await hotline.submitted(call_id=call["id"], caller=None)
    inquiry = await hotline.ticket(call_id=call["id"], caller=None, appeal_kind="inquiry")
    await hotline.agent.post(f"/tickets/{inquiry['id']}/answer", json={"text": "周六照常办公"})
    ended = await hotline.agent.post(f"/calls/{call['id']}/end", json={})

    assert ended.json()["outcome"] == "ticket"


async def test_calls_are_listed_newest_first_by_filter_and_page(hotline: Any) -> None:
    made = []
    for number in range(5):
        hotline.clock.advance(timedelta(minutes=1))
        body = {"number": "13800001234", "direction": "inbound" if number % 2 else "outbound"}
        made.append((await hotline.agent.post("/calls", json=body)).json())
    seen, cursor = [], None
    while True:
        query = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = (await hotline.agent.get("/calls", params=query)).json()
        seen += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]
        if not cursor:
            break
    assert seen == [call["id"] for call in reversed(made)]
    for query, count in (
        ({"direction": "inbound"}, 2),
        ({"agent": "me"}, 5),
        ({"agent": "agent-2"}, 0),
        ({"state": "ended"}, 0),
        ({"caller_id": made[0]["caller_id"]}, 5),
        ({"started_from": made[3]["started_at"]}, 2),
        ({"started_to": made[3]["started_at"]}, 3),
        ({"outcome": "none"}, 5),
    ):
        items = (await hotline.agent.get("/calls", params=query)).json()["items"]
        assert len(items) == count, query


async def test_calls_refuse_what_does_not_fit(hotline: Any) -> None:
    caller = (await hotline.ticket())["caller_id"]
    later = (hotline.clock.now() + timedelta(hours=1)).isoformat()
    for body, code in (
        ({"number": "13800001234", "caller_id": caller}, "caller-ambiguous"),
        ({"caller_id": str(uuid4())}, "caller-not-found"),
        ({"number": "hello"}, "number-invalid"),
        ({"started_at": later}, "call-began-in-future"),
        ({"direction": "sideways"}, "invalid-input"),
        ({"unknown": 1}, "invalid-input"),
    ):
        assert (await hotline.agent.post("/calls", json=body)).json()["code"] == code
    outbound = await hotline.agent.post(
        "/calls", json={"direction": "outbound", "caller_id": caller}
    )
    assert outbound.json()["caller"]["number"] == "138****1234"
    assert (await hotline.agent.get(f"/calls/{uuid4()}")).json()["code"] == "call-not-found"
    async with hotline.sut.client(Role.HANDLER) as handler, hotline.sut.client() as nobody:
        assert (await handler.post("/calls", json={})).status_code == 403
        assert (await nobody.post("/calls", json={})).status_code == 401


@given(st.sampled_from(CallOutcome), st.sampled_from(CallOutcome))
def test_the_weightier_result_stays(one: CallOutcome, other: CallOutcome) -> None:
    order = ["none", "appended", "answered", "referred", "ticket"]
    assert weightier(one, other) == order[max(order.index(one), order.index(other))]
