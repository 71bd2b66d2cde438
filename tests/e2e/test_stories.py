"""Whole stories of a case, each ending with every service agreeing."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from city import BROKEN_COVER, City

from shared.pack.model import Grid
from shared.testing.processes import NotInTime, wait_for
from shared.vocabulary import Role

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]


def _grid(city: City, number: int) -> Grid:
    """A grid of its own for each story, so that they are no duplicates of one another."""
    return list(city.pack.grids.values())[number]


def _facts(city: City, case_id: str, ready: Any) -> dict[str, Any]:
    """What assessment has made of the case, once `ready` holds for it."""
    reader = city.one(Role.SUPERVISOR)

    def found() -> dict[str, Any] | None:
        try:
            facts = city.get(reader, "assessment", f"/cases/{case_id}/facts")
        except AssertionError:
            return None
        return facts if ready(facts) else None

    return wait_for(f"facts of {case_id}", found)


def _unit(city: City, number: int) -> str:
    """A unit of its own for each story, so that its scorecard can be computed by hand."""
    staffed = [
        unit.code
        for unit in city.pack.responsible
        if city.pack.people_with(Role.HANDLER, unit.code)  # type: ignore[arg-type]
    ]
    return staffed[number]


def _scored(city: City, case_id: str, unit: str, **by_hand: Any) -> None:
    """Wait for the scorecard of a unit that had this one case; figures not named are 0.

    Too few cases to be ranked and, at 3 % of one case, too few for anything to be forgiven.
    """
    mine = [one for one in city.case(case_id)["assignments"] if one["unit"] == unit]
    due_at = datetime.fromisoformat(mine[-1]["due_at"]).astimezone(ZoneInfo(city.pack.city.zone))
    expected: dict[str, Any] = {
        "due": 0,
        "resolved": 0,
        "timely": 0,
        "timely_rate": None,
        "resolution_rate": None,
        "score": None,
        "rank": None,
        "small_sample": by_hand.get("due", 0) > 0,
        "forgiven": {"repeat": 0, "deferral": 0, "extension": 0},
        "returned_to_other": 0,
        "returns_refused": 0,
        "repeated": 0,
        "extended": 0,
        "deferred": 0,
        "false_feedback": 0,
    } | by_hand
    last: dict[str, Any] = {}

    def as_computed() -> bool:
        path = f"/scorecards/{unit}/{due_at:%Y}"
        card = city.get(city.one(Role.SUPERVISOR), "assessment", path)["scorecard"]
        last.update({name: card[name] for name in expected})
        return last == expected

    try:
        wait_for(f"the scorecard of {unit}", as_computed)
    except NotInTime:
        assert last == expected


PERFECT = {
    "due": 1,
    "resolved": 1,
    "timely": 1,
    "timely_rate": 1.0,
    "resolution_rate": 1.0,
    "score": 100.0,
}
"""The only case was closed in time: 100 x (0.8 x 1 + 0.2 x 1)."""

LATE = PERFECT | {"timely": 0, "timely_rate": 0.0, "score": 20.0}
"""The only case was closed, but does not count as in time: 100 x (0.8 x 0 + 0.2 x 1)."""


def test_a_case_goes_from_the_report_to_the_archive(city: City) -> None:
    case_id = city.open_case(_grid(city, 3))
    unit = city.dispatch(case_id, _unit(city, 0))
    city.through_verification(case_id, unit, "passed")
    closed = city.close(case_id)

    assert closed["state"] == "closed"
    case = city.case(case_id)
    assert [entry["action"] for entry in case["journal"]][-1].startswith("clos")
    assert case["number"].startswith("620103")
    facts = _facts(city, case_id, lambda facts: facts["closed_at"])
    assert facts["assignments"][0]["unit"] == unit
    assert facts["assignments"][0]["closed_at"]
    _scored(city, case_id, unit, **PERFECT)


def test_after_a_failed_verification_it_goes_out_again_and_again(city: City) -> None:
    case_id = city.open_case(_grid(city, 13))
    unit = city.dispatch(case_id, _unit(city, 1))
    for _ in range(2):
        city.through_verification(case_id, unit, "failed")
        city.wait_for_state(case_id, "awaiting-dispatch")
        city.dispatch(case_id, unit)
    city.through_verification(case_id, unit, "passed")
    city.close(case_id)

    assignments = city.case(case_id)["assignments"]
    assert [a["reason"] for a in assignments] == [
        "first",
        "after-failed-verification",
        "after-failed-verification",
    ]
    assert [a["repeat"] for a in assignments] == [1, 2, 3]
    used = [a["used_seconds"] for a in assignments]
    assert used == sorted(used)
    _facts(city, case_id, lambda facts: facts["closed_at"])
    _scored(city, case_id, unit, **LATE, repeated=1)


def _ask_return(city: City, case_id: str, unit: str) -> None:
    handler = city.one(Role.HANDLER, unit)
    city.do(handler, "dispatch", f"/cases/{case_id}/acceptance")
    request = city.do(
        handler,
        "dispatch",
        f"/cases/{case_id}/returns",
        reason="井盖属于供电设施，不归本单位管养。",
        basis="责任清单",
    )
    city.do(
        city.one(Role.DISPATCHER),
        "dispatch",
        f"/requests/{request['id']}/decision",
        granted=True,
        reason="情况属实。",
    )
    city.wait_for_state(case_id, "awaiting-dispatch")


def test_returned_and_sent_to_another_unit_the_clock_begins_anew(city: City) -> None:
    case_id = city.open_case(_grid(city, 23))
    first = city.dispatch(case_id, _unit(city, 2))
    _ask_return(city, case_id, first)
    other = city.dispatch(case_id, _unit(city, 3))
    city.through_verification(case_id, other, "passed")
    city.close(case_id)

    assignments = city.case(case_id)["assignments"]
    assert [a["unit"] for a in assignments] == [first, other]
    assert assignments[1]["reason"] == "after-return"
    assert assignments[1]["used_seconds"] == 0
    _scored(city, case_id, first, returned_to_other=1)
    _scored(city, case_id, other, **PERFECT)


def test_returned_and_sent_to_the_same_unit_the_time_stays(city: City) -> None:
    case_id = city.open_case(_grid(city, 33))
    unit = city.dispatch(case_id, _unit(city, 4))
    _ask_return(city, case_id, unit)
    city.dispatch(case_id, unit)
    city.through_verification(case_id, unit, "passed")
    city.close(case_id)

    assignments = city.case(case_id)["assignments"]
    assert [a["unit"] for a in assignments] == [unit, unit]
    assert assignments[0]["run"] == assignments[1]["run"], "one clock goes on"
    _scored(city, case_id, unit, **LATE)


def test_an_extension_moves_the_deadline(city: City) -> None:
    # The third condition of the class has a limit in working time.
    case_id = city.open_case(_grid(city, 43), condition=1)
    unit = city.dispatch(case_id, _unit(city, 5))
    handler = city.one(Role.HANDLER, unit)
    city.do(handler, "dispatch", f"/cases/{case_id}/acceptance")
    before = city.case(case_id)["assignments"][0]
    kind = before["time_limit"].split()[1]
    request = city.do(
        handler,
        "dispatch",
        f"/cases/{case_id}/extensions",
        reason="备件需从外地调运。",
        limit={"amount": "2", "kind": kind},
    )
    city.do(
        city.one(Role.DISPATCHER),
        "dispatch",
        f"/requests/{request['id']}/proposal",
        reason="情况属实。",
    )
    city.do(
        city.one(Role.SUPERVISOR),
        "dispatch",
        f"/requests/{request['id']}/consent",
        granted=True,
        reason="同意。",
    )
    after = city.case(case_id)["assignments"][0]

    assert after["due_at"] > before["due_at"]
    assert after["limit_seconds"] > before["limit_seconds"]
    city.handle(case_id, unit, accept=False)
    city.ask_verification(case_id)
    city.verify(case_id)
    city.close(case_id)
    _scored(city, case_id, unit, **LATE, extended=1)


def test_a_deferral_stops_the_clock_until_the_work_goes_on(city: City) -> None:
    case_id = city.open_case(_grid(city, 53))
    unit = city.dispatch(case_id, _unit(city, 6))
    handler = city.one(Role.HANDLER, unit)
    city.do(handler, "dispatch", f"/cases/{case_id}/acceptance")
    until = datetime.now(UTC) + timedelta(days=20)
    request = city.do(
        handler,
        "dispatch",
        f"/cases/{case_id}/deferrals",
        reason="冬季不宜施工。",
        until=until.isoformat(),
    )
    city.do(
        city.one(Role.DISPATCHER),
        "dispatch",
        f"/requests/{request['id']}/decision",
        granted=True,
        reason="同意缓办。",
    )
    assert city.wait_for_state(case_id, "deferred")["assignments"][0]["due_at"]
    city.do(handler, "dispatch", f"/cases/{case_id}/resumption", reason="天气转好。")
    city.wait_for_state(case_id, "accepted")
    city.handle(case_id, unit, accept=False)
    city.ask_verification(case_id)
    city.verify(case_id)
    city.close(case_id)
    _scored(city, case_id, unit, **LATE, deferred=1)


def test_false_feedback_goes_back_without_a_visit(city: City) -> None:
    case_id = city.open_case(_grid(city, 63))
    unit = city.dispatch(case_id, _unit(city, 7))
    city.handle(case_id, unit)
    city.do(
        city.one(Role.DISPATCHER),
        "dispatch",
        f"/cases/{case_id}/feedback-check",
        accepted=False,
        reason="照片上井盖仍然破损。",
    )
    city.handle(case_id, unit, accept=False)
    city.ask_verification(case_id)
    city.verify(case_id)
    city.close(case_id)

    assert city.case(case_id)["assignments"][0]["feedback_refused"] == 1
    _scored(city, case_id, unit, **PERFECT, false_feedback=1)


def test_a_second_report_of_the_same_thing_is_merged_and_keeps_its_reporter(city: City) -> None:
    grid = _grid(city, 73)
    case_id = city.open_case(grid)
    point = grid.polygon.representative_point()
    operator = city.one(Role.OPERATOR)
    second = city.do(
        operator,
        "intake",
        "/reports",
        source="leader",
        class_ref={
            "scheme": BROKEN_COVER.scheme,
            "kind": BROKEN_COVER.kind.value,
            "code": BROKEN_COVER.code,
        },
        description="路过看见井盖坏了。",
        place={"longitude": round(point.x, 6), "latitude": round(point.y, 6)},
    )
    likely = city.get(operator, "intake", f"/reports/{second['id']}/duplicates")
    items = likely["items"] if isinstance(likely, dict) else likely
    first = next(item for item in items if item["case_id"] == case_id)
    merged = city.do(operator, "intake", f"/reports/{second['id']}/merge", into=first["id"])

    assert merged["state"] == "merged"
    wait_for(
        "two reporters on the case file",
        lambda: len(city.case(case_id)["attached_reports"]) == 1,
    )


def test_a_caller_is_called_back_after_closing(city: City) -> None:
    agent = city.one(Role.AGENT)
    grid = _grid(city, 83)
    point = grid.polygon.representative_point()
    call = city.do(agent, "hotline", "/calls", direction="inbound", number="13893100001")
    ticket = city.do(
        agent,
        "hotline",
        "/tickets",
        call_id=call["id"],
        appeal_kind="help",
        description="小区门口井盖缺失，夜里危险。",
    )
    city.do(
        agent,
        "hotline",
        f"/tickets/{ticket['id']}/submission",
        class_ref={
            "scheme": BROKEN_COVER.scheme,
            "kind": BROKEN_COVER.kind.value,
            "code": BROKEN_COVER.code,
        },
        place={"longitude": round(point.x, 6), "latitude": round(point.y, 6)},
        urgency="routine",
        confidential=False,
    )
    operator = city.one(Role.OPERATOR)

    def arrived() -> dict[str, Any] | None:
        listed = city.get(operator, "intake", "/reports", source="hotline", state="received")
        return next(
            (item for item in listed["items"] if "夜里危险" in (item["description"] or "")), None
        )

    report = wait_for("the ticket as a report", arrived)
    registered = city.register(report, BROKEN_COVER, condition=1)
    case_id = registered["case"]["id"]
    city.wait_for_state(case_id, "awaiting-dispatch")
    unit = city.dispatch(case_id, _unit(city, 8))
    city.through_verification(case_id, unit, "passed")
    city.close(case_id)
    _scored(city, case_id, unit, **PERFECT)

    def waiting() -> dict[str, Any] | None:
        listed = city.get(agent, "hotline", "/callbacks")
        return next((item for item in listed["items"] if item["ticket_id"] == ticket["id"]), None)

    callback = wait_for("the caller on the call-back list", waiting)
    city.do(
        agent,
        "hotline",
        f"/callbacks/{callback['id']}/attempt",
        outcome="reached",
        satisfaction="satisfied",
    )
    assert city.get(agent, "hotline", f"/tickets/{ticket['id']}")["state"]
