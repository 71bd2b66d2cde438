"""Tickets learn everything about their case, in whatever order the other services are heard."""

from functools import partial
from itertools import permutations
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa

from shared.events import dispatch


def _kinds(detail: dict[str, Any]) -> list[str]:
    return [step["kind"] for step in detail["timeline"]]


async def test_a_ticket_follows_its_case_from_report_to_closing(hotline: Any) -> None:
    ticket = await hotline.submitted()
    report, case = uuid4(), uuid4()
    await hotline.received(report, ticket)
    received = await hotline.read(ticket)
    assert (received["progress"], received["report_number"]) == ("received", "R2026060100001")
    await hotline.registered(report, case, ticket)
    assert (await hotline.read(ticket))["progress"] == "registered"
    await hotline.opened(case, report, ticket)
    await hotline.dispatched(case)
    dispatched = await hotline.read(ticket)
    assert (dispatched["progress"], dispatched["unit"]) == ("dispatched", "620103-cgj")
    await hotline.handled(case)
    assert (await hotline.read(ticket))["progress"] == "verified"
    await hotline.closed(case, ticket)

    detail = await hotline.read(ticket)
    assert (detail["state"], detail["progress"], detail["outcome"]) == (
        "closed",
        "closed",
        "resolved",
    )
    assert detail["conclusion"] == "井盖已补齐"
    assert detail["case_number"] == "6201032026060100001"
    assert _kinds(detail) == [
        "submitted",
        "received",
        "registered",
        "opened",
        "dispatched",
        "accepted",
        "handled",
        "verified",
        "closed",
    ]
    assert len(await hotline.callbacks()) == 1
    assert not await hotline.sut.held()


ORDERS = [
    order
    for order in permutations(["received", "registered", "opened", "dispatched", "closed"])
    # Facts of one subject are put in order by the inbox; across subjects nothing is promised.
    if order.index("received") < order.index("registered")
    and order.index("opened") < order.index("dispatched") < order.index("closed")
]


async def test_every_order_across_reports_and_cases_ends_alike(hotline: Any) -> None:
    for order in ORDERS:
        ticket = await hotline.submitted()
        report, case = uuid4(), uuid4()
        facts = {
            "received": partial(hotline.received, report, ticket),
            "registered": partial(hotline.registered, report, case, ticket),
            "opened": partial(hotline.opened, case, report, ticket),
            "dispatched": partial(hotline.dispatched, case),
            "closed": partial(hotline.closed, case, ticket),
        }
        for fact in order:
            await facts[fact]()

        detail = await hotline.read(ticket)
        end = (detail["state"], detail["progress"], detail["case_id"])
        assert end == ("closed", "closed", str(case)), order
        assert sorted(_kinds(detail)) == sorted(["submitted", *facts]), order
        assert len(await hotline.callbacks(ticket_id=ticket["id"])) == 1, order
    assert not await hotline.sut.held()


MERGES = [
    order
    for order in permutations(["received", "merged", "registered", "opened", "closed"])
    if order.index("received") < order.index("merged")
    and order.index("opened") < order.index("closed")
]


@pytest.mark.parametrize("names_case", [True, False])
async def test_a_merged_ticket_follows_the_other_reports_case_in_every_order(
    hotline: Any, *, names_case: bool
) -> None:
    for order in MERGES:
        ticket = await hotline.submitted()
        own, other, case = uuid4(), uuid4(), uuid4()
        named = case if names_case else None
        facts = {
            "received": partial(hotline.received, own, ticket),
            "merged": partial(hotline.merged, own, other, case=named, ticket=ticket),
            "registered": partial(hotline.registered, other, case, None),
            "opened": partial(hotline.opened, case, other, None),
            "closed": partial(hotline.closed, case),
        }
        for fact in order:
            await facts[fact]()

        detail = await hotline.read(ticket)
        end = (detail["state"], detail["progress"], detail["case_id"])
        assert end == ("closed", "closed", str(case)), order
        assert detail["case_number"] == "6201032026060100001", order
        assert len(await hotline.callbacks(ticket_id=ticket["id"])) == 1, order


async def test_several_tickets_may_follow_one_case(hotline: Any) -> None:
    first, second = await hotline.submitted(), await hotline.submitted()
    a, b, case = uuid4(), uuid4(), uuid4()
    await hotline.received(a, first)
    await hotline.received(b, second)
    await hotline.merged(b, a, ticket=second)
    await hotline.registered(a, case, first)
    await hotline.opened(case, a, first)
    await hotline.closed(case, first)

    for ticket in (first, second):
        detail = await hotline.read(ticket)
        assert (detail["state"], detail["case_id"]) == ("closed", str(case))
    assert {item["ticket_id"] for item in await hotline.callbacks()} == {first["id"], second["id"]}


