"""Calling back: at decent hours, until reached, with satisfaction, and once more to the case."""

from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from services.hotline.callbacks.domain import Calling, decent
from shared.events.hotline import CallbackCompleted, TicketReopened
from shared.vocabulary import Role

CALLING = Calling(
    zone=ZoneInfo("Asia/Shanghai"),
    opens=time(9),
    closes=time(20),
    retry=timedelta(hours=2),
    attempts=3,
)
CONTENT = {"outcome": "reached", "satisfaction": "satisfied"}
ANGRY = {
    "outcome": "reached",
    "satisfaction": "dissatisfied",
    "reopen": True,
    "note": "井盖仍然松动",
}


async def _attempt(hotline: Any, callback: dict[str, Any], **body: Any) -> Any:
    return await hotline.agent.post(f"/callbacks/{callback['id']}/attempt", json=body)


async def test_a_content_caller_ends_the_matter(hotline: Any) -> None:
    ticket = await hotline.submitted()
    case = await hotline.closed_case(ticket)
    callback = (await hotline.callbacks())[0]
    assert callback["caller"]["number"] == "138****1234"
    assert (callback["ticket_number"], callback["conclusion"]) == (ticket["number"], "井盖已补齐")
    done = await _attempt(hotline, callback, **CONTENT)

    assert (done.json()["state"], done.json()["satisfaction"]) == ("done", "satisfied")
    assert await hotline.callbacks() == []
    told = (await hotline.sut.told(CallbackCompleted))[0]
    assert told.subject == ticket["id"]
    assert told.data == {
        "number": ticket["number"],
        "case_id": str(case),
        "outcome": "reached",
        "satisfaction": "satisfied",
        "attempt": 1,
        "agent": "agent-1",
    }
    again = await _attempt(hotline, callback, **CONTENT)
    assert (again.status_code, again.json()["code"]) == (409, "callback-state")
    assert (again.json()["state"], again.json()["allowed"]) == ("done", [])


async def test_an_unreachable_caller_is_tried_three_times(hotline: Any) -> None:
    await hotline.closed_case(await hotline.submitted())
    callback = (await hotline.callbacks())[0]
    first = await _attempt(hotline, callback, outcome="not-reached")
    assert (first.json()["state"], first.json()["attempts"]) == ("waiting", 1)
    due = datetime.fromisoformat(first.json()["due_at"])
    assert due == hotline.clock.now() + timedelta(hours=2)
    wanted = hotline.clock.now() + timedelta(days=1)
    second = await _attempt(
        hotline, callback, outcome="not-reached", retry_at=wanted.isoformat(), note="明天再打"
    )
    assert datetime.fromisoformat(second.json()["due_at"]) == wanted
    assert await hotline.sut.told(CallbackCompleted) == []
    assert await hotline.callbacks(due_before=wanted.isoformat()) == []
    third = await _attempt(hotline, callback, outcome="not-reached")

    assert third.json()["state"] == "unreached"
    told = (await hotline.sut.told(CallbackCompleted))[0].data
    assert (told["outcome"], told["satisfaction"], told["attempt"]) == ("not-reached", None, 3)
    history = (await hotline.agent.get(f"/callbacks/{callback['id']}")).json()["history"]
    assert [(line["attempt"], line["note"]) for line in history] == [
        (1, None),
        (2, "明天再打"),
        (3, None),
    ]


async def test_a_dissatisfied_caller_reopens_the_case_once_per_closing(hotline: Any) -> None:
    ticket = await hotline.submitted()
    case = await hotline.closed_case(ticket)
    callback = (await hotline.callbacks())[0]
    answer = await _attempt(hotline, callback, **ANGRY)
    assert (answer.json()["reopened"], answer.json()["ticket_state"]) == (True, "submitted")
    assert [envelope.data for envelope in await hotline.sut.told(TicketReopened)] == [
        {"number": ticket["number"], "case_id": str(case), "reason": "井盖仍然松动"}
    ]
    assert (await hotline.read(ticket))["progress"] == "reopening"
    assert (await _attempt(hotline, callback, **ANGRY)).status_code == 409

    await hotline.reopened(case, ticket)
    assert (await hotline.read(ticket))["progress"] == "reopened"
    await hotline.closed(case, ticket)
    second = (await hotline.callbacks())[0]
    assert (second["closing"], second["id"] != callback["id"]) == (2, True)
    await _attempt(hotline, second, **ANGRY)
    assert len(await hotline.sut.told(TicketReopened)) == 2


async def test_the_same_attempt_sent_again_reopens_once(hotline: Any) -> None:
    await hotline.closed_case(await hotline.submitted())
    callback = (await hotline.callbacks())[0]
    path, headers = f"/callbacks/{callback['id']}/attempt", {"Idempotency-Key": "one"}
    first = await hotline.agent.post(path, json=ANGRY, headers=headers)
    second = await hotline.agent.post(path, json=ANGRY, headers=headers)
    assert second.json() == first.json()
    assert len(await hotline.sut.told(TicketReopened)) == 1


