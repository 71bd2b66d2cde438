"""Duty and positions: only on duty, only for a short time, and only grids are told."""

from datetime import timedelta
from typing import Any

from sqlmodel import select

from services.intake.collectors.models import CollectorPosition
from services.intake.collectors.service import forget
from shared.events.intake import PatrolRecorded
from shared.vocabulary import Role


def fix(intake: Any, longitude: float, **ago: float) -> dict[str, Any]:
    at = intake.clock.now() - timedelta(**ago)
    return {
        "longitude": longitude,
        "latitude": 36.0645,
        "accuracy_m": 8,
        "at": at.isoformat(),
    }


async def test_a_patrol_leaves_the_grids_it_covered_and_nothing_else(intake: Any) -> None:
    client = intake.collector()
    await intake.go_on_duty("collector01", 103.7985, 36.067)
    started = intake.clock.now()
    intake.clock.advance(timedelta(hours=1))
    fixes = [fix(intake, 103.7954, minutes=1), fix(intake, 103.7986, minutes=30)]
    taken = await client.post("/collectors/me/positions", json={"fixes": fixes})
    assert taken.json() == {"taken": 2, "grid": "620103001001002"}
    [seen] = (await intake.operator.get("/collectors", params={"on_duty": True})).json()["items"]
    assert (seen["login"], seen["longitude"], seen["grid"]) == (
        "collector01",
        103.7954,
        "620103001001002",
    )
    assert seen["name"] == "华永强"
    off = await client.post("/collectors/me/duty", json={"on": False})
    assert off.json()["on"] is False
    [fact] = await intake.told(PatrolRecorded)
    assert fact["grids"] == ["620103001001001", "620103001001002", "620103001001003"]
    assert fact["started_at"] == started.isoformat().replace("+00:00", "Z")
    assert set(fact) == {"collector", "started_at", "ended_at", "grids"}
    [patrol] = (await client.get("/patrols")).json()["items"]
    assert patrol["grids"] == fact["grids"]
    assert (await intake.collector("collector02").get("/patrols")).json()["items"] == []
    [seen] = (await intake.operator.get("/collectors")).json()["items"]
    assert (seen["on_duty"], seen["longitude"]) == (False, None)


async def test_off_duty_no_position_is_taken(intake: Any) -> None:
    client = intake.collector()
    refused = await client.post("/collectors/me/positions", json={"fixes": [fix(intake, 103.7986)]})
    assert (refused.status_code, refused.json()["code"]) == (409, "not-on-duty")


async def test_positions_of_another_time_are_refused_whole(intake: Any) -> None:
    client = intake.collector()
    await client.post("/collectors/me/duty", json={"on": True})
    intake.clock.advance(timedelta(minutes=20))
    for wrong in (fix(intake, 103.7986, hours=1), fix(intake, 103.7986, hours=-1)):
        fixes = [fix(intake, 103.7986), wrong]
        answer = await client.post("/collectors/me/positions", json={"fixes": fixes})
        assert (answer.status_code, answer.json()["code"]) == (422, "fix-outside-duty")
        assert answer.json()["index"] == 1
    async with intake.sut.runtime.database.reading() as session:
        assert (await session.exec(select(CollectorPosition))).all() == []


async def test_an_older_batch_does_not_move_the_collector_back(intake: Any) -> None:
    client = intake.collector()
    await client.post("/collectors/me/duty", json={"on": True})
    intake.clock.advance(timedelta(minutes=20))
    for fixes in ([fix(intake, 103.7954)], [fix(intake, 103.7986, minutes=10)]):
        await client.post("/collectors/me/positions", json={"fixes": fixes})
    [seen] = (await intake.operator.get("/collectors")).json()["items"]
    assert seen["longitude"] == 103.7954


async def test_duty_twice_is_one_patrol(intake: Any) -> None:
    client = intake.collector()
    first = (await client.post("/collectors/me/duty", json={"on": True})).json()
    intake.clock.advance(timedelta(minutes=1))
    again = (await client.post("/collectors/me/duty", json={"on": True})).json()
    assert again == first == (await client.get("/collectors/me/duty")).json()
    for _ in range(2):
        await client.post("/collectors/me/duty", json={"on": False})
    assert len(await intake.told(PatrolRecorded)) == 1


async def test_single_positions_are_forgotten(intake: Any) -> None:
    await intake.go_on_duty("collector01", 103.7985, 36.067)
    runtime = intake.sut.runtime

    async def kept() -> int:
        async with runtime.database.reading() as session:
            return len((await session.exec(select(CollectorPosition))).all())

    intake.clock.advance(timedelta(hours=71))
    await forget(runtime)
    assert await kept() == 1
    intake.clock.advance(timedelta(hours=2))
    await forget(runtime)
    assert await kept() == 0


async def test_duty_is_for_collectors_and_the_list_for_the_centre(intake: Any) -> None:
    for path in ("/collectors/me/duty", "/collectors/me/positions"):
        assert (await intake.anonymous.post(path, json={})).status_code == 401
        assert (await intake.operator.post(path, json={})).status_code == 403
        assert (await intake.collector().post(path, json={})).status_code == 422
    assert (await intake.collector().get("/collectors")).status_code == 403
    assert (await intake.anonymous.get("/collectors")).status_code == 401
    handler = intake.sut.client(Role.HANDLER, unit="chengguan")
    assert (await handler.get("/patrols")).status_code == 403
