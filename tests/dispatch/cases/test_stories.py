"""Whole lives of cases, told through the API and the events of the other services."""

from typing import TYPE_CHECKING

from shared.events.dispatch import (
    CaseAccepted,
    CaseClosed,
    CaseDispatched,
    CaseHandled,
    CaseOpened,
    CaseReopened,
    CaseVerified,
    FeedbackRefused,
    VerificationAsked,
)
from shared.events.vocabulary import Finding
from tests.dispatch.story import COMMAND_UNIT, UNIT, Story, instant, local

if TYPE_CHECKING:
    from uuid import UUID


async def test_a_case_goes_from_registration_to_the_archive(story: Story) -> None:
    case_id = await story.opened()
    story.later(minutes=10)
    view = await story.dispatched(case_id)
    assert view["state"] == "dispatched"
    # Four working hours from 09:10: until 11:30, and from 14:00 on.
    assert instant(view["stage"]["due_at"]) == local("2026-06-01 15:40")
    story.later(minutes=5)
    await story.accepted(case_id)
    story.at("2026-06-01 15:00")
    await story.handled(case_id)
    story.later(minutes=10)
    await story.checked(case_id)
    story.later(minutes=10)
    await story.found(case_id, Finding.PASSED)
    assert (await story.case(case_id))["state"] == "verified"
    story.later(minutes=10)
    closed = await story.closed(case_id)

    assert closed["state"] == "closed"
    assert closed["allowed"] == []
    told = [item.type for item in await story.sut.told()]
    expected = [CaseOpened, CaseDispatched, CaseAccepted, CaseHandled, VerificationAsked]
    assert told == [item.TYPE for item in [*expected, CaseVerified, CaseClosed]]
    [event] = await story.told(case_id, CaseClosed)
    assert event["outcome"] == "resolved"
    assert event["clock"]["used_seconds"] == (2 * 60 + 20 + 60) * 60
    assert event["clock"]["limit_seconds"] == 4 * 3600
    assert instant(event["clock"]["due_at"]) == local("2026-06-01 15:40")
    # Seven hours from 09:00: 4 to handle, 1 to verify, and half an hour for each other stage.
    assert instant(event["whole_due_at"]) == local("2026-06-02 09:30")
    assert await story.sut.held() == []


async def test_the_second_dispatch_adds_the_units_own_spans(story: Story) -> None:
    case_id = await story.with_unit()
    story.later(minutes=60)
    await story.handled(case_id)
    story.later(minutes=20)
    await story.checked(case_id)
    story.later(minutes=20)
    await story.found(case_id, Finding.FAILED)
    view = await story.case(case_id)
    assert (view["state"], view["failed_verifications"]) == ("awaiting-dispatch", 1)
    story.later(minutes=10)
    view = await story.dispatched(case_id)

    # 10:50; one hour is used, three are left: 40 minutes before noon and 140 after.
    assert instant(view["stage"]["due_at"]) == local("2026-06-01 16:20")
    second = (await story.told(case_id, CaseDispatched))[1]
    assert second["reason"] == "after-failed-verification"
    assert second["assignment"] == 2
    assert second["used_seconds"] == 3600
    assert second["limit_seconds"] == 4 * 3600


async def test_from_the_third_dispatch_on_everything_since_the_first_counts(story: Story) -> None:
    case_id = await story.with_unit()
    for round_ in (1, 2):
        story.later(minutes=10)
        await story.handled(case_id)
        story.later(minutes=10)
        await story.checked(case_id)
        story.later(minutes=10)
        await story.found(case_id, Finding.FAILED, round_=round_)
        story.later(minutes=10)
        view = await story.dispatched(case_id)
        await story.accepted(case_id)
    # 10:20; all 80 minutes since 09:00 are used, whoever had the case: due as if from 09:00.
    assert instant(view["stage"]["due_at"]) == local("2026-06-01 15:30")
    third = (await story.told(case_id, CaseDispatched))[2]
    assert third["used_seconds"] == 80 * 60
    story.later(minutes=10)
    await story.handled(case_id)
    story.later(minutes=10)
    await story.checked(case_id)
    story.later(minutes=10)
    await story.found(case_id, Finding.PASSED, round_=3)
    story.later(minutes=10)
    await story.closed(case_id)

    [closed] = await story.told(case_id, CaseClosed)
    assert closed["clock"]["used_seconds"] == 120 * 60
    assert closed["assignments"] == 3
    assert [item["passed"] for item in await story.told(case_id, CaseVerified)] == [
        False,
        False,
        True,
    ]


async def test_what_failed_goes_out_again_to_the_same_unit(story: Story) -> None:
    case_id = await story.with_unit()
    await story.handled(case_id)
    await story.checked(case_id)
    await story.found(case_id, Finding.FAILED)
    problem = await story.post(
        story.dispatcher, f"/cases/{case_id}/dispatch", 422, unit=COMMAND_UNIT
    )

    assert problem["code"] == "dispatch-to-same-unit"
    assert problem["unit"] == UNIT


