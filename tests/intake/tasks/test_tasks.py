"""Collectors are sent out, go there, and say what is to be seen; who does nothing is replaced."""

from datetime import timedelta
from typing import Any

import pytest

from shared.events.dispatch import CaseVoided
from shared.events.intake import (
    TaskAccepted,
    TaskCancelled,
    TaskCompleted,
    TaskExpired,
    TaskIssued,
)
from shared.ids import uuid7
from shared.vocabulary import Role

AT_THE_PLACE = {"longitude": 103.7986, "latitude": 36.0670, "accuracy_m": 6}
FAR_AWAY = {"longitude": 103.8003, "latitude": 36.0670, "accuracy_m": 6}


async def finding(intake: Any, answer: str, **changes: Any) -> dict[str, Any]:
    return {
        "finding": answer,
        "media": [await intake.photograph()],
        "position": AT_THE_PLACE,
        **changes,
    }


async def check(intake: Any) -> tuple[Any, Any]:
    """A report by somebody else, being checked by the owner of its grid."""
    report = await intake.report(intake.collector("collector09"))
    answer = await intake.act(report["id"], "check", note="看看是否属实")
    assert answer.status_code == 201, answer.text
    return report, answer.json()


async def test_a_check_goes_to_the_owner_of_the_grid_and_back_to_the_operator(
    intake: Any,
) -> None:
    report, task = await check(intake)
    assert task["collector"] == "collector01"
    assert task["due_at"] == "2026-06-01T03:00:00Z"
    assert task["instruction"].startswith("看看是否属实")
    assert (await intake.read(report["id"]))["state"] == "checking"
    [own] = (await intake.collector().get("/tasks")).json()["items"]
    assert own["id"] == task["id"]
    path = f"/tasks/{task['id']}"
    accepted = await intake.collector().post(f"{path}/accept")
    assert accepted.json()["state"] == "accepted"
    body = await finding(intake, "confirmed")
    done = (await intake.collector().post(f"{path}/complete", json=body)).json()
    assert (done["state"], done["in_time"], done["remote"]) == ("completed", True, False)
    assert done["distance_m"] == pytest.approx(9, abs=1)
    view = await intake.read(report["id"])
    assert (view["state"], view["check_finding"]) == ("checked", "confirmed")
    assert (await intake.act(report["id"], "registration")).status_code == 200
    [issued] = await intake.told(TaskIssued)
    [taken] = await intake.told(TaskAccepted)
    [completed] = await intake.told(TaskCompleted)
    assert issued["report_id"] == completed["report_id"] == report["id"]
    assert (issued["kind"], issued["attempt"], taken["collector"]) == ("check", 1, "collector01")
    assert completed["finding"] == "confirmed"


async def test_nobody_checks_the_own_report(intake: Any) -> None:
    await intake.go_on_duty("collector01", 103.7986, 36.067)
    await intake.go_on_duty("collector02", 103.8019, 36.0593)
    report = await intake.report(intake.collector("collector01"))
    task = (await intake.act(report["id"], "check")).json()
    assert task["collector"] == "collector02"


async def test_the_nearest_on_duty_in_the_street_goes_first(intake: Any) -> None:
    await intake.go_on_duty("collector02", 103.8019, 36.0593)
    await intake.go_on_duty("collector03", 103.7990, 36.067)
    _, task = await check(intake)
    assert task["collector"] == "collector03"
    intake.clock.advance(timedelta(minutes=31))
    report = await intake.report(intake.collector("collector09"))
    stale = (await intake.act(report["id"], "check")).json()
    assert stale["collector"] == "collector01"


async def test_a_verification_is_issued_once_for_each_round(intake: Any) -> None:
    report = await intake.case()
    case_id = report["case"]["id"]
    await intake.ask_verification(case_id)
    await intake.ask_verification(case_id)
    await intake.ask_verification(case_id, number=2)
    tasks = await intake.tasks(case_id=case_id)
    assert [(task["round"], task["kind"]) for task in tasks] == [
        (1, "verification"),
        (2, "verification"),
    ]
    assert tasks[0]["photographs"] == report["media"]
    assert (await intake.read(report["id"]))["case"]["state"] == "being-verified"
    path = f"/tasks/{tasks[0]['id']}/complete"
    done = await intake.collector().post(path, json=await finding(intake, "failed", note="没修"))
    assert done.status_code == 200, done.text
    [completed] = await intake.told(TaskCompleted)
    assert (completed["case_id"], completed["round"]) == (case_id, 1)
    assert (completed["finding"], completed["note"]) == ("failed", "没修")


