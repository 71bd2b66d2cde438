"""Remediation on behalf: ordered, paid from the year's fund, claimed back, never edited."""

import asyncio
import random
from typing import Any
from uuid import UUID

import pytest

from shared.events.dispatch import (
    CaseDispatched,
    CostDecided,
    LedgerCorrected,
    RecoveryChanged,
    RecoveryClaimed,
    RemediationCompleted,
    RemediationOrdered,
)
from shared.events.vocabulary import Finding
from shared.vocabulary import Role
from tests.dispatch.story import OTHER_UNIT, UNIT, Story

OFFICE = "leading-group"
BASIS = "区政府专题会议纪要"
AMOUNTS = ("fund", "returned", "committed", "spent", "left")
CLAIMS = ("claimed", "to_recover", "recovered", "written_off")


class Cashier:
    """People who give, spend and claim money."""

    def __init__(self, story: Story) -> None:
        self.story = story
        self.leader = story.someone(Role.LEADER, name="leader-1", unit=OFFICE)

    async def given(self, fen: int, year: int = 2026) -> dict[str, Any]:
        path = f"/funds/{year}/appropriations"
        return await self.story.post(self.leader, path, 201, amount_fen=fen, basis=BASIS)

    async def ordered(
        self, case_id: UUID, expect: int = 201, unit: str = UNIT, **body: Any
    ) -> dict[str, Any]:
        order = {"unit": unit, "basis": BASIS, "reason": "无责任主体", **body}
        path = f"/cases/{case_id}/remediation"
        return await self.story.post(self.story.dispatcher, path, expect, **order)

    async def cost(self, found: dict[str, Any], fen: int, expect: int = 201) -> dict[str, Any]:
        body = {"description": "更换井盖", "amount_fen": fen, "incurred_on": "2026-06-01"}
        path = f"/remediations/{found['id']}/costs"
        return await self.story.post(self.story.handler(found["unit"]), path, expect, **body)

    async def paid(self, cost: dict[str, Any], expect: int = 200) -> dict[str, Any]:
        path = f"/remediation-costs/{cost['id']}/payment"
        return await self.story.post(self.leader, path, expect, basis="凭票支付", reference="V-1")

    async def claimed(self, found: dict[str, Any], fen: int, expect: int = 201) -> dict[str, Any]:
        body = {"subject": "某某物业公司", "amount_fen": fen, "basis": "移交协议"}
        path = f"/remediations/{found['id']}/claims"
        return await self.story.post(self.story.supervisor, path, expect, **body)

    async def received(
        self, claim: dict[str, Any], fen: int, expect: int = 200, on: str = "2026-06-01"
    ) -> dict[str, Any]:
        path = f"/recoveries/{claim['id']}/receipts"
        return await self.story.post(
            self.story.supervisor, path, expect, amount_fen=fen, received_on=on
        )

    async def corrected(self, entry: str, expect: int = 201) -> dict[str, Any]:
        path = f"/ledger-entries/{entry}/correction"
        return await self.story.post(self.leader, path, expect, reason="金额录错")

    async def entries(self, year: int = 2026) -> list[dict[str, Any]]:
        answer = await self.leader.get(f"/funds/{year}/entries?limit=200")
        found: list[dict[str, Any]] = answer.json()["items"]
        return found

    async def totals(self, year: int = 2026) -> dict[str, int]:
        found = (await self.leader.get(f"/funds/{year}")).json()
        assert found["balanced"] is True
        return {name: found[f"{name}_fen"] for name in (*AMOUNTS, *CLAIMS)}

    async def remediation(self, found: dict[str, Any]) -> dict[str, Any]:
        view: dict[str, Any] = (await self.leader.get(f"/remediations/{found['id']}")).json()
        return view


@pytest.fixture
def cashier(story: Story) -> Cashier:
    return Cashier(story)