async def test_refused_feedback_goes_back_and_the_check_does_not_count(story: Story) -> None:
    case_id = await story.with_unit()
    story.later(minutes=30)
    await story.handled(case_id)
    story.later(minutes=30)
    view = await story.checked(case_id, accepted=False)

    assert view["state"] == "accepted"
    # 10:00, 3.5 hours left.
    assert instant(view["stage"]["due_at"]) == local("2026-06-01 16:00")
    [event] = await story.told(case_id, FeedbackRefused)
    assert event["reason"] == "照片上仍有破损"
    file = await story.case(case_id)
    assert file["assignments"][0]["feedback_refused"] == 1
    assert [item["accepted"] for item in file["feedbacks"]] == [False]
    assert await story.told(case_id, VerificationAsked) == []
    await story.handled(case_id)
    reading = (await story.told(case_id, CaseHandled))[1]["clock"]
    assert reading["used_seconds"] == 30 * 60


async def test_a_finding_that_decides_nothing_lets_the_centre_ask_again(story: Story) -> None:
    case_id = await story.with_unit()
    await story.handled(case_id)
    await story.checked(case_id)
    await story.found(case_id, Finding.UNDECIDABLE)
    view = await story.case(case_id)
    assert view["state"] == "verification-undecided"
    assert view["stage"]["kind"] == "sending-out"
    assert await story.told(case_id, CaseVerified) == []
    await story.post(story.dispatcher, f"/cases/{case_id}/verification", note="白天再看")
    await story.found(case_id, Finding.PASSED, round_=2)

    assert (await story.case(case_id))["state"] == "verified"
    assert [item["round"] for item in await story.told(case_id, VerificationAsked)] == [1, 2]


async def test_command_duty_puts_the_wait_for_dispatch_on_the_units_clock(story: Story) -> None:
    case_id = await story.opened()
    story.later(minutes=20)
    view = await story.dispatched(case_id, COMMAND_UNIT)

    assert instant(view["stage"]["due_at"]) == local("2026-06-01 15:30")
    [event] = await story.told(case_id, CaseDispatched)
    assert event["used_seconds"] == 20 * 60


async def test_urgent_cases_run_day_and_night(story: Story) -> None:
    story.at("2026-06-07 22:00")  # a Sunday night
    case_id = await story.opened(condition="B01001-3", urgent=True)
    story.later(minutes=10)
    view = await story.dispatched(case_id)

    assert instant(view["stage"]["due_at"]) == local("2026-06-08 02:10")
    [opened] = await story.told(case_id, CaseOpened)
    assert instant(opened["dispatch_due_at"]) == local("2026-06-07 22:30")


async def test_sending_out_a_special_case_has_no_limit_and_stops_the_whole_clock(
    story: Story,
) -> None:
    case_id = await story.with_unit(condition="B01004-1", special=True)
    await story.handled(case_id)
    view = await story.checked(case_id)
    assert view["stage"]["due_at"] is None
    assert view["stage"]["light"] == "none"
    assert view["total"]["due_at"] is None
    story.at("2026-06-03 21:00")
    await story.issued(case_id)
    view = await story.case(case_id)

    assert view["stage"]["kind"] == "verification"
    # Six and a half working hours in all, a whole day; the waiting until Wednesday is left out.
    assert instant(view["total"]["due_at"]) == local("2026-06-04 17:30")


async def test_a_reopened_case_begins_a_new_clock(story: Story) -> None:
    ticket = story.new_id()
    case_id = await story.with_unit(ticket_id=ticket)
    story.later(minutes=60)
    await story.handled(case_id)
    await story.checked(case_id)
    await story.found(case_id, Finding.PASSED)
    await story.closed(case_id)
    story.at("2026-06-02 09:00")
    await story.reopened(case_id, ticket)
    view = await story.case(case_id)
    assert (view["state"], view["closed_at"]) == ("awaiting-dispatch", None)
    assert instant(view["total"]["started_at"]) == local("2026-06-02 09:00")
    [event] = await story.told(case_id, CaseReopened)
    assert event["ticket_id"] == str(ticket)
    view = await story.dispatched(case_id)

    assert instant(view["stage"]["due_at"]) == local("2026-06-02 15:30")
    assert (await story.told(case_id, CaseDispatched))[1]["reason"] == "after-reopening"
    assert (await story.told(case_id, CaseDispatched))[1]["used_seconds"] == 0


async def test_a_second_telling_of_dissatisfaction_only_goes_into_the_journal(story: Story) -> None:
    ticket = story.new_id()
    case_id: UUID = await story.with_unit(ticket_id=ticket)
    await story.reopened(case_id, ticket)

    assert (await story.case(case_id))["state"] == "accepted"
    assert await story.told(case_id, CaseReopened) == []
    assert (await story.case(case_id))["journal"][-1]["action"] == "note-dissatisfaction"
