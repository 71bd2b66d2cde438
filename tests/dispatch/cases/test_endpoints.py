"""Who may do what with a case over HTTP, and how wrong requests are answered."""

from uuid import uuid4

import pytest

from shared.events.dispatch import CaseDispatched, CaseUrged
from shared.events.vocabulary import Finding
from shared.vocabulary import Role
from tests.dispatch.story import OTHER_UNIT, SHA, UNIT, Story, instant, local

WRONG_ROLES = [
    ("dispatch", {"unit": UNIT}, Role.OPERATOR),
    ("acceptance", {}, Role.DISPATCHER),
    ("feedback", {"text": "完成"}, Role.OPERATOR),
    ("feedback-check", {"accepted": True}, Role.HANDLER),
    ("verification", {}, Role.AGENT),
    ("closing", {}, Role.HANDLER),
    ("resumption", {}, Role.DISPATCHER),
    ("urging", {}, Role.OPERATOR),
    ("returns", {"reason": "退"}, Role.DISPATCHER),
    ("extensions", {"reason": "延"}, Role.DISPATCHER),
    ("deferrals", {"reason": "缓"}, Role.DISPATCHER),
    ("voiding", {"reason": "废"}, Role.HANDLER),
]
PATHS = ["", "/clock", "/journal", "/suggested-units"]


class TestRoles:
    @pytest.mark.parametrize(("action", "body", "role"), WRONG_ROLES)
    async def test_a_wrong_role_is_refused(
        self, story: Story, action: str, body: dict[str, object], role: Role
    ) -> None:
        case_id = await story.opened()
        client = story.someone(role, unit=UNIT)
        problem = await story.post(client, f"/cases/{case_id}/{action}", 403, **body)
        assert problem["code"] == "forbidden"

    async def test_nobody_comes_in_without_signing_in(self, story: Story) -> None:
        case_id = await story.opened()
        stranger = story.someone()
        for path in PATHS:
            assert (await stranger.get(f"/cases/{case_id}{path}")).status_code == 401
        assert (await stranger.get("/cases")).status_code == 401
        assert (await stranger.get("/requests")).status_code == 401
        for action, body, _ in WRONG_ROLES:
            await story.post(stranger, f"/cases/{case_id}/{action}", 401, **body)

    async def test_another_units_case_does_not_exist(self, story: Story) -> None:
        case_id = await story.with_unit()
        number = (await story.case(case_id))["number"]
        other = story.handler(OTHER_UNIT)
        for path in (f"/cases/{case_id}", f"/cases/{case_id}/clock", f"/cases/by-number/{number}"):
            assert (await other.get(path)).status_code == 404
        assert (await other.get(f"/cases?unit={UNIT}")).json()["items"] == []
        await story.post(other, f"/cases/{case_id}/feedback", 404, text="完成")
        assert (await story.handler().get(f"/cases/{case_id}")).status_code == 200

    async def test_a_handler_without_a_unit_sees_nothing(self, story: Story) -> None:
        case_id = await story.opened()
        nobody = story.someone(Role.HANDLER)
        assert (await nobody.get("/cases")).json()["items"] == []
        assert (await nobody.get(f"/cases/{case_id}")).status_code == 404

    @pytest.mark.parametrize("role", [Role.AGENT, Role.SHIFT_LEADER])
    async def test_direct_dispatch_is_for_urgent_cases(self, story: Story, role: Role) -> None:
        ordinary, urgent = await story.opened(), await story.opened(urgent=True)
        client = story.someone(role)
        problem = await story.post(client, f"/cases/{ordinary}/dispatch", 403, unit=UNIT)
        assert problem["code"] == "direct-dispatch-only-urgent"
        assert (await story.post(client, f"/cases/{urgent}/dispatch", unit=UNIT))["unit"] == UNIT

    async def test_who_handles_neither_checks_nor_closes(self, story: Story) -> None:
        case_id = await story.with_unit()
        await story.handled(case_id)
        # One person with two roles, who happens to have handled the case.
        both = story.someone(Role.OPERATOR, name=f"handler-of-{UNIT}")
        problem = await story.post(both, f"/cases/{case_id}/feedback-check", 403, accepted=True)
        assert problem["code"] == "separation-of-duties"
        await story.checked(case_id)
        await story.found(case_id, Finding.PASSED)
        problem = await story.post(both, f"/cases/{case_id}/closing", 403)
        assert problem["code"] == "separation-of-duties"
        await story.closed(case_id)


