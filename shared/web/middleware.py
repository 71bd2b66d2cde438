"""What happens around every request: story, figures, safe headers, the size limit."""

import time

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.observability import metrics
from shared.observability.context import begin_story
from shared.web.problems import problem, unexpected_problem

CORRELATION_HEADER = "X-Correlation-ID"
_SECURITY = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}


_TOO_LARGE = ("body-too-large", "The request is too large")
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class StoryMiddleware:
    """Correlation id in and out, request figures, and headers that are safe by default."""

    def __init__(self, app: ASGIApp, *, service: str) -> None:
        self._app = app
        self._service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(service=self._service)
        correlation = begin_story(headers.get(CORRELATION_HEADER), headers.get("traceparent"))
        started = time.perf_counter()
        status = 500
        begun = False

        async def answer(message: Message) -> None:
            nonlocal status, begun
            if message["type"] == "http.response.start":
                status, begun = message["status"], True
                own = MutableHeaders(scope=message)
                own[CORRELATION_HEADER] = correlation
                for name, value in _SECURITY.items():
                    own.setdefault(name, value)
            await send(message)

        try:
            await self._app(scope, receive, answer)
        except Exception as error:
            if begun:
                raise
            # Here and not further out, so that this answer has its headers like every other.
            await unexpected_problem(Request(scope), error)(scope, receive, answer)
        finally:
            route = getattr(scope.get("route"), "path", "unmatched")
            method = scope["method"] if scope["method"] in _METHODS else "other"
            metrics.HTTP_SECONDS.labels(self._service, method, route, str(status)).observe(
                time.perf_counter() - started
            )


class BodyLimitMiddleware:
    """Refuses bodies above the limit, by their declared length or while they stream in.

    Routes that take files have a limit of their own; `exempt` names their paths within the
    application.
    """

    def __init__(self, app: ASGIApp, *, limit: int, exempt: tuple[str, ...] = ()) -> None:
        self._app = app
        self._limit = limit
        self._exempt = exempt

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or _path_within(scope) in self._exempt:
            await self._app(scope, receive, send)
            return
        declared = Headers(scope=scope).get("content-length", "0")
        if not (declared.isascii() and declared.isdigit()) or int(declared) > self._limit:
            answer = problem(413, *_TOO_LARGE, self._detail, instance=scope["path"])
            await answer(scope, receive, send)
            return
        seen = 0

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > self._limit:
                # The one kind of exception that survives the framework's reading of bodies.
                raise HTTPException(413, self._detail)
            return message

        await self._app(scope, counted, send)

    @property
    def _detail(self) -> str:
        return f"At most {self._limit} bytes are taken here; send photographs to the media address."


def _path_within(scope: Scope) -> str:
    path: str = scope["path"]
    return path.removeprefix(scope.get("root_path", ""))
