"""Citizens report without signing in, follow their report, and stay unknown."""

from typing import Any
from uuid import uuid4

import sqlalchemy as sa

from services.intake.reports.models import ReporterContact
from shared.events.intake import ReportReceived
from shared.vocabulary import Role


def body(**changes: Any) -> dict[str, Any]:
    return {
        "description": "门口堆了很多垃圾",
        "place": {"address": "西津西路 100 号"},
        "name": "张小丽",
        "phone": "13812345678",
        **changes,
    }


async def test_a_citizen_follows_the_own_report_by_number_and_token(intake: Any) -> None:
    receipt = (await intake.anonymous.post("/public/reports", json=body())).json()
    path = f"/public/reports/{receipt['number']}"
    seen = await intake.anonymous.get(path, params={"token": receipt["token"]})
    assert seen.json()["state"] == "received"
    wrong = await intake.anonymous.get(path, params={"token": "x" * 32})
    assert (wrong.status_code, wrong.json()["code"]) == (404, "report-not-found")
    [item] = (await intake.operator.get("/reports")).json()["items"]
    assert item["needs_place"] is True
    reject = {"reason_code": "no-such-thing", "reason": "现场未发现"}
    await intake.act(item["id"], "rejection", **reject)
    seen = await intake.anonymous.get(path, params={"token": receipt["token"]})
    assert (seen.json()["state"], seen.json()["reason"]) == ("rejected", "现场未发现")


async def test_sent_again_the_report_is_one_and_the_token_the_same(intake: Any) -> None:
    sent = body(client_id=str(uuid4()))
    first = await intake.anonymous.post("/public/reports", json=sent)
    again = await intake.anonymous.post("/public/reports", json=sent)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()
    assert len(await intake.told(ReportReceived)) == 1


async def test_name_and_number_are_masked_and_showing_them_is_audited(intake: Any) -> None:
    await intake.anonymous.post("/public/reports", json=body())
    [item] = (await intake.operator.get("/reports")).json()["items"]
    view = await intake.read(item["id"])
    assert view["contact"] == {"name": "张**", "phone": "138****5678"}
    shown = await intake.act(item["id"], "contact/reveal", reason="call back")
    assert shown.json() == {"name": "张小丽", "phone": "13812345678"}
    runtime = intake.sut.runtime
    async with runtime.database.reading() as session:
        audit = (await session.exec(runtime.tables.audit.select())).all()
        kept = [
            *(await session.exec(runtime.tables.outbox.select())).all(),
            *(await session.exec(runtime.tables.journal.select())).all(),
            *(await session.exec(runtime.tables.idempotency.select())).all(),
            *(await session.exec(sa.select(ReporterContact.__table__))).all(),
        ]
    assert [(row.action, row.actor_id, row.reason) for row in audit] == [
        ("reveal-contact", "operator-1", "call back")
    ]
    assert "13812345678" not in str(kept)
    assert "张小丽" not in str(kept)
    dispatcher = intake.sut.client(Role.DISPATCHER)
    path = f"/reports/{item['id']}/contact/reveal"
    assert (await dispatcher.post(path, json={"reason": "x"})).status_code == 403


async def test_nobody_to_reveal_is_said_so(intake: Any) -> None:
    report = await intake.report()
    answer = await intake.act(report["id"], "contact/reveal", reason="call back")
    assert (answer.status_code, answer.json()["code"]) == (404, "contact-not-given")


async def test_one_address_may_report_only_so_often_an_hour(intake: Any) -> None:
    codes = [
        (await intake.anonymous.post("/public/reports", json=body())).status_code for _ in range(5)
    ]
    assert codes == [201, 201, 201, 429, 429]
    intake.clock.set(intake.clock.now().replace(hour=4))
    assert (await intake.anonymous.post("/public/reports", json=body())).status_code == 201


async def test_a_citizen_who_is_not_here_is_told_so(intake: Any) -> None:
    outside = {"longitude": 116.39, "latitude": 39.9}
    answer = await intake.anonymous.post("/public/reports", json=body(place=outside))
    assert (answer.status_code, answer.json()["code"]) == (422, "place-outside-city")
    assert (await intake.anonymous.get("/public/reports/R1?token=x")).status_code == 404
    assert (await intake.anonymous.post("/public/reports", json={})).status_code == 422
