"""Orders that open by themselves: each cause once in a run, with the time at which it was true."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from services.dispatch.app import service
from shared.clock import ManualClock
from shared.events.dispatch import (
    LimitOverrun,
    SupervisionAcknowledged,
    SupervisionOrdered,
    SupervisionOverdue,
)
from shared.events.hotline import TicketInstructed
from shared.events.intake import ReportMerged, ReportUnmerged
from shared.events.vocabulary import Finding, Place, Source
from shared.pack.model import CityPack
from shared.testing import service_under_test
from tests.dispatch.story import GRID, OTHER_UNIT, UNIT, Story, instant, local

ORDERS = "/supervision-orders"


async def orders(story: Story, query: str = "") -> list[dict[str, Any]]:
    answer = await story.supervisor.get(f"{ORDERS}?order=newest&{query}")
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


async def failed(story: Story, case_id: UUID, round_: int) -> None:
    """A unit hands in, the collector finds that it is not done, and it goes out again."""
    await story.handled(case_id)
    await story.checked(case_id)
    await story.found(case_id, Finding.FAILED, round_=round_)
    await story.dispatched(case_id)
    await story.accepted(case_id)


async def settled(story: Story, order: dict[str, Any]) -> None:
    path = f"{ORDERS}/{order['id']}"
    unit = story.handler(order["unit"])
    await story.post(unit, f"{path}/acknowledgement")
    await story.post(unit, f"{path}/answers", text="已整改")
    await story.post(story.supervisor, f"{path}/judgement", accepted=True)
    await story.post(story.supervisor, f"{path}/striking-off")


class TestRedLight:
    async def test_it_opens_an_order_to_the_unit_with_the_true_time(self, story: Story) -> None:
        case_id = await story.with_unit()  # four working hours from 09:00: 15:30
        story.at("2026-06-01 15:30")
        await story.timers()
        assert await orders(story) == []
        # The worker was down for a day.
        story.at("2026-06-02 10:00")
        await story.timers()
        await story.timers()

        [order] = await orders(story)
        assert (order["cause"], order["kind"], order["unit"]) == ("red-light", "time-out", UNIT)
        assert (order["by_rule"], order["ordered_by"]) == ("red-light", "rule:red-light")
        assert [case["id"] for case in order["cases"]] == [str(case_id)]
        due = local("2026-06-01 15:30") + timedelta(microseconds=1)
        assert instant(order["caused_at"]) == due
        # The unit's time begins when it can know.
        assert instant(order["ordered_at"]) == local("2026-06-02 10:00")
        assert instant(order["acknowledgement"]["due_at"]) == local("2026-06-02 10:30")
        assert (await story.case(case_id))["open_orders"] == 1
        [told] = await story.sut.told(SupervisionOrdered)
        assert (told.data["by_rule"], told.actorid) == ("red-light", "rule:red-light")
        handling = [item for item in await story.sut.told(LimitOverrun) if item.data["unit"]]
        assert told.correlationid == handling[0].correlationid

    async def test_once_in_a_run_even_if_the_limit_moves(self, story: Story) -> None:
        case_id = await story.with_unit()
        more = {"amount": "1", "kind": "working-hours"}
        request = await story.asked(case_id, "extensions", limit=more)
        story.at("2026-06-01 16:00")
        await story.timers()
        await story.decided(request, granted=True)
        story.at("2026-06-02 09:00")
        await story.timers()
        assert len(await story.told(case_id, LimitOverrun)) >= 2
        assert len(await orders(story)) == 1
        # Another unit begins a run of its own.
        await story.decided(await story.asked(case_id, "returns"), granted=True)
        await story.dispatched(case_id, OTHER_UNIT)
        await story.accepted(case_id, OTHER_UNIT)
        story.at("2026-06-08 09:00")
        await story.timers()
        assert [order["unit"] for order in await orders(story)] == [OTHER_UNIT, UNIT]

    async def test_about_a_case_that_was_voided_nobody_is_chased(self, story: Story) -> None:
        case_id = await story.with_unit()
        story.at("2026-06-01 16:00")
        asked = await story.post(story.operator, f"/cases/{case_id}/voiding", 201, reason="误报")
        path = f"/requests/{asked['request']['id']}/void-decision"
        await story.post(story.supervisor, path, granted=True, reason="属实")
        await story.timers()
        assert await story.told(case_id, LimitOverrun) != []
        assert await orders(story) == []

    async def test_in_time_there_is_none(self, story: Story) -> None:
        case_id = await story.with_unit()
        await story.handled(case_id)
        story.later(days=10)
        await story.timers()
        assert await orders(story) == []

    async def test_what_a_person_has_ordered_already_is_the_same_entry(self, story: Story) -> None:
        case_id = await story.with_unit()
        body = {"cause": "red-light", "cases": [str(case_id)]}
        mine = await story.post(story.supervisor, ORDERS, 201, **body)
        story.at("2026-06-01 17:00")
        await story.timers()
        [order] = await orders(story)
        assert order["id"] == mine["id"]
        file = (await story.supervisor.get(f"{ORDERS}/{mine['id']}")).json()
        again = [line for line in file["journal"] if line["action"] == "order-again"]
        assert [line["actor_id"] for line in again] == ["rule:red-light"]


class TestFailedVerification:
    async def test_the_second_of_a_run_opens_one(self, story: Story) -> None:
        case_id = await story.with_unit()
        await failed(story, case_id, 1)
        assert await orders(story) == []
        await failed(story, case_id, 2)
        [order] = await orders(story)
        assert (order["cause"], order["unit"], order["level"]) == (
            "failed-verification",
            UNIT,
            "key",
        )
        await settled(story, order)
        # The third of the same run was ordered about already.
        await failed(story, case_id, 3)
        assert len(await orders(story)) == 1


class TestShirking:
    async def test_the_third_return_granted_or_refused_opens_one(self, story: Story) -> None:
        case_id = await story.with_unit()
        await story.decided(await story.asked(case_id, "returns"), granted=False)
        await story.decided(await story.asked(case_id, "returns"), granted=True)
        await story.dispatched(case_id, OTHER_UNIT)
        assert await orders(story) == []
        answer = await story.decided(
            await story.asked(case_id, "returns", OTHER_UNIT), granted=True
        )
        [order] = await orders(story)
        assert (order["cause"], order["unit"]) == ("shirking", OTHER_UNIT)
        assert answer["case"]["open_orders"] == 1


class TestNotAccepted:
    async def test_an_urgent_case_that_waits_opens_one(self, story: Story) -> None:
        case_id = await story.opened(urgent=True)
        await story.dispatched(case_id)
        story.at("2026-06-01 09:30")
        await story.timers()
        assert await orders(story) == []
        story.at("2026-06-01 11:00")
        await story.timers()
        await story.timers()
        [order] = await orders(story)
        assert (order["cause"], order["unit"]) == ("not-accepted", UNIT)
        limit = local("2026-06-01 09:30") + timedelta(microseconds=1)
        assert instant(order["caused_at"]) == limit

    async def test_accepted_too_late_while_the_worker_was_down_counts(self, story: Story) -> None:
        case_id = await story.opened(urgent=True)
        await story.dispatched(case_id)
        story.at("2026-06-01 09:31")
        await story.accepted(case_id)
        await story.timers()
        assert [order["cause"] for order in await orders(story)] == ["not-accepted"]

    async def test_accepted_in_time_or_taken_back_there_is_none(self, story: Story) -> None:
        accepted = await story.opened(urgent=True)
        await story.dispatched(accepted)
        returned = await story.opened(urgent=True)
        await story.dispatched(returned)
        ordinary = await story.opened()
        await story.dispatched(ordinary)
        story.at("2026-06-01 09:30")
        await story.accepted(accepted)
        await story.decided(await story.asked(returned, "returns"), granted=True)
        story.at("2026-06-01 10:00")
        await story.timers()
        assert await orders(story, "cause=not-accepted") == []


def caller_reports(caller: str, **changes: Any) -> dict[str, Any]:
    return {"source": Source.HOTLINE, "reporter_id": caller, **changes}


class TestRepeatedComplaint:
    CALLER = str(uuid4())

    async def test_the_third_about_one_place_chases_who_had_it(self, story: Story) -> None:
        first = await story.opened(**caller_reports(self.CALLER))
        await story.dispatched(first, OTHER_UNIT)
        story.later(days=10)
        second = await story.opened(**caller_reports(self.CALLER))
        story.later(days=10)
        assert await orders(story) == []
        third = await story.opened(**caller_reports(self.CALLER))
        [order] = await orders(story)
        assert (order["cause"], order["unit"]) == ("repeated-complaint", OTHER_UNIT)
        assert {case["id"] for case in order["cases"]} == {str(first), str(second), str(third)}
        assert self.CALLER not in (await story.supervisor.get(f"{ORDERS}/{order['id']}")).text
        # The fourth belongs to the same matter.
        fourth = await story.opened(**caller_reports(self.CALLER))
        [order] = await orders(story)
        assert str(fourth) in {case["id"] for case in order["cases"]}
        assert (await story.case(fourth))["open_orders"] == 1
        await settled(story, order)
        assert (await story.case(fourth))["open_orders"] == 0

    async def test_others_elsewhere_and_long_ago_are_not_counted(self, story: Story) -> None:
        case_id = await story.opened(**caller_reports(self.CALLER))
        await story.dispatched(case_id)
        await story.opened(**caller_reports(str(uuid4())))
        far = Place(longitude=103.80, latitude=36.06, grid=GRID)
        await story.opened(**caller_reports(self.CALLER, place=far))
        collector = {"source": Source.COLLECTOR, "reporter_id": self.CALLER}
        await story.opened(**collector)
        story.later(days=31)
        await story.opened(**caller_reports(self.CALLER))
        await story.opened(**caller_reports(self.CALLER))
        assert await orders(story) == []

    async def test_merged_reports_count_and_unmerged_ones_do_not(self, story: Story) -> None:
        report_id = uuid4()
        await self._merged(story, report_id)
        case_id = await story.opened(report_id=report_id, **caller_reports(self.CALLER))
        await story.dispatched(case_id)
        wrong = await self._merged(story, report_id)
        [order] = await orders(story)
        assert (order["cause"], order["unit"]) == ("repeated-complaint", UNIT)
        await settled(story, order)
        fact = ReportUnmerged(from_report_id=report_id, reason="不是一回事")
        await story.sut.deliver(fact, subject=wrong)
        await story.opened(
            **caller_reports(self.CALLER, place=Place(longitude=103.80, latitude=36.06, grid=GRID))
        )
        assert len(await orders(story)) == 1

    async def _merged(self, story: Story, into: UUID) -> UUID:
        report_id = uuid4()
        fact = ReportMerged(into_report_id=into, source=Source.HOTLINE, reporter_id=self.CALLER)
        await story.sut.deliver(fact, subject=report_id)
        return report_id

    async def test_where_nobody_was_sent_nobody_is_chased(self, story: Story) -> None:
        for _ in range(3):
            await story.opened(**caller_reports(self.CALLER))
        assert await orders(story) == []


class TestOverdue:
    async def test_it_is_told_once_with_its_true_time(self, story: Story) -> None:
        body = {
            "cause": "important",
            "unit": UNIT,
            "title": "整治",
            "due_at": "2026-06-01T17:30:00+08:00",
        }
        order = await story.post(story.supervisor, ORDERS, 201, **body)
        story.at("2026-06-01 09:30")
        await story.timers()
        assert await story.sut.told(SupervisionOverdue) == []
        story.at("2026-06-02 12:00")
        await story.timers()
        await story.timers()
        told = await story.sut.told(SupervisionOverdue)
        assert [(item.data["step"], item.time.replace(microsecond=0)) for item in told] == [
            ("acknowledgement", local("2026-06-01 09:30")),
            ("answer", local("2026-06-01 17:30")),
        ]
        await story.post(story.handler(UNIT), f"{ORDERS}/{order['id']}/acknowledgement")
        [acknowledged] = await story.sut.told(SupervisionAcknowledged)
        assert acknowledged.data["in_time"] is False
        await story.timers()
        assert len(await story.sut.told(SupervisionOverdue)) == 2

    async def test_what_was_answered_in_time_is_not_told(self, story: Story) -> None:
        body = {"cause": "important", "unit": UNIT, "title": "整治"}
        order = await story.post(story.supervisor, ORDERS, 201, **body)
        await settled(story, order)
        story.later(days=30)
        await story.timers()
        assert await story.sut.told(SupervisionOverdue) == []


class TestSwitchedOff:
    @pytest.fixture
    async def quiet(
        self, database_url: str, qilihe: CityPack, tmp_path: Path, clock: ManualClock
    ) -> AsyncIterator[Story]:
        """A city whose rules open nothing."""
        off = replace(qilihe.supervision, by_rule=frozenset())
        pack = replace(qilihe, supervision=off)
        async with service_under_test(
            service, database_url=database_url, pack=pack, folder=tmp_path, clock=clock
        ) as found:
            yield Story(found, pack, clock)

    async def test_rules_that_are_off_open_nothing(self, quiet: Story) -> None:
        urgent = await quiet.opened(urgent=True, **caller_reports("c"))
        await quiet.dispatched(urgent)
        case_id = await quiet.with_unit(**caller_reports("c"))
        await failed(quiet, case_id, 1)
        await failed(quiet, case_id, 2)
        for _ in range(3):
            await quiet.decided(await quiet.asked(case_id, "returns"), granted=False)
        await quiet.opened(**caller_reports("c"))
        quiet.later(days=30)
        await quiet.timers()
        assert await orders(quiet) == []


class TestInstruction:
    async def _instructed(self, story: Story, ticket: UUID, **change: Any) -> None:
        fact = {
            "number": "H2026060100001",
            "leader": "分管副区长",
            "reference": "批示〔2026〕17 号",
            "text": "请三日内办结。",
        }
        event = TicketInstructed.model_validate(fact | change)
        await story.sut.deliver(event, subject=ticket)

    async def test_it_is_an_order_to_the_unit_that_has_the_case(self, story: Story) -> None:
        ticket = uuid4()
        case_id = await story.with_unit(ticket_id=ticket)
        await self._instructed(story, ticket)
        [order] = await orders(story)
        assert (order["cause"], order["level"], order["unit"]) == (
            "instruction",
            "leading-group",
            UNIT,
        )
        assert (order["source"], order["reference"]) == ("分管副区长", "批示〔2026〕17 号")
        assert order["asked"] == "请三日内办结。"
        assert [case["id"] for case in order["cases"]] == [str(case_id)]
        # Another paper on the same case is another matter.
        await self._instructed(story, ticket, reference="批示〔2026〕18 号")
        assert (await story.case(case_id))["open_orders"] == 2

    async def test_before_the_dispatch_it_waits_for_the_unit(self, story: Story) -> None:
        ticket = uuid4()
        await self._instructed(story, ticket)
        given = story.clock.now()
        case_id = await story.opened(ticket_id=ticket)
        assert await orders(story) == []
        story.later(minutes=10)
        view = await story.dispatched(case_id)
        [order] = await orders(story)
        assert (order["cause"], order["unit"]) == ("instruction", UNIT)
        assert instant(order["caused_at"]) == given
        assert view["open_orders"] == 1
        await story.decided(await story.asked(case_id, "returns"), granted=True)
        await story.dispatched(case_id, OTHER_UNIT)
        assert len(await orders(story)) == 1

    async def test_on_a_merged_ticket_it_follows_the_other_case(self, story: Story) -> None:
        report_id, ticket = uuid4(), uuid4()
        case_id = await story.opened(report_id=report_id)
        fact = ReportMerged(into_report_id=report_id, source=Source.HOTLINE, ticket_id=ticket)
        await story.sut.deliver(fact, subject=uuid4())
        await self._instructed(story, ticket)
        await story.dispatched(case_id)
        assert [order["unit"] for order in await orders(story)] == [UNIT]

    async def test_a_unit_that_is_named_need_not_have_a_case(self, story: Story) -> None:
        await self._instructed(story, uuid4(), unit=OTHER_UNIT)
        [order] = await orders(story)
        assert (order["unit"], order["title"], order["cases"]) == (
            OTHER_UNIT,
            "H2026060100001",
            [],
        )