async def test_put_right_first_paid_from_the_fund_and_recovered_later(
    story: Story, cashier: Cashier
) -> None:
    await cashier.given(1_000_000)
    case_id = await story.opened()
    found = await cashier.ordered(case_id, estimate_fen=300_000)
    case = await story.case(case_id)
    assert (case["category"], case["state"], case["unit"]) == (
        "no-responsible-subject",
        "dispatched",
        UNIT,
    )
    # The ordered unit's clock counts from the order.
    [dispatched] = await story.told(case_id, CaseDispatched)
    assert (dispatched["unit"], dispatched["precedent"]) == (UNIT, BASIS)
    assert await cashier.totals() == {
        "fund": 1_000_000,
        "returned": 0,
        "committed": 300_000,
        "spent": 0,
        "left": 700_000,
        "claimed": 0,
        "to_recover": 0,
        "recovered": 0,
        "written_off": 0,
    }

    await cashier.paid(await cashier.cost(found, 250_000))
    path = f"/remediations/{found['id']}/completion"
    done = await story.post(story.dispatcher, path, note="完工")
    assert (done["state"], done["committed_fen"], done["spent_fen"]) == ("completed", 0, 250_000)

    claim = await cashier.claimed(found, 250_000)
    assert (claim["state"], claim["to_recover_fen"]) == ("claimed", 250_000)
    claim = await cashier.received(claim, 100_000)
    assert (claim["state"], claim["to_recover_fen"]) == ("partly-recovered", 150_000)
    claim = await story.post(
        cashier.leader, f"/recoveries/{claim['id']}/write-off", reason="企业已注销"
    )
    assert (claim["state"], claim["written_off_fen"]) == ("written-off", 150_000)
    # What came in is back in the fund.
    assert await cashier.totals() == {
        "fund": 1_000_000,
        "returned": 100_000,
        "committed": 0,
        "spent": 250_000,
        "left": 850_000,
        "claimed": 250_000,
        "to_recover": 0,
        "recovered": 100_000,
        "written_off": 150_000,
    }
    kinds = [entry["kind"] for entry in await cashier.entries()]
    assert kinds == [
        "appropriation",
        "commitment",
        "payment",
        "release",
        "claim",
        "recovery",
        "return-to-fund",
        "write-off",
    ]
    for told in (RemediationOrdered, CostDecided, RemediationCompleted, RecoveryClaimed):
        assert len(await story.told(UUID(found["id"]), told)) == 1, told
    changed = await story.told(UUID(found["id"]), RecoveryChanged)
    assert [item["state"] for item in changed] == ["partly-recovered", "written-off"]
    # Who owes the money is nobody's business outside.
    assert "物业" not in str([item.data for item in await story.sut.told()])


async def test_paying_more_than_the_fund_has_is_refused(story: Story, cashier: Cashier) -> None:
    await cashier.given(1_000)
    found = await cashier.ordered(await story.opened())
    cost = await cashier.cost(found, 1_001)
    problem = await cashier.paid(cost, 409)
    assert (problem["code"], problem["left_fen"], problem["short_fen"], problem["year"]) == (
        "fund-exceeded",
        1_000,
        1,
        2026,
    )
    assert (await cashier.totals())["spent"] == 0
    await cashier.given(1)
    assert (await cashier.paid(cost))["state"] == "paid"
    # Without a fund nothing is kept back at all.
    story.at("2027-03-01 09:00")
    problem = await cashier.ordered(await story.opened(), 409, estimate_fen=1)
    assert (problem["code"], problem["year"]) == ("fund-exceeded", 2027)


async def test_two_payments_at_once_cannot_spend_the_same_money(
    story: Story, cashier: Cashier
) -> None:
    await cashier.given(1_000)
    found = await cashier.ordered(await story.opened())
    costs = [await cashier.cost(found, 600) for _ in range(3)]
    answers = await asyncio.gather(
        *(
            cashier.leader.post(f"/remediation-costs/{cost['id']}/payment", json={"basis": "x"})
            for cost in costs
        )
    )
    paid = [answer for answer in answers if answer.status_code == 200]
    assert all(answer.status_code in {200, 409} for answer in answers)
    totals = await cashier.totals()
    assert (len(paid), totals["spent"], totals["left"]) == (1, 600, 400)


async def test_a_case_that_was_handled_first_stays_where_it_is(
    story: Story, cashier: Cashier
) -> None:
    case_id = await story.with_unit(urgent=True)
    problem = await cashier.ordered(case_id, 409, unit=OTHER_UNIT)
    assert (problem["code"], problem["unit"]) == ("remediation-elsewhere", UNIT)
    found = await cashier.ordered(case_id)
    assert found["dispatched"] is False
    assert (await story.case(case_id))["state"] == "accepted"
    problem = await cashier.ordered(case_id, 409)
    assert (problem["code"], problem["remediation"]) == (
        "remediation-ordered-already",
        found["id"],
    )


async def test_costs_come_in_after_the_case_is_closed(story: Story, cashier: Cashier) -> None:
    await cashier.given(5_000)
    case_id = await story.opened()
    found = await cashier.ordered(case_id, estimate_fen=3_000)
    await story.accepted(case_id)
    await story.handled(case_id)
    await story.checked(case_id)
    await story.found(case_id, Finding.PASSED)
    await story.closed(case_id)
    await cashier.paid(await cashier.cost(found, 4_000))
    totals = await cashier.totals()
    assert (totals["committed"], totals["spent"], totals["left"]) == (0, 4_000, 1_000)


