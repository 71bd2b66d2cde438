"""A limit that turns yellow or red is told once, with the time at which it did."""

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from services.dispatch.app import service
from services.dispatch.case_files.service import CaseFile
from services.dispatch.limits.domain import Mark, Moment
from services.dispatch.limits.handlers import case_timer
from shared.events.dispatch import DeferralEnded, LimitOverrun, LimitWarned
from shared.events.vocabulary import Finding
from shared.service import Runtime
from shared.testing import ServiceUnderTest
from shared.timers.ringer import Ringer
from shared.work import UnitOfWork
from tests.dispatch.story import UNIT, Story, local


async def _told(story: Story, case_id: UUID) -> list[tuple[str, str, datetime]]:
    """What was told about limits: which, what, and the event's own time to the second."""
    names = {LimitWarned.TYPE: "warned", LimitOverrun.TYPE: "overrun"}
    return [
        (item.data["scope"], names[item.type], item.time.replace(microsecond=0))
        for item in await story.sut.told()
        if item.type in names and item.subject == str(case_id)
    ]


async def test_the_dispatch_stage_turns_yellow_and_red(story: Story) -> None:
    case_id = await story.opened()  # 09:00, thirty minutes
    story.at("2026-06-01 09:23")
    await story.timers()
    assert await _told(story, case_id) == []
    story.at("2026-06-01 09:25")
    await story.timers()
    await story.timers()
    assert await _told(story, case_id) == [("dispatch", "warned", local("2026-06-01 09:24"))]
    story.at("2026-06-01 09:30")
    await story.timers()
    assert len(await _told(story, case_id)) == 1, "at the due time itself it is still in time"
    story.at("2026-06-01 09:31")
    await story.timers()
    assert await _told(story, case_id) == [
        ("dispatch", "warned", local("2026-06-01 09:24")),
        ("dispatch", "overrun", local("2026-06-01 09:30")),
    ]
    (event,) = await story.told(case_id, LimitOverrun)
    assert event["holder"] == "dispatcher"
    assert event["unit"] is None
    assert event["due_at"] == "2026-06-01T01:30:00Z"


async def test_in_time_nothing_is_told(story: Story) -> None:
    case_id = await story.with_unit()
    await story.handled(case_id)
    await story.checked(case_id)
    await story.found(case_id, Finding.PASSED)
    await story.closed(case_id)
    story.later(days=30)
    await story.timers()
    assert await _told(story, case_id) == []


async def test_what_passed_while_no_worker_ran_is_told_with_its_true_time(story: Story) -> None:
    """Nobody rang anything before the case was dispatched, late, and handled, late, and closed."""
    case_id = await story.opened()  # 09:00
    story.at("2026-06-01 10:00")
    await story.dispatched(case_id)  # due 09:30; four working hours from here: 16:30
    await story.accepted(case_id)
    story.at("2026-06-01 16:31")
    await story.handled(case_id)
    await story.checked(case_id)
    await story.found(case_id, Finding.PASSED)
    await story.closed(case_id)
    await story.timers()
    told = await _told(story, case_id)
    assert [item for item in told if item[0] != "whole"] == [
        ("dispatch", "warned", local("2026-06-01 09:24")),
        ("dispatch", "overrun", local("2026-06-01 09:30")),
        ("handling", "warned", local("2026-06-01 15:42")),
        ("handling", "overrun", local("2026-06-01 16:30")),
    ]
    assert [item[2] for item in told] == sorted(item[2] for item in told)
    story.later(days=30)
    await story.timers()
    assert await _told(story, case_id) == told


async def test_a_granted_extension_moves_the_timer(story: Story) -> None:
    case_id = await story.with_unit()  # due 15:30: two hours and a half, then one and a half
    asked = await story.asked(case_id, "extensions", limit={"amount": "2", "kind": "working-hours"})
    await story.decided(asked, granted=True)
    story.at("2026-06-01 17:00")
    await story.timers()
    handling = [item for item in await _told(story, case_id) if item[0] == "handling"]
    assert [what for _, what, _ in handling] == ["warned"]
    story.at("2026-06-01 17:31")
    await story.timers()
    handling = [item for item in await _told(story, case_id) if item[0] == "handling"]
    assert handling[-1] == ("handling", "overrun", local("2026-06-01 17:30"))


async def test_a_pause_ends_at_its_date_and_the_limit_behind_it_is_told(story: Story) -> None:
    """The worker was away for weeks: the pause ended, then the limit turned yellow and red."""
    case_id = await story.with_unit()
    asked = await story.asked(case_id, "deferrals", until="2026-06-10T09:00:00+08:00")
    await story.decided(asked, granted=True)
    story.at("2026-06-20 12:00")
    await story.timers()
    (ended,) = await story.told(case_id, DeferralEnded)
    assert ended["clock"]["used_seconds"] == 0
    told = [item for item in await _told(story, case_id) if item[0] == "handling"]
    assert told == [
        ("handling", "warned", local("2026-06-10 14:42")),
        ("handling", "overrun", local("2026-06-10 15:30")),
    ]


async def test_the_same_clock_going_on_is_not_told_about_twice(story: Story) -> None:
    """Refused feedback gives the case back to the unit, whose limit has run out already."""
    case_id = await story.with_unit()
    story.at("2026-06-01 16:00")
    await story.timers()
    before = [item for item in await _told(story, case_id) if item[0] == "handling"]
    await story.handled(case_id)
    await story.checked(case_id, accepted=False)
    story.later(minutes=1)
    await story.timers()
    after = [item for item in await _told(story, case_id) if item[0] == "handling"]
    assert [what for _, what, _ in before] == ["warned", "overrun"]
    assert after == before


async def test_others_in_the_service_act_in_the_same_transaction(
    sut: ServiceUnderTest, story: Story
) -> None:
    seen: list[tuple[str | None, str, Mark]] = []
    failing = True

    async def watcher(file: CaseFile, moment: Moment, work: UnitOfWork, _runtime: Runtime) -> None:
        if failing:
            raise RuntimeError("not yet")
        work.record(file.case, "watched")
        seen.append((file.case.unit, moment.limit.scope.value, moment.mark))

    watched = replace(sut.runtime, service=replace(service, timers=[case_timer([watcher])]))
    case_id = await story.opened()
    await story.dispatched(case_id)
    story.at("2026-06-01 17:00")
    await Ringer(watched).ring_due()
    assert await _told(story, case_id) == [], "what failed has told nothing"
    failing = False
    story.clock.advance(timedelta(minutes=1))
    await Ringer(watched).ring_due()
    assert (UNIT, "handling", Mark.OVERRUN) in seen
    assert len(await _told(story, case_id)) == len(seen)
