"""Coordination as the people of the city live it: heard, decided or passed up, and remembered."""

from typing import Any
from uuid import UUID

import pytest

from shared.events.dispatch import (
    CaseDispatched,
    CoordinationOpened,
    CoordinationPassedUp,
    CoordinationSettled,
    CoordinationWithdrawn,
    PositionMissed,
    PositionStated,
)
from shared.events.vocabulary import Finding
from shared.vocabulary import Role
from tests.dispatch.story import COMMAND_UNIT, OTHER_UNIT, UNIT, Story, instant, local

OFFICE = "leading-group"
BASIS = "权属登记第 7 号"


async def _opened(story: Story, case_id: UUID, *units: str, **body: Any) -> dict[str, Any]:
    return await story.post(
        story.dispatcher,
        f"/cases/{case_id}/coordinations",
        201,
        units=units or [UNIT, OTHER_UNIT],
        reason="两家均称不属本单位",
        **body,
    )


async def _stated(
    story: Story, found: dict[str, Any], unit: str, stance: str, expect: int = 200, **body: Any
) -> dict[str, Any]:
    path = f"/coordinations/{found['id']}/positions"
    return await story.post(story.handler(unit), path, expect, stance=stance, basis=BASIS, **body)


async def _decided(
    story: Story, found: dict[str, Any], client: Any = None, expect: int = 200, **body: Any
) -> dict[str, Any]:
    decision = {"unit": UNIT, "basis": BASIS, "reason": "协调会议定", **body}
    path = f"/coordinations/{found['id']}/decision"
    return await story.post(client or story.supervisor, path, expect, **decision)


def _leader(story: Story, unit: str = OFFICE) -> Any:
    return story.someone(Role.LEADER, name="leader-1", unit=unit)


def _units(found: dict[str, Any]) -> dict[str, tuple[str, str | None]]:
    return {item["unit"]: (item["standing"], item["stance"]) for item in found["units"]}


async def test_units_are_heard_the_centre_decides_and_the_case_goes_there(story: Story) -> None:
    case_id = await story.opened()
    found = await _opened(story, case_id)
    assert (found["state"], found["beside"], found["case"]["state"]) == (
        "hearing",
        False,
        "in-coordination",
    )
    # A working day from Monday 09:00: six hours and a half of work.
    assert instant(found["units"][0]["due_at"]) == local("2026-06-02 09:00")
    await _stated(story, found, UNIT, "not-responsible", suggested_unit=OTHER_UNIT)
    story.later(minutes=30)
    found = await _stated(story, found, OTHER_UNIT, "shared", statement="只养护一半")
    assert _units(found) == {
        UNIT: ("stated", "not-responsible"),
        OTHER_UNIT: ("stated", "shared"),
    }
    minutes = {"held_at": "2026-06-01T09:20:00+08:00", "text": "到场核对管线图"}
    path = f"/coordinations/{found['id']}/minutes"
    found = await story.post(story.dispatcher, path, **minutes)
    assert found["minutes"][0]["text"] == "到场核对管线图"

    found = await _decided(story, found, unit=OTHER_UNIT, assisting=[UNIT])
    assert (found["state"], found["outcome"], found["dispatched"]) == ("settled", "unit", True)
    case = await story.case(case_id)
    assert (case["state"], case["unit"], case["coordination_id"]) == (
        "dispatched",
        OTHER_UNIT,
        None,
    )
    assert case["assignments"][0]["precedent"] == BASIS

    [opened] = await story.told(found["id"], CoordinationOpened)
    assert (opened["units"], opened["beside"]) == ([UNIT, OTHER_UNIT], False)
    stated = await story.told(found["id"], PositionStated)
    assert [(item["unit"], item["late"]) for item in stated] == [
        (UNIT, False),
        (OTHER_UNIT, False),
    ]
    [settled] = await story.told(found["id"], CoordinationSettled)
    assert (settled["unit"], settled["assisting"], settled["dispatched"]) == (
        OTHER_UNIT,
        [UNIT],
        True,
    )
    journal = (await story.dispatcher.get(f"/coordinations/{found['id']}/journal")).json()
    assert [item["action"] for item in journal] == [
        "open",
        "state-position",
        "state-position",
        "add-minutes",
        "settle",
    ]