async def test_an_estimate_moves_what_is_kept_back(story: Story, cashier: Cashier) -> None:
    await cashier.given(10_000)
    found = await cashier.ordered(await story.opened(), estimate_fen=4_000)
    await cashier.paid(await cashier.cost(found, 1_000))
    path = f"/remediations/{found['id']}/estimate"
    for estimate, kept in ((6_000, 5_000), (2_500, 1_500), (0, 0)):
        view = await story.post(story.dispatcher, path, estimate_fen=estimate, reason="重新估算")
        assert view["committed_fen"] == kept
    problem = await story.post(story.dispatcher, path, 409, estimate_fen=10_001, reason="重新估算")
    assert problem["code"] == "fund-exceeded"
    assert (await cashier.totals())["left"] == 9_000


async def test_a_wrong_payment_is_undone_by_its_opposite_and_stays_to_be_read(
    story: Story, cashier: Cashier
) -> None:
    await cashier.given(10_000)
    found = await cashier.ordered(await story.opened(), estimate_fen=2_000)
    cost = await cashier.paid(await cashier.cost(found, 3_000))
    before = await cashier.entries()
    answer = await cashier.corrected(cost["entry_id"])
    [counter] = answer["entries"]
    payment = next(entry for entry in before if entry["id"] == cost["entry_id"])
    assert counter["corrects"] == payment["id"]
    assert counter["postings"] == [
        {"account": item["account"], "fen": -item["fen"]} for item in payment["postings"]
    ]
    assert (await cashier.entries())[: len(before)] == before
    totals = await cashier.totals()
    assert (totals["committed"], totals["spent"], totals["left"]) == (2_000, 0, 8_000)
    view = await cashier.remediation(found)
    assert [item["state"] for item in view["cost_items"]] == ["corrected"]
    assert (await cashier.corrected(cost["entry_id"], 409))["code"] == "entry-corrected-already"
    assert (await cashier.corrected(counter["id"], 409))["code"] == "entry-not-correctable"
    [event] = await story.told(UUID(found["id"]), LedgerCorrected)
    assert (event["kind"], event["amount_fen"]) == ("payment", 3_000)


async def test_corrected_after_its_completion_the_money_is_free_again(
    story: Story, cashier: Cashier
) -> None:
    await cashier.given(10_000)
    found = await cashier.ordered(await story.opened(), estimate_fen=2_000)
    cost = await cashier.paid(await cashier.cost(found, 2_000))
    await story.post(story.dispatcher, f"/remediations/{found['id']}/completion")
    answer = await cashier.corrected(cost["entry_id"])
    assert [entry["kind"] for entry in answer["entries"]] == ["correction", "release"]
    totals = await cashier.totals()
    assert (totals["committed"], totals["left"]) == (0, 10_000)


async def test_what_rests_on_an_entry_is_corrected_before_it(
    story: Story, cashier: Cashier
) -> None:
    given = await cashier.given(3_000)
    found = await cashier.ordered(await story.opened())
    cost = await cashier.paid(await cashier.cost(found, 3_000))
    claim = await cashier.claimed(found, 2_000)
    await cashier.received(claim, 500)
    by_kind = {entry["kind"]: entry["id"] for entry in await cashier.entries()}
    for entry in (given["id"], cost["entry_id"], by_kind["claim"]):
        assert (await cashier.corrected(entry, 409))["code"] == "correction-not-covered"
    back = await cashier.corrected(by_kind["recovery"])
    assert [entry["kind"] for entry in back["entries"]] == ["correction", "correction"]
    await cashier.corrected(by_kind["claim"])
    shown = (await story.supervisor.get(f"/recoveries/{claim['id']}")).json()
    assert (shown["state"], shown["to_recover_fen"]) == ("cancelled", 0)
    await cashier.corrected(cost["entry_id"])
    await cashier.corrected(given["id"])
    assert set((await cashier.totals()).values()) == {0}


