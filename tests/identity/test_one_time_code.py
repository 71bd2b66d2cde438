"""`minqing one-time-code` at the machine of a fresh installation."""

import asyncio
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from services.__main__ import _command_line
from services.composition import migrations_of, running_alone
from services.identity.keys.service import issue_token
from services.identity.passwords.service import PasswordService
from shared.bus.memory import MemoryExchange, MemoryTransport
from shared.db.core import execute
from shared.db.migrations import upgrade_async
from shared.errors import NotFound
from shared.service import Runtime
from shared.work import Actor, Origin

PACK = Path(__file__).parents[2] / "packs" / "qilihe"
LOGIN = "admin.security"


def _opened(folder: Path) -> AbstractAsyncContextManager[Runtime]:
    return running_alone(
        "identity",
        transport=MemoryTransport(MemoryExchange()),
        database_url=f"sqlite+aiosqlite:///{folder / 'identity.db'}",
        pack=PACK,
    )


@pytest.fixture
async def folder(tmp_path: Path) -> Path:
    """Identity as `minqing migrate` leaves it: prepared, and nobody has a password yet."""
    url = f"sqlite+aiosqlite:///{tmp_path / 'identity.db'}"
    await upgrade_async(url, migrations_of("identity"))
    async with _opened(tmp_path) as runtime:
        assert runtime.service.prepare
        await runtime.service.prepare(runtime)
    return tmp_path


async def _run(folder: Path, login: str) -> Result:
    command = "one-time-code"
    arguments = [command, login, "--data", str(folder), "--pack", str(PACK)]
    return await asyncio.to_thread(CliRunner().invoke, _command_line(command), arguments)


async def _redeem(runtime: Runtime, code: str) -> object:
    async with runtime.database.transaction() as session:
        work = runtime.work(session, Actor("nobody"), Origin("redeeming"))
        refusal = await PasswordService(work, runtime).redeem(
            login=LOGIN, code=code, new_password="A-Lamp-Post-4711"
        )
        await work.flush()
    return refusal


async def test_the_printed_code_is_good_for_a_password_and_the_one_before_is_not(
    folder: Path,
) -> None:
    first = await _run(folder, LOGIN)
    second = await _run(folder, LOGIN.upper())

    assert (first.exit_code, second.exit_code) == (0, 0)
    assert "good until" in second.stderr
    async with _opened(folder) as runtime:
        assert await _redeem(runtime, first.stdout.strip()) is not None
        assert await _redeem(runtime, second.stdout.strip()) is None


async def test_giving_out_a_code_is_audited_without_the_code(folder: Path) -> None:
    given = await _run(folder, LOGIN)

    async with _opened(folder) as runtime, runtime.database.reading() as session:
        rows = (await execute(session, runtime.tables.audit.select())).mappings().all()
    told = [row for row in rows if row["action"] == "issue-one-time-code"]
    assert len(told) == 1
    assert "service:command-line" in repr(told)
    assert given.stdout.strip() not in repr(rows)


async def test_an_account_that_does_not_exist_is_told(folder: Path) -> None:
    refused = await _run(folder, "nobody.here")

    assert isinstance(refused.exception, NotFound)
    assert refused.stdout == ""


async def test_identity_takes_its_tokens_without_asking_over_http(folder: Path) -> None:
    """No address of identity is set here, and the token is taken all the same."""
    async with _opened(folder) as runtime:
        token = await issue_token(
            runtime,
            subject="somebody",
            now=runtime.clock.now(),
            life=timedelta(minutes=1),
            roles=["agent"],
            unit=None,
            login="agent01",
        )
        assert (await runtime.verifier.verify(token)).login == "agent01"
