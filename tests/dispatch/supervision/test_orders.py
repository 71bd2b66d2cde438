"""Orders as a supervisor, a unit and a leader see them: opened, followed, struck off, published."""

import asyncio
import csv
import io
from typing import Any
from uuid import uuid4

import pytest

from shared.events.dispatch import (
    SupervisionAccepted,
    SupervisionAcknowledged,
    SupervisionAnswered,
    SupervisionExtended,
    SupervisionOrdered,
    SupervisionPublished,
    SupervisionSentBack,
    SupervisionStruckOff,
)
from shared.vocabulary import Role
from tests.dispatch.story import OTHER_UNIT, SHA, UNIT, Story, instant, local

ORDERS = "/supervision-orders"
DECISION = {
    "cause": "meeting",
    "unit": UNIT,
    "title": "西津西路占道经营整治",
    "source": "区政府常务会议",
    "reference": "纪要〔2026〕3 号",
}


class Ledger:
    """The people of supervision."""

    def __init__(self, story: Story) -> None:
        self.story = story

    @property
    def leader(self) -> Any:
        return self.story.someone(Role.LEADER)

    async def ordered(self, expect: int = 201, **body: Any) -> dict[str, Any]:
        return await self.story.post(self.story.supervisor, ORDERS, expect, **body)

    async def unit(self, order: dict[str, Any], step: str, expect: int = 200, **body: Any) -> Any:
        path = f"{ORDERS}/{order['id']}/{step}"
        return await self.story.post(self.story.handler(order["unit"]), path, expect, **body)

    async def centre(self, order: dict[str, Any], step: str, expect: int = 200, **body: Any) -> Any:
        path = f"{ORDERS}/{order['id']}/{step}"
        return await self.story.post(self.story.supervisor, path, expect, **body)

    async def answered(self, order: dict[str, Any]) -> None:
        await self.unit(order, "acknowledgement")
        await self.unit(order, "answers", text="已整改", media=[SHA])

    async def settled(self, order: dict[str, Any]) -> None:
        await self.answered(order)
        await self.centre(order, "judgement", accepted=True)
        await self.centre(order, "striking-off")

    async def file(self, order: dict[str, Any]) -> dict[str, Any]:
        answer = await self.story.supervisor.get(f"{ORDERS}/{order['id']}")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def listed(self, query: str = "", client: Any = None) -> list[dict[str, Any]]:
        answer = await (client or self.story.supervisor).get(f"{ORDERS}{query}")
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()["items"]
        return found


@pytest.fixture
def ledger(story: Story) -> Ledger:
    return Ledger(story)


