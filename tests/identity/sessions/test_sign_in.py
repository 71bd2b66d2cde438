"""Signing in: one answer for every wrong try, locks that grow, duties that come first."""

import asyncio
import contextlib
from datetime import timedelta
from typing import Any

import httpx
import pytest

from services.identity.config import identity_settings
from services.identity.passwords.service import hashing_of
from shared.vocabulary import Role


async def test_a_password_opens_a_session_with_the_rights_of_the_account(town: Any) -> None:
    answer = await town.sign_in(" Dispatcher01 ")

    assert answer.status_code == 201, answer.text
    tokens = answer.json()
    assert (tokens["token_type"], tokens["expires_in"], tokens["must"]) == ("Bearer", 600, [])
    principal = await town.sut.runtime.verifier.verify(tokens["access_token"])
    assert principal.id == str(town.id_of("dispatcher01")) == tokens["account_id"]
    assert principal.roles == {Role.DISPATCHER}
    assert (principal.unit, principal.login) == ("centre", "dispatcher01")
    assert principal.session == tokens["session_id"]
    me = (await town.call(tokens["access_token"], "GET", "/me")).json()
    assert (me["login"], me["name_zh"], me["roles"]) == ("dispatcher01", "韩志远", ["dispatcher"])


async def test_every_sign_in_is_a_session_of_its_own(town: Any) -> None:
    first, second = [(await town.sign_in("agent01")).json() for _ in range(2)]

    assert first["session_id"] != second["session_id"]
    listed = await town.call(first["access_token"], "GET", "/sessions")
    assert {row["id"]: row["current"] for row in listed.json()} == {
        first["session_id"]: True,
        second["session_id"]: False,
    }


def _same(answer: httpx.Response) -> dict[str, Any]:
    return {name: value for name, value in answer.json().items() if name != "correlation_id"} | {
        "status": answer.status_code
    }


async def test_unknown_wrong_closed_and_unset_get_the_same_answer_after_the_same_work(
    town: Any,
) -> None:
    async with town.administrator(Role.SYSTEM_ADMINISTRATOR) as client:
        await client.post(f"/accounts/{town.id_of('agent02')}/closing", json={"reason": "left"})
        await client.post(
            "/accounts",
            json={"login": "fresh", "name_zh": "新", "name_en": "New", "roles": ["agent"]},
        )
    hashing = hashing_of(town.sut.runtime)
    answers, work = [], []
    for login, password in (
        ("agent01", "wrong"),
        ("nobody-at-all", "wrong"),
        ("agent02", "Lamp-Post-4711"),
        ("fresh", "Lamp-Post-4711"),
    ):
        before = hashing.checks
        answers.append(_same(await town.sign_in(login, password)))
        work.append(hashing.checks - before)

    assert answers[0]["status"] == 401
    assert answers[0]["code"] == "credentials-refused"
    assert answers == [answers[0]] * 4
    assert work == [1, 1, 1, 1]


@pytest.mark.parametrize("login", ["agent01", "nobody-at-all"])
async def test_five_failures_lock_a_login_and_each_further_one_twice_as_long(
    town: Any, login: str
) -> None:
    assert [(await town.sign_in(login, "wrong")).status_code for _ in range(5)] == [401] * 5
    locked = await town.sign_in(login)
    assert (locked.status_code, locked.json()["code"]) == (429, "too-many-failures")
    assert 880 < int(locked.headers["retry-after"]) <= 901

    town.clock.advance(timedelta(minutes=15, seconds=1))
    assert (await town.sign_in(login, "wrong")).status_code == 401
    assert 1_780 < int((await town.sign_in(login)).headers["retry-after"]) <= 1_801


async def test_a_lock_ends_and_a_success_forgets_the_failures(town: Any) -> None:
    for _ in range(5):
        await town.sign_in("agent01", "wrong")
    town.clock.advance(timedelta(minutes=16))
    assert (await town.sign_in("agent01")).status_code == 201
    for _ in range(4):
        assert (await town.sign_in("agent01", "wrong")).status_code == 401
    assert (await town.sign_in("agent01")).status_code == 201