async def test_the_time_of_a_coordination_is_the_centres(story: Story) -> None:
    """Even a unit with command duty, whose clock has the wait for dispatch, is not charged."""
    case_id = await story.opened()
    story.later(minutes=10)
    found = await _opened(story, case_id, COMMAND_UNIT)
    story.later(minutes=60)
    await _stated(story, found, COMMAND_UNIT, "responsible")
    await _decided(story, found, unit=COMMAND_UNIT)
    [dispatched] = await story.told(case_id, CaseDispatched)
    # The ten minutes before count, the hour with the centre does not.
    assert dispatched["used_seconds"] == 600
    clock = (await story.dispatcher.get(f"/cases/{case_id}/clock")).json()
    held = [(item["kind"], item["holder"]) for item in clock["segments"]]
    assert held == [
        ("dispatch", "dispatcher"),
        ("coordination", "centre"),
        ("dispatch", "dispatcher"),
        ("handling", COMMAND_UNIT),
    ]


async def test_an_ordinary_case_waits_for_the_decision(story: Story) -> None:
    case_id = await story.opened()
    await _opened(story, case_id)
    problem = await story.post(story.dispatcher, f"/cases/{case_id}/dispatch", 409, unit=UNIT)
    assert (problem["code"], problem["state"]) == ("not-allowed-now", "in-coordination")
    # The decision has three working days; the light shows it on the case.
    case = await story.case(case_id)
    assert case["stage"]["kind"] == "coordination"
    assert instant(case["stage"]["due_at"]) == local("2026-06-04 09:00")


async def test_a_decision_waits_for_silent_units_until_their_time_is_over(story: Story) -> None:
    case_id = await story.opened()
    found = await _opened(story, case_id)
    await _stated(story, found, UNIT, "not-responsible")
    problem = await _decided(story, found, unit=OTHER_UNIT, expect=409)
    assert (problem["code"], problem["units"]) == ("positions-outstanding", [OTHER_UNIT])
    story.at("2026-06-02 09:30")
    found = await _decided(story, found, unit=OTHER_UNIT)
    assert _units(found)[OTHER_UNIT] == ("overdue", None)


async def test_a_reason_lets_the_centre_decide_early(story: Story) -> None:
    case_id = await story.opened()
    found = await _opened(story, case_id)
    problem = await _decided(story, found, unit="transport", expect=409)
    assert problem["code"] == "positions-outstanding"
    found = await _decided(story, found, unit="transport", early_reason="已有区政府会议纪要")
    assert (found["unit"], found["early_reason"]) == ("transport", "已有区政府会议纪要")


async def test_nobody_is_given_a_case_unheard(story: Story) -> None:
    case_id = await story.opened()
    found = await _opened(story, case_id, UNIT)
    await _stated(story, found, UNIT, "not-responsible")
    problem = await _decided(story, found, unit=OTHER_UNIT, expect=422)
    assert problem["code"] == "unit-not-heard"
    path = f"/coordinations/{found['id']}/invitations"
    found = await story.post(story.dispatcher, path, units=[OTHER_UNIT])
    assert _units(found)[OTHER_UNIT] == ("waiting", None)
    problem = await story.post(story.dispatcher, path, 409, units=[OTHER_UNIT])
    assert problem["code"] == "unit-invited-already"
    await _stated(story, found, OTHER_UNIT, "responsible")
    assert (await _decided(story, found, unit=OTHER_UNIT))["unit"] == OTHER_UNIT


