"""Timers: rung once and with their true time, by however many workers; again where they fail."""

import asyncio
from collections.abc import Iterator
from datetime import datetime, timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.orm.exc import StaleDataError
from toy import REFUSING, Lamp, LampTurnedOff

from shared.db.core import execute
from shared.inbox.consumer import NEVER_ENDED
from shared.testing import ServiceUnderTest
from shared.timers.ringer import CLAIM, Ringer
from shared.worker import lag

MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def _nothing_refused() -> Iterator[None]:
    yield
    REFUSING.clear()


async def _lit(sut: ServiceUnderTest, off_at: datetime | None, street: str = "Xijin") -> UUID:
    lamp = Lamp(street=street, lit=True, off_at=off_at)
    async with sut.runtime.database.transaction() as session:
        session.add(lamp)
    return lamp.id


async def _lamp(sut: ServiceUnderTest, lamp_id: UUID) -> Lamp:
    async with sut.runtime.database.reading() as session:
        return await session.get_one(Lamp, lamp_id)


async def _tries(sut: ServiceUnderTest) -> list[tuple[int, bool]]:
    table = sut.runtime.tables.timer_tries
    async with sut.runtime.database.reading() as session:
        rows = await execute(session, sa.select(table.c.attempts, table.c.parked))
        return [tuple(row) for row in rows]


async def test_a_timer_rings_once_and_tells_when_it_was_due(sut: ServiceUnderTest) -> None:
    due_at = sut.runtime.clock.now() + MINUTE
    lamp_id = await _lit(sut, due_at)
    ringer = Ringer(sut.runtime)
    assert await ringer.ring_due() == 0

    # No worker was running for hours.
    sut.runtime.clock.advance(timedelta(hours=5))
    assert await ringer.ring_due() == 1
    assert await ringer.ring_due() == 0

    lamp = await _lamp(sut, lamp_id)
    assert (lamp.lit, lamp.off_at) == (False, None)
    (told,) = await sut.told(LampTurnedOff)
    assert told.time == due_at
    assert told.data["due_at"] == due_at.isoformat().replace("+00:00", "Z")
    assert await _tries(sut) == []


async def test_workers_that_look_at_the_same_time_ring_each_timer_once(
    sut: ServiceUnderTest,
) -> None:
    for _ in range(30):
        await _lit(sut, sut.runtime.clock.now())
    rings = [Ringer(sut.runtime).ring_due(limit=20) for _ in range(4)]
    await asyncio.gather(*rings)
    while await Ringer(sut.runtime).ring_due():
        pass
    assert len(await sut.told(LampTurnedOff)) == 30
    assert await _tries(sut) == []


async def test_a_timer_moved_or_cancelled_in_time_does_not_ring(sut: ServiceUnderTest) -> None:
    now = sut.runtime.clock.now()
    moved, cancelled = await _lit(sut, now + MINUTE), await _lit(sut, now + MINUTE)
    async with sut.runtime.database.transaction() as session:
        (await session.get_one(Lamp, moved)).off_at = now + timedelta(hours=1)
        (await session.get_one(Lamp, cancelled)).off_at = None
    sut.runtime.clock.advance(2 * MINUTE)
    assert await Ringer(sut.runtime).ring_due() == 0

    sut.runtime.clock.advance(timedelta(hours=1))
    assert await Ringer(sut.runtime).ring_due() == 1
    assert [told.subject for told in await sut.told(LampTurnedOff)] == [str(moved)]


async def test_a_timer_moved_after_it_was_claimed_does_not_ring_at_its_old_time(
    sut: ServiceUnderTest,
) -> None:
    now = sut.runtime.clock.now()
    lamp_id = await _lit(sut, now)
    ringer = Ringer(sut.runtime)
    (timer,) = sut.runtime.service.timers
    (claimed,) = await ringer._claim(timer, 10)
    async with sut.runtime.database.transaction() as session:
        (await session.get_one(Lamp, lamp_id)).off_at = now + MINUTE
    await ringer._try(timer, claimed)
    assert (await _lamp(sut, lamp_id)).lit
    assert await sut.told(LampTurnedOff) == []
    assert await _tries(sut) == []


async def test_what_read_the_row_before_it_rang_cannot_write_over_it(
    sut: ServiceUnderTest,
) -> None:
    lamp_id = await _lit(sut, sut.runtime.clock.now())
    async with sut.runtime.database.reading() as session:
        before = await session.get_one(Lamp, lamp_id)
    await Ringer(sut.runtime).ring_due()
    before.street = "Binhe"
    with pytest.raises(StaleDataError):
        async with sut.runtime.database.transaction() as session:
            session.add(before)


async def test_a_failed_try_leaves_nothing_behind_and_is_tried_again_with_its_true_time(
    sut: ServiceUnderTest,
) -> None:
    due_at = sut.runtime.clock.now()
    failing = await _lit(sut, due_at, street="Stuck")
    well = await _lit(sut, due_at)
    REFUSING.add("Stuck")
    assert await Ringer(sut.runtime).ring_due() == 2
    lamp = await _lamp(sut, failing)
    assert (lamp.lit, lamp.off_at) == (True, due_at)
    assert [told.subject for told in await sut.told(LampTurnedOff)] == [str(well)]

    assert await Ringer(sut.runtime).ring_due() == 0  # not at once
    REFUSING.clear()
    sut.runtime.clock.advance(MINUTE)
    assert await Ringer(sut.runtime).ring_due() == 1
    assert [told.time for told in await sut.told(LampTurnedOff)] == [due_at, due_at]


async def test_a_timer_that_always_fails_is_parked_shown_and_released(
    sut: ServiceUnderTest,
) -> None:
    await _lit(sut, sut.runtime.clock.now(), street="Stuck")
    REFUSING.add("Stuck")
    ringer = Ringer(sut.runtime)
    tries = 0
    for _ in range(2 * sut.runtime.settings.handler_attempts):
        tries += await ringer.ring_due()
        sut.runtime.clock.advance(timedelta(minutes=11))
    assert tries == sut.runtime.settings.handler_attempts
    assert await ringer.ring_due() == 0
    (row,) = await ringer.parked()
    assert "Stuck cannot be turned off" in row.reason
    assert (await lag(sut.runtime))["timers_parked"] == 1

    REFUSING.clear()
    assert await ringer.redrive() == 1
    assert await ringer.ring_due() == 1
    assert len(await sut.told(LampTurnedOff)) == 1
    assert (await lag(sut.runtime))["timers_parked"] == 0


async def test_a_timer_that_kills_its_process_is_parked_in_the_end(sut: ServiceUnderTest) -> None:
    await _lit(sut, sut.runtime.clock.now())
    ringer = Ringer(sut.runtime)
    (timer,) = sut.runtime.service.timers
    for _ in range(sut.runtime.settings.handler_attempts):
        assert len(await ringer._claim(timer, 10)) == 1  # and then the process dies
        assert await ringer._claim(timer, 10) == []  # nobody else has it before the claim is over
        sut.runtime.clock.advance(CLAIM)
    assert await ringer.ring_due() == 1
    (row,) = await ringer.parked()
    assert row.reason == NEVER_ENDED
    assert await sut.told(LampTurnedOff) == []


async def test_how_late_timers_are_is_a_figure(sut: ServiceUnderTest) -> None:
    assert (await lag(sut.runtime))["timers_late_seconds"] == 0
    await _lit(sut, sut.runtime.clock.now())
    sut.runtime.clock.advance(MINUTE)
    assert (await lag(sut.runtime))["timers_late_seconds"] == 60