class TestOpening:
    async def test_on_a_case_it_goes_to_the_unit_that_has_it(
        self, story: Story, ledger: Ledger
    ) -> None:
        case_id = await story.with_unit()
        order = await ledger.ordered(cause="important", cases=[str(case_id)])

        assert (order["unit"], order["state"], order["kind"]) == (UNIT, "ordered", "important")
        assert order["level"] == "key"
        assert [case["id"] for case in order["cases"]] == [str(case_id)]
        # Half a working hour to acknowledge; three working days of 6.5 hours to answer.
        assert instant(order["acknowledgement"]["due_at"]) == local("2026-06-01 09:30")
        assert instant(order["due_at"]) == local("2026-06-04 09:00")
        [told] = await story.sut.told(SupervisionOrdered)
        assert (told.subject, told.data["case_ids"]) == (order["id"], [str(case_id)])
        assert (told.data["unit"], told.data["by_rule"]) == (UNIT, None)

    async def test_the_case_shows_how_many_orders_are_open(
        self, story: Story, ledger: Ledger
    ) -> None:
        case_id = await story.with_unit()
        before = await story.case(case_id)
        first = await ledger.ordered(cause="important", cases=[str(case_id)])
        await ledger.ordered(cause="shirking", cases=[str(case_id)])
        after = await story.case(case_id)
        assert (before["open_orders"], after["open_orders"]) == (0, 2)
        # Being chased is no step of the case: a command meant for its version still holds.
        assert after["version"] == before["version"]
        await ledger.settled(first)
        assert (await story.case(case_id))["open_orders"] == 1
        items = (await story.dispatcher.get("/cases")).json()["items"]
        assert [item["open_orders"] for item in items] == [1]

    async def test_one_matter_has_one_entry(self, story: Story, ledger: Ledger) -> None:
        first = await ledger.ordered(**DECISION)
        again = await ledger.ordered(200, **{**DECISION, "title": "同一纪要"})
        assert again["id"] == first["id"]
        assert len(await ledger.listed()) == 1
        assert "order-again" in [line["action"] for line in (await ledger.file(first))["journal"]]
        # To another unit it is another matter; and once struck off it may come up anew.
        await ledger.ordered(**{**DECISION, "unit": OTHER_UNIT})
        await ledger.settled(first)
        anew = await ledger.ordered(**DECISION)
        assert anew["id"] != first["id"]
        assert anew["number"] != first["number"]

    async def test_two_who_order_the_same_at_once_get_one_entry(
        self, story: Story, ledger: Ledger
    ) -> None:
        people = [story.someone(Role.SUPERVISOR, name=f"supervisor-{n}") for n in range(4)]
        answers = await asyncio.gather(*(person.post(ORDERS, json=DECISION) for person in people))
        codes = sorted(answer.status_code for answer in answers)
        assert codes == [200, 200, 200, 201], [answer.text for answer in answers]
        assert len({answer.json()["id"] for answer in answers}) == 1
        assert len(await ledger.listed()) == 1
        assert len(await story.sut.told(SupervisionOrdered)) == 1

    async def test_being_chased_stops_nobodys_work_on_the_case(
        self, story: Story, ledger: Ledger
    ) -> None:
        case_id = await story.with_unit()
        order = {"cause": "important", "cases": [str(case_id)]}
        chased, handled = await asyncio.gather(
            story.supervisor.post(ORDERS, json=order),
            story.handler().post(f"/cases/{case_id}/feedback", json={"text": "完成"}),
        )
        assert (chased.status_code, handled.status_code) == (201, 200), handled.text
        case = await story.case(case_id)
        assert (case["state"], case["open_orders"]) == ("handled", 1)

    async def test_several_cases_and_several_orders(self, story: Story, ledger: Ledger) -> None:
        cases = [str(await story.with_unit()) for _ in range(2)]
        order = await ledger.ordered(cause="important", cases=[*cases, cases[0]], title="两处井盖")
        assert {case["id"] for case in order["cases"]} == set(cases)
        other = await ledger.ordered(cause="important", cases=cases[:1])
        assert other["id"] != order["id"]
        assert len(await ledger.listed(f"?case={cases[0]}")) == 2
        assert len(await ledger.listed(f"?case={cases[1]}")) == 1

    async def test_the_words_of_who_orders_go_before_the_packs(
        self, story: Story, ledger: Ledger
    ) -> None:
        order = await ledger.ordered(
            **DECISION, level="ordinary", asked="三日内清理", due_at="2026-06-02T17:30:00+08:00"
        )
        assert (order["level"], order["asked"]) == ("ordinary", "三日内清理")
        assert instant(order["due_at"]) == local("2026-06-02 17:30")
        assert instant(order["warn_at"]) == local("2026-06-02 15:00")

    @pytest.mark.parametrize(
        ("change", "code"),
        [
            ({"reference": None}, "order-source-missing"),
            ({"title": None}, "order-subject-missing"),
            ({"unit": None}, "order-unit-not-named"),
            ({"unit": "nobody"}, "unit-unknown"),
            ({"due_at": "2026-06-01T08:59:00+08:00"}, "order-date-over"),
        ],
    )
    async def test_what_is_missing_is_said(
        self, ledger: Ledger, change: dict[str, Any], code: str
    ) -> None:
        problem = await ledger.ordered(422, **(DECISION | change))
        assert problem["code"] == code

    async def test_an_unknown_case_is_refused(self, ledger: Ledger) -> None:
        problem = await ledger.ordered(404, cause="important", unit=UNIT, cases=[str(uuid4())])
        assert problem["code"] == "case-not-found"
        assert await ledger.listed() == []

    @pytest.mark.parametrize("role", [Role.DISPATCHER, Role.HANDLER, Role.OPERATOR])
    async def test_others_do_not_order(self, story: Story, role: Role) -> None:
        answer = await story.someone(role, unit=UNIT).post(ORDERS, json=DECISION)
        assert answer.status_code == 403


