"""The second factor of administrators: enrolled once, each code good once."""

from datetime import timedelta
from typing import Any

import pytest

from services.identity.second_factors.domain import code_at, step_of
from shared.vocabulary import Role

RFC_SECRET = b"12345678901234567890"


@pytest.mark.parametrize(
    ("timestamp", "code"),
    [
        (59, "287082"),
        (1_111_111_109, "081804"),
        (1_111_111_111, "050471"),
        (1_234_567_890, "005924"),
        (2_000_000_000, "279037"),
    ],
)
def test_codes_are_those_of_rfc_6238(timestamp: int, code: str) -> None:
    assert code_at(RFC_SECRET, timestamp) == code
    assert step_of(RFC_SECRET, code, timestamp, after=0) == timestamp // 30


def test_a_clock_may_differ_by_one_step_and_a_code_counts_once() -> None:
    code = code_at(RFC_SECRET, 1_000_000)
    step = 1_000_000 // 30
    good = [at for at in range(-3, 4) if step_of(RFC_SECRET, code, (step + at) * 30, after=0)]
    assert good == [-1, 0, 1]
    assert step_of(RFC_SECRET, code, 1_000_000, after=step) is None


async def test_an_administrator_enrols_and_then_needs_the_code(town: Any) -> None:
    secret = await town.enrol("admin.system")
    town.clock.advance(timedelta(seconds=31))

    without = await town.sign_in("admin.system")
    assert (without.status_code, without.json()["code"]) == (401, "second-factor-required")
    assert (await town.sign_in("admin.system", code="000000")).status_code == 401
    code = code_at(secret, town.clock.now().timestamp())
    good = await town.sign_in("admin.system", code=code)
    assert (good.status_code, good.json()["must"]) == (201, [])
    replay = await town.sign_in("admin.system", code=code)
    assert replay.status_code == 401


async def test_the_token_after_both_factors_opens_the_administration(town: Any) -> None:
    secret = await town.enrol("admin.security")
    # Within what the check against real time lets pass.
    town.clock.advance(timedelta(seconds=20))
    code = code_at(secret, town.clock.now().timestamp() + 30)
    token = (await town.sign_in("admin.security", code=code)).json()["access_token"]
    assert (await town.call(token, "GET", "/accounts")).status_code == 200


async def test_guessing_codes_locks_the_login(town: Any) -> None:
    await town.enrol("admin.audit")
    codes = [(await town.sign_in("admin.audit", code=f"{n:06}")).status_code for n in range(6)]
    assert codes.count(429) >= 1
    assert set(codes) <= {401, 429}


async def test_a_lost_authenticator_is_removed_by_another_administrator(town: Any) -> None:
    await town.enrol("admin.system")
    path = f"/accounts/{town.id_of('admin.system')}/second-factor"
    async with town.administrator(Role.SECURITY_ADMINISTRATOR) as client:
        assert (await client.delete(path)).status_code == 204
        assert (await client.delete(path)).json()["code"] == "second-factor-missing"
    town.clock.advance(timedelta(seconds=1))
    assert (await town.sign_in("admin.system")).json()["must"] == ["enrol-second-factor"]


async def test_an_enrolled_factor_is_not_replaced_and_not_readable(town: Any) -> None:
    secret = await town.enrol("admin.system")
    [row] = await town.rows("credentials", account_id=town.id_of("admin.system"))
    assert secret.hex() not in repr(row).lower()
    # The audit and the stored answers have nothing of it either.
    assert await town.rows("idempotency") == []

    async with town.sut.client(
        Role.SYSTEM_ADMINISTRATOR, subject=str(town.id_of("admin.system"))
    ) as client:
        # Tokens from before the confirmation no longer count, whoever signed them.
        again = await client.post("/me/second-factor")
    assert again.status_code in {401, 409}


async def test_confirming_with_a_wrong_code_or_without_enrolling_is_refused(town: Any) -> None:
    token = (await town.sign_in("agent01")).json()["access_token"]
    confirm = "/me/second-factor/confirmation"
    early = await town.call(token, "POST", confirm, json={"code": "123456"})
    assert early.json()["code"] == "second-factor-missing"
    await town.call(token, "POST", "/me/second-factor")
    wrong = await town.call(token, "POST", confirm, json={"code": "000000"})
    assert wrong.json()["code"] == "second-factor-refused"
    assert (await town.sign_in("agent01")).status_code == 201
