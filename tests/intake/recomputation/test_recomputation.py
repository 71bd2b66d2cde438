"""A new holiday notice: open reports and field tasks are reckoned anew, once, resumably."""

from dataclasses import replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

import pytest

from services.intake.recomputation.service import recomputer
from shared.events.intake import TaskDueTimeMoved, TaskExpired
from shared.ids import uuid7
from shared.service import Runtime
from shared.vocabulary import Role
from tests.shared.worktime.calendars import with_day_off

TUESDAY = date(2026, 6, 2)


def local(text: str) -> datetime:
    return datetime.fromisoformat(f"{text.replace(' ', 'T')}:00+08:00")


def instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def under_new_notice(intake: Any, day: date = TUESDAY) -> Runtime:
    """The same service, started again after a notice made one day more a holiday."""
    runtime: Runtime = intake.sut.runtime
    changed = replace(runtime.pack, calendar=with_day_off(runtime.pack.calendar, day))
    return replace(runtime, pack=changed, extras={})


async def finished(runtime: Runtime, *, size: int = 2) -> UUID:
    job_id = await recomputer.begin(runtime)
    assert job_id is not None
    while not await recomputer.carry_on(runtime, job_id, size=size):
        pass
    return job_id


async def read_job(intake: Any, job_id: UUID) -> tuple[Any, list[Any]]:
    admin = intake.sut.client(Role.SYSTEM_ADMINISTRATOR)
    job = (await admin.get(f"/recomputations/{job_id}")).json()
    moved = (await admin.get(f"/recomputations/{job_id}/moved")).json()["items"]
    return job, moved


async def checked(intake: Any) -> tuple[Any, Any]:
    """A report that is being checked, and its task."""
    report = await intake.report(intake.collector("collector09"))
    answer = await intake.act(report["id"], "check")
    assert answer.status_code == 201, answer.text
    return report, answer.json()


async def journal(intake: Any, path: str) -> list[str]:
    answer = await intake.operator.get(f"{path}/journal")
    return [entry["action"] for entry in answer.json()]


async def test_due_times_behind_a_new_holiday_move_and_no_others(intake: Any) -> None:
    await finished(intake.sut.runtime)
    early, early_task = await checked(intake)  # both due on Monday morning
    intake.clock.set(local("2026-06-01 17:15"))
    late, late_task = await checked(intake)  # a quarter of an hour on Monday, the rest on Tuesday
    urgent = await intake.report(urgent=True)  # runs day and night
    rejected = await intake.report()
    await intake.act(rejected["id"], "rejection", reason_code="x", reason="x")
    assert instant(late["stage"]["due_at"]) == local("2026-06-02 08:45")
    assert instant(late_task["due_at"]) == local("2026-06-02 09:15")
    before = {one["id"]: await intake.read(one["id"]) for one in (early, urgent, rejected)}

    job, moved = await read_job(intake, await finished(under_new_notice(intake)))

    assert (job["open_reports"], job["open_tasks"], job["looked_at"]) == (3, 2, 5)
    assert job["moved"] == 2
    assert job["finished_at"] is not None
    by_kind = {row["kind"]: row for row in moved}
    assert len(moved) == len(by_kind) == 2
    of_report, of_task = by_kind["report"], by_kind["task"]
    assert (of_report["subject_id"], of_report["number"]) == (late["id"], late["number"])
    assert instant(of_report["due_before"]) == local("2026-06-02 08:45")
    assert instant(of_report["due_after"]) == local("2026-06-03 08:45")
    assert (of_task["subject_id"], of_task["collector"]) == (late_task["id"], "collector01")
    assert instant(of_task["due_after"]) == local("2026-06-03 09:15")
    assert of_task["expires_after"] != of_task["expires_before"]

    [told] = await intake.told(TaskDueTimeMoved)
    assert (told["kind"], told["attempt"]) == ("check", 1)
    assert instant(told["due_at"]) == local("2026-06-03 09:15")

    stage = (await intake.read(late["id"]))["stage"]
    assert instant(stage["due_at"]) == local("2026-06-03 08:45")
    task = (await intake.operator.get(f"/tasks/{late_task['id']}")).json()
    assert instant(task["due_at"]) == local("2026-06-03 09:15")
    assert task["expires_at"] == of_task["expires_after"]
    # Yellow in the last fifth: twelve minutes before.
    assert instant(task["warn_at"]) == local("2026-06-03 09:03")
    for report_id, shown in before.items():
        assert await intake.read(report_id) == shown
    unmoved = (await intake.operator.get(f"/tasks/{early_task['id']}")).json()
    assert unmoved["due_at"] == early_task["due_at"]
    assert (await journal(intake, f"/reports/{late['id']}"))[-1] == "recompute-deadlines"
    assert (await journal(intake, f"/tasks/{late_task['id']}"))[-1] == "recompute-deadlines"
    assert "recompute-deadlines" not in await journal(intake, f"/reports/{early['id']}")