class TestCommands:
    async def test_what_the_state_does_not_allow_names_what_it_does(self, story: Story) -> None:
        case_id = await story.opened()
        problem = await story.post(story.operator, f"/cases/{case_id}/closing", 409)
        assert problem["code"] == "not-allowed-now"
        assert problem["state"] == "awaiting-dispatch"
        assert problem["allowed"] == ["ask-void", "dispatch", "open-coordination", "urge", "void"]

    async def test_the_same_key_gets_the_same_answer(self, story: Story) -> None:
        case_id = await story.opened()
        path, key = f"/cases/{case_id}/dispatch", {"Idempotency-Key": "once"}
        client = story.dispatcher
        first = await client.post(path, json={"unit": UNIT}, headers=key)
        second = await client.post(path, json={"unit": UNIT}, headers=key)
        other = await client.post(path, json={"unit": OTHER_UNIT}, headers=key)
        assert (first.status_code, second.status_code) == (200, 200)
        assert first.json() == second.json()
        assert other.json()["code"] == "idempotency-key-reused"
        assert len(await story.told(case_id, CaseDispatched)) == 1

    async def test_another_version_than_the_one_read_is_refused(self, story: Story) -> None:
        case_id = await story.opened()
        client, path = story.dispatcher, f"/cases/{case_id}/dispatch"
        tag = (await client.get(f"/cases/{case_id}")).headers["ETag"]
        stale = {"If-Match": '"99"'}
        answer = await client.post(path, json={"unit": UNIT}, headers=stale)
        assert (answer.status_code, answer.json()["current"]) == (412, tag)
        answer = await client.post(path, json={"unit": UNIT}, headers={"If-Match": tag})
        assert answer.status_code == 200
        assert answer.headers["ETag"] == f'"{answer.json()["version"]}"' != tag

    @pytest.mark.parametrize(
        ("body", "code"),
        [
            ({"unit": "nowhere"}, "unit-unknown"),
            ({"unit": "collection-anlan"}, "not-a-responsible-unit"),
            ({"unit": UNIT, "condition": "nothing-9"}, "condition-unknown"),
            ({"unit": UNIT, "condition": "B01002-2"}, "condition-of-other-class"),
            ({"unit": UNIT, "surplus": 1}, "invalid-input"),
            ({"unit": "a\u0000b"}, "invalid-input"),
            ({}, "invalid-input"),
            ({"unit": UNIT, "limit": {"amount": 4, "kind": "hours"}}, "invalid-input"),
        ],
    )
    async def test_a_dispatch_that_makes_no_sense(
        self, story: Story, body: dict[str, object], code: str
    ) -> None:
        case_id = await story.opened()
        problem = await story.post(story.dispatcher, f"/cases/{case_id}/dispatch", 422, **body)
        assert problem["code"] == code
        assert (await story.case(case_id))["state"] == "awaiting-dispatch"

    async def test_the_dispatcher_may_set_condition_limit_and_standard(self, story: Story) -> None:
        case_id = await story.opened()
        view = await story.dispatched(
            case_id,
            condition="B01001-1",
            standard="井盖与路面齐平",
            limit={"amount": "1.5", "kind": "hours"},
        )
        assert view["condition"] == "B01001-1"
        assert instant(view["stage"]["due_at"]) == local("2026-06-01 10:30")
        [event] = await story.told(case_id, CaseDispatched)
        assert event["standard"] == "井盖与路面齐平"
        assert event["limit"] == {"amount": "1.5", "kind": "hours"}
        assert event["limit_seconds"] == 5400

    async def test_refusing_feedback_needs_a_reason(self, story: Story) -> None:
        case_id = await story.with_unit()
        await story.handled(case_id)
        path = f"/cases/{case_id}/feedback-check"
        problem = await story.post(story.operator, path, 422, accepted=False)
        assert problem["code"] == "invalid-input"
        # A number is no decision.
        await story.post(story.operator, path, 422, accepted=1)

    async def test_a_photograph_is_named_by_its_address(self, story: Story) -> None:
        case_id = await story.with_unit()
        path = f"/cases/{case_id}/feedback"
        await story.post(story.handler(), path, 422, text="完成", media=["photo.jpg"])

    async def test_urging_is_told_and_kept(self, story: Story) -> None:
        case_id = await story.with_unit()
        await story.post(story.supervisor, f"/cases/{case_id}/urging", note="来电人再次催问")
        assert await story.told(case_id, CaseUrged) == [{"unit": UNIT, "note": "来电人再次催问"}]
        assert (await story.case(case_id))["journal"][-1]["action"] == "urge"

    async def test_no_such_case(self, story: Story) -> None:
        path = f"/cases/{uuid4()}"
        await story.post(story.dispatcher, f"{path}/dispatch", 404, unit=UNIT)
        assert (await story.dispatcher.get(path)).status_code == 404
        assert (await story.dispatcher.get("/cases/by-number/1")).status_code == 404


class TestFile:
    async def test_it_holds_everything_that_happened(self, story: Story) -> None:
        case_id = await story.with_unit(media=[SHA], ticket_id=story.new_id())
        await story.asked(case_id, "returns")
        await story.handled(case_id)
        await story.checked(case_id)
        await story.found(case_id, Finding.PASSED)
        file = await story.case(case_id)
        assert file["media"] == [SHA]
        assert [item["unit"] for item in file["assignments"]] == [UNIT]
        assert [item["state"] for item in file["requests"]] == ["lapsed"]
        assert [item["media"] for item in file["feedbacks"]] == [[SHA]]
        assert [item["finding"] for item in file["verifications"]] == ["passed"]
        steps = [item["action"] for item in file["journal"]]
        assert steps == [
            "open",
            "dispatch",
            "accept",
            "ask-return",
            "hand-in-feedback",
            "lapse-return",
            "accept-feedback",
            "begin-verification",
            "pass-verification",
        ]
        journal = (await story.handler().get(f"/cases/{case_id}/journal")).json()
        assert [item["action"] for item in journal] == steps
        assert journal[1]["from_state"] == "awaiting-dispatch"
        assert journal[1]["actor_id"] == "dispatcher-1"

    async def test_who_reported_is_hidden_from_units_if_confidential(self, story: Story) -> None:
        ticket = story.new_id()
        case_id = await story.with_unit(ticket_id=ticket, reporter_id="caller-9", confidential=True)
        seen = (await story.handler().get(f"/cases/{case_id}")).json()
        assert (seen["reporter_id"], seen["ticket_id"]) == (None, None)
        assert "caller-9" not in (await story.handler().get(f"/cases/{case_id}")).text
        assert (await story.case(case_id))["reporter_id"] == "caller-9"

    async def test_it_is_found_by_its_number(self, story: Story) -> None:
        case_id = await story.opened()
        number = (await story.case(case_id))["number"]
        found = (await story.dispatcher.get(f"/cases/by-number/{number}")).json()
        assert found["id"] == str(case_id)
