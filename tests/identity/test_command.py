"""`minqing token` against a running identity."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest
import uvicorn
from click.testing import Result
from fastapi import FastAPI
from typer.testing import CliRunner

from services.commands.token import app
from shared.vocabulary import Role


@contextlib.asynccontextmanager
async def _served(town: Any) -> AsyncIterator[str]:
    root = FastAPI()
    root.mount("/api/identity/v1", town.sut.app)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        # From here on callers wait for the server instead of being refused.
        listener.listen()
        config = uvicorn.Config(root, log_config=None, lifespan="off")
        server = uvicorn.Server(config)
        task = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            await task


async def _run(*arguments: str, **environment: str) -> Result:
    return await asyncio.to_thread(CliRunner().invoke, app, arguments, env=environment)


async def test_people_and_systems_get_tokens(town: Any) -> None:
    async with town.administrator(Role.SECURITY_ADMINISTRATOR) as client:
        secret = (await client.post("/clients/pbx/secret")).json()["client_secret"]
    async with _served(town) as url:
        person = await _run("--url", url, "--login", "agent01", MINQING_PASSWORD="Lamp-Post-4711")
        system = await _run("--url", url, "--client-id", "pbx", MINQING_CLIENT_SECRET=secret)
        wrong = await _run("--url", url, "--login", "agent01", MINQING_PASSWORD="wrong")
        admin = await _run(
            "--url", url, "--login", "admin.audit", MINQING_PASSWORD="Lamp-Post-4711"
        )
    assert (person.exit_code, system.exit_code) == (0, 0), person.stderr + system.stderr
    verify = town.sut.runtime.verifier.verify
    assert (await verify(person.stdout.strip())).login == "agent01"
    assert (await verify(system.stdout.strip())).roles == {Role.PBX}
    assert (wrong.exit_code, wrong.stdout) == (2, "")
    assert "token-not-given" in wrong.stderr
    assert "enrol-second-factor" in admin.stderr


@pytest.mark.parametrize(
    ("arguments", "code"),
    [((), "invalid-input"), (("--url", "http://127.0.0.1:9", "--login", "a"), "unavailable")],
)
async def test_refusals_are_one_line_and_exit_code_2(arguments: tuple[str, ...], code: str) -> None:
    result = await _run(*arguments, MINQING_PASSWORD="x")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(f"{code}: ")
