"""Likely duplicates are offered, merged without losing a reporter, and taken apart again."""

import math
import random
from datetime import timedelta
from typing import Any

import pytest

from shared.events.dispatch import CaseVoided
from shared.events.intake import ReportMerged, ReportRejected, ReportUnmerged, TaskCancelled
from shared.vocabulary import Role

VENDOR = {"scheme": "GB/T 47678.5-2026", "kind": "event", "code": "09001"}
COVER_RADIUS_M = 15


def place(longitude: float, latitude: float) -> dict[str, Any]:
    return {
        "longitude": longitude,
        "latitude": latitude,
        "accuracy_m": 5,
        "position_source": "gnss",
    }


def flat_metres(one: dict[str, Any], other: dict[str, Any]) -> float:
    """Pythagoras on a flat district: good to a millimetre at these distances."""
    north = (one["latitude"] - other["latitude"]) * 111_194.93
    east = (one["longitude"] - other["longitude"]) * 111_194.93 * math.cos(math.radians(36.067))
    return math.hypot(north, east)


async def test_the_offer_is_what_measuring_every_report_would_give(intake: Any) -> None:
    chance = random.Random(7)  # noqa: S311 - places, no secrets
    sent = []
    for number in range(40):
        where = place(
            103.7985 + chance.uniform(-0.0004, 0.0004), 36.067 + chance.uniform(-0.0003, 0.0003)
        )
        other_class = number % 5 == 0
        changes = {"class_ref": VENDOR, "condition": None} if other_class else {}
        report = await intake.report(place=where, **changes)
        if number % 7 == 3:
            rejection = {"reason_code": "x", "reason": "x"}
            await intake.act(report["id"], "rejection", **rejection)
        sent.append((report["id"], where, other_class, number % 7 == 3))
    for own_id, own_place, own_class, _ in sent[:8]:
        radius = 80 if own_class else COVER_RADIUS_M
        expected = {
            report_id: flat_metres(own_place, where)
            for report_id, where, other_class, rejected in sent
            if report_id != own_id
            and other_class == own_class
            and not rejected
            and flat_metres(own_place, where) <= radius
        }
        found = (await intake.operator.get(f"/reports/{own_id}/duplicates")).json()
        assert {one["id"] for one in found} == set(expected)
        distances = [one["distance_m"] for one in found]
        assert distances == sorted(distances)
        for one in found:
            assert one["distance_m"] == pytest.approx(expected[one["id"]], abs=0.2)


async def test_what_is_too_old_or_over_is_not_offered(intake: Any) -> None:
    old = await intake.report()
    case = await intake.case()
    intake.clock.advance(timedelta(hours=169))
    near = await intake.report(client=intake.collector("collector02"))
    path = f"/reports/{near['id']}/duplicates"
    assert (await intake.operator.get(path)).json() == []
    intake.clock.advance(timedelta(hours=-3))
    new = await intake.report()
    path = f"/reports/{new['id']}/duplicates"
    found = (await intake.operator.get(path)).json()
    assert {one["id"] for one in found} == {old["id"], case["id"], near["id"]}
    voided = CaseVoided(number="1", reason="r", approved_by="x")
    await intake.sut.deliver(voided, subject=case["case"]["id"])
    found = (await intake.operator.get(path)).json()
    assert {one["id"] for one in found} == {old["id"], near["id"]}


async def test_before_reporting_one_can_ask_what_is_going_on(intake: Any) -> None:
    report = await intake.report()
    query = {
        "longitude": 103.79851,
        "latitude": 36.06701,
        "class_ref": "GB/T 47678.5-2026:component:01001",
    }
    agent = intake.sut.client(Role.AGENT)
    [seen] = (await agent.get("/duplicates", params=query)).json()
    assert seen["id"] == report["id"]
    assert seen["description"] == report["description"]
    [seen] = (await intake.collector("collector02").get("/duplicates", params=query)).json()
    assert seen["description"] is None
    assert (await intake.anonymous.get("/duplicates", params=query)).status_code == 401
    assert (await agent.get("/duplicates")).status_code == 422