async def test_a_late_position_counts_and_shows_as_late(story: Story) -> None:
    case_id = await story.opened()
    found = await _opened(story, case_id, position_within={"amount": "1", "kind": "working-hours"})
    await _stated(story, found, UNIT, "not-responsible")
    # The timer is late, as after a crash: it tells the true time, and once.
    story.at("2026-06-01 10:30")
    await story.timers()
    await story.timers()
    [missed] = await story.told(found["id"], PositionMissed)
    assert (missed["unit"], instant(missed["due_at"])) == (OTHER_UNIT, local("2026-06-01 10:00"))
    [envelope] = await story.sut.told(PositionMissed)
    assert envelope.time == local("2026-06-01 10:00")
    found = await _stated(story, found, OTHER_UNIT, "responsible")
    assert _units(found)[OTHER_UNIT] == ("stated-late", "responsible")
    assert (await story.told(found["id"], PositionStated))[-1]["late"] is True


async def test_a_unit_may_change_its_position_and_the_first_one_stays(story: Story) -> None:
    case_id = await story.opened()
    found = await _opened(story, case_id)
    await _stated(story, found, UNIT, "not-responsible")
    found = await _stated(story, found, UNIT, "responsible")
    [unit] = [item for item in found["units"] if item["unit"] == UNIT]
    assert [item["stance"] for item in unit["positions"]] == ["not-responsible", "responsible"]
    assert unit["stance"] == "responsible"
    assert [item["again"] for item in await story.told(found["id"], PositionStated)] == [
        False,
        True,
    ]


async def test_what_is_passed_up_only_the_office_decides(story: Story) -> None:
    case_id = await story.opened()
    found = await _opened(story, case_id)
    await _stated(story, found, UNIT, "not-responsible")
    await _stated(story, found, OTHER_UNIT, "not-responsible")
    problem = await _decided(story, found, _leader(story), 403)
    assert problem["code"] == "decision-with-centre"
    path = f"/coordinations/{found['id']}/passing-up"
    found = await story.post(story.dispatcher, path, reason="两家意见不一")
    assert found["state"] == "passed-up"
    for client in (story.supervisor, _leader(story, "centre")):
        assert (await _decided(story, found, client, 403))["code"] == "decision-with-office"
    again = await story.post(story.dispatcher, path, 409, reason="x")
    assert again["code"] == "coordination-passed-up"

    found = await _decided(story, found, _leader(story), unit=OTHER_UNIT)
    assert (found["by_office"], found["ended_by"]) == (True, "leader-1")
    [event] = await story.told(found["id"], CoordinationPassedUp)
    assert (event["office"], event["units"]) == (OFFICE, [UNIT, OTHER_UNIT])
    problem = await _decided(story, found, _leader(story), 409)
    assert (problem["code"], problem["state"]) == ("coordination-ended", "settled")


async def test_an_illegal_act_goes_to_the_office_at_once_with_its_units(story: Story) -> None:
    case_id = await story.opened()
    found = await _opened(story, case_id, kind="illegal-act")
    assert (found["state"], found["kind"]) == ("passed-up", "illegal-act")
    [event] = await story.told(found["id"], CoordinationPassedUp)
    assert event["units"] == [UNIT, OTHER_UNIT]


async def test_the_decision_is_offered_first_next_time_until_it_is_revoked(story: Story) -> None:
    case_id = await story.opened()
    found = await _opened(story, case_id, OTHER_UNIT)
    await _stated(story, found, OTHER_UNIT, "responsible")
    found = await _decided(story, found, unit="transport", early_reason="会议议定")
    precedent = found["precedent_id"]

    async def suggested(**place: str) -> list[tuple[str, str]]:
        other = await story.opened(**({"place": place} if place else {}))
        rows = (await story.dispatcher.get(f"/cases/{other}/suggested-units")).json()
        return [(row["unit"], row["reasons"][0]["kind"]) for row in rows]

    assert (await suggested())[0] == ("transport", "decided-before")
    # On other ground, and for another class, it says nothing.
    assert "decided-before" not in str(await suggested(grid="620103001001002"))

    handler = await story.handler().get("/precedents")
    assert handler.status_code == 403
    path = f"/precedents/{precedent}/revocation"
    assert (await story.post(story.dispatcher, path, 403, reason="x"))["code"] == "forbidden"
    revoked = await story.post(story.supervisor, path, reason="道路移交，权属变更")
    assert revoked["revocation_reason"] == "道路移交，权属变更"
    assert "decided-before" not in str(await suggested())
    problem = await story.post(story.supervisor, path, 409, reason="x")
    assert problem["code"] == "precedent-revoked-already"
    for wanted, query in ((0, "revoked=false"), (1, "revoked=true"), (1, "unit=transport")):
        page = (await story.supervisor.get(f"/precedents?{query}")).json()
        assert len(page["items"]) == wanted, query


