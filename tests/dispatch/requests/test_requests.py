"""Return, extension, deferral and voiding: asked, decided, and what they do to the clock."""

from uuid import UUID

import pytest

from shared.events.dispatch import (
    CaseDispatched,
    CaseHandled,
    CaseVoided,
    DeferralDecided,
    DeferralEnded,
    ExtensionAsked,
    ExtensionDecided,
    ReturnAsked,
    ReturnDecided,
)
from shared.vocabulary import Role
from tests.dispatch.story import OTHER_UNIT, UNIT, Story, instant, local

TWO_HOURS = {"amount": "2", "kind": "working-hours"}


class TestReturn:
    async def test_dispatched_to_the_same_unit_keeps_the_used_time(self, story: Story) -> None:
        case_id = await story.with_unit()
        story.later(minutes=30)
        request = await story.asked(case_id, "returns", suggested_unit=OTHER_UNIT)
        # Nothing stops while the centre thinks.
        story.later(minutes=30)
        answer = await story.decided(request, granted=True)
        assert answer["case"]["state"] == "awaiting-dispatch"
        assert answer["case"]["unit"] is None
        story.later(minutes=60)
        view = await story.dispatched(case_id, UNIT)

        # 11:00, one hour used: 30 minutes before noon, 150 after.
        assert instant(view["stage"]["due_at"]) == local("2026-06-01 16:30")
        [asked] = await story.told(case_id, ReturnAsked)
        assert asked["suggested_unit"] == OTHER_UNIT
        [decided] = await story.told(case_id, ReturnDecided)
        assert (decided["granted"], decided["clock"]["used_seconds"]) == (True, 3600)
        again = (await story.told(case_id, CaseDispatched))[1]
        assert (again["reason"], again["used_seconds"]) == ("after-return", 3600)

    async def test_dispatched_to_another_unit_begins_anew(self, story: Story) -> None:
        case_id = await story.with_unit()
        story.later(minutes=60)
        await story.decided(await story.asked(case_id, "returns"), granted=True)
        story.later(minutes=30)
        view = await story.dispatched(case_id, OTHER_UNIT)

        # 10:30, and four whole hours: one before noon, three after.
        assert instant(view["stage"]["due_at"]) == local("2026-06-01 17:00")
        assert (await story.told(case_id, CaseDispatched))[1]["used_seconds"] == 0

    async def test_refused_it_stays_and_counts_as_shirking(self, story: Story) -> None:
        case_id = await story.with_unit()
        before = await story.case(case_id)
        story.later(minutes=20)
        answer = await story.decided(await story.asked(case_id, "returns"), granted=False)

        assert answer["request"]["state"] == "refused"
        assert answer["case"]["state"] == "accepted"
        assert answer["case"]["stage"]["due_at"] == before["stage"]["due_at"]
        assert (await story.case(case_id))["returns_refused"] == 1

    async def test_the_third_return_calls_for_coordination(self, story: Story) -> None:
        case_id = await story.opened()
        for unit, wanted in ((UNIT, False), (OTHER_UNIT, False), ("transport", True)):
            await story.dispatched(case_id, unit)
            request = await story.asked(case_id, "returns", unit)
            answer = await story.decided(request, granted=True)
            assert answer["case"]["coordination_needed"] is wanted

    async def test_whoever_does_not_have_it_cannot_return_it(self, story: Story) -> None:
        case_id = await story.with_unit()
        path = f"/cases/{case_id}/returns"
        problem = await story.post(story.handler(OTHER_UNIT), path, 404, reason="不是我们的")
        assert problem["code"] == "case-not-found"