async def test_no_more_is_claimed_than_spent_and_no_more_comes_in_than_owed(
    story: Story, cashier: Cashier
) -> None:
    await cashier.given(10_000)
    found = await cashier.ordered(await story.opened())
    await cashier.paid(await cashier.cost(found, 3_000))
    first = await cashier.claimed(found, 2_000)
    problem = await cashier.claimed(found, 1_001, 409)
    assert (problem["code"], problem["claimable_fen"]) == ("claim-exceeds-spending", 1_000)
    problem = await cashier.received(first, 2_001, 409)
    assert (problem["code"], problem["to_recover_fen"]) == ("receipt-exceeds-claim", 2_000)
    assert (await cashier.received(first, 2_000))["state"] == "recovered"
    problem = await story.post(
        cashier.leader, f"/recoveries/{first['id']}/write-off", 409, reason="x"
    )
    assert problem["code"] == "nothing-to-recover"


async def test_money_of_one_year_that_comes_in_the_next_fills_the_next_years_fund(
    story: Story, cashier: Cashier
) -> None:
    await cashier.given(1_000)
    found = await cashier.ordered(await story.opened())
    await cashier.paid(await cashier.cost(found, 800))
    claim = await cashier.claimed(found, 800)
    story.at("2027-02-01 10:00")
    await cashier.received(claim, 800, on="2027-01-31")
    assert (await cashier.totals(2026))["recovered"] == 800
    assert (await cashier.totals(2026))["left"] == 200
    assert (await cashier.totals(2027))["left"] == 800
    problem = await cashier.received(claim, 1, 409, on="2027-02-01")
    assert problem["code"] == "receipt-exceeds-claim"


@pytest.mark.parametrize(
    ("roles", "unit"),
    [
        ((Role.SUPERVISOR,), "centre"),
        ((Role.DISPATCHER,), "centre"),
        ((Role.UNIT_LEAD,), UNIT),
        ((Role.LEADER,), "centre"),
    ],
)
async def test_money_is_moved_by_leaders_of_the_office_only(
    story: Story, cashier: Cashier, roles: tuple[Role, ...], unit: str
) -> None:
    given = await cashier.given(10_000)
    found = await cashier.ordered(await story.opened())
    cost = await cashier.cost(found, 100)
    client = story.someone(*roles, name="somebody", unit=unit)
    for path, body in (
        ("/funds/2026/appropriations", {"amount_fen": 1, "basis": "x"}),
        (f"/remediation-costs/{cost['id']}/payment", {"basis": "x"}),
        (f"/remediation-costs/{cost['id']}/refusal", {"reason": "x"}),
        (f"/ledger-entries/{given['id']}/correction", {"reason": "x"}),
    ):
        await story.post(client, path, 403, **body)
    await cashier.paid(cost)
    claim = await cashier.claimed(found, 100)
    await story.post(client, f"/recoveries/{claim['id']}/write-off", 403, reason="x")
    assert (await cashier.totals())["spent"] == 100


async def test_who_records_a_cost_does_not_pay_it(story: Story, cashier: Cashier) -> None:
    await cashier.given(10_000)
    found = await cashier.ordered(await story.opened())
    both = story.someone(Role.SUPERVISOR, Role.LEADER, name="both", unit=OFFICE)
    body = {"description": "人工", "amount_fen": 10, "incurred_on": "2026-06-01"}
    cost = await story.post(both, f"/remediations/{found['id']}/costs", 201, **body)
    path = f"/remediation-costs/{cost['id']}/payment"
    problem = await story.post(both, path, 403, basis="x")
    assert problem["code"] == "separation-of-duties"
    await cashier.paid(cost)
    assert (await cashier.paid(cost, 409))["code"] == "cost-not-pending"


async def test_an_order_is_not_completed_while_costs_wait(story: Story, cashier: Cashier) -> None:
    await cashier.given(10_000)
    found = await cashier.ordered(await story.opened())
    cost = await cashier.cost(found, 10)
    path = f"/remediations/{found['id']}/completion"
    problem = await story.post(story.dispatcher, path, 409)
    assert (problem["code"], problem["costs"]) == ("costs-undecided", [1])
    refused = await story.post(
        cashier.leader, f"/remediation-costs/{cost['id']}/refusal", reason="无票据"
    )
    assert refused["state"] == "refused"
    await story.post(story.dispatcher, path)
    assert (await cashier.cost(found, 10, 409))["code"] == "remediation-completed"