async def test_what_was_never_a_closed_case_cannot_be_reopened(hotline: Any) -> None:
    ticket, report = await hotline.submitted(), uuid4()
    await hotline.received(report, ticket)
    await hotline.rejected(report, ticket)
    callback = (await hotline.callbacks())[0]
    refused = await _attempt(hotline, callback, **ANGRY)

    assert (refused.status_code, refused.json()["code"]) == (409, "reopening-not-possible")
    assert (await hotline.callbacks())[0]["attempts"] == 0
    assert await hotline.sut.told(CallbackCompleted) == []


async def test_a_case_that_goes_on_takes_its_callers_off_the_list(hotline: Any) -> None:
    ticket = await hotline.submitted()
    case = await hotline.closed_case(ticket)
    await hotline.reopened(case, ticket)

    assert await hotline.callbacks() == []
    assert (await hotline.callbacks(all=True))[0]["state"] == "cancelled"
    assert (await hotline.read(ticket))["state"] == "submitted"


async def test_attempts_that_make_no_sense_are_refused(hotline: Any) -> None:
    await hotline.closed_case(await hotline.submitted())
    callback = (await hotline.callbacks())[0]
    past = (hotline.clock.now() - timedelta(minutes=1)).isoformat()
    soon = (hotline.clock.now() + timedelta(hours=1)).isoformat()
    for body, code in (
        ({"outcome": "reached"}, "satisfaction-mismatch"),
        ({"outcome": "refused", "satisfaction": "satisfied"}, "satisfaction-mismatch"),
        ({"outcome": "not-reached", "retry_at": past}, "retry-not-possible"),
        ({**CONTENT, "retry_at": soon}, "retry-not-possible"),
        ({**CONTENT, "reopen": True, "note": "x"}, "reopening-needs-cause"),
        ({**ANGRY, "note": None}, "reopening-needs-cause"),
        ({**ANGRY, "note": "回电 13912345678"}, "personal-data-in-text"),
        ({**ANGRY, "note": "x" * 1_001}, "invalid-input"),
        ({"outcome": "perhaps"}, "invalid-input"),
    ):
        refused = await _attempt(hotline, callback, **body)
        assert (refused.status_code, refused.json()["code"]) == (422, code), body
    missing = await _attempt(hotline, {"id": uuid4()}, **CONTENT)
    assert (missing.status_code, missing.json()["code"]) == (404, "callback-not-found")
    async with hotline.sut.client(Role.SUPERVISOR) as other, hotline.sut.client() as nobody:
        path = f"/callbacks/{callback['id']}/attempt"
        assert (await other.post(path, json=CONTENT)).status_code == 403
        assert (await nobody.post(path, json=CONTENT)).status_code == 401


async def test_the_queue_is_in_order_of_what_is_due(hotline: Any) -> None:
    tickets = []
    for _ in range(3):
        tickets.append(await hotline.submitted())
        await hotline.closed_case(tickets[-1])
        hotline.clock.advance(timedelta(minutes=5))
    first = (await hotline.callbacks())[0]
    await _attempt(hotline, first, outcome="not-reached")
    seen, cursor = [], None
    while True:
        query = {"limit": 1} | ({"cursor": cursor} if cursor else {})
        page = (await hotline.agent.get("/callbacks", params=query)).json()
        seen += [item["ticket_id"] for item in page["items"]]
        cursor = page["next_cursor"]
        if not cursor:
            break
    assert seen == [tickets[1]["id"], tickets[2]["id"], tickets[0]["id"]]


async def test_a_case_closed_at_night_is_called_about_in_the_morning(hotline: Any) -> None:
    ticket = await hotline.submitted()
    hotline.clock.set(datetime(2026, 6, 1, 15, 0, tzinfo=UTC))  # 23:00 in the sample city
    await hotline.closed_case(ticket)
    due = datetime.fromisoformat((await hotline.callbacks())[0]["due_at"])
    assert due == datetime(2026, 6, 2, 1, 0, tzinfo=UTC)


@given(st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001 - Hypothesis wants naive bounds
def test_nobody_is_rung_up_at_night_nor_later_than_need_be(instant: datetime) -> None:
    due = decent(instant, CALLING)
    assert instant <= due < instant + timedelta(hours=13)
    assert 9 <= due.astimezone(CALLING.zone).hour < 20
    if due > instant:
        local = due.astimezone(CALLING.zone)
        assert (local.hour, local.minute, local.second) == (9, 0, 0)
        assert not 9 <= instant.astimezone(CALLING.zone).hour < 20