class TestTheWay:
    async def test_from_the_order_to_the_bulletin(self, story: Story, ledger: Ledger) -> None:
        order = await ledger.ordered(**DECISION)
        story.later(minutes=40)
        shown = await ledger.unit(order, "acknowledgement")
        assert shown["acknowledgement"]["light"] == "red"
        await ledger.unit(order, "answers", text="已清理一半", media=[SHA])
        back = await ledger.centre(order, "judgement", accepted=False, reason="尚有三处")
        assert (back["state"], back["answered_at"]) == ("sent-back", None)
        await ledger.unit(order, "answers", text="全部清理", media=[SHA])
        await ledger.centre(order, "judgement", accepted=True, reason="属实")
        await ledger.centre(order, "striking-off", reason="办结")
        done = await ledger.centre(order, "publication", bulletin="督办通报第 6 期")

        assert (done["state"], done["allowed"], done["light"]) == ("published", [], "green")
        file = await ledger.file(order)
        answers = file["answer_list"]
        assert [(item["text"], item["accepted"], item["judged_reason"]) for item in answers] == [
            ("已清理一半", False, "尚有三处"),
            ("全部清理", True, "属实"),
        ]
        assert [line["to_state"] for line in file["journal"]] == [
            "ordered", "acknowledged", "answered", "sent-back",
            "answered", "accepted", "struck-off", "published",
        ]  # fmt: skip
        told = [item for item in await story.sut.told() if item.subject == order["id"]]
        assert [item.type for item in told] == [
            event.TYPE
            for event in (
                SupervisionOrdered,
                SupervisionAcknowledged,
                SupervisionAnswered,
                SupervisionSentBack,
                SupervisionAnswered,
                SupervisionAccepted,
                SupervisionStruckOff,
                SupervisionPublished,
            )
        ]
        assert [item.sequence for item in told] == list(range(1, 9))
        assert (told[1].data["in_time"], told[6].data["in_time"]) == (False, True)

    async def test_who_answered_neither_judges_nor_strikes_off(
        self, story: Story, ledger: Ledger
    ) -> None:
        order = await ledger.ordered(**DECISION)
        both = story.someone(Role.HANDLER, Role.SUPERVISOR, name="both", unit=UNIT)
        path = f"{ORDERS}/{order['id']}"
        await story.post(both, f"{path}/acknowledgement")
        await story.post(both, f"{path}/answers", text="完成")
        problem = await story.post(both, f"{path}/judgement", 403, accepted=True)
        assert problem["code"] == "separation-of-duties"
        await ledger.centre(order, "judgement", accepted=True)
        problem = await story.post(both, f"{path}/striking-off", 403)
        assert problem["code"] == "separation-of-duties"
        assert (await ledger.centre(order, "striking-off"))["state"] == "struck-off"

    async def test_sending_back_needs_a_reason(self, ledger: Ledger) -> None:
        order = await ledger.ordered(**DECISION)
        await ledger.answered(order)
        await ledger.centre(order, "judgement", 422, accepted=False)

    async def test_a_step_out_of_turn_is_refused_with_what_is_allowed(self, ledger: Ledger) -> None:
        order = await ledger.ordered(**DECISION)
        problem = await ledger.centre(order, "striking-off", 409)
        assert (problem["code"], problem["state"]) == ("not-allowed-now", "ordered")
        assert problem["allowed"] == ["acknowledge"]

    async def test_another_unit_neither_sees_nor_answers_it(
        self, story: Story, ledger: Ledger
    ) -> None:
        order = await ledger.ordered(**DECISION)
        other = story.handler(OTHER_UNIT)
        path = f"{ORDERS}/{order['id']}"
        assert (await other.get(path)).status_code == 404
        assert (await story.post(other, f"{path}/acknowledgement", 404))["code"] == (
            "supervision-order-not-found"
        )
        assert await ledger.listed(f"?unit={UNIT}", other) == []
        assert (await other.get(f"/supervision-ledger?unit={UNIT}")).json()["items"] == []
        assert UNIT not in (await other.get(f"/supervision-ledger/export?unit={UNIT}")).text
        assert len(await ledger.listed("", story.handler(UNIT))) == 1

    async def test_a_command_for_an_older_version_is_refused(
        self, story: Story, ledger: Ledger
    ) -> None:
        order = await ledger.ordered(**DECISION)
        await ledger.unit(order, "acknowledgement")
        answer = await story.handler(UNIT).post(
            f"{ORDERS}/{order['id']}/answers",
            json={"text": "完成"},
            headers={"If-Match": f'"{order["version"]}"'},
        )
        assert answer.status_code == 412

    async def test_a_command_sent_twice_has_one_effect(self, story: Story, ledger: Ledger) -> None:
        headers = {"Idempotency-Key": "the-same"}
        answers = [
            (await story.supervisor.post(ORDERS, json=DECISION, headers=headers)).json()["id"]
            for _ in range(2)
        ]
        assert answers[0] == answers[1]
        assert len(await story.sut.told(SupervisionOrdered)) == 1


