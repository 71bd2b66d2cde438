"""Everything told is stored once, in few statements, in any order, and folded in time."""

import asyncio
import hashlib
import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa

from services.assessment.events.domain import case_of
from services.assessment.events.models import LoggedEvent, RefoldMark
from services.assessment.facts.domain import CaseState
from services.assessment.facts.models import AssignmentFactsRow, CaseFactsRow, StageFactsRow
from services.assessment.facts.repository import FactWriter
from services.assessment.facts.service import MARKS_A_BATCH, fold_pending, keep_up
from services.assessment.fieldwork.models import AccountFacts, ReportFacts, TaskFacts
from shared.bus.transport import Delivery
from shared.events.identity import AccountChanged
from shared.events.vocabulary import DispatchReason
from shared.testing import ServiceUnderTest
from shared.vocabulary import Role

TABLES = (CaseFactsRow, AssignmentFactsRow, StageFactsRow, ReportFacts, TaskFacts, AccountFacts)


@contextmanager
def counted_statements(sut: ServiceUnderTest) -> Iterator[list[str]]:
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        seen.append(statement)

    engine = sut.runtime.database.engine.sync_engine
    sa.event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        sa.event.remove(engine, "before_cursor_execute", note)


async def rows(sut: ServiceUnderTest, model: Any) -> list[tuple[Any, ...]]:
    table = model.__table__
    async with sut.runtime.database.reading() as session:
        found = await (await session.connection()).execute(
            sa.select(table).order_by(*table.primary_key)
        )
        return [tuple(row) for row in found]


async def everything(sut: ServiceUnderTest) -> list[list[tuple[Any, ...]]]:
    return [await rows(sut, model) for model in TABLES]


def day_of_cases(teller: Any) -> list[Any]:
    smooth = [teller().settled("water", used=used) for used in (100, 90_000)]
    repeated = teller().received().registered().opened().dispatched("transport")
    repeated.handled().verification(passed=False)
    repeated.dispatched("transport", DispatchReason.AFTER_FAILED_VERIFICATION)
    repeated.handled(7_200).verification(passed=True, used=7_200).closed(7_200)
    passed_on = teller().received().registered().opened().dispatched("water")
    passed_on.return_decided(granted=True).dispatched("transport", DispatchReason.AFTER_RETURN)
    merged = teller().received().merged(smooth[0].report_id)
    unmerged = teller().received().rejected().merged(smooth[0].report_id)
    unmerged.unmerged(smooth[0].report_id)
    return [*smooth, repeated, passed_on, merged, unmerged]


async def test_a_batch_is_stored_in_few_statements(
    sut: ServiceUnderTest, tell: Any, teller: Any
) -> None:
    with counted_statements(sut) as seen:
        await tell(*[teller().settled("water") for _ in range(15)])

    assert len([statement for statement in seen if not statement.startswith("BEGIN")]) <= 5
    assert len(await rows(sut, LoggedEvent)) == 15 * 10


async def test_shuffled_and_repeated_deliveries_give_the_same_facts(
    sut: ServiceUnderTest, tell: Any, teller: Any
) -> None:
    stories = day_of_cases(teller)
    envelopes = [envelope for story in stories for envelope in story.envelopes]
    await tell(*stories)
    await fold_pending(sut.runtime)
    expected = await everything(sut)
    again = [item.model_copy(update={"id": uuid4()}) for item in envelopes]
    chance = random.Random(7)  # noqa: S311 - an order, not a secret
    chance.shuffle(again)

    for envelope in again:
        await tell(envelope)
        if chance.random() < 0.2:
            await fold_pending(sut.runtime)
    await fold_pending(sut.runtime)

    assert await everything(sut) == expected
    assert len(await rows(sut, LoggedEvent)) == 2 * len(envelopes)


async def test_facts_folded_while_events_still_arrive_end_up_whole(
    sut: ServiceUnderTest, tell: Any, teller: Any
) -> None:
    """Several workers fold the same cases while their events come in backwards."""
    stories = day_of_cases(teller)
    envelopes = [envelope for story in stories for envelope in reversed(story.envelopes)]

    async def fold_often() -> None:
        for _ in range(15):
            await fold_pending(sut.runtime)
            await asyncio.sleep(0)

    async def arrive() -> None:
        for first in range(0, len(envelopes), 5):
            await tell(*envelopes[first : first + 5])

    await asyncio.gather(arrive(), fold_often(), fold_often())
    await fold_pending(sut.runtime)
    folded = await everything(sut)

    async with sut.runtime.database.transaction() as session:
        for model in TABLES:
            await (await session.connection()).execute(sa.delete(model.__table__))
    await _rebuild(sut)
    assert await everything(sut) == folded
    assert len(folded[0]) == 4


async def test_a_fold_that_saw_less_never_overwrites_one_that_saw_more(
    sut: ServiceUnderTest, tell: Any, teller: Any
) -> None:
    story = teller().settled("water")
    await tell(story)
    await fold_pending(sut.runtime)
    folded = await everything(sut)
    slow = dict(zip(CaseFactsRow.__table__.c.keys(), folded[0][0], strict=True))
    slow |= {"state": CaseState.OPENED, "closed_at": None, "events": slow["events"] - 1}

    async with sut.runtime.database.transaction() as session:
        await FactWriter(session).put_cases([slow], [], [])

    assert await everything(sut) == folded


