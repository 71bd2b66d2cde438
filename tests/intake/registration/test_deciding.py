"""Operators accept and reject; numbers are unique; nothing is decided twice."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from services.intake.registration.repository import Numbers
from services.intake.reports.models import Report
from shared.events.intake import ReportRegistered, ReportRejected, TaskCancelled
from shared.vocabulary import Role

REJECTION = {"reason_code": "not-found-on-the-spot", "reason": "现场未发现"}


async def test_an_operator_registers_and_corrects_what_was_reported(intake: Any) -> None:
    report = await intake.report(class_ref=None, condition=None)
    answer = await intake.act(
        report["id"],
        "registration",
        class_ref={"scheme": "GB/T 47678.5-2026", "kind": "component", "code": "01001"},
        condition="B01001-1",
        description="井盖漏水",
        place={"address": "华林路 1 号"},
    )
    view = answer.json()
    assert answer.status_code == 200, answer.text
    assert (view["state"], view["case"]["number"]) == ("registered", "6201032026060100001")
    assert view["urgent"] is True
    assert view["place"]["address"] == "华林路 1 号"
    assert view["place"]["grid"] == report["place"]["grid"]
    assert view["stage"]["light"] is None
    assert answer.headers["etag"] == f'"{view["version"]}"'
    [fact] = await intake.told(ReportRegistered)
    assert fact["description"] == "井盖漏水"
    assert fact["by_rule"] is None
    assert fact["condition"] == "B01001-1"
    assert fact["case_id"] == view["case"]["id"]


async def test_urgency_can_be_taken_back_but_not_from_an_urgent_class(intake: Any) -> None:
    marked = await intake.report(urgent=True)
    view = (await intake.act(marked["id"], "registration", urgent=False)).json()
    assert view["urgent"] is False
    leaking = await intake.report(condition="B01001-1")
    view = (await intake.act(leaking["id"], "registration", urgent=False)).json()
    assert view["urgent"] is True


@pytest.mark.parametrize(
    ("reported", "decided", "code"),
    [
        ({"class_ref": None, "condition": None}, {}, "class-missing"),
        ({"condition": None}, {}, "condition-missing"),
        ({}, {"condition": "B01002-1"}, "condition-not-of-class"),
        ({}, {"place": {"grid": "1"}}, None),
        ({}, {"place": {"longitude": 1, "latitude": 1}}, "place-outside-city"),
        ({}, {"number": "1"}, "invalid-input"),
    ],
)
async def test_a_case_lacks_nothing(
    intake: Any, reported: dict[str, Any], decided: dict[str, Any], code: str | None
) -> None:
    report = await intake.report(**reported)
    answer = await intake.act(report["id"], "registration", **decided)
    if code is None:
        # Coordinates decide about the grid, whatever was named.
        assert answer.json()["place"]["grid"] == report["place"]["grid"]
        return
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert (await intake.read(report["id"]))["state"] == "received"


async def test_a_rejected_report_tells_its_reason(intake: Any) -> None:
    report = await intake.report()
    view = (await intake.act(report["id"], "rejection", **REJECTION)).json()
    assert view["state"] == "rejected"
    assert view["decision"]["reason"] == "现场未发现"
    [fact] = await intake.told(ReportRejected)
    assert fact["reason_code"] == "not-found-on-the-spot"


async def test_what_is_decided_stays_decided(intake: Any) -> None:
    rejected = await intake.report()
    await intake.act(rejected["id"], "rejection", **REJECTION)
    registered = await intake.case()
    other = await intake.report()
    for report in (rejected, registered):
        for action, body in (
            ("registration", {}),
            ("rejection", REJECTION),
            ("check", {}),
            ("merge", {"into": other["id"]}),
            ("unmerge", {"reason": "x"}),
        ):
            answer = await intake.act(report["id"], action, **body)
            assert (answer.status_code, answer.json()["code"]) == (409, "report-state")
            assert answer.json()["allowed"] == []


async def test_deciding_during_a_check_calls_the_collector_back(intake: Any) -> None:
    for action, body in (("registration", {}), ("rejection", REJECTION)):
        report = await intake.report()
        task = (await intake.act(report["id"], "check")).json()
        assert (await intake.act(report["id"], action, **body)).status_code == 200
        [found] = [one for one in await intake.tasks() if one["id"] == task["id"]]
        assert found["state"] == "cancelled"
    assert len(await intake.told(TaskCancelled)) == 2


async def test_a_decision_meant_for_another_version_is_refused(intake: Any) -> None:
    report = await intake.report()
    path = f"/reports/{report['id']}/registration"
    stale = await intake.operator.post(path, json={}, headers={"If-Match": '"7"'})
    assert stale.status_code == 412
    fresh = await intake.operator.post(path, json={}, headers={"If-Match": '"1"'})
    assert fresh.status_code == 200


async def test_two_operators_at_once_make_one_case(intake: Any) -> None:
    report = await intake.report()
    answers = await asyncio.gather(*(intake.act(report["id"], "registration") for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]
    assert len(await intake.told(ReportRegistered)) == 1


@pytest.mark.parametrize("action", ["registration", "rejection", "check", "merge", "unmerge"])
async def test_only_operators_and_shift_leaders_decide(intake: Any, action: str) -> None:
    report = await intake.report()
    path = f"/reports/{report['id']}/{action}"
    assert (await intake.anonymous.post(path, json={})).status_code == 401
    assert (await intake.collector().post(path, json={})).status_code == 403
    dispatcher = intake.sut.client(Role.DISPATCHER)
    assert (await dispatcher.post(path, json={})).status_code == 403
    leader = intake.sut.client(Role.SHIFT_LEADER)
    assert (await leader.post(path, json={"unknown": 1})).status_code == 422
    missing = f"/reports/00000000-0000-7000-8000-000000000000/{action}"
    body = {
        "registration": {},
        "rejection": REJECTION,
        "check": {},
        "merge": {"into": report["id"]},
        "unmerge": {"reason": "x"},
    }[action]
    assert (await leader.post(missing, json=body)).json()["code"] == "report-not-found"


async def test_numbers_are_unique_daily_and_survive_an_undone_transaction(intake: Any) -> None:
    runtime = intake.sut.runtime
    evening = datetime.fromisoformat("2026-06-01T23:59:00+08:00")
    given = []

    class Undone(Exception):
        pass

    async def change_ones_mind() -> None:
        async with runtime.database.transaction() as session:
            await Numbers.of(runtime).next_case_number(session, evening)
            raise Undone

    with pytest.raises(Undone):
        await change_ones_mind()
    # Two processes, each with a memory of its own.
    processes = [Numbers(runtime.pack, is_sqlite=runtime.database.is_sqlite) for _ in range(2)]

    async def take(numbers: Numbers, at: datetime) -> None:
        async with runtime.database.transaction() as session:
            given.append(await numbers.next_case_number(session, at))

    for _ in range(2):
        await asyncio.gather(
            *(take(process, evening) for process in processes for _ in range(13)),
            *(take(process, evening + timedelta(minutes=2)) for process in processes),
        )
    assert len(set(given)) == len(given) == 56
    assert {number[:14] for number in given} == {"62010320260601", "62010320260602"}
    assert all(len(number) == 19 for number in given)
    assert all(int(number[14:]) > 0 for number in given)


async def test_what_is_numbered_is_found_in_the_table(intake: Any) -> None:
    for _ in range(25):
        await intake.report()
    async with intake.sut.runtime.database.reading() as session:
        numbers = (await session.exec(sa.select(Report.number))).scalars().all()
    assert len(set(numbers)) == 25
    assert all(number.startswith("R20260601") for number in numbers)
