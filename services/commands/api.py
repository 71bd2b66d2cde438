"""`minqing api SERVICE`: the HTTP side of one service in a process of its own."""

import contextlib
from collections.abc import AsyncIterator
from typing import Annotated

import typer
import uvicorn
from fastapi import FastAPI

from services.composition import keep_for_good, running_alone, service_named, settings_of
from shared.observability.logs import configure_logs
from shared.web.app import create_service_app, health
from shared.web.problems import install_problem_handlers

app = typer.Typer()

STOP_SECONDS = 20


@app.callback(invoke_without_command=True)
def api(
    service: Annotated[
        str, typer.Argument(help="identity, hotline, intake, dispatch, assessment.")
    ],
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 8000,
    workers: Annotated[int, typer.Option(min=1, help="Processes.")] = 1,
) -> None:
    """Run the HTTP API of one service below /api/SERVICE/v1.

    Settings come from the environment: MINQING_<SERVICE>_DATABASE_URL and so on.
    """
    service_named(service)
    configure_logs(settings_of(service).log_level, service=service)
    uvicorn.run(
        f"services.commands.api:{service}",
        host=host,
        port=port,
        workers=workers,
        factory=True,
        loop="uvloop",
        http="httptools",
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=STOP_SECONDS,
    )


def _application(name: str) -> FastAPI:
    configure_logs(settings_of(name).log_level, service=name)

    @contextlib.asynccontextmanager
    async def lifespan(root: FastAPI) -> AsyncIterator[None]:
        async with running_alone(name) as runtime:
            inner = create_service_app(runtime)
            root.state.runtime = runtime
            root.mount(f"/api/{name}/v1", inner)
            async with inner.router.lifespan_context(inner):
                keep_for_good()
                yield

    root = FastAPI(title=f"Minqing {name}", lifespan=lifespan, openapi_url=None, docs_url=None)
    root.include_router(health)
    install_problem_handlers(root)
    return root


def identity() -> FastAPI:
    return _application("identity")


def hotline() -> FastAPI:
    return _application("hotline")


def intake() -> FastAPI:
    return _application("intake")


def dispatch() -> FastAPI:
    return _application("dispatch")


def assessment() -> FastAPI:
    return _application("assessment")
