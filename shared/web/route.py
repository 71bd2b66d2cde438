"""One request, one transaction, committed before the answer is sent.

Dependencies with `yield` would commit after the client was told 201, so the route itself does it.
"""

import hashlib
from collections.abc import Callable, Coroutine
from typing import Annotated, Any

import sqlalchemy as sa
import structlog
from fastapi import Depends, Request, Response
from fastapi.routing import APIRoute
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm.exc import StaleDataError

from shared.auth.principal import Principal
from shared.auth.tokens import TokenRefused
from shared.db.core import execute
from shared.db.database import ReadSession
from shared.errors import InvalidInput, MinqingError
from shared.observability.context import current_origin
from shared.service import Runtime
from shared.work import Actor, UnitOfWork

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
MAX_KEY_LENGTH = 255
REPLAYED = "Idempotent-Replay"
_KEPT_HEADERS = ("content-type", "etag", "location")

log = structlog.get_logger()


class IdempotencyKeyRequired(InvalidInput):
    """Commands carry a key, so that sending one again after a lost answer does nothing twice."""

    code = "idempotency-key-required"
    status = 400
    title = "Send an Idempotency-Key"


class IdempotencyKeyReused(InvalidInput):
    code = "idempotency-key-reused"
    status = 422
    title = "This Idempotency-Key was used for another request"


def runtime_of(request: Request) -> Runtime:
    runtime: Runtime = request.app.state.runtime
    return runtime


async def principal_of(request: Request) -> Principal:
    """Who asks, by the bearer token or the session cookie.

    Raises:
        TokenRefused: nobody we know.
    """
    known: Principal | None = getattr(request.state, "principal", None)
    if known is not None:
        return known
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise TokenRefused("Send an access token: Authorization: Bearer …")
    principal = await runtime_of(request).verifier.verify(token)
    request.state.principal = principal
    return principal


class ReadingRoute(APIRoute):
    """A route that reads: its session is rolled back in the end."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def read(request: Request) -> Response:
            async with runtime_of(request).database.reading() as session:
                request.state.read_session = session
                return await handle(request)

        return read


class CommandRoute(APIRoute):
    """A route whose commands need an `Idempotency-Key`; its answer is stored with the effect.

    The same key with the same body gets the first answer again, with `Idempotent-Replay: true`;
    with another body it is refused. Keys are scoped by principal, method and path. Requests with a
    safe method only read.
    """

    requires_key = True

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()
        requires_key = self.requires_key

        async def command(request: Request) -> Response:
            runtime = runtime_of(request)
            if request.method in SAFE_METHODS:
                async with runtime.database.reading() as session:
                    request.state.read_session = session
                    return await handle(request)
            claim = await _Claim.of(request) if requires_key else None
            # Before the transaction, which on SQLite keeps all other writers out: a caller who
            # sends slowly must not.
            await request.body()
            for optimistic in (True, False):
                try:
                    return await _execute(request, runtime, handle, claim, optimistic=optimistic)
                except (MinqingError, StaleDataError, DBAPIError) as error:
                    # It may be the second sending of a command that has already changed the state.
                    answer = await claim.earlier_answer(runtime) if claim else None
                    if answer is not None:
                        return answer
                    if not (optimistic and isinstance(error, IntegrityError)):
                        raise
            raise AssertionError("the second try returns or raises")

        return command


class KeylessCommandRoute(CommandRoute):
    """For the few commands that are safe to repeat by themselves, such as signing in."""

    requires_key = False


async def _execute(
    request: Request,
    runtime: Runtime,
    handle: Callable[[Request], Coroutine[Any, Any, Response]],
    claim: "_Claim | None",
    *,
    optimistic: bool,
) -> Response:
    async with runtime.database.transaction() as session:
        work = runtime.work(
            session,
            Actor(id="anonymous"),
            current_origin(request.client.host if request.client else None),
        )
        work.optimistic = optimistic
        request.state.work = work
        request.state.read_session = session
        response = await handle(request)
        if claim:
            work.insert(runtime.tables.idempotency, **claim.row(response, work.now()))
        if work.only_appends and not runtime.database.is_sqlite:
            await runtime.database.append(work.take_appended())
        else:
            await work.flush()
    runtime.committed(work)
    return response


class _Claim:
    """The right to execute one command once."""

    def __init__(self, principal: str, request: Request, key: str, body: bytes) -> None:
        self.scope = {
            "principal": principal,
            "method": request.method,
            "path": request.url.path[:300],
            "key": key,
        }
        self.fingerprint = hashlib.sha256(body).digest()

    @classmethod
    async def of(cls, request: Request) -> "_Claim":
        principal = await principal_of(request)
        key = request.headers.get("idempotency-key", "").strip().strip('"')
        if not key:
            raise IdempotencyKeyRequired(
                "Send a new Idempotency-Key header (a UUID will do) with each command, and the"
                " same one when you send the command again."
            )
        if len(key) > MAX_KEY_LENGTH:
            raise IdempotencyKeyRequired(
                f"An Idempotency-Key has at most {MAX_KEY_LENGTH} characters."
            )
        return cls(principal.id, request, key, await request.body())

    def row(self, response: Response, now: Any) -> dict[str, Any]:
        headers = {
            name: response.headers[name] for name in _KEPT_HEADERS if name in response.headers
        }
        return {
            **self.scope,
            "fingerprint": self.fingerprint,
            "status": response.status_code,
            "headers": headers,
            "body": bytes(response.body),
            "created_at": now,
        }

    async def earlier_answer(self, runtime: Runtime) -> Response | None:
        table = runtime.tables.idempotency
        matches = [table.c[name] == value for name, value in self.scope.items()]
        async with runtime.database.reading() as session:
            found = (await execute(session, sa.select(table).where(*matches))).first()
        if found is None:
            return None
        if found.fingerprint != self.fingerprint:
            raise IdempotencyKeyReused(
                "Use a new key for a new command; a key stands for one command with one body."
            )
        return Response(
            content=found.body,
            status_code=found.status,
            headers={**found.headers, REPLAYED: "true"},
        )


# Dependencies are coroutines even where nothing is awaited: plain functions would each be sent
# through a thread.


async def _runtime(request: Request) -> Runtime:
    return runtime_of(request)


async def _work(request: Request) -> UnitOfWork:
    work: UnitOfWork = request.state.work
    return work


async def _read_session(request: Request) -> ReadSession:
    session: ReadSession = request.state.read_session
    return session


WorkDep = Annotated[UnitOfWork, Depends(_work)]
ReadSessionDep = Annotated[ReadSession, Depends(_read_session)]
RuntimeDep = Annotated[Runtime, Depends(_runtime)]
PrincipalDep = Annotated[Principal, Depends(principal_of)]
