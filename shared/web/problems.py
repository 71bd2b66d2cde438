"""Every error as a problem document (RFC 9457) with a stable code and what to do about it."""

from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.orm.exc import StaleDataError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from shared.errors import MinqingError
from shared.observability.context import correlation_id

PROBLEM_TYPE = "application/problem+json"
TYPE_BASE = "urn:minqing:problem:"

_CODES = {
    400: ("bad-request", "The request cannot be read"),
    401: ("not-signed-in", "Sign in first"),
    403: ("forbidden", "Your role does not allow this"),
    404: ("not-found", "There is no such thing, or it is not yours to see"),
    405: ("method-not-allowed", "This address does not take this method"),
    413: ("body-too-large", "The request is too large"),
    415: ("content-type-not-supported", "Send JSON with content-type: application/json"),
}

MOST_FAULTS = 50
MOST_TEXT = 500

log = structlog.get_logger()


def problem(
    status: int,
    code: str,
    title: str,
    detail: str,
    *,
    instance: str | None = None,
    headers: dict[str, str] | None = None,
    **extra: Any,
) -> Response:
    """A problem document as a response."""
    body = {
        "type": TYPE_BASE + code,
        "title": title,
        "status": status,
        "code": code,
        "detail": detail,
        "instance": instance,
        "correlation_id": correlation_id(),
        **extra,
    }
    return JSONResponse(body, status_code=status, media_type=PROBLEM_TYPE, headers=headers)


def install_problem_handlers(app: FastAPI) -> None:
    """Answer every exception that leaves an endpoint with a problem document."""
    app.add_exception_handler(MinqingError, _on_known_error)
    app.add_exception_handler(RequestValidationError, _on_validation)
    app.add_exception_handler(StaleDataError, _on_stale)
    app.add_exception_handler(IntegrityError, _on_integrity)
    app.add_exception_handler(DataError, _on_data)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(Exception, _on_unexpected)


async def _on_known_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, MinqingError)  # noqa: S101 - how it was registered
    headers = {"Retry-After": "2"} if error.status in {429, 503} else {}
    if error.status == 401:  # noqa: PLR2004
        headers["WWW-Authenticate"] = "Bearer"
    return problem(
        error.status,
        error.code,
        error.title,
        error.message,
        instance=request.url.path,
        headers=headers,
        **error.extra,
    )


async def _on_validation(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101
    faults = [
        {
            "where": _printable(".".join(str(part) for part in fault["loc"])),
            "code": fault["type"],
            "message": _printable(fault["msg"]),
        }
        for fault in error.errors()[:MOST_FAULTS]
    ]
    return problem(
        422,
        "invalid-input",
        "The input is not valid",
        "Nothing was stored. Correct the fields listed under `faults` and send it again.",
        instance=request.url.path,
        faults=faults,
    )


def _printable(text: str) -> str:
    """Names of fields come from the caller and may hold what no JSON document can."""
    return text[:MOST_TEXT].encode("utf-8", "backslashreplace").decode()


async def _on_stale(request: Request, _error: Exception) -> Response:
    return problem(
        409,
        "stale",
        "Somebody else changed it first",
        "Read it again, look at what changed, and repeat the command if it still holds.",
        instance=request.url.path,
    )


async def _on_integrity(request: Request, error: Exception) -> Response:
    assert isinstance(error, IntegrityError)  # noqa: S101
    # The server's own words would quote the row: personal data do not belong into logs.
    constraint = getattr(getattr(error.orig, "diag", None), "constraint_name", None)
    log.info("database.constraint_refused", kind=type(error.orig).__name__, constraint=constraint)
    return problem(
        409,
        "conflict",
        "The present state does not allow this",
        "It contradicts what is stored already, for example because it exists twice.",
        instance=request.url.path,
    )


async def _on_data(request: Request, error: Exception) -> Response:
    assert isinstance(error, DataError)  # noqa: S101 - how it was registered
    log.info("database.data_refused", kind=type(error.orig).__name__)
    return problem(
        422,
        "invalid-input",
        "The input is not valid",
        "A value cannot be stored: text must not hold NUL characters, numbers must be in range.",
        instance=request.url.path,
    )


async def _on_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101
    code, title = _CODES.get(error.status_code, ("http-error", "The request was refused"))
    return problem(
        error.status_code,
        code,
        title,
        str(error.detail),
        instance=request.url.path,
        headers=dict(error.headers or {}),
    )


async def _on_unexpected(request: Request, error: Exception) -> Response:
    return unexpected_problem(request, error)


def unexpected_problem(request: Request, error: Exception) -> Response:
    """The answer to a fault of the program, which is told to the operator and not to the caller."""
    log.error("request.failed", path=request.url.path, exc_info=error)
    return problem(
        500,
        "internal-error",
        "Something went wrong here",
        "Nothing was stored. Try again with the same Idempotency-Key; if it stays so, report the"
        " correlation id.",
        instance=request.url.path,
    )
