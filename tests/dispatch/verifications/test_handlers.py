"""Facts of the collectors' tasks, in every order in which they may come."""

from datetime import timedelta
from uuid import uuid4

from shared.events.dispatch import CaseVerified
from shared.events.intake import TaskDueTimeMoved, TaskExpired
from shared.events.vocabulary import Finding, TaskKind
from shared.vocabulary import Role
from tests.dispatch.story import Story, instant, local


async def _sent_out(story: Story):  # noqa: ANN202
    case_id = await story.with_unit()
    await story.handled(case_id)
    await story.checked(case_id)
    return case_id


async def test_the_stage_on_the_spot_begins_when_the_task_is_issued(story: Story) -> None:
    case_id = await _sent_out(story)
    story.later(minutes=20)
    await story.issued(case_id)
    story.later(minutes=5)
    view = await story.case(case_id)
    assert (view["state"], view["stage"]["kind"]) == ("verifying", "verification")
    assert instant(view["stage"]["started_at"]) == local("2026-06-01 09:20")
    assert instant(view["stage"]["due_at"]) == local("2026-06-01 10:20")


async def test_a_task_issued_again_keeps_the_limit_of_the_stage(story: Story) -> None:
    case_id = await _sent_out(story)
    await story.issued(case_id)
    task = story.tasks[case_id, 1]
    story.later(minutes=40)
    expired = TaskExpired(
        kind=TaskKind.VERIFICATION,
        collector="collector-7",
        attempt=1,
        expired_at=story.clock.now(),
    )
    await story.sut.deliver(expired, subject=task)
    await story.issued(case_id, attempt=2)
    view = await story.case(case_id)
    assert instant(view["stage"]["due_at"]) == local("2026-06-01 10:00")
    assert view["verifications"][0]["attempts"] == 2
    steps = [item["action"] for item in view["journal"]]
    assert steps[-2:] == ["expire-verification", "reissue-verification"]


async def test_a_due_time_moved_by_the_calendar_is_shown_in_the_file(story: Story) -> None:
    case_id = await _sent_out(story)
    await story.issued(case_id)
    moved = TaskDueTimeMoved(
        kind=TaskKind.VERIFICATION,
        case_id=case_id,
        round=1,
        attempt=1,
        due_at=local("2026-06-02 10:00"),
    )
    await story.sut.deliver(moved, subject=story.tasks[case_id, 1])
    view = await story.case(case_id)
    assert instant(view["verifications"][0]["due_at"]) == local("2026-06-02 10:00")
    assert view["journal"][-1]["action"] == "move-verification-due-time"
    await story.found(case_id, Finding.PASSED, issued=False)
    late = moved.model_copy(update={"due_at": local("2026-06-03 10:00")})
    await story.sut.deliver(late, subject=story.tasks[case_id, 1])
    view = await story.case(case_id)
    assert instant(view["verifications"][0]["due_at"]) == local("2026-06-02 10:00")


async def test_the_same_finding_under_another_id_changes_nothing(story: Story) -> None:
    case_id = await _sent_out(story)
    await story.found(case_id, Finding.PASSED)
    await story.found(case_id, Finding.FAILED, issued=False)
    assert (await story.case(case_id))["state"] == "verified"
    assert len(await story.told(case_id, CaseVerified)) == 1


async def test_a_finding_of_an_earlier_round_comes_too_late(story: Story) -> None:
    case_id = await _sent_out(story)
    await story.found(case_id, Finding.UNDECIDABLE)
    await story.post(story.dispatcher, f"/cases/{case_id}/verification")
    story.tasks[case_id, 1] = uuid4()
    await story.found(case_id, Finding.FAILED, round_=1)
    assert (await story.case(case_id))["state"] == "verification-asked"


async def test_a_finding_without_its_issue_counts(story: Story) -> None:
    case_id = await _sent_out(story)
    await story.found(case_id, Finding.PASSED, issued=False)
    assert (await story.case(case_id))["state"] == "verified"


async def test_a_finding_before_its_case_waits_for_it(story: Story) -> None:
    case_id = uuid4()
    await story.issued(case_id)
    [held] = await story.sut.held()
    assert (held.state, held.attempts) == ("retry", 1)
    await story.opened(case_id=case_id)
    story.later(seconds=10)
    await story.sut.inbox.retry_due()
    assert await story.sut.held() == []


async def test_a_finding_by_who_dispatched_it_decides_nothing(story: Story) -> None:
    case_id = await _sent_out(story)
    await story.found(case_id, Finding.PASSED, actor="dispatcher-1")
    view = await story.case(case_id)
    assert view["state"] == "verification-undecided"
    assert view["verifications"][0]["independent"] is False
    assert await story.told(case_id, CaseVerified) == []


async def test_what_happened_before_by_another_clock_never_runs_backwards(story: Story) -> None:
    case_id = await _sent_out(story)
    now = story.clock.now()
    story.clock.set(now - timedelta(minutes=3))
    await story.found(case_id, Finding.PASSED)
    story.clock.set(now)
    clock = (await story.dispatcher.get(f"/cases/{case_id}/clock")).json()
    for segment in clock["segments"][:-1]:
        assert segment["started_at"] <= segment["ended_at"]


async def test_a_voided_case_takes_no_finding(story: Story) -> None:
    case_id = await _sent_out(story)
    asked = await story.post(story.operator, f"/cases/{case_id}/voiding", 201, reason="误报")
    path = f"/requests/{asked['request']['id']}/void-decision"
    await story.post(story.someone(Role.SHIFT_LEADER), path, granted=True, reason="属实")
    await story.found(case_id, Finding.PASSED)
    assert (await story.case(case_id))["state"] == "voided"
    assert await story.sut.held() == []


async def test_checks_before_registration_are_none_of_ours(story: Story) -> None:
    expired = TaskExpired(
        kind=TaskKind.CHECK, collector="c", attempt=1, expired_at=story.clock.now()
    )
    await story.sut.deliver(expired, subject=uuid4())
    assert await story.sut.held() == []