async def test_units_see_their_own_orders_and_not_who_owes(story: Story, cashier: Cashier) -> None:
    await cashier.given(10_000)
    found = await cashier.ordered(await story.opened())
    await cashier.paid(await cashier.cost(found, 100))
    await cashier.claimed(found, 100)
    path = f"/remediations/{found['id']}"
    shown = (await story.handler(UNIT).get(path)).json()
    assert (len(shown["cost_items"]), shown["recoveries"]) == (1, [])
    assert (await story.handler(OTHER_UNIT).get(path)).status_code == 404
    assert (await story.handler(OTHER_UNIT).get(f"{path}/journal")).status_code == 404
    assert (await story.handler(OTHER_UNIT).get("/remediations")).json()["items"] == []
    assert (await story.handler(UNIT).get("/remediation-costs")).status_code == 404
    for hidden in ("/funds", "/funds/2026", "/funds/2026/entries", "/recoveries"):
        assert (await story.handler(UNIT).get(hidden)).status_code == 403, hidden
    body = {"description": "x", "amount_fen": 1, "incurred_on": "2026-06-01"}
    await story.post(story.handler(OTHER_UNIT), f"{path}/costs", 404, **body)


@pytest.mark.parametrize("amount", [0, -1, 1.5, "10", 10**13 + 1, None])
async def test_an_amount_is_a_whole_number_of_fen(cashier: Cashier, amount: Any) -> None:
    problem = await cashier.story.post(
        cashier.leader, "/funds/2026/appropriations", 422, amount_fen=amount, basis="x"
    )
    assert problem["faults"][0]["where"] == "body.amount_fen"


class Trials:
    """People who try everything in no order; what is refused with a conflict is fine."""

    def __init__(self, cashier: Cashier, orders: list[dict[str, Any]], seed: int) -> None:
        self.cashier = cashier
        self.supervisor = cashier.story.supervisor
        self.orders = orders
        self.dice = random.Random(seed)  # noqa: S311 - reproducible, not secret
        self.costs: list[dict[str, Any]] = []
        self.claims: list[dict[str, Any]] = []

    async def try_something(self) -> None:
        deeds = (self._cost, self._pay, self._pay, self._estimate, self._claim, self._receive)
        await self.dice.choice((*deeds, self._write_off, self._undo))()

    def _fen(self) -> int:
        return self.dice.randint(1, 900)

    async def _send(self, client: Any, path: str, **body: Any) -> dict[str, Any] | None:
        answer = await client.post(path, json=body)
        assert answer.status_code in {200, 201, 409}, answer.text
        return answer.json() if answer.status_code < 400 else None

    async def _cost(self) -> None:
        order = self.dice.choice(self.orders)
        self.costs.append(await self.cashier.cost(order, self._fen()))

    async def _pay(self) -> None:
        if self.costs:
            path = f"/remediation-costs/{self.dice.choice(self.costs)['id']}/payment"
            await self._send(self.cashier.leader, path, basis="x")

    async def _estimate(self) -> None:
        path = f"/remediations/{self.dice.choice(self.orders)['id']}/estimate"
        await self._send(self.supervisor, path, estimate_fen=self._fen() * 3, reason="x")

    async def _claim(self) -> None:
        path = f"/remediations/{self.dice.choice(self.orders)['id']}/claims"
        body = {"subject": "x", "amount_fen": self._fen(), "basis": "x"}
        claim = await self._send(self.supervisor, path, **body)
        self.claims += [claim] if claim else []

    async def _receive(self) -> None:
        if self.claims:
            path = f"/recoveries/{self.dice.choice(self.claims)['id']}/receipts"
            body = {"amount_fen": self._fen() // 2 + 1, "received_on": "2026-06-01"}
            await self._send(self.supervisor, path, **body)

    async def _write_off(self) -> None:
        if self.claims:
            path = f"/recoveries/{self.dice.choice(self.claims)['id']}/write-off"
            await self._send(self.cashier.leader, path, reason="x")

    async def _undo(self) -> None:
        entry = self.dice.choice(await self.cashier.entries())
        path = f"/ledger-entries/{entry['id']}/correction"
        await self._send(self.cashier.leader, path, reason="x")


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_random_operations_always_balance(story: Story, cashier: Cashier, seed: int) -> None:
    """Whatever people try in whatever order, the sums agree and every entry makes zero."""
    await cashier.given(5_000)
    found = [await cashier.ordered(await story.opened(), estimate_fen=500) for _ in range(2)]
    trials = Trials(cashier, found, seed)
    for _ in range(45):
        await trials.try_something()
        totals = await cashier.totals()
        assert min(totals.values()) >= 0, totals

    entries = await cashier.entries()
    assert [entry["number"] for entry in entries] == list(range(1, len(entries) + 1))
    for entry in entries:
        assert sum(item["fen"] for item in entry["postings"]) == 0
    # The totals of the year are those of its orders.
    shown = [await cashier.remediation(one) for one in found]
    totals = await cashier.totals()
    for name in ("committed", "spent", *CLAIMS):
        assert sum(one[f"{name}_fen"] for one in shown) == totals[name], name
