"""A new holiday notice: open cases are reckoned anew, once, resumably, and what moved is told."""

from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID

from services.dispatch.recomputation.service import recomputer
from shared.events.dispatch import DeadlinesMoved, PositionMissed
from shared.events.vocabulary import Finding
from shared.service import Runtime
from shared.testing import ServiceUnderTest
from shared.vocabulary import Role
from tests.dispatch.story import OTHER_UNIT, UNIT, Story, instant, local
from tests.shared.worktime.calendars import with_day_off


def _under_new_notice(sut: ServiceUnderTest, day: date) -> Runtime:
    """The same service, started again after a notice made one day more a holiday."""
    pack = sut.runtime.pack
    changed = replace(pack, calendar=with_day_off(pack.calendar, day))
    return replace(sut.runtime, pack=changed, extras={})


async def _finished(runtime: Runtime, *, size: int = 2) -> UUID:
    job_id = await recomputer.begin(runtime)
    assert job_id is not None
    while not await recomputer.carry_on(runtime, job_id, size=size):
        pass
    return job_id


async def _report(story: Story, job_id: UUID) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    admin = story.someone(Role.SYSTEM_ADMINISTRATOR)
    job = (await admin.get(f"/recomputations/{job_id}")).json()
    moved = (await admin.get(f"/recomputations/{job_id}/moved")).json()["items"]
    return job, moved


async def test_due_times_behind_a_new_holiday_move_and_no_others(
    sut: ServiceUnderTest, story: Story
) -> None:
    await _finished(sut.runtime)
    today = await story.with_unit()  # due on Monday, before the new holiday
    story.at("2026-06-01 16:00")
    over_night = await story.with_unit()  # one and a half hours on Monday, the rest on Tuesday
    waiting = await story.opened()
    closed = await story.with_unit()
    await story.handled(closed)
    await story.checked(closed)
    await story.found(closed, Finding.PASSED)
    await story.closed(closed)
    before = {one: await story.case(one) for one in (today, over_night, waiting, closed)}

    runtime = _under_new_notice(sut, date(2026, 6, 2))
    job, moved = await _report(story, await _finished(runtime))

    assert (job["open_cases"], job["looked_at"]) == (3, 3)
    assert job["finished_at"] is not None
    # The whole way of every case goes beyond Monday; the handling of one does.
    by_case = {UUID(row["case_id"]): row for row in moved}
    assert set(by_case) == {today, over_night, waiting}
    row = by_case[over_night]
    assert instant(row["handling_before"]) == local("2026-06-02 11:00")
    assert instant(row["handling_after"]) == local("2026-06-03 11:00")
    after = await story.case(over_night)
    assert instant(after["stage"]["due_at"]) == local("2026-06-03 11:00")
    assert instant(after["assignments"][0]["due_at"]) == local("2026-06-03 11:00")
    assert (await story.case(today))["stage"] == before[today]["stage"] | {
        "light": (await story.case(today))["stage"]["light"]
    }
    assert (await story.case(waiting))["stage"]["due_at"] == before[waiting]["stage"]["due_at"]
    assert (await story.case(closed))["version"] == before[closed]["version"]

    [event] = await story.told(over_night, DeadlinesMoved)
    assert instant(event["due_at"]) == local("2026-06-03 11:00")
    assert (event["assignment"], event["unit"], event["limit_seconds"]) == (1, UNIT, 4 * 3600)
    journal = (await story.dispatcher.get(f"/cases/{over_night}/journal")).json()
    assert journal[-1]["action"] == "recompute-deadlines"


async def test_the_limit_told_of_an_extended_clock_holds_the_extension(
    sut: ServiceUnderTest, story: Story
) -> None:
    await _finished(sut.runtime)
    story.at("2026-06-01 16:00")
    case_id = await story.with_unit()
    limit = {"amount": "2", "kind": "working-hours"}
    await story.decided(await story.asked(case_id, "extensions", limit=limit), granted=True)

    await _finished(_under_new_notice(sut, date(2026, 6, 2)))

    [event] = await story.told(case_id, DeadlinesMoved)
    # One and a half hours on Monday, three and one and a half around Wednesday's noon.
    assert instant(event["due_at"]) == local("2026-06-03 15:30")
    assert event["limit_seconds"] == (4 + 2) * 3600


async def test_a_pass_that_was_broken_off_goes_on_where_it_was(
    sut: ServiceUnderTest, story: Story
) -> None:
    await _finished(sut.runtime)
    story.at("2026-06-01 16:00")
    cases = [await story.with_unit() for _ in range(5)]
    runtime = _under_new_notice(sut, date(2026, 6, 2))
    job_id = await recomputer.begin(runtime)
    assert job_id is not None
    assert not await recomputer.carry_on(runtime, job_id, size=2)  # and then the process dies

    again = _under_new_notice(sut, date(2026, 6, 2))
    assert await recomputer.begin(again) == job_id
    job, moved = await _report(story, await _finished(again))
    assert (job["looked_at"], job["moved"], len(moved)) == (5, 5, 5)
    for case_id in cases:
        assert len(await story.told(case_id, DeadlinesMoved)) == 1