async def test_an_event_told_by_a_newer_program_is_kept_for_later(
    sut: ServiceUnderTest, tell: Any, teller: Any
) -> None:
    story = teller().registered().opened()
    newer = story.envelopes[-1].model_copy(
        update={"id": uuid4(), "type": "dispatch.case.teleported.v1", "sequence": 2}
    )

    await tell(story, newer)
    await fold_pending(sut.runtime)

    assert len(await rows(sut, LoggedEvent)) == 3
    assert [row[0] for row in await rows(sut, CaseFactsRow)] == [story.case_id]
    assert await sut.held() == []


async def test_a_known_event_with_unreadable_data_does_not_stop_the_others(
    sut: ServiceUnderTest, tell: Any, teller: Any
) -> None:
    broken, whole = teller().registered().opened(), teller().settled("water")
    broken.envelopes[-1] = broken.envelopes[-1].model_copy(update={"data": {"number": 1}})

    await tell(broken, whole)
    await fold_pending(sut.runtime)

    assert len(await rows(sut, CaseFactsRow)) == 2


async def test_an_event_of_no_case_is_parked_and_the_others_are_taken(
    sut: ServiceUnderTest, teller: Any
) -> None:
    story = teller().registered().opened()
    wrong = story.envelopes[-1].model_copy(update={"id": uuid4(), "subject": "not-an-id"})

    await sut.inbox.receive([Delivery(body=item.to_bytes()) for item in [wrong, *story.envelopes]])

    assert len(await rows(sut, LoggedEvent)) == 2
    assert [row.subject for row in await sut.held()] == ["not-an-id"]


async def test_accounts_follow_the_last_word_about_them(sut: ServiceUnderTest) -> None:
    account = uuid4()
    for unit in ("collection-anlan", "collection-jincheng"):
        changed = AccountChanged(login="collector01", roles=("collector",), unit=unit, active=True)
        await sut.deliver(changed, subject=account)

    await fold_pending(sut.runtime)

    assert [row[3] for row in await rows(sut, AccountFacts)] == ["collection-jincheng"]


async def test_more_marks_than_one_batch_are_worked_off(
    sut: ServiceUnderTest, tell: Any, teller: Any
) -> None:
    stories = [teller().received() for _ in range(MARKS_A_BATCH + 5)]
    await tell(*stories)

    assert await fold_pending(sut.runtime) == len(stories)
    assert await rows(sut, RefoldMark) == []
    assert len(await rows(sut, ReportFacts)) == len(stories)


async def test_a_rebuild_is_started_once_and_ends(
    sut: ServiceUnderTest, tell: Any, teller: Any
) -> None:
    await tell(*day_of_cases(teller))
    async with sut.client(Role.SYSTEM_ADMINISTRATOR) as administrator:
        started = await administrator.post("/rebuild")
        second = await administrator.post("/rebuild")
        await keep_up(sut.runtime)
        ended = await administrator.get(f"/rebuild/{started.json()['id']}")
        third = await administrator.post("/rebuild")
        unknown = await administrator.get(f"/rebuild/{uuid4()}")

    assert started.status_code == 202
    assert started.headers["Location"].endswith(started.json()["id"])
    assert (second.status_code, second.json()["code"]) == (409, "rebuild-running")
    assert ended.json()["state"] == "done"
    assert ended.json()["subjects"] > 0
    assert third.status_code == 202
    assert unknown.status_code == 404


async def test_sending_a_rebuild_command_again_starts_nothing_new(sut: ServiceUnderTest) -> None:
    headers = {"Idempotency-Key": "one-rebuild"}
    async with sut.client(Role.SYSTEM_ADMINISTRATOR) as administrator:
        first = await administrator.post("/rebuild", headers=headers)
        again = await administrator.post("/rebuild", headers=headers)

    assert again.status_code == 202
    assert again.json() == first.json()
    assert again.headers["Idempotent-Replay"] == "true"


async def test_only_the_system_administrator_rebuilds(sut: ServiceUnderTest) -> None:
    async with sut.client(Role.LEADER) as leader, sut.client() as nobody:
        assert (await leader.post("/rebuild")).status_code == 403
        assert (await nobody.post("/rebuild")).status_code == 401


async def test_the_board_counts_the_day_of_the_city(
    sut: ServiceUnderTest, tell: Any, teller: Any
) -> None:
    today = datetime(2026, 6, 1, 0, 0, tzinfo=UTC)
    done = teller(at=today).settled("water")
    waiting = teller(at=today).received().registered().opened().dispatched("water", due_at=today)
    old = teller(at=datetime(2026, 5, 30, tzinfo=UTC)).settled("water")
    rejected, merged = teller(at=today).received(), teller(at=today).received()
    await tell(done, waiting, old, rejected.rejected(), merged.merged(done.report_id))
    async with sut.client(Role.HANDLER, unit="water") as handler:
        before = (await handler.get("/board")).json()
        await fold_pending(sut.runtime)
        board = (await handler.get("/board")).json()

    assert before["behind"] > 0
    assert board["behind"] == 0
    assert board["since"].startswith("2026-05-31T16:00")
    figures = (
        "reported",
        "registered",
        "rejected",
        "merged",
        "dispatched",
        "closed",
        "open",
        "overdue",
    )
    assert [board[figure] for figure in figures] == [4, 2, 1, 1, 2, 1, 1, 1]