async def test_what_the_office_decided_only_the_office_revokes(story: Story) -> None:
    case_id = await story.opened()
    found = await _opened(story, case_id, UNIT, kind="illegal-act")
    await _stated(story, found, UNIT, "responsible")
    found = await _decided(story, found, _leader(story))
    path = f"/precedents/{found['precedent_id']}/revocation"
    problem = await story.post(story.supervisor, path, 403, reason="x")
    assert problem["code"] == "precedent-of-office"
    assert (await story.post(_leader(story), path, reason="重新划界"))["revoked_by"] == "leader-1"


async def test_the_third_return_opens_one_by_itself(story: Story) -> None:
    case_id = await story.opened()
    units = [UNIT, OTHER_UNIT, "transport"]
    for unit in units:
        await story.dispatched(case_id, unit)
        request = await story.asked(case_id, "returns", unit)
        await story.decided(request, granted=True)
    case = await story.case(case_id)
    assert (case["state"], case["coordination_needed"]) == ("in-coordination", True)
    found = (await story.dispatcher.get(f"/coordinations/{case['coordination_id']}")).json()
    assert (found["kind"], found["by_rule"]) == ("repeated-return", "repeated-return")
    # Everybody who returned it is heard, and whoever else the table names.
    assert set(units) <= set(_units(found))
    found = await _decided(story, found, early_reason="紧急会议议定")
    case = await story.case(case_id)
    assert (case["unit"], case["coordination_needed"]) == (UNIT, False)
    # Dispatched to a unit that had it before another one: its clock begins anew.
    assert [row["used_seconds"] for row in case["assignments"]][-1] == 0


async def test_an_urgent_case_is_handled_while_responsibility_is_settled(story: Story) -> None:
    case_id = await story.opened(urgent=True)
    found = await _opened(story, case_id, OTHER_UNIT, kind="no-known-subject")
    assert (found["beside"], found["case"]["state"]) == (True, "awaiting-dispatch")
    await story.dispatched(case_id, UNIT)
    await story.accepted(case_id, UNIT)
    story.later(minutes=60)
    await _stated(story, found, OTHER_UNIT, "responsible")
    found = await _decided(story, found, unit=OTHER_UNIT)
    # The ordered unit goes on, on its own clock; the decision is for the bill and the next time.
    assert (found["dispatched"], found["unit"]) == (False, OTHER_UNIT)
    case = await story.case(case_id)
    assert (case["state"], case["unit"]) == ("accepted", UNIT)
    clock = (await story.dispatcher.get(f"/cases/{case_id}/clock")).json()
    assert clock["clocks"][-1]["used_seconds"] == 3600
    await story.handled(case_id, UNIT)
    await story.checked(case_id)
    await story.found(case_id, Finding.PASSED)
    await story.closed(case_id)


async def test_what_a_unit_has_is_returned_before_it_is_coordinated(story: Story) -> None:
    case_id = await story.with_unit()
    body = {"units": [OTHER_UNIT], "reason": "x"}
    path = f"/cases/{case_id}/coordinations"
    problem = await story.post(story.dispatcher, path, 409, **body)
    assert problem["code"] == "coordination-not-needed"


async def test_one_coordination_at_a_time(story: Story) -> None:
    case_id = await story.opened(urgent=True)
    found = await _opened(story, case_id)
    body = {"units": [UNIT], "reason": "x"}
    problem = await story.post(story.dispatcher, f"/cases/{case_id}/coordinations", 409, **body)
    assert (problem["code"], problem["coordination"]) == ("coordination-open-already", found["id"])