class TestExtension:
    async def test_granted_it_adds_to_the_limit(self, story: Story) -> None:
        case_id = await story.with_unit()
        story.later(minutes=30)
        request = await story.asked(case_id, "extensions", limit=TWO_HOURS)
        answer = await story.decided(request, granted=True)

        # Six hours from 09:00.
        assert instant(answer["case"]["stage"]["due_at"]) == local("2026-06-01 17:30")
        [asked] = await story.told(case_id, ExtensionAsked)
        assert asked["limit"] == TWO_HOURS
        [decided] = await story.told(case_id, ExtensionDecided)
        assert decided["added_seconds"] == 7200
        assert decided["clock"]["limit_seconds"] == 6 * 3600
        assert instant(decided["new_due_at"]) == local("2026-06-01 17:30")

    async def test_two_of_them_add_up_and_stay_through_a_re_dispatch(self, story: Story) -> None:
        case_id = await story.with_unit()
        for _ in range(2):
            request = await story.asked(case_id, "extensions", limit=TWO_HOURS)
            await story.decided(request, granted=True)
        await story.decided(await story.asked(case_id, "returns"), granted=True)
        await story.dispatched(case_id, UNIT)
        event = (await story.told(case_id, CaseDispatched))[1]
        assert event["limit"] == {"amount": "8", "kind": "working-hours"}
        assert event["limit_seconds"] == 8 * 3600

    async def test_refused_nothing_changes(self, story: Story) -> None:
        case_id = await story.with_unit()
        before = await story.case(case_id)
        request = await story.asked(case_id, "extensions", limit=TWO_HOURS)
        answer = await story.decided(request, granted=False)
        assert answer["case"]["stage"]["due_at"] == before["stage"]["due_at"]
        [decided] = await story.told(case_id, ExtensionDecided)
        assert (decided["added_seconds"], decided["new_due_at"]) == (None, None)

    async def test_decided_after_the_handing_in_it_still_lengthens(self, story: Story) -> None:
        case_id = await story.with_unit()
        request = await story.asked(case_id, "extensions", limit=TWO_HOURS)
        story.at("2026-06-01 16:00")
        await story.handled(case_id)
        await story.decided(request, granted=True)
        [event] = await story.told(case_id, ExtensionDecided)
        assert event["clock"]["limit_seconds"] == 6 * 3600
        assert event["clock"]["used_seconds"] == int(4.5 * 3600)

    async def test_it_is_stated_in_the_kind_of_the_limit(self, story: Story) -> None:
        case_id = await story.with_unit()
        problem = await story.post(
            story.handler(),
            f"/cases/{case_id}/extensions",
            422,
            reason="要两天",
            limit={"amount": "2", "kind": "days"},
        )
        assert (problem["code"], problem["kind"]) == ("extension-of-other-kind", "working-hours")

    @pytest.mark.parametrize("amount", ["0", "0.0", "-1", "many", "1e3"])
    async def test_an_amount_that_is_none_is_refused(self, story: Story, amount: str) -> None:
        case_id = await story.with_unit()
        limit = {"amount": amount, "kind": "working-hours"}
        path = f"/cases/{case_id}/extensions"
        problem = await story.post(story.handler(), path, 422, reason="x", limit=limit)
        assert problem["faults"][0]["where"] == "body.limit.amount"


class TestDeferral:
    UNTIL = "2026-06-08T09:00:00+08:00"

    async def test_the_clock_stands_still_and_goes_on_by_itself(self, story: Story) -> None:
        case_id = await story.with_unit()
        story.later(minutes=60)
        request = await story.asked(case_id, "deferrals", until=self.UNTIL)
        story.later(minutes=30)
        answer = await story.decided(request, granted=True)
        view = answer["case"]
        assert (view["state"], view["stage"]["kind"]) == ("deferred", "deferral")
        assert view["stage"]["light"] == "none"
        [decided] = await story.told(case_id, DeferralDecided)
        # 1.5 of 4 hours used, 2.5 left from Monday 09:00.
        assert instant(decided["new_due_at"]) == local("2026-06-08 11:30")
        assert decided["clock"]["due_at"] is None
        story.at("2026-06-08 08:59")
        await story.timers()
        assert (await story.case(case_id))["state"] == "deferred"
        # The timer is late, as after a crash; the clock goes on from the true time.
        story.at("2026-06-08 10:00")
        await story.timers()
        await story.timers()

        view = await story.case(case_id)
        assert view["state"] == "accepted"
        assert instant(view["stage"]["due_at"]) == local("2026-06-08 11:30")
        assert instant(view["stage"]["started_at"]) == local("2026-06-08 09:00")
        [ended] = await story.told(case_id, DeferralEnded)
        assert ended["clock"]["used_seconds"] == 90 * 60
        # Monday from 10:30: 4.5 hours; Tuesday to Saturday 6.5 each; the next Monday half an hour.
        assert ended["clock"]["paused_seconds"] == (4.5 + 5 * 6.5 + 0.5) * 3600
        [envelope] = await story.sut.told(DeferralEnded)
        assert envelope.time == local("2026-06-08 09:00")

    async def test_a_command_before_a_late_timer_ends_the_pause_first(self, story: Story) -> None:
        case_id = await self._deferred(story)
        story.at("2026-06-08 10:00")
        await story.handled(case_id)
        await story.timers()
        [event] = await story.told(case_id, CaseHandled)
        assert event["clock"]["used_seconds"] == 3600
        assert len(await story.told(case_id, DeferralEnded)) == 1

    async def test_the_unit_may_take_it_up_before_the_date(self, story: Story) -> None:
        case_id = await self._deferred(story)
        story.at("2026-06-02 08:30")
        view = await story.post(story.handler(), f"/cases/{case_id}/resumption", reason="有款项了")
        assert view["state"] == "accepted"
        assert view["deferred_until"] is None
        assert instant(view["stage"]["due_at"]) == local("2026-06-02 15:00")
        story.at("2026-06-09 10:00")
        await story.timers()
        assert len(await story.told(case_id, DeferralEnded)) == 1

    async def test_a_date_that_has_passed_is_refused(self, story: Story) -> None:
        case_id = await story.with_unit()
        path = f"/cases/{case_id}/deferrals"
        past = "2026-06-01T08:00:00+08:00"
        problem = await story.post(story.handler(), path, 422, reason="缓", until=past)
        assert problem["code"] == "deferral-date-over"

    async def test_a_pause_moves_the_whole_deadline(self, story: Story) -> None:
        case_id = await story.with_unit()
        before = instant((await story.case(case_id))["total"]["due_at"])
        request = await story.asked(case_id, "deferrals", until="2026-06-02T09:00:00+08:00")
        await story.decided(request, granted=True)
        after = instant((await story.case(case_id))["total"]["due_at"])
        assert (after - before).days == 1

    async def _deferred(self, story: Story) -> UUID:
        case_id = await story.with_unit()
        request = await story.asked(case_id, "deferrals", until=self.UNTIL)
        await story.decided(request, granted=True)
        return case_id


