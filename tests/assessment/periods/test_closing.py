"""A closed period keeps its figures for good; other ways to compute it are shown beside them."""

from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from services.assessment.lines.domain import freeze, hash_of, thaw
from services.assessment.periods.models import FrozenFacts
from services.assessment.periods.repository import PeriodRepository
from services.assessment.scorecards.service import ScorecardService
from shared.events.vocabulary import DispatchReason
from shared.testing import ServiceUnderTest
from shared.vocabulary import Role

MAY = datetime.fromisoformat("2026-05-20T02:00:00+00:00")
CLOSING = {"reason": "Bulletin of May"}


@pytest.fixture
async def told(tell: Any, teller: Any) -> dict[str, Any]:
    """Water: one in time, one late, one open, one dispatched twice."""
    cases = {
        "timely": teller().settled("water", due_at=MAY),
        "late": teller().settled("water", used=20_000, due_at=MAY),
        "open": teller().received().registered().opened().dispatched("water", due_at=MAY),
        "repeated": teller().received().registered().opened().dispatched("water", due_at=MAY),
    }
    repeated = cases["repeated"].handled().verification(passed=False)
    repeated.dispatched("water", DispatchReason.AFTER_FAILED_VERIFICATION, due_at=MAY)
    repeated.handled().verification(passed=True).closed()
    await tell(*cases.values())
    return cases


async def close(sut: ServiceUnderTest, period: str = "2026-05") -> Any:
    async with sut.client(Role.SUPERVISOR) as supervisor:
        return await supervisor.post(f"/periods/{period}/closing", json=CLOSING)


async def card(sut: ServiceUnderTest, unit: str = "water", period: str = "2026-05") -> Any:
    async with sut.client(Role.SUPERVISOR) as supervisor:
        return (await supervisor.get(f"/scorecards/{unit}/{period}")).json()


async def test_a_later_event_never_changes_a_closed_period(
    sut: ServiceUnderTest, tell: Any, teller: Any, told: dict[str, Any]
) -> None:
    before = await card(sut)
    closed = await close(sut)
    assert closed.status_code == 201

    told["open"].handled().verification(passed=True).closed()
    await tell(told["open"], teller().settled("water", due_at=MAY))
    sut.runtime.clock.advance(timedelta(hours=1))
    after = await card(sut)
    async with sut.client(Role.LEADER) as leader:
        explained = (await leader.get("/scorecards/water/2026-05/explain")).json()
        beside = (await leader.get("/periods/2026-05/recomputed")).json()

    assert (before["scorecard"]["due"], before["scorecard"]["score"]) == (4, 35)
    assert after["scorecard"] == before["scorecard"]
    assert after["closed"]["facts_sha256"] == closed.json()["facts_sha256"]
    assert len(explained["cases"]["items"]) == 4
    assert explained["formula"] == "100 x (4/5 x 1/4 + 1/5 x 3/4) = 35.000000"
    (pair,) = [pair for pair in beside["units"] if pair["changed"]]
    assert (pair["unit"], pair["held"]["due"], pair["other"]["due"]) == ("water", 4, 5)
    assert (pair["held"]["score"], pair["other"]["score"]) == (35, 68)
    assert beside["held"]["facts_sha256"] == closed.json()["facts_sha256"]
    assert beside["other"]["facts_sha256"] != beside["held"]["facts_sha256"]


async def test_closing_tells_the_settled_figures(
    sut: ServiceUnderTest, told: dict[str, Any]
) -> None:
    closed = (await close(sut)).json()

    (event,) = [one for one in await sut.told() if one.type == "assessment.period.closed.v1"]
    assert event.data["period"] == "2026-05"
    assert event.data["facts_sha256"] == closed["facts_sha256"]
    assert event.data["assignments"] == len(told)
    (water,) = [unit for unit in event.data["units"] if unit["unit"] == "water"]
    assert water == {
        "unit": "water",
        "due": 4,
        "resolved": 3,
        "timely": 1,
        "score": "35.000000",
        "rank": None,
    }
    # Five local days after 1 June, the day of closing.
    assert closed["appeal_until"] == "2026-06-06T16:00:00Z"


