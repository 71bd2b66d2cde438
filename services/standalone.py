"""All five services in one process: one address, SQLite files, events joined in memory."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from starlette.responses import JSONResponse, Response

from services.composition import (
    SERVICES,
    Joined,
    keep_for_good,
    make_runtime,
    migrations_of,
    service_named,
    settings_of,
)
from services.identity.keys.service import LocalKeys
from shared.auth.tokens import StaticKeys
from shared.bus.memory import MemoryExchange, MemoryTransport
from shared.clock import SystemClock
from shared.db.migrations import upgrade_async
from shared.pack.loader import load_pack
from shared.service import Runtime
from shared.web.app import create_service_app, health, readiness
from shared.web.problems import install_problem_handlers
from shared.worker import Worker


@dataclass
class Suite:
    """The running services of one process, by name."""

    runtimes: dict[str, Runtime]
    workers: dict[str, Worker]
    app: FastAPI


async def open_suite(
    pack: Path, folder: Path, *, given: dict[str, dict[str, Any]] | None = None
) -> Suite:
    """Prepare databases below `folder` and put the suite together; `Suite.app` starts and stops it.

    Args:
        pack: directory of the city pack.
        folder: where databases, keys and photographs are kept.
        given: settings of single services that are not to be taken from the environment, by
            service name.
    """
    exchange = MemoryExchange()
    city, clock = load_pack(pack), SystemClock()
    runtimes: dict[str, Runtime] = {}
    for name in SERVICES:
        settings = settings_of(
            name,
            database_url=f"sqlite+aiosqlite:///{(folder / f'{name}.db').resolve()}",
            media_url=str(folder / "media"),
            pack=pack,
            **(given or {}).get(name, {}),
        )
        await upgrade_async(settings.database_url.get_secret_value(), migrations_of(name))
        keys = LocalKeys(runtimes["identity"]) if "identity" in runtimes else StaticKeys({})
        joined = Joined(pack=city, transport=MemoryTransport(exchange), keys=keys, clock=clock)
        runtime = make_runtime(service_named(name), settings, joined)
        runtimes[name] = runtime
        if name == "identity":
            runtime.verifier = type(runtime.verifier)(LocalKeys(runtime))
        await runtime.transport.declare([runtime.service.subscriptions.queue])
        if runtime.service.prepare:
            await runtime.service.prepare(runtime)
    workers = {name: Worker(runtime) for name, runtime in runtimes.items()}
    return Suite(runtimes=runtimes, workers=workers, app=_joined_app(runtimes, workers))


def _joined_app(runtimes: dict[str, Runtime], workers: dict[str, Worker]) -> FastAPI:
    apps = {
        name: create_service_app(runtime, worker=workers[name])
        for name, runtime in runtimes.items()
    }

    @contextlib.asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        # Mounted applications are not started by the one they are mounted in.
        async with contextlib.AsyncExitStack() as stack:
            for runtime in runtimes.values():
                stack.push_async_callback(runtime.database.close)
                await runtime.transport.start()
                stack.push_async_callback(runtime.transport.stop)
            for app in apps.values():
                await stack.enter_async_context(app.router.lifespan_context(app))
            keep_for_good()
            yield

    root = FastAPI(title="Minqing", lifespan=lifespan, openapi_url=None, docs_url=None)
    install_problem_handlers(root)

    @root.get("/readyz")
    async def ready(_request: Request) -> Response:
        """Whether every service of this process can do its work now."""
        faults = [
            f"{name}: {fault}"
            for name, runtime in runtimes.items()
            for fault in await readiness(runtime, workers[name])
        ]
        body = {"status": "not-ready" if faults else "ready", "faults": faults}
        return JSONResponse(body, 503 if faults else 200)

    for route in health.routes:
        if getattr(route, "path", "") != "/readyz":
            root.router.routes.append(route)
    for name, app in apps.items():
        root.mount(f"/api/{name}/v1", app)
    return root