async def test_a_merged_reporter_follows_the_case_of_the_other_report(intake: Any) -> None:
    first = await intake.case()
    second = await intake.report(client=intake.collector("collector02"))
    merged = (await intake.act(second["id"], "merge", into=first["id"])).json()
    assert merged["state"] == "merged"
    assert merged["allowed"] == ["unmerge"]
    assert merged["case"]["id"] == first["case"]["id"]
    assert merged["merged_into"] == first["id"]
    [fact] = await intake.told(ReportMerged)
    assert fact["into_report_id"] == first["id"]
    assert fact["into_case_id"] == first["case"]["id"]
    assert fact["reporter_id"] == "account-collector02"
    assert (await intake.read(first["id"]))["reporters"] == 2
    voided = CaseVoided(number="1", reason="r", approved_by="x")
    await intake.sut.deliver(voided, subject=first["case"]["id"])
    assert (await intake.read(second["id"]))["case"]["state"] == "voided"
    items = (await intake.operator.get("/reports", params={"merged_into": first["id"]})).json()
    assert [item["id"] for item in items["items"]] == [second["id"]]


async def test_chains_of_merges_are_flat_and_come_apart_as_they_were(intake: Any) -> None:
    a, b, c, d = [await intake.report() for _ in range(4)]
    await intake.act(a["id"], "merge", into=b["id"])
    await intake.act(c["id"], "merge", into=a["id"])  # a already stands behind b
    await intake.act(b["id"], "merge", into=d["id"])
    for report in (a, b, c):
        assert (await intake.read(report["id"]))["merged_into"] == d["id"]
    assert (await intake.read(d["id"]))["reporters"] == 4
    registered = (await intake.act(d["id"], "registration")).json()
    for report in (a, b, c):
        assert (await intake.read(report["id"]))["case"]["id"] == registered["case"]["id"]
    back = (await intake.act(b["id"], "unmerge", reason="两处不同")).json()
    assert (back["state"], back["case"], back["reporters"]) == ("received", None, 3)
    for report in (a, c):
        seen = await intake.read(report["id"])
        assert (seen["merged_into"], seen["case"]) == (b["id"], None)
    assert (await intake.read(d["id"]))["reporters"] == 1
    back = (await intake.act(a["id"], "unmerge", reason="两处不同")).json()
    assert (back["state"], back["reporters"]) == ("received", 2)
    assert (await intake.read(c["id"]))["merged_into"] == a["id"]
    assert (await intake.read(b["id"]))["reporters"] == 1
    assert len(await intake.told(ReportUnmerged)) == 2


async def test_merging_calls_a_check_back_and_unmerging_lets_one_ask_again(intake: Any) -> None:
    report, other = await intake.report(), await intake.report()
    await intake.act(report["id"], "check")
    assert (await intake.act(report["id"], "merge", into=other["id"])).status_code == 200
    assert len(await intake.told(TaskCancelled)) == 1
    back = (await intake.act(report["id"], "unmerge", reason="两处不同")).json()
    assert back["state"] == "received"
    assert (await intake.act(report["id"], "check")).status_code == 201


async def test_a_rejection_reaches_every_merged_reporter(intake: Any) -> None:
    report, other = await intake.report(), await intake.report()
    await intake.act(report["id"], "merge", into=other["id"])
    await intake.act(other["id"], "rejection", reason_code="x", reason="现场未发现")
    assert (await intake.read(report["id"]))["state"] == "rejected"
    assert len(await intake.told(ReportRejected)) == 2
    third = await intake.report()
    refused = await intake.act(third["id"], "merge", into=other["id"])
    assert (refused.status_code, refused.json()["code"]) == (409, "merge-target")


async def test_impossible_merges_are_refused(intake: Any) -> None:
    report, other = await intake.report(), await intake.report()
    itself = await intake.act(report["id"], "merge", into=report["id"])
    assert (itself.status_code, itself.json()["code"]) == (422, "merge-with-itself")
    await intake.act(report["id"], "merge", into=other["id"])
    circle = await intake.act(other["id"], "merge", into=report["id"])
    assert (circle.status_code, circle.json()["code"]) == (409, "merge-target")
    twice = await intake.act(report["id"], "merge", into=other["id"])
    assert (twice.status_code, twice.json()["allowed"]) == (409, ["unmerge"])
    missing = await intake.act(other["id"], "merge", into="00000000-0000-7000-8000-000000000000")
    assert missing.status_code == 404
