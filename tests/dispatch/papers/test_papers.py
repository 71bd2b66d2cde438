"""An emergency goes past the queue; what was skipped is written up by others, in time."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from shared.events.dispatch import (
    CaseClassified,
    CaseDispatched,
    CaseOpened,
    PaperCompleted,
    PaperOverdue,
)
from shared.events.intake import EMERGENCY_RULE
from shared.events.vocabulary import Finding
from shared.vocabulary import Role
from tests.dispatch.story import UNIT, Story, ref_of

AGENT = "agent-7"
ASSUMED = "S06013-1"
BURST = "LS12001-1"


async def emergency(story: Story, *, unit: str | None = UNIT, **changes: Any) -> UUID:
    return await story.opened(
        condition=ASSUMED,
        **{
            "urgent": True,
            "emergency": True,
            "class_assumed": True,
            "by_rule": EMERGENCY_RULE,
            "direct_unit": unit,
            "direct_by": AGENT if unit else None,
            **changes,
        },
    )


async def papers(story: Story, case_id: UUID) -> dict[str, Any]:
    listed = (await story.dispatcher.get(f"/cases/{case_id}/papers")).json()
    assert len({one["kind"] for one in listed}) == len(listed)
    return {one["kind"]: one for one in listed}


async def complete(story: Story, case_id: UUID) -> None:
    path = f"/cases/{case_id}/papers"
    await story.post(story.operator, f"{path}/classification")
    await story.post(story.dispatcher, f"{path}/dispatch")
    await story.post(story.someone(Role.AGENT), f"{path}/record", text="已抢修")


async def test_a_case_is_opened_and_with_the_unit_in_one_step(story: Story) -> None:
    case_id = await emergency(story)

    file = await story.case(case_id)
    assert (file["state"], file["unit"]) == ("dispatched", UNIT)
    (sent,) = file["assignments"]
    assert (sent["direct"], sent["dispatched_by"], sent["reason"]) == (True, AGENT, "first")
    step = next(line for line in file["journal"] if line["action"] == "dispatch")
    assert (step["actor_id"], step["reason"]) == (AGENT, "direct")
    told = [one.type for one in await story.sut.told() if one.subject == str(case_id)]
    assert told[:2] == [CaseOpened.TYPE, CaseDispatched.TYPE]
    assert (await story.told(case_id, CaseDispatched))[0]["direct"] is True
    outstanding = await papers(story, case_id)
    assert set(outstanding) == {"classification", "dispatch", "record"}
    assert {one["due_at"] for one in outstanding.values()} == {"2026-06-02T01:00:00Z"}


async def test_without_a_unit_it_waits_for_anybody_who_may_send_it(story: Story) -> None:
    case_id = await emergency(story, unit=None)
    assert set(await papers(story, case_id)) == {"classification", "record"}
    leader = story.someone(Role.SHIFT_LEADER, name="leader-3")
    sent = await story.post(leader, f"/cases/{case_id}/dispatch", unit=UNIT)
    assert sent["state"] == "dispatched"
    assert set(await papers(story, case_id)) == {"classification", "dispatch", "record"}


async def test_a_unit_that_takes_no_cases_leaves_it_to_the_dispatcher(story: Story) -> None:
    case_id = await emergency(story, unit="centre")
    file = await story.case(case_id)
    assert file["state"] == "awaiting-dispatch"
    assert "refuse-direct-dispatch" in [line["action"] for line in file["journal"]]
    assert await story.sut.held() == []


async def test_urgent_cases_sent_by_agents_need_papers_and_dispatchers_need_none(
    story: Story,
) -> None:
    first, second = await story.opened(urgent=True), await story.opened(urgent=True)
    await story.post(story.someone(Role.AGENT), f"/cases/{first}/dispatch", unit=UNIT)
    await story.dispatched(second)
    assert set(await papers(story, first)) == {"dispatch", "record"}
    assert await papers(story, second) == {}
    ordinary = await story.opened()
    refused = await story.someone(Role.AGENT).post(
        f"/cases/{ordinary}/dispatch", json={"unit": UNIT}
    )
    assert refused.json()["code"] == "direct-dispatch-only-urgent"


async def test_each_paper_is_completed_once_by_the_post_it_belongs_to(story: Story) -> None:
    case_id = await emergency(story)
    path = f"/cases/{case_id}/papers"
    for client, kind in (
        (story.dispatcher, "classification"),
        (story.operator, "dispatch"),
        (story.handler(), "record"),
    ):
        body = {"text": "x"} if kind == "record" else {}
        assert (await client.post(f"{path}/{kind}", json=body)).status_code == 403
    await complete(story, case_id)
    again = await story.operator.post(f"{path}/classification", json={})
    assert (again.status_code, again.json()["code"]) == (409, "paper-not-outstanding")
    completed = await story.told(case_id, PaperCompleted)
    assert [(one["paper"], one["in_time"], one["corrected"]) for one in completed] == [
        ("classification", True, False), ("dispatch", True, False), ("record", True, False),
    ]  # fmt: skip


async def test_nobody_confirms_what_they_decided_themselves(story: Story) -> None:
    case_id = await emergency(story)
    for role, kind in ((Role.OPERATOR, "classification"), (Role.DISPATCHER, "dispatch")):
        same = story.someone(role, name=AGENT)
        refused = await same.post(f"/cases/{case_id}/papers/{kind}", json={})
        assert (refused.status_code, refused.json()["code"]) == (403, "separation-of-duties")
    agent = story.someone(Role.AGENT, name=AGENT)
    await story.post(agent, f"/cases/{case_id}/papers/record", text="已通知抢修队")


async def test_an_operator_puts_the_class_right(story: Story) -> None:
    case_id = await emergency(story)
    chosen = story.condition(BURST)
    path = f"/cases/{case_id}/papers/classification"
    wrong = await story.operator.post(
        path, json={"class_ref": ref_of(chosen.class_key).model_dump(mode="json")}
    )
    assert (wrong.status_code, wrong.json()["code"]) == (422, "condition-not-of-class")
    paper = await story.post(
        story.operator, path, condition=BURST,
        class_ref=ref_of(chosen.class_key).model_dump(mode="json"),
    )  # fmt: skip
    assert paper["changed"] is True
    file = await story.case(case_id)
    assert file["class_ref"]["code"] == chosen.class_key.code
    assert file["assignments"][0]["condition"] == ASSUMED, "the limit stays as it was given"
    (told,) = await story.told(case_id, CaseClassified)
    assert (told["condition"], told["corrected"]) == (BURST, True)


async def test_an_emergency_is_not_closed_before_it_is_written_up(story: Story) -> None:
    case_id = await emergency(story)
    await story.accepted(case_id)
    await story.handled(case_id)
    await story.checked(case_id)
    await story.found(case_id, Finding.PASSED)
    refused = await story.operator.post(f"/cases/{case_id}/closing", json={})
    assert (refused.status_code, refused.json()["code"]) == (409, "papers-outstanding")
    assert refused.json()["papers"] == ["classification", "dispatch", "record"]
    await complete(story, case_id)
    assert (await story.closed(case_id))["state"] == "closed"


async def test_what_is_late_is_told_once_with_the_time_at_which_it_was_due(story: Story) -> None:
    case_id = await emergency(story)
    await story.post(story.operator, f"/cases/{case_id}/papers/classification")
    story.later(hours=23)
    await story.timers()
    assert await story.told(case_id, PaperOverdue) == []
    story.later(hours=3)
    await story.timers()
    await story.timers()
    late = await story.told(case_id, PaperOverdue)
    assert sorted(one["paper"] for one in late) == ["dispatch", "record"]
    assert {one["due_at"] for one in late} == {"2026-06-02T01:00:00Z"}
    listed = (await story.dispatcher.get("/papers", params={"overdue": True})).json()["items"]
    assert sorted(one["kind"] for one in listed) == ["dispatch", "record"]
    done = (await story.dispatcher.get("/papers", params={"outstanding": False})).json()["items"]
    assert [one["kind"] for one in done] == ["classification"]


@pytest.mark.parametrize("again", [1, 2])
async def test_the_same_registration_told_again_changes_nothing(story: Story, again: int) -> None:
    report, case_id = uuid4(), uuid4()
    for _ in range(again + 1):
        await emergency(story, report_id=report, case_id=case_id)
    assert len((await story.case(case_id))["assignments"]) == 1
    assert len(await papers(story, case_id)) == 3
