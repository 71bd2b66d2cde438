"""Reports come in from every source and are stored once."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa

from shared.events.intake import ReportReceived, ReportRegistered
from shared.vocabulary import Role

OUTSIDE = {"longitude": 116.39, "latitude": 39.9}
# Within the district's outline, where no grids are drawn.
BETWEEN = {"longitude": 103.70, "latitude": 35.95}


async def test_a_handset_report_is_stored_with_grid_and_deadline(intake: Any) -> None:
    answer = await intake.collector().post("/reports", json=intake.body(client_id=str(uuid4())))
    report = answer.json()
    assert answer.status_code == 201
    assert answer.headers["location"].endswith(f"/reports/{report['id']}")
    assert answer.headers["etag"] == '"1"'
    assert report["place"]["grid"] == "620103001001001"
    assert report["source"] == "collector"
    assert report["state"] == "received"
    # Half a working hour from ten o'clock; the last fifth of it is yellow.
    assert report["stage"]["due_at"] == "2026-06-01T02:30:00Z"
    assert report["stage"]["warn_at"] == "2026-06-01T02:24:00Z"
    [fact] = await intake.told(ReportReceived)
    assert fact["number"] == report["number"] == "R2026060100001"
    assert "description" not in fact


async def test_a_complete_report_from_a_handset_is_a_case_at_once(intake: Any) -> None:
    report = await intake.case()
    assert report["case"]["number"] == "6201032026060100001"
    assert report["decision"]["by_rule"] == "trusted-source"
    [registered] = await intake.sut.told(ReportRegistered)
    assert registered.actorid == "rule:trusted-source"
    assert registered.sequence == 2
    assert registered.data["case_id"] == report["case"]["id"]
    assert registered.data["condition"] == "B01001-3"


async def test_an_incomplete_or_inexact_report_waits_for_an_operator(intake: Any) -> None:
    photograph = await intake.photograph()
    inexact = {**intake.body()["place"], "accuracy_m": 51}
    for changes in (
        {"place": inexact, "media": [photograph]},
        {"condition": None, "media": [photograph]},
        {"class_ref": None, "condition": None, "media": [photograph]},
        {"media": []},
    ):
        assert (await intake.report(**changes))["state"] == "received"


async def test_the_same_client_id_under_another_key_is_the_same_report(intake: Any) -> None:
    body = intake.body(client_id=str(uuid4()))
    first = await intake.collector().post("/reports", json=body)
    again = await intake.collector().post("/reports", json=body)
    other = await intake.collector("collector02").post("/reports", json=body)
    assert (first.status_code, again.status_code, other.status_code) == (201, 200, 201)
    assert again.json()["id"] == first.json()["id"] != other.json()["id"]
    assert len(await intake.told(ReportReceived)) == 2


async def test_a_handset_that_sends_again_too_early_gets_one_report(intake: Any) -> None:
    body = intake.body(client_id=str(uuid4()))
    answers = await asyncio.gather(
        *(intake.collector().post("/reports", json=body) for _ in range(5))
    )
    assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 200, 201]
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert len(await intake.told(ReportReceived)) == 1


async def test_the_same_key_gives_the_same_answer(intake: Any) -> None:
    key = {"Idempotency-Key": "one"}
    first = await intake.collector().post("/reports", json=intake.body(), headers=key)
    again = await intake.collector().post("/reports", json=intake.body(), headers=key)
    assert again.status_code == 201
    assert again.json() == first.json()
    assert again.headers["idempotent-replay"] == "true"
    assert len(await intake.told(ReportReceived)) == 1


async def test_photographs_that_came_later_complete_a_report(intake: Any) -> None:
    report = await intake.report()
    path, photograph = f"/reports/{report['id']}/media", await intake.photograph()
    answer = await intake.collector().post(path, json={"media": [photograph]})
    assert answer.json()["state"] == "registered"
    assert answer.json()["media"] == [photograph]
    again = await intake.collector().post(path, json={"media": [photograph]})
    assert (again.status_code, again.json()["code"]) == (409, "report-state")
    stranger = await intake.collector("collector02").post(path, json={"media": [photograph]})
    assert stranger.status_code == 404


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"place": OUTSIDE}, "place-outside-city"),
        ({"place": {"address": "西津西路 100 号"}}, "place-missing"),
        ({"class_ref": {"scheme": "X", "kind": "event", "code": "1"}}, "class-unknown"),
        ({"condition": "B01002-1"}, "condition-not-of-class"),
        ({"media": ["0" * 64]}, "media-unknown"),
        ({"observed_at": "2026-06-03T00:00:00Z"}, "observed-in-future"),
        ({"source": "leader"}, "source-not-yours"),
        ({"place": {"longitude": 103.7985}}, "invalid-input"),
        ({"place": {"longitude": True, "latitude": 36}}, "invalid-input"),
        ({"description": "a\u0000b"}, "invalid-input"),
        ({"description": " "}, "invalid-input"),
        ({"number": "R1"}, "invalid-input"),
        ({"media": ["x"]}, "invalid-input"),
    ],
)
async def test_a_faulty_report_is_refused_whole(
    intake: Any, changes: dict[str, Any], code: str
) -> None:
    answer = await intake.collector().post("/reports", json=intake.body(**changes))
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert await intake.told(ReportReceived) == []
    assert (await intake.operator.get("/reports")).json()["items"] == []


async def test_inside_the_outline_without_a_grid_the_report_asks_for_its_place(
    intake: Any,
) -> None:
    report = await intake.report(place=BETWEEN)
    assert report["place"]["grid"] is None
    assert report["needs_place"] is True


async def test_urgent_by_condition_runs_on_calendar_time(intake: Any) -> None:
    intake.clock.set(intake.clock.now().replace(hour=15))  # 23:00 in Lanzhou
    ordinary = await intake.report()
    urgent = await intake.report(condition="B01001-1")
    marked = await intake.report(urgent=True)
    assert ordinary["stage"]["due_at"] == "2026-06-02T01:00:00Z"
    assert urgent["urgent"] is True
    assert urgent["stage"]["due_at"] == marked["stage"]["due_at"] == "2026-06-01T15:30:00Z"
    assert (await intake.report(emergency=True))["urgent"] is True


async def test_leaders_and_operators_report_under_their_source(intake: Any) -> None:
    leader = await intake.report(intake.sut.client(Role.LEADER))
    grid_leader = await intake.report(intake.sut.client(Role.GRID_LEADER))
    behalf = await intake.report(intake.operator, source="leader")
    assert [leader["source"], grid_leader["source"], behalf["source"]] == [
        "leader",
        "grid-leader",
        "leader",
    ]
    assert behalf["channel"] == "on-behalf"
    unsaid = await intake.operator.post("/reports", json=intake.body())
    assert unsaid.json()["code"] == "source-not-yours"


async def test_a_video_operator_reports_a_box_on_a_camera(intake: Any) -> None:
    body = {
        "camera": "cam-001",
        "frame": await intake.photograph(),
        "box": {"x": 0.1, "y": 0.2, "width": 0.3, "height": 0.4},
        "description": "占道经营",
    }
    client = intake.sut.client(Role.VIDEO_OPERATOR)
    report = (await client.post("/reports/video", json=body)).json()
    assert report["channel"] == "cam-001"
    assert report["place"]["grid"] == "620103001001006"
    assert report["place"]["position_source"] == "camera"
    assert report["box"] == body["box"]
    beyond = {**body, "box": {"x": 0.9, "y": 0, "width": 0.3, "height": 0.4}}
    assert (await client.post("/reports/video", json=beyond)).status_code == 422
    unknown = await client.post("/reports/video", json={**body, "camera": "cam-999"})
    assert unknown.json()["code"] == "camera-unknown"
    refused = await intake.collector().post("/reports/video", json=body)
    assert refused.status_code == 403


async def test_a_partner_sends_each_of_its_reports_once_and_sees_only_those(intake: Any) -> None:
    body = {
        "external_id": "A-1",
        "description": "路灯不亮",
        "place": {"address": "西津西路 100 号"},
    }
    one = intake.sut.client(Role.PARTNER, subject="smart-lamps")
    other = intake.sut.client(Role.PARTNER, subject="one-window")
    first = await one.post("/reports/partner", json=body)
    again = await one.post("/reports/partner", json=body)
    foreign = await other.post("/reports/partner", json=body)
    assert (first.status_code, again.status_code, foreign.status_code) == (201, 200, 201)
    assert again.json()["id"] == first.json()["id"]
    assert first.json()["needs_place"] is True
    seen = (await one.get("/reports")).json()["items"]
    assert [item["id"] for item in seen] == [first.json()["id"]]
    assert (await one.get(f"/reports/{foreign.json()['id']}")).status_code == 404
    outside = await one.post("/reports/partner", json={**body, "place": OUTSIDE})
    assert outside.json()["code"] == "place-outside-city"
    nowhere = await one.post("/reports/partner", json={**body, "place": {}})
    assert nowhere.json()["code"] == "place-missing"


@pytest.mark.parametrize("path", ["/reports", "/reports/video", "/reports/partner"])
async def test_nobody_reports_unknown_or_in_a_wrong_role(intake: Any, path: str) -> None:
    assert (await intake.anonymous.post(path, json=intake.body())).status_code == 401
    handler = intake.sut.client(Role.HANDLER, unit="chengguan")
    assert (await handler.post(path, json=intake.body())).status_code == 403


async def test_a_report_costs_one_round_trip_shared_with_others(intake: Any) -> None:
    """On PostgreSQL a report needs no session; on SQLite a number costs one statement."""
    engine = intake.sut.runtime.database.engine.sync_engine
    photograph = await intake.photograph()
    for _ in range(2):  # the day begins, then a block of numbers is fetched
        await intake.case()
    statements: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if not statement.startswith("BEGIN"):
            statements.append(statement.split("(", maxsplit=1)[0].strip())

    sa.event.listen(engine, "before_cursor_execute", note)
    try:
        await intake.report(client_id=str(uuid4()))
        plain, statements[:] = list(statements), []
        await intake.report(media=[photograph], client_id=str(uuid4()))
    finally:
        sa.event.remove(engine, "before_cursor_execute", note)
    numbers = 1 if intake.sut.runtime.database.is_sqlite else 0
    kernel = {"INSERT INTO outbox", "INSERT INTO journal", "INSERT INTO idempotency"}
    if numbers:
        assert {*kernel, "INSERT INTO reports"} <= set(plain)
        assert len(plain) == 4 + numbers
        # A case at once: its photograph was looked up, and it has a second number.
        assert len(statements) == 5 + 2 * numbers
    else:
        assert plain == [], "everything went past the session, in the round trip of all who wait"
        assert statements == [], "its photograph was looked up without a session"
