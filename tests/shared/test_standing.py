"""Ended sessions and closed accounts: heard once, written down, heeded by every process."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
import toy

from shared.auth.tokens import TokenRefused, TokenVerifier
from shared.clock import ManualClock
from shared.db.database import DatabaseUnavailable
from shared.events.identity import AccountChanged, SessionEnded
from shared.inbox.standing import keep_standing, refresh_standing, watch_standing
from shared.inbox.subscriptions import Subscriptions
from shared.pack.model import CityPack
from shared.testing import ServiceUnderTest, service_under_test
from shared.vocabulary import Role
from shared.worker import prune

ACCOUNT = uuid4()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(datetime.now(UTC))


@pytest.fixture
async def watching(
    database_url: str, qilihe: CityPack, tmp_path: Path, clock: ManualClock
) -> AsyncIterator[ServiceUnderTest]:
    subscriptions = Subscriptions("toy")
    watch_standing(subscriptions)
    async with service_under_test(
        replace(toy.service, subscriptions=subscriptions),
        database_url=database_url,
        pack=qilihe,
        folder=tmp_path,
        clock=clock,
    ) as sut:
        yield sut


def _token(sut: ServiceUnderTest) -> str:
    return sut.keys.token(Role.OPERATOR, subject=str(ACCOUNT))


def _changed(*, active: bool = True, after: datetime | None = None) -> AccountChanged:
    return AccountChanged(
        login="operator01", roles=("operator",), active=active, tokens_valid_after=after
    )


async def _takes(sut: ServiceUnderTest, token: str, verifier: TokenVerifier | None = None) -> bool:
    try:
        await (verifier or sut.runtime.verifier).verify(token)
    except TokenRefused:
        return False
    return True


async def _written(sut: ServiceUnderTest) -> dict[str, datetime]:
    table = sut.runtime.tables.ended_sessions
    async with sut.runtime.database.reading() as session:
        rows = await session.exec(sa.select(table))
        return {row.name: row.ended_at for row in rows}


async def test_the_queue_binds_the_accounts(watching: ServiceUnderTest) -> None:
    assert watching.runtime.service.subscriptions.queue.bindings == ("identity.account.#",)


async def test_an_ordinary_change_ends_nothing(watching: ServiceUnderTest) -> None:
    await watching.deliver(_changed(), subject=ACCOUNT)
    assert await _written(watching) == {}
    assert await _takes(watching, _token(watching))


@pytest.mark.parametrize("active", [True, False])
async def test_an_account_whose_tokens_ended_is_refused_in_every_process(
    watching: ServiceUnderTest, clock: ManualClock, *, active: bool
) -> None:
    token = _token(watching)
    other_process = TokenVerifier(watching.keys.source())
    assert await _takes(watching, token, other_process)
    clock.advance(timedelta(seconds=1))
    after = clock.now() if active else None
    await watching.deliver(_changed(active=active, after=after), subject=ACCOUNT, at=clock.now())

    assert not await _takes(watching, token)
    assert await _takes(watching, token, other_process)
    watching.runtime.verifier = other_process
    await refresh_standing(watching.runtime)
    assert not await _takes(watching, token, other_process)


async def test_tokens_issued_later_count_again(watching: ServiceUnderTest) -> None:
    early = datetime.now(UTC) - timedelta(seconds=5)
    await watching.deliver(_changed(after=early), subject=ACCOUNT)
    assert await _takes(watching, _token(watching))


async def test_an_ended_session_is_refused_and_others_go_on(
    watching: ServiceUnderTest, clock: ManualClock
) -> None:
    session = UUID(int=7)
    clock.advance(timedelta(seconds=1))
    await watching.deliver(SessionEnded(session_id=session, ended_at=clock.now()), subject=session)
    assert await _takes(watching, _token(watching))
    assert await _written(watching) == {str(session): clock.now()}


async def test_the_later_end_wins_whatever_comes_last(
    watching: ServiceUnderTest, clock: ManualClock
) -> None:
    late, early = clock.now(), clock.now() - timedelta(minutes=5)
    await watching.deliver(_changed(after=late), subject=ACCOUNT)
    await watching.deliver(_changed(after=early), subject=ACCOUNT)
    assert await _written(watching) == {str(ACCOUNT): late}


async def test_the_watch_heeds_what_another_process_wrote_and_survives_a_failure(
    watching: ServiceUnderTest, clock: ManualClock
) -> None:
    token = _token(watching)
    runtime = watching.runtime
    table = runtime.tables.ended_sessions
    async with runtime.database.engine.begin() as connection:
        await connection.run_sync(table.drop)
    task = asyncio.create_task(keep_standing(runtime, seconds=0.01))
    try:
        async with asyncio.timeout(10):
            # It has to go round at least once without its table.
            for _ in range(3):
                with pytest.raises((sa.exc.DBAPIError, DatabaseUnavailable)):
                    await _written(watching)
            async with runtime.database.engine.begin() as connection:
                await connection.run_sync(table.create)
            async with runtime.database.transaction() as session:
                row = {"name": str(ACCOUNT), "ended_at": clock.now() + timedelta(seconds=1)}
                await session.exec(sa.insert(table).values(row))
            while await _takes(watching, token):  # noqa: ASYNC110 - a table is waited for
                await asyncio.sleep(0.01)
        assert not task.done()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_old_rows_are_pruned(watching: ServiceUnderTest, clock: ManualClock) -> None:
    await watching.deliver(_changed(after=clock.now()), subject=ACCOUNT)
    clock.advance(timedelta(hours=23))
    await prune(watching.runtime)
    assert len(await _written(watching)) == 1
    clock.advance(timedelta(hours=2))
    await prune(watching.runtime)
    assert await _written(watching) == {}