async def test_a_pass_that_was_broken_off_goes_on_where_it_was(intake: Any) -> None:
    await finished(intake.sut.runtime)
    intake.clock.set(local("2026-06-01 17:15"))
    pairs = [await checked(intake) for _ in range(3)]
    job_id = await recomputer.begin(under_new_notice(intake))
    assert job_id is not None
    for _ in range(3):  # all reports and some of the tasks, and then the process dies
        assert not await recomputer.carry_on(under_new_notice(intake), job_id, size=2)
    halfway, _ = await read_job(intake, job_id)
    assert (halfway["looked_at"], halfway["finished_at"]) == (5, None)

    again = under_new_notice(intake)
    assert await recomputer.begin(again) == job_id
    job, moved = await read_job(intake, await finished(again))
    assert (job["looked_at"], job["moved"], len(moved)) == (6, 6, 6)
    for report, task in pairs:
        for path in (f"/reports/{report['id']}", f"/tasks/{task['id']}"):
            assert (await journal(intake, path)).count("recompute-deadlines") == 1


async def test_the_worker_begins_by_itself_and_only_when_the_calendar_has_changed(
    intake: Any,
) -> None:
    runtime = intake.sut.runtime
    await recomputer.recompute_if_changed(runtime)
    intake.clock.set(local("2026-06-01 17:15"))
    report = await intake.report()
    await recomputer.recompute_if_changed(replace(runtime, extras={}))  # a start, nothing new
    assert await recomputer.begin(runtime) is None
    for _ in range(2):
        await recomputer.recompute_if_changed(under_new_notice(intake))
    assert (await journal(intake, f"/reports/{report['id']}")).count("recompute-deadlines") == 1
    admin = intake.sut.client(Role.SYSTEM_ADMINISTRATOR)
    jobs = (await admin.get("/recomputations")).json()["items"]
    assert [job["moved"] for job in jobs] == [0, 1]


async def test_asked_for_anew_nothing_more_moves(intake: Any) -> None:
    await finished(intake.sut.runtime)
    intake.clock.set(local("2026-06-01 17:15"))
    await checked(intake)
    runtime = under_new_notice(intake)
    await finished(runtime)
    job_id = await recomputer.begin(runtime, anew=True)
    assert job_id is not None
    while not await recomputer.carry_on(runtime, job_id):
        pass
    job, moved = await read_job(intake, job_id)
    assert (job["looked_at"], job["moved"], moved) == (2, 0, [])


async def test_accepted_waiting_and_given_up_tasks_keep_what_they_are(intake: Any) -> None:
    await finished(intake.sut.runtime)
    intake.clock.set(local("2026-06-01 17:00"))
    night = local("2026-06-01 20:00")
    waiting_case = uuid7()
    await intake.ask_verification(waiting_case, special=True, not_before=night)
    await intake.ask_verification(uuid7())
    [task] = await intake.tasks(state="issued")
    accepted = (await intake.collector().post(f"/tasks/{task['id']}/accept")).json()

    _, moved = await read_job(intake, await finished(under_new_notice(intake)))

    [row] = moved
    assert row["subject_id"] == task["id"]
    assert row["expires_before"] == accepted["expires_at"]
    after = (await intake.operator.get(f"/tasks/{task['id']}")).json()
    assert after["state"] == "accepted"
    assert instant(after["due_at"]) == local("2026-06-03 09:00")
    # Who has accepted it keeps it until some time after its stage.
    assert instant(after["expires_at"]) > instant(after["due_at"])  # type: ignore[operator]
    [waiting] = await intake.tasks(case_id=str(waiting_case))
    assert (waiting["state"], waiting["due_at"], waiting["expires_at"]) == ("waiting", None, None)


async def test_nobody_loses_a_task_on_a_day_that_became_a_holiday(intake: Any) -> None:
    """The expiry moves with the calendar, in both directions."""
    intake.sut.runtime.pack, notice = under_new_notice(intake).pack, intake.sut.runtime.pack
    await finished(intake.sut.runtime)
    intake.clock.set(local("2026-06-01 17:29"))
    await checked(intake)
    intake.clock.set(local("2026-06-02 12:00"))
    await intake.move_on()
    assert await intake.told(TaskExpired) == []
    intake.sut.runtime.pack = notice  # the holiday is struck from the notice
    await finished(intake.sut.runtime)
    await intake.move_on()
    assert len(await intake.told(TaskExpired)) == 1


async def test_a_report_that_was_merged_meanwhile_comes_back_with_a_new_clock(
    intake: Any,
) -> None:
    await finished(intake.sut.runtime)
    intake.clock.set(local("2026-06-01 17:15"))
    root, report = await intake.report(), await intake.report()
    assert (await intake.act(report["id"], "merge", into=root["id"])).status_code == 200
    runtime = under_new_notice(intake)
    await finished(runtime)
    intake.sut.runtime.pack = runtime.pack
    answer = await intake.act(report["id"], "unmerge", reason="not the same")
    assert answer.status_code == 200, answer.text
    assert instant(answer.json()["stage"]["due_at"]) == local("2026-06-03 08:45")


@pytest.mark.parametrize("role", [Role.COLLECTOR, Role.OPERATOR])
async def test_passes_are_seen_by_those_who_answer_for_them(intake: Any, role: Role) -> None:
    client = intake.sut.client(role)
    assert (await client.get("/recomputations")).status_code == 403
    admin = intake.sut.client(Role.SYSTEM_ADMINISTRATOR)
    unknown = await admin.get(f"/recomputations/{uuid7()}")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "recomputation-not-found")
