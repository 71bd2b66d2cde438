"""Lists, single reports and journals."""

from datetime import timedelta
from typing import Any

import pytest

from shared.vocabulary import Role


async def test_a_list_can_be_filtered_by_everything_it_shows(intake: Any) -> None:
    plain = await intake.report()
    urgent = await intake.report(condition="B01001-1")
    elsewhere = await intake.report(
        place={"longitude": 103.70, "latitude": 35.95}, class_ref=None, condition=None
    )
    case = await intake.case()
    intake.clock.advance(timedelta(minutes=25))
    late = await intake.report(intake.collector("collector02"))

    async def found(**query: Any) -> set[str]:
        answer = await intake.operator.get("/reports", params=query)
        assert answer.status_code == 200, answer.text
        return {item["id"] for item in answer.json()["items"]}

    everything = {report["id"] for report in (plain, urgent, elsewhere, case, late)}
    assert await found() == everything
    assert await found(state=["registered"]) == {case["id"]}
    assert await found(state=["registered", "received"]) == everything
    assert await found(urgent=True) == {urgent["id"]}
    assert await found(needs_place=True) == {elsewhere["id"]}
    assert await found(source="web") == set()
    assert await found(reporter="account-collector02") == {late["id"]}
    assert await found(received_from="2026-06-01T02:20:00Z") == {late["id"]}
    assert await found(received_to="2026-06-01T02:20:00Z") == everything - {late["id"]}
    assert await found(case_id=case["case"]["id"]) == {case["id"]}
    cover = "GB/T 47678.5-2026:component:01001"
    assert await found(class_ref=cover, grid="620103001001001") == everything - {elsewhere["id"]}
    assert await found(light="green") == {late["id"]}
    assert await found(light="yellow") == {plain["id"], urgent["id"], elsewhere["id"]}
    intake.clock.advance(timedelta(minutes=6))
    assert await found(light="red") == {plain["id"], urgent["id"], elsewhere["id"]}
    [item] = [
        item
        for item in (await intake.operator.get("/reports")).json()["items"]
        if item["id"] == plain["id"]
    ]
    assert item["stage"]["light"] == "red"


async def test_pages_follow_one_another_without_hole_or_overlap(intake: Any) -> None:
    sent = [(await intake.report())["id"] for _ in range(5)]
    seen, cursor = [], None
    for _ in range(3):
        query = {"limit": 2, **({"cursor": cursor} if cursor else {})}
        page = (await intake.operator.get("/reports", params=query)).json()
        seen += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]
    assert seen == sent[::-1]
    assert cursor is None


async def test_collectors_see_their_own_reports_only(intake: Any) -> None:
    own, other = await intake.report(), await intake.report(intake.collector("collector02"))
    client = intake.collector()
    items = (await client.get("/reports", params={"reporter": "account-collector02"})).json()
    assert [item["id"] for item in items["items"]] == [own["id"]]
    assert (await client.get(f"/reports/{own['id']}")).status_code == 200
    assert (await client.get(f"/reports/{other['id']}")).status_code == 404
    assert (await client.get(f"/reports/{other['id']}/duplicates")).status_code == 404


async def test_the_journal_tells_who_did_what(intake: Any) -> None:
    report = await intake.case()
    answer = await intake.operator.get(f"/reports/{report['id']}/journal")
    entries = [(entry["action"], entry["actor_id"]) for entry in answer.json()]
    assert entries == [
        ("receive", "account-collector01"),
        ("register", "rule:trusted-source"),
    ]


@pytest.mark.parametrize("path", ["/reports", "/reports/{id}", "/reports/{id}/journal"])
async def test_reading_needs_a_sign_in_and_a_role(intake: Any, path: str) -> None:
    report = await intake.report()
    address = path.format(id=report["id"])
    assert (await intake.anonymous.get(address)).status_code == 401
    handler = intake.sut.client(Role.HANDLER, unit="chengguan")
    assert (await handler.get(address)).status_code == 403


async def test_bad_queries_are_refused(intake: Any) -> None:
    for query, code in (
        ({"class_ref": "x"}, "class-unreadable"),
        ({"state": "lost"}, "invalid-input"),
        ({"limit": 1_000}, "invalid-input"),
    ):
        answer = await intake.operator.get("/reports", params=query)
        assert (answer.status_code, answer.json()["code"]) == (422, code)
    missing = await intake.operator.get("/reports/00000000-0000-7000-8000-000000000000")
    assert missing.json()["code"] == "report-not-found"
