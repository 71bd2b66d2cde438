"""Taking in events: once each, in order, with retries, holding back only their own subject."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
import toy
from sqlmodel import select

from shared.bus.transport import Delivery
from shared.db.core import execute
from shared.db.database import DatabaseUnavailable
from shared.events import Envelope
from shared.inbox.consumer import AHEAD, PARKED, RETRY, InboxConsumer
from shared.testing import ServiceUnderTest


def _envelope(subject: UUID, number: int, *, event_type: str | None = None) -> Envelope:
    event = toy.Counted(number=number)
    return Envelope(
        id=uuid4(),
        source="/intake",
        type=event_type or event.TYPE,
        time="2026-06-01T00:00:00Z",
        subject=str(subject),
        dataschema="urn:x",
        sequence=number,
        correlationid="story-0001",
        actorid="somebody",
        data=event.model_dump(),
    )


async def _give(sut: ServiceUnderTest, *envelopes: Envelope, redelivered: bool = False) -> None:
    await sut.inbox.receive(
        [Delivery(body=item.to_bytes(), redelivered=redelivered) for item in envelopes]
    )


async def _heard(sut: ServiceUnderTest) -> dict[UUID, str]:
    async with sut.runtime.database.reading() as session:
        return {lamp.id: lamp.heard for lamp in (await session.exec(select(toy.Lamp))).all()}


async def test_a_delivery_that_comes_twice_counts_once(sut: ServiceUnderTest) -> None:
    subject = uuid4()
    one = _envelope(subject, 1)
    await _give(sut, one, one)
    await _give(sut, one)
    await _give(sut, one, redelivered=True)

    assert await _heard(sut) == {subject: "1"}
    assert len(await sut.told()) == 1


async def test_events_are_applied_in_the_order_of_their_subject(sut: ServiceUnderTest) -> None:
    first, second = uuid4(), uuid4()
    items = [_envelope(first, number) for number in (4, 2, 1)] + [_envelope(second, 1)]
    await _give(sut, *items)

    assert await _heard(sut) == {first: "1,2", second: "1"}
    assert [row.state for row in await sut.held()] == [AHEAD]

    await _give(sut, _envelope(first, 3))

    assert (await _heard(sut))[first] == "1,2,3,4"
    assert await sut.held() == []


async def test_facts_without_a_handler_are_stepped_over(sut: ServiceUnderTest) -> None:
    subject = uuid4()
    await _give(
        sut,
        _envelope(subject, 2),
        _envelope(subject, 1, event_type=toy.CountedTwice.TYPE),
    )

    assert await _heard(sut) == {subject: "2"}


async def test_a_failing_event_holds_back_its_own_subject_only(sut: ServiceUnderTest) -> None:
    toy.FAILING.add(2)
    bad, good = uuid4(), uuid4()
    await _give(sut, *[_envelope(bad, number) for number in (1, 2, 3)], _envelope(good, 1))

    assert await _heard(sut) == {bad: "1", good: "1"}
    assert sorted(row.state for row in await sut.held()) == [AHEAD, RETRY]

    toy.FAILING.clear()
    assert await sut.inbox.retry_due() == 0, "its time has not come yet"
    sut.runtime.clock.advance(timedelta(seconds=2))
    assert await sut.inbox.retry_due() == 1

    assert (await _heard(sut))[bad] == "1,2,3"
    assert await sut.held() == []


async def test_after_its_last_try_an_event_is_parked_until_an_operator_releases_it(
    sut: ServiceUnderTest,
) -> None:
    toy.FAILING.add(1)
    subject = uuid4()
    await _give(sut, _envelope(subject, 1), _envelope(subject, 2))
    for _ in range(sut.runtime.settings.handler_attempts):
        sut.runtime.clock.advance(timedelta(hours=1))
        await sut.inbox.retry_due()

    states = {row.state: row for row in await sut.held()}
    assert set(states) == {PARKED, AHEAD}
    assert "cannot count 1" in states[PARKED].reason

    toy.FAILING.clear()
    assert await sut.inbox.redrive() == 1
    await sut.inbox.retry_due()

    assert await _heard(sut) == {subject: "1,2"}


async def test_a_drained_event_that_fails_does_not_undo_the_one_before_it(
    sut: ServiceUnderTest,
) -> None:
    toy.FAILING.update({1, 2})
    subject = uuid4()
    await _give(sut, _envelope(subject, 1), _envelope(subject, 2))
    toy.FAILING.discard(1)
    sut.runtime.clock.advance(timedelta(hours=1))
    await sut.inbox.retry_due()

    assert await _heard(sut) == {subject: "1"}
    assert [(row.state, row.sequence) for row in await sut.held()] == [(RETRY, 2)]


async def test_an_event_that_kills_its_process_is_parked_in_the_end(sut: ServiceUnderTest) -> None:
    subject = uuid4()
    envelope = _envelope(subject, 1)
    table = sut.runtime.tables.inbox_crash
    async with sut.runtime.database.transaction() as session:
        await session.exec(
            table.insert().values(
                consumer="toy",
                event_id=envelope.id,
                attempts=sut.runtime.settings.crash_attempts,
                last_at=sut.runtime.clock.now(),
            )
        )
    await _give(sut, envelope, redelivered=True)

    assert [row.state for row in await sut.held()] == [PARKED]
    assert await _heard(sut) == {}


async def test_what_nobody_here_understands_is_kept_and_shown(sut: ServiceUnderTest) -> None:
    subject = uuid4()
    await sut.inbox.receive([Delivery(body=b"not json", event_id=str(uuid4()))])
    await _give(sut, _envelope(subject, 1, event_type="intake.counter.counted.v99"))

    assert sorted(row.type for row in await sut.held()) == [
        "intake.counter.counted.v99",
        "unreadable",
    ]
    assert {row.state for row in await sut.held()} == {PARKED}


Handle = Callable[..., Awaitable[None]]


def _handle_with(monkeypatch: pytest.MonkeyPatch, handler: Handle) -> None:
    monkeypatch.setitem(toy.subscriptions.handlers, toy.Counted.TYPE, handler)


async def _until_another_waits(sut: ServiceUnderTest) -> None:
    """Until a second transaction queues behind the one that is open."""
    if sut.runtime.database.is_sqlite:
        for _ in range(50):
            await asyncio.sleep(0)
        return
    # In this database only: others are tested on the same server at the same time.
    blocked = sa.text(
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )

    async def waits() -> bool:
        # A transaction sees one picture of the server's activity, so each look is one of its own.
        async with sut.runtime.database.reading() as session:
            return bool((await execute(session, blocked)).scalar_one())

    async with asyncio.timeout(5):
        while not await waits():  # noqa: ASYNC110 - the server sends no signal for it
            await asyncio.sleep(0)


async def test_what_fails_here_while_another_worker_waits_for_it_is_applied_once(
    sut: ServiceUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    envelope = _envelope(uuid4(), 1)
    other = InboxConsumer(sut.runtime)
    others: list[asyncio.Task[None]] = []

    async def handler(*given: Any) -> None:
        # By itself, after the batch: the first worker fails, the one behind it succeeds.
        if not others:
            others.append(asyncio.create_task(other.receive([Delivery(body=envelope.to_bytes())])))
            await _until_another_waits(sut)
            raise RuntimeError("not here")
        await toy.on_counted(*given)

    _handle_with(monkeypatch, handler)
    await _give(sut, envelope, redelivered=True)
    await others[0]
    # Either of the two may be first now: the other applies it, or this one keeps it for a retry.
    sut.runtime.clock.advance(timedelta(seconds=2))
    await sut.inbox.retry_due()

    assert await _heard(sut) == {UUID(envelope.subject): "1"}
    assert await sut.held() == []


async def test_what_had_its_effect_may_come_again_for_ever_without_being_parked(
    sut: ServiceUnderTest,
) -> None:
    one = _envelope(uuid4(), 1)
    for _ in range(sut.runtime.settings.crash_attempts + 3):
        await _give(sut, one, redelivered=True)

    assert await _heard(sut) == {UUID(one.subject): "1"}
    assert await sut.held() == []


async def test_what_waits_for_its_turn_may_come_again_for_ever_without_being_parked(
    sut: ServiceUnderTest,
) -> None:
    subject = uuid4()
    second = _envelope(subject, 2)
    for _ in range(sut.runtime.settings.crash_attempts + 3):
        await _give(sut, second, redelivered=True)
    assert [row.state for row in await sut.held()] == [AHEAD]

    await _give(sut, _envelope(subject, 1))
    assert await _heard(sut) == {subject: "1,2"}


class _ProcessDied(BaseException):
    """Ends everything at once, as a kill would."""


async def test_a_retry_that_kills_its_process_is_parked_in_the_end(
    sut: ServiceUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    toy.FAILING.add(1)
    await _give(sut, _envelope(uuid4(), 1))
    tries = 0

    async def deadly(*_given: Any) -> None:
        nonlocal tries
        tries += 1
        raise _ProcessDied

    _handle_with(monkeypatch, deadly)
    for _ in range(30):
        sut.runtime.clock.advance(timedelta(hours=1))
        try:
            await sut.inbox.retry_due()
        except _ProcessDied:
            continue

    assert [row.state for row in await sut.held()] == [PARKED]
    assert tries < sut.runtime.settings.handler_attempts


async def test_a_drained_event_that_kills_its_process_is_parked_in_the_end(
    sut: ServiceUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    subject = uuid4()
    first = _envelope(subject, 1)
    await _give(sut, _envelope(subject, 2))

    async def deadly(received: Any, *given: Any) -> None:
        if received.event.number == 2:
            raise _ProcessDied
        await toy.on_counted(received, *given)

    _handle_with(monkeypatch, deadly)
    for _ in range(20):
        sut.runtime.clock.advance(timedelta(hours=1))
        try:
            await _give(sut, first, redelivered=True)
        except _ProcessDied:
            continue

    assert await _heard(sut) == {subject: "1"}
    assert [(row.state, row.sequence) for row in await sut.held()] == [(PARKED, 2)]


async def test_a_retry_that_the_database_breaks_off_does_not_hold_up_the_others(
    sut: ServiceUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow, good = uuid4(), uuid4()
    toy.FAILING.add(1)
    await _give(sut, _envelope(slow, 1))
    sut.runtime.clock.advance(timedelta(milliseconds=5))
    await _give(sut, _envelope(good, 1))
    toy.FAILING.clear()

    async def handler(received: Any, *given: Any) -> None:
        if received.subject == slow:
            raise DatabaseUnavailable("canceling statement due to statement timeout")
        await toy.on_counted(received, *given)

    _handle_with(monkeypatch, handler)
    sut.runtime.clock.advance(timedelta(seconds=2))
    with pytest.raises(DatabaseUnavailable):
        await sut.inbox.retry_due()
    await sut.inbox.retry_due()

    assert await _heard(sut) == {good: "1"}


async def test_what_waited_is_applied_although_the_worker_died_before_it_could_go_on(
    sut: ServiceUnderTest,
) -> None:
    subject = uuid4()
    await _give(sut, _envelope(subject, 2), _envelope(subject, 3))
    first = _envelope(subject, 1)
    # The first one's transaction is all that its worker still did.
    async with sut.runtime.database.transaction() as session:
        progress = sut.runtime.tables.inbox_progress
        await execute(session, sa.update(progress).values(sequence=1))
        inbox = sut.runtime.tables.inbox
        await execute(
            session,
            sa.insert(inbox).values(
                consumer="toy", event_id=first.id, received_at=sut.runtime.clock.now()
            ),
        )

    while await sut.inbox.retry_due():
        pass

    assert await _heard(sut) == {subject: "2,3"}
    assert await sut.held() == []


async def test_a_failure_whose_words_cannot_be_stored_blocks_nobody(
    sut: ServiceUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, good = uuid4(), uuid4()

    async def handler(received: Any, *given: Any) -> None:
        if received.subject == bad:
            raise RuntimeError("a\x00b\ud800c")
        await toy.on_counted(received, *given)

    _handle_with(monkeypatch, handler)
    await _give(sut, _envelope(bad, 1), _envelope(good, 1))

    assert await _heard(sut) == {good: "1"}
    assert [row.state for row in await sut.held()] == [RETRY]


@pytest.mark.parametrize(
    "changes",
    [
        {"subject": "a\x00b"},
        {"subject": "s" * 81},
        {"type": "intake.counter." + "x" * 120},
        {"sequence": 2**31},
    ],
    ids=["nul", "long-subject", "long-type", "sequence"],
)
async def test_an_envelope_that_fits_no_table_is_parked_and_blocks_nobody(
    sut: ServiceUnderTest, changes: dict[str, Any]
) -> None:
    good = uuid4()
    await _give(sut, _envelope(uuid4(), 1).model_copy(update=changes), _envelope(good, 1))

    assert await _heard(sut) == {good: "1"}
    assert [(row.state, row.type) for row in await sut.held()] == [(PARKED, "unreadable")]


async def test_a_batch_and_a_retry_of_one_subject_do_not_deadlock(
    sut: ServiceUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    subject = uuid4()
    await _give(sut, _envelope(subject, 1), _envelope(subject, 3))
    async with sut.runtime.database.transaction() as session:
        await execute(session, sa.update(sut.runtime.tables.inbox_progress).values(sequence=2))
    other = InboxConsumer(sut.runtime)
    others: list[asyncio.Task[int]] = []

    async def handler(*given: Any) -> None:
        if not others:
            others.append(asyncio.create_task(other.retry_due()))
            await _until_another_waits(sut)
        await toy.on_counted(*given)

    _handle_with(monkeypatch, handler)
    await _give(sut, _envelope(subject, 4))
    await others[0]

    assert await _heard(sut) == {subject: "1,3,4"}
    assert await sut.held() == []
