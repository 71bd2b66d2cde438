"""Passwords: which are taken, how they are changed, and how one gets the first."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.identity.passwords.domain import code_digest, faults_of, lock_after, new_code
from services.identity.passwords.service import first_code
from shared.vocabulary import Role
from shared.work import Actor, Origin

PASSWORD = "Lamp-Post-4711"
NEW = "Other-Lamp-0815"


@pytest.mark.parametrize(
    ("password", "good"),
    [
        ("Lamp-Post-4711", True),
        ("路灯路灯Lamp4711", True),
        ("Short-1", False),
        ("alllowercase-letters", False),
        ("aaaaAAAA11", False),
        ("Xagent01-4711", False),
        ("XAGENT01-x4711", False),
        ("1234567890", False),
        ("", False),
    ],
)
def test_weak_passwords_are_refused_with_reasons(password: str, *, good: bool) -> None:
    assert (faults_of(password, login="agent01", shortest=10) == []) == good


@given(st.text(max_size=30), st.integers(8, 20))
def test_a_password_without_faults_is_long_and_mixed(password: str, shortest: int) -> None:
    if faults_of(password, login="", shortest=shortest):
        return
    assert len(password) >= shortest
    kinds = {
        "lower" if c.islower() else "upper" if c.isupper() else "digit" if c.isdecimal() else "sign"
        for c in password
    }
    assert len(kinds) >= 3


@given(st.integers(0, 10_000), st.integers(1, 20))
def test_locks_begin_at_the_limit_and_double_up_to_the_longest(failures: int, allowed: int) -> None:
    first, longest = timedelta(minutes=15), timedelta(hours=24)
    lock = lock_after(failures, allowed=allowed, first=first, longest=longest)
    expected = timedelta(0)
    if failures >= allowed:
        expected = first
        for _ in range(min(failures - allowed, 50)):
            expected = min(expected * 2, longest)
    assert lock == expected


def test_codes_can_be_typed_in_small_letters_and_without_dashes() -> None:
    code = new_code()
    assert code_digest(code) == code_digest(code.lower().replace("-", " "))
    assert code_digest(code) != code_digest(new_code())


async def test_changing_a_password_ends_every_session(town: Any) -> None:
    mine, other = [(await town.sign_in("agent01")).json() for _ in range(2)]
    town.clock.advance(timedelta(seconds=1))
    body = {"current_password": PASSWORD, "new_password": NEW}
    answer = await town.call(mine["access_token"], "PUT", "/me/password", json=body)

    assert answer.status_code == 204, answer.text
    for tokens in (mine, other):
        assert (await town.call(tokens["access_token"], "GET", "/me")).status_code == 401
        assert (await town.refresh(tokens["refresh_token"])).status_code == 401
    assert (await town.sign_in("agent01", PASSWORD)).status_code == 401
    town.clock.advance(timedelta(seconds=1))
    again = await town.sign_in("agent01", NEW)
    assert again.status_code == 201
    assert (await town.call(again.json()["access_token"], "GET", "/me")).status_code == 200


async def test_a_stolen_token_cannot_try_out_passwords(town: Any) -> None:
    token = (await town.sign_in("agent01")).json()["access_token"]
    codes = []
    for number in range(6):
        body = {"current_password": f"guess-{number}", "new_password": NEW}
        answer = await town.call(token, "PUT", "/me/password", json=body)
        codes.append(answer.status_code)
    assert codes == [401] * 5 + [429]


async def test_recent_passwords_are_not_taken_again(town: Any) -> None:
    token = (await town.sign_in("agent01")).json()["access_token"]
    body = {"current_password": PASSWORD, "new_password": PASSWORD}
    answer = await town.call(token, "PUT", "/me/password", json=body)

    assert (answer.status_code, answer.json()["code"]) == (422, "password-refused")
    assert answer.json()["faults"] == ["It is one of the last 5 passwords."]
    assert (await town.call(token, "GET", "/me")).status_code == 200


async def _code(town: Any, login: str) -> str:
    async with town.administrator(Role.SECURITY_ADMINISTRATOR) as client:
        answer = await client.post(f"/accounts/{town.id_of(login)}/one-time-code")
    assert answer.status_code == 201
    return str(answer.json()["code"])


async def _redeem(town: Any, login: str, code: str, password: str = NEW) -> int:
    async with town.anonymous() as client:
        body = {"login": login, "code": code, "new_password": password}
        return int((await client.post("/password-resets", json=body)).status_code)


async def test_a_one_time_code_gives_a_first_password_once(town: Any) -> None:
    async with town.administrator(Role.SYSTEM_ADMINISTRATOR) as client:
        new = {"login": "fresh", "name_zh": "新", "name_en": "New", "roles": ["agent"]}
        await client.post("/accounts", json=new)
    code = await _code(town, "fresh")

    assert await _redeem(town, "fresh", code, "weak") == 422
    assert await _redeem(town, "fresh", code) == 204
    assert await _redeem(town, "fresh", code, "Third-Lamp-0001") == 401
    town.clock.advance(timedelta(seconds=1))
    assert (await town.sign_in("fresh", NEW)).json()["must"] == []


async def test_codes_expire_are_replaced_and_stay_secret(town: Any) -> None:
    first = await _code(town, "agent01")
    second = await _code(town, "agent01")
    assert await _redeem(town, "agent01", first) == 401
    stored = repr([await town.rows(name) for name in ("credentials", "idempotency", "audit")])
    assert second not in stored
    town.clock.advance(timedelta(days=1, seconds=1))
    assert await _redeem(town, "agent01", second) == 401


async def test_guessing_codes_locks_like_guessing_passwords(town: Any) -> None:
    assert [await _redeem(town, "agent01", f"WRONG-{n}") for n in range(6)] == [401] * 5 + [429]
    assert (await town.sign_in("agent01")).status_code == 429


async def test_the_first_administrator_gets_a_code_at_the_machine(town: Any) -> None:
    runtime = town.sut.runtime
    async with runtime.database.transaction() as session:
        work = runtime.work(session, Actor("service:identity"), Origin("setting-up"))
        code, _until = await first_code(work, runtime, "admin.security")
        await work.flush()
    assert await _redeem(town, "admin.security", code) == 204