class TestHowOftenAndWhen:
    """The conditions under which an extension or a deferral can be asked for at all."""

    async def test_an_extension_is_asked_for_before_the_limit_runs_out(self, story: Story) -> None:
        case_id = await story.with_unit()  # four working hours from 09:00: until 15:30
        path = f"/cases/{case_id}/extensions"
        story.at("2026-06-01 15:31")
        late = await story.post(story.handler(), path, 409, reason="缺件", limit=TWO_HOURS)
        assert late["code"] == "extension-too-late"
        story.at("2026-06-01 15:30")
        await story.asked(case_id, "extensions", limit=TWO_HOURS)

    async def test_asked_for_in_time_and_decided_late_it_is_still_added(self, story: Story) -> None:
        case_id = await story.with_unit()
        story.at("2026-06-01 15:30")
        request = await story.asked(case_id, "extensions", limit=TWO_HOURS)
        story.at("2026-06-02 09:00")
        answer = await story.decided(request, granted=True)
        assert instant(answer["case"]["stage"]["due_at"]) == local("2026-06-01 17:30")
        [decided] = await story.told(case_id, ExtensionDecided)
        # Half an hour to decide from 15:30; the unit's own clock ran all the while.
        assert decided["decided_in_time"] is False
        assert instant(decided["decision_due_at"]) == local("2026-06-01 16:00")
        assert decided["clock"]["used_seconds"] == (4 * 60 + 120 + 30) * 60

    async def test_two_extensions_are_granted_on_a_clock_and_no_third(self, story: Story) -> None:
        case_id = await story.with_unit()
        for _ in range(2):
            request = await story.asked(case_id, "extensions", limit=TWO_HOURS)
            await story.decided(request, granted=True)
        path = f"/cases/{case_id}/extensions"
        problem = await story.post(story.handler(), path, 409, reason="缺件", limit=TWO_HOURS)
        assert problem["code"] == "extensions-used-up"

    async def test_a_refused_extension_does_not_use_one_up(self, story: Story) -> None:
        case_id = await story.with_unit()
        for granted in (False, True, False, True):
            request = await story.asked(case_id, "extensions", limit=TWO_HOURS)
            await story.decided(request, granted=granted)
        assert (await story.case(case_id))["assignments"][0]["extensions"] == 2

    async def test_the_count_follows_the_clock_to_the_same_unit_and_not_to_another(
        self, story: Story
    ) -> None:
        case_id = await story.with_unit()
        for _ in range(2):
            await story.decided(
                await story.asked(case_id, "extensions", limit=TWO_HOURS), granted=True
            )
        await story.decided(await story.asked(case_id, "returns"), granted=True)
        await story.dispatched(case_id, UNIT)
        await story.accepted(case_id, UNIT)
        path = f"/cases/{case_id}/extensions"
        await story.post(story.handler(), path, 409, reason="缺件", limit=TWO_HOURS)
        await story.decided(await story.asked(case_id, "returns"), granted=True)
        await story.dispatched(case_id, OTHER_UNIT)
        await story.accepted(case_id, OTHER_UNIT)
        await story.asked(case_id, "extensions", OTHER_UNIT, limit=TWO_HOURS)

    async def test_a_case_is_put_off_once(self, story: Story) -> None:
        case_id = await story.with_unit()
        until = "2026-06-03T09:00:00+08:00"
        request = await story.asked(case_id, "deferrals", until=until)
        await story.decided(request, granted=True)
        story.at("2026-06-03 10:00")
        path = f"/cases/{case_id}/deferrals"
        later = "2026-06-10T09:00:00+08:00"
        await story.timers()
        problem = await story.post(story.handler(), path, 409, reason="缓", until=later)
        assert problem["code"] == "deferrals-used-up"

    async def test_a_case_is_put_off_for_a_year_at_most(self, story: Story) -> None:
        case_id = await story.with_unit()
        path = f"/cases/{case_id}/deferrals"
        beyond = "2027-06-03T09:00:00+08:00"
        problem = await story.post(story.handler(), path, 422, reason="缓", until=beyond)
        assert problem["code"] == "deferral-too-long"
        assert instant(problem["latest"]) == local("2027-06-02 09:00")
        await story.asked(case_id, "deferrals", until="2027-06-01T09:00:00+08:00")