async def test_the_worker_begins_by_itself_and_only_when_the_calendar_has_changed(
    sut: ServiceUnderTest, story: Story
) -> None:
    await recomputer.recompute_if_changed(sut.runtime)
    story.at("2026-06-01 16:00")
    case_id = await story.with_unit()
    # Another start, nothing new.
    await recomputer.recompute_if_changed(replace(sut.runtime, extras={}))
    assert await recomputer.begin(sut.runtime) is None
    for _ in range(2):
        await recomputer.recompute_if_changed(_under_new_notice(sut, date(2026, 6, 2)))
    assert len(await story.told(case_id, DeadlinesMoved)) == 1
    admin = story.someone(Role.SYSTEM_ADMINISTRATOR)
    jobs = (await admin.get("/recomputations")).json()["items"]
    assert [job["moved"] for job in jobs] == [0, 1]


async def test_asked_for_anew_nothing_more_moves(sut: ServiceUnderTest, story: Story) -> None:
    await _finished(sut.runtime)
    await story.with_unit()
    job_id = await recomputer.begin(sut.runtime, anew=True)
    assert job_id is not None
    assert await recomputer.carry_on(sut.runtime, job_id)
    job, moved = await _report(story, job_id)
    assert (job["looked_at"], job["moved"], moved) == (1, 0, [])


async def test_pauses_requests_and_several_spans_are_reckoned_too(
    sut: ServiceUnderTest, story: Story
) -> None:
    await _finished(sut.runtime)
    story.at("2026-06-01 16:00")
    deferred = await story.with_unit()
    asked = await story.asked(deferred, "deferrals", until="2026-06-01T17:00:00+08:00")
    await story.decided(asked, granted=True)
    returned = await story.with_unit()
    await story.decided(await story.asked(returned, "returns"), granted=True)
    story.later(minutes=30)
    await story.dispatched(returned)
    await story.accepted(returned)
    story.at("2026-06-01 17:10")
    pending = await story.asked(returned, "returns")  # to be decided within half an hour

    runtime = _under_new_notice(sut, date(2026, 6, 2))
    _, moved = await _report(story, await _finished(runtime))
    after = {UUID(row["case_id"]): instant(row["handling_after"]) for row in moved}
    # Half an hour left on Monday from 17:00 on; then three and a half hours on Wednesday.
    assert after[deferred] == local("2026-06-03 14:30")
    # Dispatched again at 16:30: an hour on Monday, three on Wednesday.
    assert after[returned] == local("2026-06-03 11:30")
    request = (await story.supervisor.get(f"/requests/{pending}")).json()
    assert instant(request["due_at"]) == local("2026-06-03 08:40")


async def test_a_limit_that_moves_back_over_now_is_told_with_its_true_time(
    sut: ServiceUnderTest, story: Story
) -> None:
    """A holiday is struck from the notice after the fact: what was in time has run out."""
    with_holiday = _under_new_notice(sut, date(2026, 6, 2))
    pack, sut.runtime.pack = sut.runtime.pack, with_holiday.pack
    await _finished(sut.runtime)
    story.at("2026-06-01 16:00")
    case_id = await story.with_unit()  # due on Wednesday at 11:00
    story.at("2026-06-02 12:00")
    await story.timers()
    sut.runtime.pack = pack
    await _finished(sut.runtime)
    await story.timers()
    overrun = [
        item
        for item in await sut.told()
        if item.type == "dispatch.case.limit_overrun.v1" and item.data["scope"] == "handling"
    ]
    assert [item.time.replace(microsecond=0) for item in overrun] == [local("2026-06-02 11:00")]
    assert overrun[0].subject == str(case_id)


async def test_the_times_of_a_coordination_move_too(sut: ServiceUnderTest, story: Story) -> None:
    await _finished(sut.runtime)
    case_id = await story.opened()
    body = {"units": [UNIT, OTHER_UNIT], "reason": "权属不清"}
    found = await story.post(story.dispatcher, f"/cases/{case_id}/coordinations", 201, **body)
    position = {"stance": "not-responsible", "basis": "责任清单"}
    path = f"/coordinations/{found['id']}"
    await story.post(story.handler(), f"{path}/positions", **position)

    runtime = _under_new_notice(sut, date(2026, 6, 2))
    await _finished(runtime)
    found = (await story.dispatcher.get(path)).json()
    # A working day from Monday 09:00 ends on Wednesday now; who has spoken keeps the old time.
    assert {item["unit"]: instant(item["due_at"]) for item in found["units"]} == {
        UNIT: local("2026-06-02 09:00"),
        OTHER_UNIT: local("2026-06-03 09:00"),
    }
    assert instant(found["due_at"]) == local("2026-06-05 09:00")
    story.at("2026-06-02 10:00")
    await story.timers()
    assert await story.told(found["id"], PositionMissed) == []
    story.at("2026-06-03 10:00")
    await story.timers()
    assert [item["unit"] for item in await story.told(found["id"], PositionMissed)] == [OTHER_UNIT]
