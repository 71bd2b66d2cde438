"""Makes the HTTP application of a service: health, documents and errors as everywhere."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from fastapi import APIRouter, Depends, FastAPI, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.responses import JSONResponse

from shared.db.database import DatabaseUnavailable
from shared.inbox.standing import keep_standing
from shared.observability import metrics
from shared.outbox.wakeup import signal_after_commits
from shared.service import Runtime
from shared.web.middleware import BodyLimitMiddleware, StoryMiddleware
from shared.web.policy import anyone
from shared.web.problems import install_problem_handlers
from shared.web.route import runtime_of
from shared.worker import Worker

MEDIA_UPLOADS = ("/media", "/public/media")

health = APIRouter(tags=["health"], dependencies=[Depends(anyone)])


@health.get("/livez")
async def live() -> dict[str, str]:
    """The process runs; broken dependencies do not change that."""
    return {"status": "alive"}


@health.get("/readyz")
async def ready(request: Request) -> Response:
    """Whether this process can do its work now, and if not, why."""
    faults = await readiness(runtime_of(request), getattr(request.app.state, "worker", None))
    status = 503 if faults else 200
    return JSONResponse({"status": "not-ready" if faults else "ready", "faults": faults}, status)


@health.get("/metrics")
async def figures() -> Response:
    """Figures for Prometheus."""
    return Response(generate_latest(metrics.REGISTRY), media_type=CONTENT_TYPE_LATEST)


async def readiness(runtime: Runtime, worker: Worker | None) -> list[str]:
    """Everything that keeps a process from its work; empty when it is ready."""
    faults: list[str] = []
    try:
        await runtime.database.check()
    except DatabaseUnavailable as error:
        faults.append(f"database: {error.message}")
    if worker is not None:
        faults += worker.faults()
        faults += [f"bus: {fault}" for fault in runtime.transport.faults()]
    return faults


def create_service_app(runtime: Runtime, *, worker: Worker | None = None) -> FastAPI:
    """The application of one service.

    Args:
        runtime: what the service holds; closed by whoever made it.
        worker: given when this process also runs the background tasks; it is started and stopped
            here.
    """

    @contextlib.asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        if worker is not None:
            await worker.start()
        tasks = [asyncio.create_task(keep_standing(runtime))]
        if worker is None and not runtime.database.is_sqlite:
            tasks.append(asyncio.create_task(signal_after_commits(runtime)))
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            if worker is not None:
                await worker.stop()

    service = runtime.service
    app = FastAPI(
        title=f"Minqing {service.name}",
        summary=service.summary,
        version="1",
        lifespan=lifespan,
        openapi_url="/openapi.json",
        docs_url=None,
        redoc_url=None,
    )
    app.state.runtime = runtime
    app.state.worker = worker
    for router in service.routers:
        app.include_router(router)
    app.include_router(health)
    install_problem_handlers(app)
    app.add_middleware(
        BodyLimitMiddleware, limit=runtime.settings.max_body_bytes, exempt=MEDIA_UPLOADS
    )
    app.add_middleware(StoryMiddleware, service=service.name)
    return app
