"""Anything urgent reaches shift leader and leaders at once, and somebody takes it up."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from services.hotline.app import service
from services.hotline.config import HotlineSettings
from shared.clock import ManualClock
from shared.events import intake
from shared.events.hotline import (
    AlarmAcknowledged,
    AlarmEscalated,
    AlarmRaised,
    TicketSubmitted,
)
from shared.events.identity import AccountChanged
from shared.events.vocabulary import ClassRef, Place, Source
from shared.messages.message import Channel
from shared.messages.sender import MessageSender
from shared.pack.model import CityPack
from shared.testing import service_under_test
from shared.testing.receivers import Gateway, MailServer, listening
from shared.timers.ringer import Ringer
from shared.vocabulary import ClassKind, Role

BURST = ClassRef(scheme="620103-2013", kind=ClassKind.EVENT, code="12001")
EMERGENCY = {"urgency": "emergency"}
PHONES = {"shift01": "13800000001", "shift02": "13800000002", "leader01": "13800000011"}


class Desk:
    """The hotline with its alarms: short ways to say what happens."""

    def __init__(self, hotline: Any) -> None:
        self.hotline, self.sut, self.clock = hotline, hotline.sut, hotline.clock
        self.accounts = {login: str(uuid4()) for login in ("shift01", "shift02", "leader01")}

    async def prepare(self) -> None:
        for login, account in self.accounts.items():
            role = "leader" if login.startswith("leader") else "shift-leader"
            await self.account(login, role, subject=account)

    async def account(self, login: str, role: str, *, subject: str, active: bool = True) -> None:
        event = AccountChanged(login=login, roles=(role,), active=active)
        await self.sut.deliver(event, subject=subject)

    async def on_duty(self, *logins: str) -> None:
        for login in logins:
            body = {
                "starts_at": "2026-06-01T08:00:00+08:00",
                "ends_at": "2026-06-01T20:00:00+08:00",
                "leader": self.accounts.get(login, login),
                "agents": [],
            }
            answer = await self.hotline.leader.post("/shifts", json=body)
            assert answer.status_code == 201, answer.text

    async def report(self, report: UUID | None = None, **given: Any) -> UUID:
        report, now = report or uuid4(), self.clock.now()
        event = intake.ReportReceived(
            **{
                "number": f"R{report.hex[:12]}",
                "source": Source.COLLECTOR,
                "place": Place(address="建西西路 1 号"),
                "observed_at": now,
                "received_at": now,
                "urgent": True,
                **given,
            }
        )
        await self.sut.deliver(event, subject=report)
        return report

    async def registered(self, report: UUID, case: UUID, **given: Any) -> None:
        now = self.clock.now()
        event = intake.ReportRegistered(
            **{
                "case_id": case,
                "case_number": "6201032026060100001",
                "report_number": "R1",
                "source": Source.WEB,
                "class_ref": BURST,
                "condition": "LS12001-1",
                "place": Place(),
                "description": "水管破裂",
                "urgent": True,
                "special": False,
                "observed_at": now,
                "received_at": now,
                "registered_at": now,
                **given,
            }
        )
        await self.sut.deliver(event, subject=report)

    async def board(self, **query: Any) -> list[Any]:
        answer = await self.hotline.agent.get("/alarms", params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()["items"]  # type: ignore[no-any-return]

    async def alarm(self) -> Any:
        (only,) = await self.board()
        return (await self.hotline.agent.get(f"/alarms/{only['id']}")).json()

    async def ring(self) -> None:
        await Ringer(self.sut.runtime).ring_due()

    async def acknowledge(self, **body: Any) -> Any:
        (alarm,) = await self.board()
        path = f"/alarms/{alarm['id']}/acknowledgement"
        return await self.hotline.leader.post(path, json=body)


@pytest.fixture
async def desk(hotline: Any) -> Desk:
    made = Desk(hotline)
    await made.prepare()
    return made


def recipients(alarm: Any) -> list[str]:
    return [message["recipient"] for message in alarm["messages"]]


async def test_an_emergency_call_is_on_the_board_with_its_messages_when_it_is_recorded(
    desk: Desk,
) -> None:
    await desk.on_duty("shift01")
    ticket = await desk.hotline.submitted(submission=EMERGENCY)

    alarm = await desk.alarm()
    assert (alarm["state"], alarm["kind"], alarm["ticket_id"]) == (
        "open",
        "emergency",
        ticket["id"],
    )
    assert alarm["told"] == ["shift01", "leader01", "leader02"], "shift02 is off duty"
    assert recipients(alarm) == alarm["told"]
    assert {message["state"] for message in alarm["messages"]} == {"queued"}
    assert alarm["unstaffed"] is False
    (told,) = await desk.sut.told(AlarmRaised)
    assert (told.data["emergency"], told.data["told"]) == (True, 3)


async def test_with_nobody_on_the_roster_everybody_is_told_and_it_says_so(desk: Desk) -> None:
    await desk.hotline.submitted(submission=EMERGENCY)

    alarm = await desk.alarm()
    assert alarm["unstaffed"] is True
    assert alarm["told"] == ["shift01", "shift02", "leader01", "leader02"]
    assert {message["template"] for message in alarm["messages"]} == {"alarm-raised-unstaffed"}


async def test_a_closed_account_on_the_roster_counts_as_nobody(desk: Desk) -> None:
    await desk.on_duty("shift01")
    await desk.account("shift01", "shift-leader", subject=desk.accounts["shift01"], active=False)
    await desk.hotline.submitted(submission=EMERGENCY)

    alarm = await desk.alarm()
    assert alarm["told"] == ["shift02", "leader01", "leader02"]


async def test_a_leader_of_the_shift_that_nobody_knows_is_told_under_the_account_id(
    desk: Desk,
) -> None:
    await desk.on_duty("an-account-not-told-of-yet")
    await desk.hotline.submitted(submission=EMERGENCY)

    assert (await desk.alarm())["told"][0] == "an-account-not-told-of-yet"


@pytest.mark.parametrize("source", list(Source))
async def test_an_urgent_report_of_any_source_raises_an_alarm(desk: Desk, source: Source) -> None:
    report = await desk.report(source=source, emergency=source is Source.VIDEO)

    alarm = await desk.alarm()
    assert (alarm["source"], alarm["report_id"]) == (source.value, str(report))
    assert alarm["kind"] == ("emergency" if source is Source.VIDEO else "urgent")


async def test_what_is_urgent_by_its_class_needs_no_mark(desk: Desk) -> None:
    await desk.hotline.submitted(submission={"class_ref": BURST.model_dump(mode="json")})
    assert (await desk.alarm())["kind"] == "urgent"


async def test_nothing_ordinary_raises_an_alarm_until_its_case_turns_out_urgent(desk: Desk) -> None:
    ticket = await desk.hotline.submitted()
    report = await desk.report(urgent=False, ticket_id=ticket["id"])
    assert await desk.board() == []

    await desk.registered(report, uuid4(), ticket_id=ticket["id"])
    assert (await desk.alarm())["case_number"] == "6201032026060100001"


async def test_one_emergency_is_one_alarm_however_often_it_is_told(desk: Desk) -> None:
    ticket = await desk.hotline.submitted(submission=EMERGENCY)
    report, case = uuid4(), uuid4()
    for _ in range(2):
        await desk.report(report, ticket_id=ticket["id"], emergency=True, source=Source.HOTLINE)
    await desk.registered(report, case, ticket_id=ticket["id"], emergency=True)
    await desk.registered(report, case)

    alarm = await desk.alarm()
    assert (alarm["report_id"], alarm["case_id"]) == (str(report), str(case))
    assert recipients(alarm) == alarm["told"], "nobody was told twice"


async def test_while_nobody_acknowledges_the_next_one_is_told_and_in_the_end_it_is_marked(
    desk: Desk,
) -> None:
    await desk.on_duty("shift01")
    await desk.hotline.submitted(submission=EMERGENCY)
    await desk.ring()
    assert (await desk.alarm())["step"] == 0, "not before its time"
    for _ in range(5):
        desk.clock.advance(timedelta(minutes=3))
        await desk.ring()

    alarm = await desk.alarm()
    assert alarm["told"][3:] == ["leader01", "leader02", "leader01", "leader02"]
    assert (alarm["exhausted"], alarm["escalate_at"]) == (True, None)
    assert [item["id"] for item in await desk.board(exhausted=True)] == [alarm["id"]]
    steps = [event.data["step"] for event in await desk.sut.told(AlarmEscalated)]
    assert steps == [1, 2, 3, 4]


async def test_who_acknowledges_is_written_down_and_nobody_else_is_told(desk: Desk) -> None:
    await desk.hotline.submitted(submission=EMERGENCY)
    desk.clock.advance(timedelta(seconds=90))
    taken = await desk.acknowledge(note="抢修队已出发")
    assert taken.status_code == 200, taken.text
    assert taken.json()["acknowledged_by"] == "shift-leader-1"
    again = await desk.acknowledge()
    assert (again.status_code, again.json()["code"]) == (409, "alarm-not-open")
    desk.clock.advance(timedelta(hours=1))
    await desk.ring()

    alarm = await desk.alarm()
    assert (alarm["state"], alarm["step"], alarm["note"]) == ("acknowledged", 0, "抢修队已出发")
    assert [line["action"] for line in alarm["journal"]] == ["raise", "acknowledge"]
    (event,) = await desk.sut.told(AlarmAcknowledged)
    assert event.data["seconds"] == 90


async def test_only_shift_leaders_and_leaders_acknowledge_and_units_do_not_see_the_board(
    desk: Desk,
) -> None:
    await desk.hotline.submitted(submission=EMERGENCY)
    (alarm,) = await desk.board(state="open")
    path = f"/alarms/{alarm['id']}/acknowledgement"
    assert (await desk.hotline.agent.post(path, json={})).status_code == 403
    async with desk.sut.client(Role.HANDLER) as handler:
        assert (await handler.get("/alarms")).status_code == 403
    named = await desk.acknowledge(note="联系 13912345678")
    assert named.json()["code"] == "personal-data-in-text"
    assert (await desk.hotline.agent.get(f"/alarms/{uuid4()}")).json()["code"] == "alarm-not-found"


@pytest.mark.parametrize("how", ["closed", "voided", "rejected", "merged"])
async def test_an_alarm_ends_with_what_it_was_about(desk: Desk, how: str) -> None:
    report, case = await desk.report(), uuid4()
    if how in {"closed", "voided"}:
        await desk.registered(report, case)
        await (desk.hotline.closed if how == "closed" else desk.hotline.voided)(case)
    elif how == "rejected":
        await desk.hotline.rejected(report)
    else:
        await desk.hotline.merged(report, await desk.report())

    (ended,) = await desk.board(state="ended")
    assert (ended["outcome"], ended["report_id"]) == (how, str(report))
    desk.clock.advance(timedelta(hours=1))
    await desk.ring()
    assert (await desk.board(state="ended"))[0]["step"] == 0, "nobody is told any more"


async def test_a_report_merged_into_an_ordinary_one_keeps_its_alarm(desk: Desk) -> None:
    report = await desk.report()
    await desk.hotline.merged(report, await desk.report(urgent=False))
    assert (await desk.alarm())["state"] == "open"


async def test_an_agent_sends_an_emergency_straight_to_a_unit(desk: Desk) -> None:
    await desk.hotline.submitted(submission={**EMERGENCY, "direct_unit": "water"})
    (fact,) = await desk.sut.told(TicketSubmitted)
    assert (fact.data["direct_unit"], fact.data["agent"]) == ("water", "agent-1")


@pytest.mark.parametrize(
    "wrong",
    [
        {"urgency": "urgent", "direct_unit": "water"},
        {"urgency": "emergency", "direct_unit": "centre"},
        {"urgency": "emergency", "direct_unit": "nowhere"},
    ],
)
async def test_only_emergencies_go_straight_and_only_to_units_that_take_cases(
    desk: Desk, wrong: dict[str, str]
) -> None:
    ticket = await desk.hotline.ticket()
    body = {"place": {"address": "西津西路 100 号"}, **wrong}
    answer = await desk.hotline.agent.post(f"/tickets/{ticket['id']}/submission", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "direct-unit-refused")
    assert await desk.board() == []


@pytest.fixture
async def servers() -> AsyncIterator[tuple[MailServer, Gateway]]:
    async with listening(MailServer()) as mail, listening(Gateway()) as gateway:
        yield mail, gateway


@pytest.fixture
async def reachable(
    servers: tuple[MailServer, Gateway],
    database_url: str,
    qilihe: CityPack,
    tmp_path: Path,
    clock: ManualClock,
) -> AsyncIterator[Any]:
    """The hotline with a mail server and a gateway, and contacts of those who are told."""
    mail, gateway = servers
    settings = HotlineSettings(
        database_url=database_url,  # type: ignore[arg-type]
        personal_data_key="AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",  # type: ignore[arg-type]
        smtp_host="127.0.0.1",
        smtp_port=mail.port,
        smtp_security="none",
        gateway_url=gateway.url,
        gateway_secret="s",  # type: ignore[arg-type]
    )
    async with service_under_test(
        service, database_url=database_url, pack=qilihe, folder=tmp_path, clock=clock,
        settings=settings,
    ) as sut:  # fmt: skip
        yield sut


async def test_from_an_event_to_letters_and_sms_without_an_address_on_the_way(
    reachable: Any, servers: tuple[MailServer, Gateway], clock: ManualClock
) -> None:
    sut, (mail, gateway) = reachable, servers
    async with sut.client(Role.SYSTEM_ADMINISTRATOR) as administrator:
        for login, phone in PHONES.items():
            body = {"phone": phone, "email": f"{login}@example.org"}
            answer = await administrator.post(f"/duty-contacts/{login}", json=body)
            assert answer.status_code == 200, answer.text
    now = clock.now()
    event = intake.ReportReceived(
        number="R1", source=Source.VIDEO, place=Place(address="建西西路 1 号"), class_ref=BURST,
        observed_at=now, received_at=now, urgent=True, emergency=True,
    )  # fmt: skip
    await sut.deliver(event, subject=uuid4())
    await MessageSender(sut.runtime, sut.runtime.service.messages).send_batch()

    assert sorted(mail.recipients) == [f"{login}@example.org" for login in sorted(PHONES)]
    sms = [json.loads(body) for _headers, body in gateway.requests]
    assert sorted(one["to"] for one in sms) == sorted(PHONES.values())
    assert "自来水管破裂，地点：建西西路 1 号，编号 R1，06-01 12:00 记录" in sms[0]["text"]
    async with sut.client(Role.SHIFT_LEADER) as leader:
        (alarm,) = (await leader.get("/alarms")).json()["items"]
        detail = (await leader.get(f"/alarms/{alarm['id']}")).json()
        contacts = (await leader.get("/duty-contacts")).json()
    ways = {(one["recipient"], one["channel"]): one["state"] for one in detail["messages"]}
    assert ways["shift01", Channel.SMS] == ways["leader01", Channel.EMAIL] == "sent"
    assert ways["leader02", Channel.EMAIL] == "parked", "no contact was entered: somebody sees it"
    everything = json.dumps([detail, contacts]) + repr(await sut.told())
    assert not any(phone in everything for phone in PHONES.values())
    assert "leader01@example.org" not in everything