async def test_frozen_facts_can_be_thawed_and_have_the_hash_that_was_told(
    sut: ServiceUnderTest, told: dict[str, Any]
) -> None:
    closed = (await close(sut)).json()
    now = sut.runtime.clock.now()
    async with sut.runtime.database.reading() as session:
        row = await PeriodRepository(session).by_key("2026-05")
        assert row is not None
        texts = await PeriodRepository(session).frozen(row.id)
        live = await ScorecardService(session, sut.runtime.pack, "2026-05", now).live_basis()

    assert hash_of(texts) == hash_of(freeze(live.facts)) == closed["facts_sha256"]
    assert freeze(thaw(texts)) == texts
    assert texts["water"].count("\n") == len(told)


@pytest.mark.parametrize(
    ("period", "status", "code"),
    [
        ("2026-06", 409, "period-running"),
        ("2026", 409, "period-running"),
        ("2017-05", 404, "not-found"),
        ("May", 422, "period-unreadable"),
    ],
)
async def test_what_cannot_be_closed_says_what_is_missing(
    sut: ServiceUnderTest, period: str, status: int, code: str
) -> None:
    answer = await close(sut, period)

    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_a_period_is_closed_once(sut: ServiceUnderTest, told: dict[str, Any]) -> None:
    await close(sut)
    again = await close(sut)
    async with sut.client(Role.COLLECTOR) as anybody:
        listed = (await anybody.get("/periods", params={"kind": "month"})).json()["items"]
        refused = await anybody.post("/periods/2026-04/closing", json=CLOSING)
        unknown = await anybody.get("/periods/2026-04")

    assert (again.status_code, again.json()["code"]) == (409, "period-closed")
    assert [one["key"] for one in listed] == ["2026-05"]
    assert refused.status_code == 403
    assert (unknown.status_code, unknown.json()["code"]) == (404, "period-not-closed")
    async with sut.runtime.database.reading() as session:
        connection = await session.connection()
        count = await connection.execute(sa.select(sa.func.count()).select_from(FrozenFacts))
        assert count.scalar_one() == 1


async def test_parked_events_keep_a_period_open(
    sut: ServiceUnderTest, told: dict[str, Any]
) -> None:
    held = sut.runtime.tables.inbox_held
    async with sut.runtime.database.transaction() as session:
        connection = await session.connection()
        await connection.execute(
            sa.insert(held).values(
                consumer="assessment",
                event_id=told["open"].case_id,
                type="dispatch.case.closed.v1",
                aggregate="dispatch.case",
                subject="x",
                sequence=1,
                body=b"{}",
                state="parked",
                held_at=sut.runtime.clock.now(),
            )
        )

    answer = await close(sut)

    assert (answer.status_code, answer.json()["code"]) == (409, "facts-missing")
    assert (answer.json()["parked"], answer.json()["behind"]) == (1, 0)


@pytest.mark.parametrize("closed", [True, False])
async def test_other_parameters_are_tried_on_the_same_facts(
    sut: ServiceUnderTest,
    told: dict[str, Any],
    closed: bool,  # noqa: FBT001
) -> None:
    if closed:
        await close(sut)
    tried = {"redispatch_allowance": "0.25", "timely_weight": "0.5", "resolution_weight": "0.5"}
    async with sut.client(Role.LEADER) as leader:
        answer = (await leader.get("/periods/2026-05/what-if", params=tried)).json()

    (pair,) = [pair for pair in answer["units"] if pair["changed"]]
    assert (pair["held"]["timely"], pair["held"]["score"]) == (1, 35)
    assert (pair["other"]["timely"], pair["other"]["score"]) == (2, 62.5)
    assert pair["other"]["forgiven"]["repeat"] == 1
    assert answer["held"]["facts_sha256"] == answer["other"]["facts_sha256"]
    assert (answer["held"]["facts_sha256"] is not None) == closed
    assert answer["other"]["parameters"]["version"] == "2024*"
    assert (await card(sut))["scorecard"]["score"] == 35


@pytest.mark.parametrize(
    ("tried", "status", "code"),
    [
        ({"timely_weight": "0.9"}, 422, "parameters-impossible"),
        ({"redispatch_allowance": "-0.1"}, 422, "invalid-input"),
        ({"version": "1999"}, 404, "parameters-version-unknown"),
    ],
)
async def test_impossible_parameters_are_not_tried(
    sut: ServiceUnderTest, tried: dict[str, str], status: int, code: str
) -> None:
    async with sut.client(Role.LEADER) as leader:
        answer = await leader.get("/periods/2026-05/what-if", params=tried)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
