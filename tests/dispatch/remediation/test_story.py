"""A whole story: handled first, responsibility and money later."""

from shared.events.vocabulary import Finding
from shared.vocabulary import Role
from tests.dispatch.story import OTHER_UNIT, UNIT, Story

OFFICE = "leading-group"


async def test_urgent_without_a_known_subject_is_put_right_settled_and_paid_back(
    story: Story,
) -> None:
    leader = story.someone(Role.LEADER, name="leader-1", unit=OFFICE)
    given = {"amount_fen": 500_000, "basis": "年度预算"}
    await story.post(leader, "/funds/2026/appropriations", 201, **given)

    # Nobody knows whose the collapsed pavement is. The units are asked while one is ordered to act.
    case_id = await story.opened(urgent=True)
    body = {"units": [OTHER_UNIT], "reason": "路面塌陷，权属不清", "kind": "no-known-subject"}
    coordination = await story.post(
        story.dispatcher, f"/cases/{case_id}/coordinations", 201, **body
    )
    order = {"unit": UNIT, "basis": "先整治后追缴", "reason": "险情", "estimate_fen": 100_000}
    remediation = await story.post(story.dispatcher, f"/cases/{case_id}/remediation", 201, **order)
    assert remediation["dispatched"] is True
    await story.accepted(case_id)
    story.later(minutes=90)
    await story.handled(case_id)
    await story.checked(case_id)
    await story.found(case_id, Finding.PASSED)
    await story.closed(case_id)
    # The ordered unit's clock counted, day and night; the coordination is on nobody's clock.
    clock = (await story.dispatcher.get(f"/cases/{case_id}/clock")).json()
    assert [item["used_seconds"] for item in clock["clocks"]] == [90 * 60]
    assert "coordination" not in [item["kind"] for item in clock["segments"]]

    cost = {"description": "回填、铺装", "amount_fen": 90_000, "incurred_on": "2026-06-01"}
    path = f"/remediations/{remediation['id']}"
    cost = await story.post(story.handler(), f"{path}/costs", 201, **cost)
    await story.post(leader, f"/remediation-costs/{cost['id']}/payment", basis="凭票支付")
    await story.post(story.dispatcher, f"{path}/completion")

    # Two days later it is known: the pipe under it leaked. The owner is responsible and pays.
    story.at("2026-06-03 10:00")
    path = f"/coordinations/{coordination['id']}"
    position = {"stance": "not-responsible", "basis": "管线图"}
    found = await story.post(story.handler(OTHER_UNIT), f"{path}/positions", **position)
    assert [item["standing"] for item in found["units"]] == ["stated-late"]
    await story.post(story.dispatcher, f"{path}/passing-up", reason="单位不认可")
    decision = {"unit": OTHER_UNIT, "basis": "检测报告", "reason": "其管线渗漏所致"}
    found = await story.post(leader, f"{path}/decision", **decision)
    assert (found["outcome"], found["dispatched"], found["by_office"]) == ("unit", False, True)
    assert (await story.case(case_id))["state"] == "closed"

    claim = {"subject": "区水务局", "unit": OTHER_UNIT, "amount_fen": 90_000, "basis": "检测报告"}
    claim = await story.post(
        story.supervisor, f"/remediations/{remediation['id']}/claims", 201, **claim
    )
    receipt = {"amount_fen": 90_000, "received_on": "2026-06-03"}
    claim = await story.post(story.supervisor, f"/recoveries/{claim['id']}/receipts", **receipt)
    assert claim["state"] == "recovered"
    fund = (await leader.get("/funds/2026")).json()
    assert (fund["left_fen"], fund["spent_fen"], fund["returned_fen"], fund["balanced"]) == (
        500_000,
        90_000,
        90_000,
        True,
    )

    # The next time there is no question.
    again = await story.opened()
    suggested = (await story.dispatcher.get(f"/cases/{again}/suggested-units")).json()
    assert (suggested[0]["unit"], suggested[0]["reasons"][0]["kind"]) == (
        OTHER_UNIT,
        "decided-before",
    )