class TestTwoLevels:
    """An extension takes a dispatcher who proposes it and somebody above who consents."""

    async def test_nobody_grants_it_alone(self, story: Story) -> None:
        case_id = await story.with_unit()
        request = await story.asked(case_id, "extensions", limit=TWO_HOURS)
        grant = {"granted": True, "reason": "同意"}
        for client in (story.dispatcher, story.supervisor):
            problem = await story.post(client, f"/requests/{request}/decision", 409, **grant)
            assert problem["code"] == "second-consent-needed"
        problem = await story.post(story.supervisor, f"/requests/{request}/consent", 409, **grant)
        assert problem["code"] == "request-not-proposed"
        assert (await story.case(case_id))["assignments"][0]["extensions"] == 0

    async def test_proposing_and_consenting_are_two_people(self, story: Story) -> None:
        case_id = await story.with_unit()
        request = await story.asked(case_id, "extensions", limit=TWO_HOURS)
        both = story.someone(Role.DISPATCHER, Role.SUPERVISOR, name="both")
        await story.post(both, f"/requests/{request}/proposal", reason="属实")
        grant = {"granted": True, "reason": "同意"}
        problem = await story.post(both, f"/requests/{request}/consent", 403, **grant)
        assert problem["code"] == "separation-of-duties"
        boss = story.someone(Role.LEADER, name="boss")
        answer = await story.post(boss, f"/requests/{request}/consent", **grant)
        assert answer["request"]["state"] == "granted"
        assert (answer["request"]["proposed_by"], answer["request"]["decided_by"]) == (
            "both",
            "boss",
        )

    async def test_the_clock_runs_on_until_the_second_has_agreed(self, story: Story) -> None:
        case_id = await story.with_unit()
        request = await story.asked(case_id, "extensions", limit=TWO_HOURS)
        before = (await story.case(case_id))["stage"]["due_at"]
        await story.proposed(request)
        assert (await story.case(case_id))["stage"]["due_at"] == before
        await story.post(
            story.supervisor, f"/requests/{request}/consent", granted=True, reason="同意"
        )
        assert instant((await story.case(case_id))["stage"]["due_at"]) == local("2026-06-01 17:30")

    async def test_either_level_refuses_alone(self, story: Story) -> None:
        case_id = await story.with_unit()
        refuse = {"granted": False, "reason": "理由不足"}
        first = await story.asked(case_id, "extensions", limit=TWO_HOURS)
        await story.post(story.dispatcher, f"/requests/{first}/decision", **refuse)
        second = await story.asked(case_id, "extensions", limit=TWO_HOURS)
        await story.proposed(second)
        answer = await story.post(story.supervisor, f"/requests/{second}/consent", **refuse)
        assert answer["request"]["state"] == "refused"

    async def test_the_first_level_cannot_consent_nor_the_second_propose(
        self, story: Story
    ) -> None:
        case_id = await story.with_unit()
        request = await story.asked(case_id, "extensions", limit=TWO_HOURS)
        await story.post(story.supervisor, f"/requests/{request}/proposal", 403, reason="好")
        await story.proposed(request)
        grant = {"granted": True, "reason": "同意"}
        await story.post(story.dispatcher, f"/requests/{request}/consent", 403, **grant)


