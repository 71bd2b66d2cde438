"""Shifts: planned by the leader, handed over by notes."""

from typing import Any
from uuid import uuid4

from shared.vocabulary import Role

DAY = {
    "starts_at": "2026-06-01T08:00:00+08:00",
    "ends_at": "2026-06-01T20:00:00+08:00",
    "leader": "shift-leader-1",
    "agents": ["agent-1", "agent-2"],
}
NIGHT = {**DAY, "starts_at": DAY["ends_at"], "ends_at": "2026-06-02T08:00:00+08:00"}


async def test_a_shift_is_planned_changed_and_found(hotline: Any) -> None:
    planned = await hotline.leader.post("/shifts", json=DAY)
    night = await hotline.leader.post("/shifts", json=NIGHT)
    assert planned.status_code == 201
    path = f"/shifts/{planned.json()['id']}"
    body = {"leader": "shift-leader-2", "agents": ["agent-3"]}
    changed = await hotline.leader.post(f"{path}/roster", json=body, headers={"If-Match": '"1"'})
    assert (changed.json()["agents"], changed.json()["version"]) == (["agent-3"], 2)
    late = await hotline.leader.post(f"{path}/roster", json=body, headers={"If-Match": '"1"'})
    assert late.status_code == 412

    listed = (await hotline.agent.get("/shifts")).json()["items"]
    assert [item["id"] for item in listed] == [night.json()["id"], planned.json()["id"]]
    now = (await hotline.agent.get("/shifts", params={"current": True})).json()["items"]
    assert [item["id"] for item in now] == [planned.json()["id"]]


async def test_notes_are_handed_over_once(hotline: Any) -> None:
    shift = (await hotline.leader.post("/shifts", json=DAY)).json()
    path = f"/shifts/{shift['id']}"
    ticket = await hotline.ticket()
    body = {"text": "此工单答应今晚回访", "ticket_id": ticket["id"]}
    note = await hotline.agent.post(f"{path}/notes", json=body)
    assert note.status_code == 201
    address = f"{path}/notes/{note.json()['id']}/acknowledgement"
    async with hotline.sut.client(Role.AGENT, subject="agent-2") as other:
        taken = await other.post(address)
    assert taken.json()["acknowledged_by"] == "agent-2"
    twice = await hotline.agent.post(address)
    assert (twice.status_code, twice.json()["code"]) == (409, "note-acknowledged")
    read = (await hotline.agent.get(path)).json()
    assert [line["text"] for line in read["notes"]] == ["此工单答应今晚回访"]


async def test_shifts_refuse_what_does_not_fit(hotline: Any) -> None:
    shift = (await hotline.leader.post("/shifts", json=DAY)).json()
    path = f"/shifts/{shift['id']}"
    backwards = {**DAY, "ends_at": DAY["starts_at"]}
    assert (await hotline.leader.post("/shifts", json=backwards)).json()["code"] == (
        "shift-times-invalid"
    )
    naive = {**DAY, "starts_at": "2026-06-01T08:00:00"}
    assert (await hotline.leader.post("/shifts", json=naive)).status_code == 422
    named = await hotline.agent.post(f"{path}/notes", json={"text": "回电 13912345678"})
    assert named.json()["code"] == "personal-data-in-text"
    unknown = await hotline.agent.post(f"{path}/notes/{uuid4()}/acknowledgement")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "shift-not-found")
    assert (await hotline.agent.get(f"/shifts/{uuid4()}")).status_code == 404
    assert (await hotline.agent.post("/shifts", json=DAY)).status_code == 403
    async with hotline.sut.client(Role.HANDLER) as handler, hotline.sut.client() as nobody:
        assert (await handler.get(path)).status_code == 403
        assert (await nobody.get("/shifts")).status_code == 401