async def test_withdrawn_the_case_waits_for_its_dispatch(story: Story) -> None:
    case_id = await story.opened()
    found = await _opened(story, case_id)
    path = f"/coordinations/{found['id']}/withdrawal"
    found = await story.post(story.dispatcher, path, reason="权属已查明")
    assert (found["state"], found["case"]["state"]) == ("withdrawn", "awaiting-dispatch")
    assert len(await story.told(found["id"], CoordinationWithdrawn)) == 1
    await story.dispatched(case_id, UNIT)
    # Nobody is reminded of what is over.
    story.at("2026-06-05 09:00")
    await story.timers()
    assert await story.told(found["id"], PositionMissed) == []


async def test_a_voided_case_takes_its_coordination_with_it(story: Story) -> None:
    case_id = await story.opened()
    found = await _opened(story, case_id)
    asked = await story.post(story.operator, f"/cases/{case_id}/voiding", 201, reason="误报")
    path = f"/requests/{asked['id']}/void-decision"
    await story.post(story.supervisor, path, granted=True, reason="属实")
    found = (await story.dispatcher.get(f"/coordinations/{found['id']}")).json()
    assert found["state"] == "withdrawn"


async def test_nobody_responsible_is_a_decision_too(story: Story) -> None:
    case_id = await story.opened()
    found = await _opened(story, case_id, UNIT)
    await _stated(story, found, UNIT, "not-responsible")
    found = await _decided(story, found, unit=None)
    assert (found["outcome"], found["precedent_id"]) == ("no-responsible-subject", None)
    case = await story.case(case_id)
    assert (case["state"], case["category"]) == ("awaiting-dispatch", "no-responsible-subject")
    page = (await story.dispatcher.get("/cases?category=no-responsible-subject")).json()
    assert [item["id"] for item in page["items"]] == [str(case_id)]


async def test_units_see_what_they_are_invited_to_and_nothing_else(story: Story) -> None:
    case_id = await story.opened()
    found = await _opened(story, case_id, UNIT)
    path = f"/coordinations/{found['id']}"
    assert (await story.handler(UNIT).get(path)).status_code == 200
    for hidden in (path, f"{path}/journal"):
        assert (await story.handler(OTHER_UNIT).get(hidden)).status_code == 404
    problem = await _stated(story, found, OTHER_UNIT, "responsible", 404)
    assert problem["code"] == "coordination-not-found"
    for unit, wanted in ((UNIT, 1), (OTHER_UNIT, 0)):
        page = (await story.handler(unit).get("/coordinations")).json()
        assert len(page["items"]) == wanted
        of_case = (await story.handler(unit).get(f"/cases/{case_id}/coordinations")).json()
        assert len(of_case) == wanted


@pytest.mark.parametrize(
    "roles", [(Role.HANDLER,), (Role.OPERATOR,), (Role.AGENT,), (Role.COLLECTOR,), (Role.LEADER,)]
)
async def test_only_a_dispatcher_opens_one(story: Story, roles: tuple[Role, ...]) -> None:
    case_id = await story.opened()
    client = story.someone(*roles, unit=UNIT)
    body = {"units": [UNIT], "reason": "x"}
    await story.post(client, f"/cases/{case_id}/coordinations", 403, **body)


async def test_lists_are_filtered_and_paged_by_what_is_due_first(story: Story) -> None:
    found = []
    for number in range(3):
        story.later(minutes=number)
        found.append(await _opened(story, await story.opened(), UNIT))
    await _stated(story, found[0], UNIT, "responsible")

    async def listed(query: str) -> list[str]:
        seen: list[str] = []
        cursor = ""
        while True:
            url = f"/coordinations?limit=2&{query}{cursor}"
            page = (await story.dispatcher.get(url)).json()
            seen += [item["id"] for item in page["items"]]
            if page["next_cursor"] is None:
                return seen
            cursor = f"&cursor={page['next_cursor']}"

    ids = [item["id"] for item in found]
    assert await listed("state=hearing") == ids
    assert await listed(f"unit={UNIT}&awaiting=true") == ids[1:]
    assert await listed("awaiting=false") == ids[:1]
    assert await listed(f"unit={OTHER_UNIT}") == []
    assert await listed("kind=illegal-act") == []