class TestExtension:
    UNTIL = "2026-06-12T17:30:00+08:00"

    async def test_report_and_consent_move_the_date_and_keep_the_old_one(
        self, story: Story, ledger: Ledger
    ) -> None:
        order = await ledger.ordered(**DECISION)
        await ledger.unit(order, "acknowledgement")
        asked = await ledger.unit(
            order, "extensions", 201, report="须待夜间施工", media=[SHA], until=self.UNTIL
        )
        assert (asked["number"], asked["state"]) == (1, "asked")
        assert (await ledger.file(order))["due_at"] == order["due_at"]
        path = f"{ORDERS}/{order['id']}/extensions/1/decision"
        body = {"granted": True, "reason": "同意"}
        problem = await story.post(story.supervisor, path, 403, **body)
        assert problem["code"] == "forbidden"
        shown = await story.post(ledger.leader, path, **body)

        assert instant(shown["due_at"]) == instant(self.UNTIL)
        assert shown["first_due_at"] == order["due_at"]
        [extension] = (await ledger.file(order))["extension_list"]
        assert (extension["old_due_at"], extension["state"]) == (order["due_at"], "granted")
        assert extension["decision_reason"] == "同意"
        [told] = await story.sut.told(SupervisionExtended)
        assert instant(told.data["old_due_at"]) == instant(order["due_at"])
        assert instant(told.data["new_due_at"]) == instant(self.UNTIL)
        problem = await story.post(ledger.leader, path, 409, **body)
        assert problem["code"] == "order-extension-not-pending"

    async def test_refused_the_date_stays(self, story: Story, ledger: Ledger) -> None:
        order = await ledger.ordered(**DECISION)
        await ledger.unit(order, "acknowledgement")
        await ledger.unit(order, "extensions", 201, report="困难", until=self.UNTIL)
        problem = await ledger.unit(order, "extensions", 409, report="困难", until=self.UNTIL)
        assert problem["code"] == "order-extension-already-asked"
        path = f"{ORDERS}/{order['id']}/extensions/1/decision"
        shown = await story.post(ledger.leader, path, granted=False, reason="不同意")
        assert shown["due_at"] == order["due_at"]
        assert await story.sut.told(SupervisionExtended) == []

    async def test_it_is_asked_in_time_and_for_a_later_date(
        self, story: Story, ledger: Ledger
    ) -> None:
        order = await ledger.ordered(**DECISION)
        problem = await ledger.unit(order, "extensions", 409, report="困难", until=self.UNTIL)
        assert problem["allowed"] == ["acknowledge"]
        await ledger.unit(order, "acknowledgement")
        earlier = "2026-06-02T09:00:00+08:00"
        problem = await ledger.unit(order, "extensions", 422, report="困难", until=earlier)
        assert problem["code"] == "order-date-over"
        story.at("2026-06-20 09:00")
        late = "2026-06-30T09:00:00+08:00"
        problem = await ledger.unit(order, "extensions", 422, report="困难", until=late)
        assert problem["code"] == "order-date-over"

    async def test_an_answer_overtakes_it(self, story: Story, ledger: Ledger) -> None:
        order = await ledger.ordered(**DECISION)
        await ledger.unit(order, "acknowledgement")
        await ledger.unit(order, "extensions", 201, report="困难", until=self.UNTIL)
        await ledger.unit(order, "answers", text="已完成")
        path = f"{ORDERS}/{order['id']}/extensions/1/decision"
        problem = await story.post(ledger.leader, path, 409, granted=True, reason="同意")
        assert problem["state"] == "lapsed"