async def test_the_ledger_names_sets_by_count_and_checksum(
    sut: ServiceUnderTest, tell: Any, teller: Any
) -> None:
    stories = day_of_cases(teller)
    voided = teller().received().registered().opened().voided()
    await tell(*stories, voided)
    async with sut.client(Role.OPERATOR) as operator:
        ledger = (await operator.get("/reconciliation")).json()
        later = (
            await operator.get("/reconciliation", params={"since": "2026-05-12T00:00:00Z"})
        ).json()

    counts = {
        name: ledger[name]["count"]
        for name in ledger
        if isinstance(ledger[name], dict) and "count" in ledger[name]
    }
    assert counts == {
        "reports_received": 7,
        "reports_registered": 5,
        "reports_merged": 1,
        "reports_rejected": 1,
        "cases_opened": 5,
        "cases_closed": 3,
        "cases_voided": 1,
        "cases_redispatched": 1,
    }
    opened = sorted(str(story.case_id) for story in [*stories[:4], voided])
    assert (
        ledger["cases_opened"]["checksum"] == hashlib.sha256("\n".join(opened).encode()).hexdigest()
    )
    assert ledger["redispatches"] == 1
    assert ledger["events"]["dispatch.case.closed.v1"] == 3
    assert ledger["behind"] == 0
    assert later["reports_received"]["count"] == 0
    assert later["reports_received"]["checksum"] == hashlib.sha256(b"").hexdigest()


async def test_the_facts_of_a_case_are_for_its_units_and_the_centre(
    sut: ServiceUnderTest, tell: Any, teller: Any
) -> None:
    story = teller().settled("water")
    await tell(story)
    address = f"/cases/{story.case_id}/facts"
    async with (
        sut.client(Role.SUPERVISOR) as supervisor,
        sut.client(Role.HANDLER, unit="water") as own,
        sut.client(Role.HANDLER, unit="transport") as other,
        sut.client(Role.COLLECTOR) as collector,
        sut.client() as nobody,
    ):
        answers = [
            (await client.get(address)).status_code
            for client in (supervisor, own, other, collector, nobody)
        ]
        facts = (await supervisor.get(address)).json()
        unknown = await supervisor.get(f"/cases/{uuid4()}/facts")

    assert answers == [200, 200, 404, 403, 401]
    assert facts["number"] == story.number
    assert facts["state"] == "closed"
    assert [item["unit"] for item in facts["assignments"]] == ["water"]
    assert {item["stage"] for item in facts["stages"]} >= {"registration", "dispatch", "closing"}
    assert unknown.json()["code"] == "case-unknown"


async def test_the_cases_behind_a_figure_are_listed_page_by_page(
    sut: ServiceUnderTest, tell: Any, teller: Any
) -> None:
    stories = [teller().settled("water") for _ in range(5)]
    await tell(*stories)
    seen: list[str] = []
    params: dict[str, Any] = {"figure": "closed", "period": "2026-05", "limit": 2}
    async with sut.client(Role.LEADER) as leader:
        while True:
            page = (await leader.get("/cases", params=params)).json()
            seen += [item["case_id"] for item in page["items"]]
            if page["next_cursor"] is None:
                break
            params["cursor"] = page["next_cursor"]
        bad_figure = await leader.get("/cases", params={"figure": "best", "period": "2026-05"})
        bad_period = await leader.get("/cases", params={"figure": "closed", "period": "May"})
        bad_cursor = await leader.get("/cases", params={**params, "cursor": "x"})

    assert sorted(seen) == sorted(str(story.case_id) for story in stories)
    assert (bad_figure.status_code, bad_period.json()["code"]) == (422, "period-unreadable")
    assert bad_cursor.status_code == 400


@pytest.mark.parametrize(
    ("aggregate", "data", "named"),
    [
        ("intake.task", {"case_id": None}, False),
        ("intake.task", {"case_id": str(uuid4())}, True),
        ("dispatch.coordination", {"case_id": str(uuid4())}, True),
        ("hotline.call", {"case_id": str(uuid4())}, False),
    ],
)
def test_the_case_of_a_fact_is_found_where_it_names_one(
    aggregate: str, data: dict[str, Any], *, named: bool
) -> None:
    assert (case_of(aggregate, "subject", data) is not None) is named


async def _rebuild(sut: ServiceUnderTest) -> None:
    async with sut.client(Role.SYSTEM_ADMINISTRATOR) as administrator:
        assert (await administrator.post("/rebuild")).status_code == 202
    await keep_up(sut.runtime)
