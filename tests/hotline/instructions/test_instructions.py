"""A leader writes on a call: it is kept with the ticket and told, without telling who called."""

from typing import Any
from uuid import UUID

from shared.events.hotline import TicketInstructed
from shared.vocabulary import Role
from tests.hotline.conftest import Hotline

PAPER = {"leader": "分管副区长", "reference": "批示〔2026〕17 号", "text": "请三日内办结。"}


async def instruct(hotline: Hotline, ticket: dict[str, Any], **change: Any) -> Any:
    leader = hotline.sut.client(Role.LEADER)
    return await leader.post(f"/tickets/{ticket['id']}/instructions", json={**PAPER, **change})


async def test_it_is_told_and_kept(hotline: Hotline) -> None:
    ticket = await hotline.submitted()
    answer = await instruct(hotline, ticket, unit="water")
    assert answer.status_code == 204, answer.text
    [told] = await hotline.sut.told(TicketInstructed)
    assert UUID(told.subject) == UUID(ticket["id"])
    assert {key: told.data[key] for key in PAPER} == PAPER
    assert (told.data["unit"], told.data["number"]) == ("water", ticket["number"])
    assert "13800001234" not in told.to_bytes().decode()
    journal = (await hotline.leader.get(f"/tickets/{ticket['id']}/journal")).json()
    assert journal[-1]["action"] == "instruct"
    assert journal[-1]["reason"] == PAPER["text"]


async def test_only_what_went_its_way_can_be_followed(hotline: Hotline) -> None:
    ticket = await hotline.ticket()
    answer = await instruct(hotline, ticket)
    assert (answer.status_code, answer.json()["code"]) == (409, "instruction-not-possible")
    assert answer.json()["state"] == "recorded"


async def test_who_called_is_not_written_down(hotline: Hotline) -> None:
    ticket = await hotline.submitted()
    answer = await instruct(hotline, ticket, text="请回复张小明")
    assert answer.status_code == 422
    assert await hotline.sut.told(TicketInstructed) == []


async def test_the_unit_is_one_of_the_city(hotline: Hotline) -> None:
    ticket = await hotline.submitted()
    answer = await instruct(hotline, ticket, unit="nobody")
    assert (answer.status_code, answer.json()["code"]) == (422, "unit-unknown")


async def test_agents_do_not_instruct(hotline: Hotline) -> None:
    ticket = await hotline.submitted()
    answer = await hotline.agent.post(f"/tickets/{ticket['id']}/instructions", json=PAPER)
    assert answer.status_code == 403