class TestLists:
    async def test_three_colours_by_time_left(self, story: Story, ledger: Ledger) -> None:
        order = await ledger.ordered(**DECISION, due_at="2026-06-02T17:30:00+08:00")
        seen = {}
        for moment in ("2026-06-02 14:59", "2026-06-02 15:00", "2026-06-02 17:31"):
            story.at(moment)
            [colour] = [
                light
                for light in ("green", "yellow", "red")
                if [item["id"] for item in await ledger.listed(f"?light={light}")] == [order["id"]]
            ]
            assert (await ledger.file(order))["light"] == colour
            seen[moment[-5:]] = colour
        assert seen == {"14:59": "green", "15:00": "yellow", "17:31": "red"}

    async def test_filters_and_pages(self, story: Story, ledger: Ledger) -> None:
        case_id = await story.with_unit()
        orders = [
            await ledger.ordered(cause=cause, cases=[str(case_id)])
            for cause in ("important", "shirking", "red-light", "not-accepted")
        ]
        other = await ledger.ordered(**{**DECISION, "unit": OTHER_UNIT})
        assert {item["cause"] for item in await ledger.listed("?kind=time-out")} == {
            "red-light",
            "not-accepted",
        }
        assert await ledger.listed("?kind=time-out&cause=shirking") == []
        assert [item["id"] for item in await ledger.listed("?level=leading-group")] == [other["id"]]
        assert [item["id"] for item in await ledger.listed(f"?unit={OTHER_UNIT}")] == [other["id"]]
        assert len(await ledger.listed("?by_rule=true")) == 0
        await ledger.settled(orders[0])
        assert [item["id"] for item in await ledger.listed("?open=false")] == [orders[0]["id"]]
        assert [item["id"] for item in await ledger.listed("?state=struck-off")] == [
            orders[0]["id"]
        ]
        for order_ in ("due", "newest"):
            found, query = [], f"?limit=2&order={order_}"
            while True:
                page = (await story.supervisor.get(f"{ORDERS}{query}")).json()
                found += page["items"]
                if page["next_cursor"] is None:
                    break
                query = f"?limit=2&order={order_}&cursor={page['next_cursor']}"
            key = "due_at" if order_ == "due" else "ordered_at"
            times = [item[key] for item in found]
            assert times == sorted(times, reverse=order_ == "newest")
            assert len({item["id"] for item in found}) == 5


class TestLedger:
    async def test_every_order_is_counted_once(self, story: Story, ledger: Ledger) -> None:
        soon = "2026-06-01T17:30:00+08:00"
        in_time = await ledger.ordered(**{**DECISION, "reference": "一"}, due_at=soon)
        late = await ledger.ordered(**{**DECISION, "reference": "二"}, due_at=soon)
        await ledger.ordered(**{**DECISION, "reference": "三"}, due_at=soon)
        await ledger.ordered(**{**DECISION, "reference": "四"})
        waiting = await ledger.ordered(**{**DECISION, "reference": "五"}, due_at=soon)
        await ledger.ordered(**{**DECISION, "unit": OTHER_UNIT})
        await ledger.settled(in_time)
        await ledger.answered(waiting)
        story.at("2026-06-02 09:00")
        await ledger.settled(late)
        await ledger.centre(late, "publication", bulletin="第 1 期")

        answer = (await story.supervisor.get(f"/supervision-ledger?unit={UNIT}")).json()
        [row] = answer["items"]
        counts = {key: row[key] for key in ("ordered", "green", "yellow", "red", "on_time", "late")}
        # The one that waits for its judgement was answered in time, at nine: green for good.
        assert counts == {
            "ordered": 5, "green": 2, "yellow": 0, "red": 1, "on_time": 1, "late": 1,
        }  # fmt: skip
        assert (row["overdue"], row["struck_off"], row["published"]) == (2, 2, 1)
        assert row["acknowledged_late"] == 3
        assert len((await story.supervisor.get("/supervision-ledger")).json()["items"]) == 2
        later = "2026-06-02T00:00:00%2B08:00"
        narrowed = await story.supervisor.get(f"/supervision-ledger?ordered_from={later}")
        assert narrowed.json()["items"] == []

    async def test_the_table_opens_in_a_spreadsheet_and_runs_nothing(
        self, story: Story, ledger: Ledger
    ) -> None:
        case_id = await story.with_unit()
        order = await ledger.ordered(
            cause="important", cases=[str(case_id)], title='=HYPERLINK("x")', asked="一,二\n三"
        )
        await ledger.answered(order)
        answer = await story.supervisor.get("/supervision-ledger/export?language=en")
        assert answer.headers["content-type"].startswith("text/csv")
        assert answer.content.startswith(b"\xef\xbb\xbf")
        [row] = csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"), newline=""))
        assert row["number"] == order["number"]
        assert row["title"] == '\'=HYPERLINK("x")'
        assert row["asked"] == "一,二\n三"
        assert row["ordered at"] == "2026-06-01 09:00:00"
        assert (row["in time"], row["state"]) == ("yes", "answered")
        assert row["cases"] == order["cases"][0]["number"]