async def test_a_merge_of_a_merge_is_followed_to_its_end(hotline: Any) -> None:
    ticket = await hotline.submitted()
    a, b, c, case = uuid4(), uuid4(), uuid4(), uuid4()
    await hotline.registered(c, case, None)
    await hotline.received(b, None)
    await hotline.merged(b, c)
    await hotline.received(a, ticket)
    await hotline.merged(a, b, ticket=ticket)

    assert (await hotline.read(ticket))["case_id"] == str(case)


async def test_an_unmerged_ticket_stands_for_itself_again(hotline: Any) -> None:
    ticket = await hotline.submitted()
    own, other, case, own_case = uuid4(), uuid4(), uuid4(), uuid4()
    await hotline.received(own, ticket)
    await hotline.merged(own, other, ticket=ticket)
    await hotline.registered(other, case, None)
    await hotline.opened(case, other, None)
    await hotline.closed(case)
    assert len(await hotline.callbacks()) == 1
    await hotline.unmerged(own, other)

    alone = await hotline.read(ticket)
    assert (alone["state"], alone["progress"], alone["case_id"]) == ("submitted", "unmerged", None)
    assert await hotline.callbacks() == []
    await hotline.registered(own, own_case, ticket)
    await hotline.opened(own_case, own, ticket)
    await hotline.closed(own_case, ticket)
    again = await hotline.read(ticket)
    assert (again["state"], again["case_id"], again["closings"]) == ("closed", str(own_case), 2)
    assert len(await hotline.callbacks()) == 1


async def test_a_rejected_report_is_a_result_and_its_caller_is_called_back(hotline: Any) -> None:
    ticket, report = await hotline.submitted(), uuid4()
    await hotline.received(report, ticket)
    await hotline.rejected(report, ticket)

    detail = await hotline.read(ticket)
    assert (detail["state"], detail["progress"], detail["conclusion"]) == (
        "closed",
        "rejected",
        "现场未发现",
    )
    assert len(await hotline.callbacks()) == 1


async def test_a_voided_case_is_a_result(hotline: Any) -> None:
    ticket, report, case = await hotline.submitted(), uuid4(), uuid4()
    await hotline.received(report, ticket)
    await hotline.opened(case, report, ticket)
    await hotline.voided(case)

    detail = await hotline.read(ticket)
    assert (detail["state"], detail["progress"]) == ("closed", "voided")


async def test_nobody_is_called_back_without_a_number_or_consent(hotline: Any) -> None:
    silent = await hotline.submitted(caller=None)
    unwilling = await hotline.submitted(callback_consent=False)
    for ticket in (silent, unwilling):
        await hotline.closed_case(ticket)
        assert (await hotline.read(ticket))["state"] == "closed"

    assert await hotline.callbacks() == []


async def test_a_withdrawn_ticket_learns_the_result_but_its_caller_is_left_alone(
    hotline: Any,
) -> None:
    ticket = await hotline.submitted()
    await hotline.agent.post(f"/tickets/{ticket['id']}/withdrawal", json={"reason": "已自行解决"})
    await hotline.closed_case(ticket)

    detail = await hotline.read(ticket)
    assert (detail["state"], detail["progress"]) == ("withdrawn", "closed")
    assert await hotline.callbacks() == []


async def test_a_case_without_a_ticket_costs_one_statement_a_fact(hotline: Any) -> None:
    """On PostgreSQL not even one that SQLAlchemy would have to make."""
    past_sqlalchemy = not hotline.sut.runtime.database.is_sqlite
    report, case = uuid4(), uuid4()
    statements: list[str] = []
    engine = hotline.sut.runtime.database.engine.sync_engine
    own = ("tickets", "report_progress", "case_progress", "ticket_steps", "callbacks")

    def note(_c: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if any(f" {table}" in statement.replace('"', "") for table in own):
            statements.append(statement)

    sa.event.listen(engine, "before_cursor_execute", note)
    try:
        for told, expected in (
            (lambda: hotline.received(report, None), 0),
            (lambda: hotline.registered(report, case, None), 1),
            (lambda: hotline.opened(case, report, None), 1),
            (lambda: hotline.dispatched(case), 1),
            (lambda: hotline.closed(case), 1),
            (lambda: hotline.reopened(case), 1),
        ):
            statements.clear()
            await told()
            assert len(statements) == (0 if past_sqlalchemy else expected), statements
    finally:
        sa.event.remove(engine, "before_cursor_execute", note)
    assert not await hotline.sut.held()


async def test_the_same_fact_under_another_id_changes_nothing(hotline: Any) -> None:
    ticket = await hotline.submitted()
    case = await hotline.closed_case(ticket)
    before = await hotline.read(ticket)
    sequence = hotline.sut._sequences["dispatch.case", str(case)]
    event = dispatch.CaseReopened(number="x", ticket_id=ticket["id"], reason="again")
    await hotline.sut.deliver(event, subject=case, sequence=sequence)

    assert await hotline.read(ticket) == before