async def test_tries_at_once_cannot_slip_past_the_lock(town: Any) -> None:
    answers = await asyncio.gather(*(town.sign_in("agent01", "wrong") for _ in range(20)))
    codes = [answer.status_code for answer in answers]

    # A busy pool may turn some away unheard.
    assert codes.count(401) <= 5
    assert set(codes) <= {401, 429, 503}
    guard = await town.rows("attempt_guards")
    assert max(row.failures for row in guard) <= 5


async def test_one_address_trying_many_logins_is_locked_too(town: Any) -> None:
    codes = [(await town.sign_in(f"agent{n:02}x", "wrong")).status_code for n in range(14)]

    assert codes == [401] * 12 + [429] * 2
    assert (await town.sign_in("agent01")).status_code == 429


async def test_a_security_administrator_unlocks(town: Any) -> None:
    for _ in range(5):
        await town.sign_in("agent01", "wrong")
    async with town.administrator(Role.SECURITY_ADMINISTRATOR) as client:
        done = await client.post(f"/accounts/{town.id_of('agent01')}/unlocking")
    assert done.status_code == 204
    assert (await town.sign_in("agent01")).status_code == 201


async def test_the_audit_knows_who_signed_in_who_failed_and_who_was_locked(town: Any) -> None:
    await town.sign_in("agent01")
    for _ in range(6):
        await town.sign_in("agent01", "my-secret-typo")
    rows = await town.rows("audit")
    about = f"account:{town.id_of('agent01')}"
    seen = [(row.action, row.succeeded) for row in rows if row.object == about]

    assert seen.count(("sign-in", True)) == 1
    assert seen.count(("sign-in", False)) == 5
    assert seen.count(("lock", True)) == 1
    assert any(row.action == "refuse-locked" for row in rows)
    assert all(row.source_address for row in rows if row.action == "sign-in")
    assert "my-secret-typo" not in repr(rows)


async def test_an_administrator_without_second_factor_can_only_enrol(town: Any) -> None:
    tokens = (await town.sign_in("admin.system")).json()

    assert tokens["must"] == ["enrol-second-factor"]
    assert (await town.call(tokens["access_token"], "GET", "/accounts")).status_code == 403
    me = (await town.call(tokens["access_token"], "GET", "/me")).json()
    assert (me["roles"], me["must"]) == ([], ["enrol-second-factor"])


async def test_an_old_password_has_to_be_changed_first(town: Any) -> None:
    town.clock.advance(timedelta(days=181))
    answer = (await town.sign_in("agent01")).json()

    assert answer["must"] == ["change-password"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"login": "a"},
        {"login": "a", "password": 7},
        {"login": "a", "password": "b", "code": "12"},
        {"login": "a", "password": "b", "more": 1},
        {"login": "a" * 101, "password": "b"},
    ],
)
async def test_a_sign_in_that_is_none_is_refused_whole(town: Any, body: dict[str, Any]) -> None:
    async with town.anonymous() as client:
        answer = await client.post("/sessions", json=body)

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-input")
    assert await town.rows("attempt_guards") == []


async def test_nobody_waits_for_a_connection_while_passwords_are_compared(town: Any) -> None:
    """As many sign-ins as wait for a processor leave the connections to everybody else."""
    database = town.sut.runtime.database
    if database.is_sqlite:
        pytest.skip("one writer at a time there, whatever it does")
    await town.sign_in("agent01")
    hashing, count = hashing_of(town.sut.runtime), 20
    all_of_them = hashing.asked + count
    async with contextlib.AsyncExitStack() as turns:
        for _ in range(identity_settings(town.sut.runtime).hashing_threads):
            await turns.enter_async_context(hashing._turns)
        tries = [asyncio.create_task(town.sign_in("agent01")) for _ in range(count)]
        async with asyncio.timeout(20):
            while hashing.asked < all_of_them:  # noqa: ASYNC110 - a count, not an event
                await asyncio.sleep(0.01)
        in_use = database.engine.pool.checkedout()
    answers = await asyncio.gather(*tries)

    assert in_use == 0
    assert {answer.status_code for answer in answers} == {201}
