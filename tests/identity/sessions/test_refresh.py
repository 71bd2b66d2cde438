"""Refreshing and ending sessions: once per token, idle and absolute limits, signing out."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.identity.sessions.domain import EndReason, SessionLimits, reason_to_end
from shared.events.identity import AccountChanged, SessionEnded
from shared.vocabulary import Role


async def test_a_refresh_gives_new_tokens_of_the_same_session(town: Any) -> None:
    first = (await town.sign_in("agent01")).json()
    answer = await town.refresh(first["refresh_token"])

    assert answer.status_code == 200
    second = answer.json()
    assert second["session_id"] == first["session_id"]
    assert second["refresh_token"] != first["refresh_token"]
    assert (await town.call(second["access_token"], "GET", "/me")).status_code == 200


async def test_using_a_refresh_token_twice_ends_the_whole_family(town: Any) -> None:
    first = (await town.sign_in("agent01")).json()
    other = (await town.sign_in("agent01")).json()
    second = (await town.refresh(first["refresh_token"])).json()
    town.clock.advance(timedelta(seconds=1))

    replay = await town.refresh(first["refresh_token"])

    assert (replay.status_code, replay.json()["code"]) == (401, "refresh-refused")
    assert (await town.refresh(second["refresh_token"])).status_code == 401
    assert (await town.call(second["access_token"], "GET", "/me")).status_code == 401
    assert (await town.refresh(other["refresh_token"])).status_code == 200
    told = await town.sut.told(SessionEnded)
    assert [event.data["session_id"] for event in told] == [first["session_id"]]
    assert any(row.action == "session-replayed" for row in await town.rows("audit"))


async def test_refresh_tokens_are_stored_as_digests_only(town: Any) -> None:
    tokens = (await town.sign_in("agent01")).json()
    assert tokens["refresh_token"] not in repr(await town.rows("refresh_tokens"))


async def test_an_unknown_refresh_token_is_refused(town: Any) -> None:
    assert (await town.refresh("nonsense")).json()["code"] == "refresh-refused"


async def test_an_idle_session_ends_after_half_an_hour(town: Any) -> None:
    tokens = (await town.sign_in("agent01")).json()
    town.clock.advance(timedelta(minutes=30))
    tokens = (await town.refresh(tokens["refresh_token"])).json()
    town.clock.advance(timedelta(minutes=30, seconds=1))

    assert (await town.refresh(tokens["refresh_token"])).status_code == 401
    [row] = await town.rows("sessions")
    assert row.end_reason == "idle"


async def test_a_busy_session_ends_after_twelve_hours(town: Any) -> None:
    tokens = (await town.sign_in("agent01")).json()
    for _ in range(24):
        town.clock.advance(timedelta(minutes=30))
        answer = await town.refresh(tokens["refresh_token"])
        assert answer.status_code == 200
        tokens = answer.json()
    town.clock.advance(timedelta(minutes=1))

    assert (await town.refresh(tokens["refresh_token"])).status_code == 401
    [row] = await town.rows("sessions")
    assert row.end_reason == "too-long"


async def test_signing_out_ends_this_session_at_once_and_tells_it(town: Any) -> None:
    mine, other = [(await town.sign_in("agent01")).json() for _ in range(2)]
    town.clock.advance(timedelta(seconds=1))
    done = await town.call(mine["access_token"], "DELETE", "/sessions/current")

    assert done.status_code == 204
    assert (await town.call(mine["access_token"], "GET", "/me")).status_code == 401
    assert (await town.refresh(mine["refresh_token"])).status_code == 401
    assert (await town.call(other["access_token"], "GET", "/me")).status_code == 200
    [told] = await town.sut.told(SessionEnded)
    assert (told.data["session_id"], told.sequence) == (mine["session_id"], 1)


async def test_signing_out_everywhere_ends_all_sessions(town: Any) -> None:
    first, second = [(await town.sign_in("agent01")).json() for _ in range(2)]
    town.clock.advance(timedelta(seconds=1))
    done = await town.call(first["access_token"], "DELETE", "/sessions")

    assert done.status_code == 204
    for tokens in (first, second):
        assert (await town.call(tokens["access_token"], "GET", "/me")).status_code == 401
        assert (await town.refresh(tokens["refresh_token"])).status_code == 401
    town.clock.advance(timedelta(seconds=1))
    again = (await town.sign_in("agent01")).json()
    assert (await town.call(again["access_token"], "GET", "/me")).status_code == 200
    told = (await town.sut.told(AccountChanged))[-1]
    assert told.subject == str(town.id_of("agent01"))
    assert told.data["tokens_valid_after"] is not None


async def test_closing_an_account_ends_its_sessions(town: Any) -> None:
    tokens = (await town.sign_in("agent01")).json()
    town.clock.advance(timedelta(seconds=1))
    async with town.administrator(Role.SYSTEM_ADMINISTRATOR) as client:
        await client.post(f"/accounts/{town.id_of('agent01')}/closing", json={"reason": "left"})

    assert (await town.call(tokens["access_token"], "GET", "/me")).status_code == 401
    assert (await town.refresh(tokens["refresh_token"])).status_code == 401


async def test_changed_roles_end_sessions_and_the_next_one_has_the_new_roles(town: Any) -> None:
    tokens = (await town.sign_in("agent01")).json()
    town.clock.advance(timedelta(seconds=1))
    async with town.administrator(Role.SYSTEM_ADMINISTRATOR) as client:
        await client.patch(f"/accounts/{town.id_of('agent01')}", json={"roles": ["operator"]})
    assert (await town.call(tokens["access_token"], "GET", "/me")).status_code == 401
    assert (await town.refresh(tokens["refresh_token"])).status_code == 401

    town.clock.advance(timedelta(seconds=1))
    again = (await town.sign_in("agent01")).json()
    assert (await town.call(again["access_token"], "GET", "/me")).json()["roles"] == ["operator"]


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/me"), ("GET", "/sessions"), ("DELETE", "/sessions/current")]
)
async def test_nobody_is_nobody(town: Any, method: str, path: str) -> None:
    async with town.anonymous() as client:
        answer = await client.request(method, path)
    assert (answer.status_code, answer.json()["code"]) == (401, "not-signed-in")


LIMITS = SessionLimits(idle=timedelta(minutes=30), absolute=timedelta(hours=12))
START = datetime(2026, 6, 1, tzinfo=UTC)


@given(
    used=st.integers(0, 60 * 24 * 60),
    now=st.integers(0, 60 * 24 * 60),
    revoked=st.none() | st.integers(-100, 60 * 24 * 60),
)
def test_a_session_goes_on_exactly_while_no_limit_is_passed(
    used: int, now: int, revoked: int | None
) -> None:
    used, now = sorted((used, now))
    reason = reason_to_end(
        started_at=START,
        last_used_at=START + timedelta(seconds=used),
        revoked_at=None if revoked is None else START + timedelta(seconds=revoked),
        now=START + timedelta(seconds=now),
        limits=LIMITS,
    )
    alive = now - used <= 1_800 and now <= 43_200 and (revoked is None or revoked < 0)
    assert (reason is None) == alive
    assert (reason is EndReason.REVOKED) == (revoked is not None and revoked >= 0)
