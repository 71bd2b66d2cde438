"""`minqing worker SERVICE`: what a service does without being asked, in a process of its own."""

import contextlib
from collections.abc import AsyncIterator
from typing import Annotated

import typer
import uvicorn
from fastapi import FastAPI

from services.composition import keep_for_good, running_alone, service_named, settings_of
from shared.observability.logs import configure_logs
from shared.web.app import health
from shared.web.problems import install_problem_handlers
from shared.worker import Worker

app = typer.Typer()

STOP_SECONDS = 10


@app.callback(invoke_without_command=True)
def worker(
    service: Annotated[
        str, typer.Argument(help="identity, hotline, intake, dispatch, assessment.")
    ],
    host: Annotated[str, typer.Option(help="Address of the health page.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port of the health page.")] = 9000,
) -> None:
    """Run relay, consumer, retries and timers of one service.

    Several may run at once: the relay and the timers have one leader, the others take over.
    /livez, /readyz and /metrics are served on --port.
    """
    service_named(service)
    configure_logs(settings_of(service).log_level, service=service)
    uvicorn.run(
        application(service),
        host=host,
        port=port,
        loop="uvloop",
        http="httptools",
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=STOP_SECONDS,
    )


def application(name: str) -> FastAPI:
    """A small application that carries the worker: uvicorn gives it signals and a health page."""

    @contextlib.asynccontextmanager
    async def lifespan(root: FastAPI) -> AsyncIterator[None]:
        async with running_alone(name) as runtime:
            running = Worker(runtime)
            root.state.runtime = runtime
            root.state.worker = running
            await running.start()
            keep_for_good()
            try:
                yield
            finally:
                await running.stop()

    root = FastAPI(title=f"Minqing {name}", lifespan=lifespan, openapi_url=None, docs_url=None)
    root.include_router(health)
    install_problem_handlers(root)
    return root
