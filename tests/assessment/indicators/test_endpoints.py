"""The published ratios of units and areas: against plain loops, with the cases behind each."""

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from services.assessment.facts.service import fold_pending
from services.assessment.indicators.domain import AssignmentFigure, CaseFigure
from services.assessment.periods.domain import parse_period
from shared.events.vocabulary import DispatchReason
from shared.testing import ServiceUnderTest
from shared.vocabulary import Role
from tests.assessment.conftest import GRID_PLACE
from tests.assessment.lives import UNITS, Life

MAY = parse_period("2026-05", ZoneInfo("Asia/Shanghai"))
NOW = datetime(2026, 6, 1, 2, tzinfo=UTC)
STREET = str(GRID_PLACE.grid)[:9]


def counted(line: dict[str, Any]) -> set[str]:
    """The figures that a line counts for, by the words of docs/indicators.md."""
    if line["voided"] or line["due_at"] not in MAY:
        return set()
    if line["returned_to_other"]:
        return {"returned"}
    if line["awaiting_dispatch"]:
        return set()
    handled = line["closed_at"] is not None and line["closed_at"] <= NOW
    if not handled and line["due_at"] > NOW:
        return set()
    figures = {"to-handle", "handled" if handled else "overdue"}
    if handled:
        limit = line["limit_seconds"]
        in_time = limit is None or line["used_seconds"] <= limit + line["extension_seconds"]
        figures.add("handled-in-time" if in_time else "handled-late")
    if line["dispatches"] > 1:
        figures.add("reworked")
    if line["extension_granted_at"] or line["deferral_granted_at"]:
        figures.add("extended")
    if line["feedback_refused"]:
        figures.add("false-feedback")
    return figures


@pytest.fixture
async def lives(sut: ServiceUnderTest, tell: Any, teller: Any) -> list[Life]:
    chance = Random(11)  # noqa: S311 - chance, not a secret
    starts = (datetime(2026, 5, day, 1, tzinfo=UTC) for day in [*range(1, 31)] * 2)
    lives = [Life(teller(at=at), chance).live(chance.randint(0, 20)) for at in starts]
    await tell(*[life.teller for life in lives])
    await fold_pending(sut.runtime)
    return lives


async def listed(client: Any, path: str, figure: str) -> list[tuple[str, int]]:
    """What stands behind a figure, page by page."""
    found: list[tuple[str, int]] = []
    params: dict[str, Any] = {"figure": figure, "limit": 7}
    while True:
        page = (await client.get(path, params=params)).json()
        found += [(item["case_id"], item.get("ordinal", 0)) for item in page["items"]]
        if page["next_cursor"] is None:
            return found
        params["cursor"] = page["next_cursor"]


async def test_every_figure_of_a_unit_is_the_count_of_what_stands_behind_it(
    sut: ServiceUnderTest, lives: list[Life]
) -> None:
    async with sut.client(Role.LEADER) as leader:
        answer = (await leader.get("/indicators/units", params={"period": "2026-05"})).json()
        by_code = {item["code"]: item for item in answer["items"]}
        for unit in UNITS:
            for figure in AssignmentFigure:
                expected = sorted(
                    (str(life.teller.case_id), line["ordinal"])
                    for life in lives
                    for line in life.lines
                    if line["unit"] == unit and figure.value in counted(line)
                )
                path = f"/indicators/units/{unit}/2026-05/assignments"
                assert by_code[unit][figure.value.replace("-", "_")] == len(expected), figure
                assert sorted(await listed(leader, path, figure.value)) == expected
            for of_case in CaseFigure:
                path = f"/indicators/units/{unit}/2026-05/cases"
                behind = await listed(leader, path, of_case.value)
                assert by_code[unit][of_case.value.replace("-", "_")] == len(set(behind))

    assert sum(item["returned"] for item in answer["items"]) > 0
    assert sum(item["handled_late"] for item in answer["items"]) > 0
    codes = [item["code"] for item in answer["items"]]
    assert codes == sorted(codes)


async def test_an_area_holds_the_cases_of_its_ground(
    sut: ServiceUnderTest, lives: list[Life]
) -> None:
    params = {"period": "2026-05"}
    async with sut.client(Role.SUPERVISOR) as supervisor:
        streets = (await supervisor.get("/indicators/areas", params=params)).json()["items"]
        district = await supervisor.get("/indicators/areas", params={**params, "level": "district"})
        units = (await supervisor.get("/indicators/units", params=params)).json()["items"]
        behind = await listed(supervisor, f"/indicators/areas/{STREET}/2026-05/cases", "registered")

    street = next(item for item in streets if item["code"] == STREET)
    assert street["registered"] == sum(
        life.teller.case_id.version == 7 and not life.lines[0]["voided"] for life in lives
    )
    assert len(behind) == street["registered"]
    assert street["to_handle"] == sum(item["to_handle"] for item in units)
    assert [item["registered"] for item in district.json()["items"]] == [street["registered"]]
    others = [item for item in streets if item["code"] != STREET]
    assert {item["registered"] for item in others} == {0}
    assert {item["handling_rate"] for item in others} == {None}


async def test_the_ratios_are_those_of_the_counts(
    sut: ServiceUnderTest, tell: Any, teller: Any
) -> None:
    """Worked by hand: three assignments due, two handled, one of them late; one went elsewhere."""
    may = datetime(2026, 5, 11, 1, tzinfo=UTC)
    due = may + timedelta(days=2)
    passed_on = teller(at=may).registered().opened().dispatched("water", due_at=due)
    passed_on.return_decided(granted=True)
    passed_on.dispatched("transport", DispatchReason.AFTER_RETURN, due_at=due)
    await tell(
        teller(at=may).settled("water", used=100, due_at=due),
        teller(at=may).settled("water", used=90_000, due_at=due),
        teller(at=may).registered().opened().dispatched("water", due_at=due),
        passed_on,
    )
    async with sut.client(Role.HANDLER, unit="water") as handler:
        answer = await handler.get("/indicators/units", params={"period": "2026-05"})

    water = next(item for item in answer.json()["items"] if item["code"] == "water")
    counts = ("to_handle", "handled", "handled_in_time", "handled_late", "overdue", "returned")
    assert [water[name] for name in counts] == [3, 2, 1, 1, 1, 1]
    assert (water["handling_rate"], water["handling_in_time_rate"]) == (0.666667, 0.333333)
    assert water["return_rate"] == 0.25
    assert (water["registered"], water["closed"], water["closing_rate"]) == (3, 2, 0.666667)


async def test_the_cases_behind_are_for_the_own_unit_and_the_centre(
    sut: ServiceUnderTest, lives: list[Life]
) -> None:
    own_path, area_path = (
        "/indicators/units/water/2026-05",
        f"/indicators/areas/{STREET}/2026-05",
    )
    async with (
        sut.client(Role.HANDLER, unit="water") as own,
        sut.client(Role.UNIT_LEAD, unit="transport") as other,
        sut.client(Role.COLLECTOR) as collector,
        sut.client() as nobody,
        sut.client(Role.LEADER) as leader,
    ):
        for below in ("assignments", "cases"):
            assert (await own.get(f"{own_path}/{below}")).status_code == 200
            assert (await other.get(f"{own_path}/{below}")).status_code == 404
            assert (await own.get(f"{area_path}/{below}")).status_code == 404
            assert (await collector.get(f"{own_path}/{below}")).status_code == 403
            assert (await nobody.get(f"{own_path}/{below}")).status_code == 401
            unknown = await leader.get(f"/indicators/units/tea/2026-05/{below}")
            assert (unknown.status_code, unknown.json()["code"]) == (404, "subject-unknown")