class TestVoid:
    async def test_a_second_person_approves(self, story: Story) -> None:
        case_id = await story.with_unit()
        asked = await story.post(story.operator, f"/cases/{case_id}/voiding", 201, reason="误报")
        assert asked["case"]["state"] == "accepted"
        path = f"/requests/{asked['request']['id']}/void-decision"
        boss = story.someone(Role.SUPERVISOR, name="boss")
        answer = await story.post(boss, path, granted=True, reason="属实")

        assert answer["case"]["state"] == "voided"
        [event] = await story.told(case_id, CaseVoided)
        assert (event["approved_by"], event["reason"]) == ("boss", "误报")
        problem = await story.post(story.handler(), f"/cases/{case_id}/feedback", 409, text="完成")
        assert (problem["state"], problem["allowed"]) == ("voided", [])

    async def test_nobody_approves_the_own_proposal(self, story: Story) -> None:
        case_id = await story.opened()
        both = story.someone(Role.DISPATCHER, Role.SUPERVISOR, name="both")
        asked = await story.post(both, f"/cases/{case_id}/voiding", 201, reason="误报")
        path = f"/requests/{asked['request']['id']}/void-decision"
        problem = await story.post(both, path, 403, granted=True, reason="好")
        assert problem["code"] == "separation-of-duties"

    async def test_refused_the_case_goes_on(self, story: Story) -> None:
        case_id = await story.opened()
        asked = await story.post(story.operator, f"/cases/{case_id}/voiding", 201, reason="误报")
        path = f"/requests/{asked['request']['id']}/void-decision"
        await story.post(story.someone(Role.SHIFT_LEADER), path, granted=False, reason="不是误报")
        assert (await story.dispatched(case_id))["state"] == "dispatched"


class TestRequests:
    async def test_one_of_a_kind_at_a_time(self, story: Story) -> None:
        case_id = await story.with_unit()
        request = await story.asked(case_id, "returns")
        path = f"/cases/{case_id}/returns"
        problem = await story.post(story.handler(), path, 409, reason="再退")
        assert problem["code"] == "request-already-asked"
        await story.post(story.handler(), f"/requests/{request}/withdrawal", reason="弄清了")
        await story.asked(case_id, "returns")
        assert (await story.case(case_id))["pending_requests"] == 1

    async def test_handing_in_overtakes_a_return(self, story: Story) -> None:
        case_id = await story.with_unit()
        request = await story.asked(case_id, "returns")
        await story.handled(case_id)
        body = {"granted": True, "reason": "同意"}
        problem = await story.post(story.supervisor, f"/requests/{request}/decision", 409, **body)
        assert (problem["code"], problem["state"]) == ("request-not-pending", "lapsed")

    async def test_another_unit_cannot_withdraw_or_see_it(self, story: Story) -> None:
        case_id = await story.with_unit()
        request = await story.asked(case_id, "returns")
        other = story.handler(OTHER_UNIT)
        await story.post(other, f"/requests/{request}/withdrawal", 404)
        assert (await other.get(f"/requests/{request}")).status_code == 404
        assert (await other.get("/requests")).json()["items"] == []
        assert len((await story.handler().get("/requests")).json()["items"]) == 1

    async def test_the_decision_has_a_light_of_its_own(self, story: Story) -> None:
        case_id = await story.with_unit()
        request = await story.asked(case_id, "returns")
        lights = []
        for _ in range(3):
            lights.append((await story.supervisor.get(f"/requests/{request}")).json()["light"])
            story.later(minutes=25 if len(lights) == 1 else 10)
        assert lights == ["green", "yellow", "red"]
        await story.decided(request, granted=False)
        listed = (await story.supervisor.get("/requests?state=refused&kind=return")).json()
        assert [item["light"] for item in listed["items"]] == ["red"]

    async def test_handlers_do_not_decide(self, story: Story) -> None:
        case_id = await story.with_unit()
        request = await story.asked(case_id, "returns")
        path = f"/requests/{request}/decision"
        problem = await story.post(story.handler(), path, 403, granted=True, reason="好")
        assert problem["code"] == "forbidden"

    async def test_a_void_proposal_is_not_decided_as_a_units_request(self, story: Story) -> None:
        case_id = await story.opened()
        asked = await story.post(story.operator, f"/cases/{case_id}/voiding", 201, reason="误报")
        path = f"/requests/{asked['request']['id']}/decision"
        await story.post(story.supervisor, path, 404, granted=True, reason="好")