async def test_a_verification_for_a_case_of_others_is_done_all_the_same(intake: Any) -> None:
    await intake.ask_verification(uuid7())
    assert len(await intake.tasks(kind="verification", state=["issued"])) == 1


async def test_what_shows_at_night_waits_for_the_night(intake: Any) -> None:
    night = intake.clock.now() + timedelta(hours=10)
    await intake.ask_verification(uuid7(), special=True, not_before=night)
    [task] = await intake.tasks()
    assert (task["state"], task["collector"]) == ("waiting", None)
    assert await intake.told(TaskIssued) == []
    await intake.move_on()
    assert (await intake.tasks())[0]["state"] == "waiting"
    intake.clock.set(night)
    await intake.move_on()
    [task] = await intake.tasks()
    assert (task["state"], task["collector"]) == ("issued", "collector01")


async def test_a_late_finding_is_marked_late(intake: Any) -> None:
    _, task = await check(intake)
    await intake.collector().post(f"/tasks/{task['id']}/accept")
    intake.clock.advance(timedelta(minutes=61))
    assert (await intake.tasks(light="red"))[0]["id"] == task["id"]
    body = await finding(intake, "not-found")
    done = await intake.collector().post(f"/tasks/{task['id']}/complete", json=body)
    assert done.json()["in_time"] is False


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"finding": "passed"}, "finding-not-of-kind"),
        ({"media": []}, "photograph-missing"),
        ({"media": ["0" * 64]}, "media-unknown"),
        ({"position": FAR_AWAY}, "note-missing"),
        ({"position": None}, "note-missing"),
        ({"finding": "perhaps"}, "invalid-input"),
        ({"collector": "x"}, "invalid-input"),
    ],
)
async def test_a_faulty_finding_changes_nothing(
    intake: Any, changes: dict[str, Any], code: str
) -> None:
    report, task = await check(intake)
    body = {**await finding(intake, "confirmed"), **changes}
    answer = await intake.collector().post(f"/tasks/{task['id']}/complete", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert (await intake.read(report["id"]))["state"] == "checking"


async def test_from_afar_with_a_note_is_taken_and_marked(intake: Any) -> None:
    _, task = await check(intake)
    body = await finding(intake, "confirmed", position=FAR_AWAY, note="隔着铁路看得见")
    done = (await intake.collector().post(f"/tasks/{task['id']}/complete", json=body)).json()
    assert done["remote"] is True
    assert done["distance_m"] == pytest.approx(162, abs=3)


async def test_a_task_that_nobody_takes_goes_round_and_ends_with_the_shift_leader(
    intake: Any,
) -> None:
    await intake.go_on_duty("collector02", 103.8019, 36.0593)
    _, task = await check(intake)
    seen = [(task["collector"], task["attempt"], intake.clock.now().hour)]
    while seen[-1][0] is not None and len(seen) < 9:
        intake.clock.advance(timedelta(minutes=30))
        await intake.move_on()
        [now] = await intake.tasks()
        if (now["collector"], now["attempt"]) != seen[-1][:2]:
            seen.append((now["collector"], now["attempt"], intake.clock.now().hour))
    # An hour of working time each, in UTC: 10:00, 11:00, 14:30 after the pause, 15:30, 16:30.
    assert seen == [
        ("collector02", 1, 2),
        ("collector01", 2, 3),
        ("collector01", 3, 6),
        ("collector01", 4, 7),
        (None, 4, 8),
    ]
    [left] = await intake.tasks(state=["unassigned"])
    assert left["allowed"] == ["reassign"]
    expired = await intake.told(TaskExpired)
    assert [fact["attempt"] for fact in expired] == [1, 2, 3, 4]
    leader = intake.sut.client(Role.SHIFT_LEADER)
    body = {"collector": "collector05", "reason": "有空"}
    answer = await leader.post(f"/tasks/{task['id']}/reassign", json=body)
    assert (answer.json()["state"], answer.json()["collector"]) == ("issued", "collector05")
    assert (await intake.told(TaskIssued))[-1]["attempt"] == 5


async def test_an_accepted_task_expires_only_after_its_stage(intake: Any) -> None:
    _, task = await check(intake)
    await intake.collector().post(f"/tasks/{task['id']}/accept")
    intake.clock.advance(timedelta(minutes=65))
    await intake.move_on()
    assert (await intake.tasks())[0]["state"] == "accepted"
    # Due at eleven, then another working hour, the pause at noon not counted.
    intake.clock.advance(timedelta(hours=4))
    await intake.move_on()
    [again] = await intake.tasks()
    assert (again["state"], again["attempt"]) == ("issued", 2)


async def test_who_lost_a_task_is_told_so_and_strangers_see_nothing(intake: Any) -> None:
    _, task = await check(intake)
    body = {"collector": "collector02", "reason": "更近"}
    moved = await intake.operator.post(f"/tasks/{task['id']}/reassign", json=body)
    assert moved.status_code == 200
    path = f"/tasks/{task['id']}"
    lost = await intake.collector().post(f"{path}/accept")
    assert (lost.status_code, lost.json()["code"]) == (409, "task-with-another")
    stranger = intake.collector("collector07")
    assert (await stranger.post(f"{path}/accept")).status_code == 404
    assert (await stranger.get(path)).status_code == 404
    assert (await stranger.get(f"{path}/journal")).status_code == 404
    journal = (await intake.operator.get(f"{path}/journal")).json()
    assert [entry["action"] for entry in journal] == ["issue", "reassign"]
    unknown = await intake.operator.post(
        f"{path}/reassign", json={"collector": "nobody", "reason": "x"}
    )
    assert unknown.json()["code"] == "collector-unknown"


async def test_a_case_that_is_over_calls_its_collector_back(intake: Any) -> None:
    report = await intake.case()
    case_id = report["case"]["id"]
    await intake.ask_verification(case_id)
    voided = CaseVoided(number="1", reason="r", approved_by="x")
    await intake.sut.deliver(voided, subject=case_id)
    [task] = await intake.tasks()
    assert task["state"] == "cancelled"
    assert len(await intake.told(TaskCancelled)) == 1
    body = await finding(intake, "passed")
    late = await intake.collector().post(f"/tasks/{task['id']}/complete", json=body)
    assert (late.status_code, late.json()["code"]) == (409, "task-state")
    assert late.json()["allowed"] == []


async def test_facts_of_a_case_that_overtake_one_another_wait(intake: Any) -> None:
    report = await intake.case()
    case_id = report["case"]["id"]
    voided = CaseVoided(number="1", reason="r", approved_by="x")
    await intake.sut.deliver(voided, subject=case_id, sequence=2)
    assert await intake.tasks() == []
    asked = await intake.ask_verification(uuid7())  # of another case: not held back
    assert asked
    assert [held.state for held in await intake.sut.held()] == ["ahead"]
    await intake.sut.deliver(asked, subject=case_id, sequence=1)
    assert await intake.sut.held() == []
    [task] = await intake.tasks(case_id=case_id)
    assert task["state"] == "cancelled"


async def test_who_handles_or_dispatches_does_not_verify(intake: Any) -> None:
    await intake.ask_verification(uuid7())
    [task] = await intake.tasks()
    for role in (Role.HANDLER, Role.UNIT_LEAD, Role.DISPATCHER):
        both = intake.sut.client(Role.COLLECTOR, role, subject="both", login="collector01")
        for action, body in (("accept", None), ("complete", await finding(intake, "passed"))):
            answer = await both.post(f"/tasks/{task['id']}/{action}", json=body)
            assert (answer.status_code, answer.json()["code"]) == (403, "separation-of-duties")


async def test_accepting_twice_is_one_acceptance(intake: Any) -> None:
    _, task = await check(intake)
    path, key = f"/tasks/{task['id']}/accept", {"Idempotency-Key": "one"}
    first = await intake.collector().post(path, headers=key)
    again = await intake.collector().post(path, headers=key)
    assert again.json() == first.json()
    other = await intake.collector().post(path)
    assert (other.status_code, other.json()["allowed"]) == (409, ["complete", "reassign"])
    assert len(await intake.told(TaskAccepted)) == 1


@pytest.mark.parametrize("action", ["accept", "complete", "reassign"])
async def test_tasks_need_a_sign_in_and_a_role(intake: Any, action: str) -> None:
    _, task = await check(intake)
    path = f"/tasks/{task['id']}/{action}"
    handler = intake.sut.client(Role.HANDLER, unit="chengguan")
    assert (await intake.anonymous.post(path, json={})).status_code == 401
    assert (await handler.post(path, json={})).status_code == 403
    assert (await intake.anonymous.get("/tasks")).status_code == 401
    assert (await handler.get("/tasks")).status_code == 403
