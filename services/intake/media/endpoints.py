"""Photographs over HTTP.

These routes open their transactions themselves: receiving and decoding a picture takes seconds, in
which no connection and, on SQLite, no write lock may be held.
"""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Request
from starlette.datastructures import UploadFile
from starlette.requests import Request as StarletteRequest
from starlette.responses import Response, StreamingResponse
from starlette.types import Message

from services.intake.config import settings_of
from services.intake.media import repository
from services.intake.media.auth import EvidenceReader, MediaReader, Uploader
from services.intake.media.errors import FileMissing, NoMediaStore
from services.intake.media.schemas import MediaView
from services.intake.media.service import keep, require_quota
from services.intake.reports.service import digest_of
from shared.media import (
    PUBLISHED_TYPE,
    MediaLimits,
    MediaNotFound,
    MediaStore,
    MediaStream,
    MediaTooLarge,
    media_response_headers,
)
from shared.observability.context import current_origin
from shared.service import Runtime
from shared.web.policy import anyone
from shared.web.route import ReadingRoute, ReadSessionDep, RuntimeDep
from shared.work import Actor

uploads = APIRouter(tags=["media"])
router = APIRouter(prefix="/media", tags=["media"], route_class=ReadingRoute)

FORM_OVERHEAD = 64 * 1024
"""Bytes that a form may add around its file."""

_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "image/jpeg": {"schema": {"type": "string", "format": "binary"}},
            "image/png": {"schema": {"type": "string", "format": "binary"}},
            "image/webp": {"schema": {"type": "string", "format": "binary"}},
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {"file": {"type": "string", "format": "binary"}},
                }
            },
        },
    }
}


@uploads.post("/media", status_code=201, openapi_extra=_BODY)
async def upload_photograph(
    request: Request, runtime: RuntimeDep, principal: Uploader
) -> MediaView:
    """Upload a photograph, as the body itself or as `file` of a form; twice is once."""
    settings = settings_of(runtime)
    span, most = timedelta(days=1), settings.media_per_day
    return await _received(request, runtime, principal.id, span=span, most=most)


@uploads.post(
    "/public/media",
    status_code=201,
    openapi_extra=_BODY,
    tags=["public"],
    dependencies=[Depends(anyone)],
)
async def upload_public_photograph(request: Request, runtime: RuntimeDep) -> MediaView:
    """Upload a photograph for a report without signing in."""
    now = runtime.clock.now()
    address = request.client.host if request.client else "unknown"
    uploader = digest_of(f"{now.date()}:{address}")
    span, most = timedelta(hours=1), settings_of(runtime).public_media_per_hour
    return await _received(request, runtime, uploader, span=span, most=most)


@router.get("/{sha256}", response_class=Response)
async def read_photograph(
    sha256: str, request: Request, runtime: RuntimeDep, _principal: MediaReader
) -> Response:
    """The photograph as everybody may see it: upright, without metadata."""
    stored = _store(runtime)
    if _has_it(request, sha256, "published"):
        return Response(status_code=304)
    return _sent(await stored.open_published(sha256), PUBLISHED_TYPE, sha256, "published")


@router.get("/{sha256}/thumbnail", response_class=Response)
async def read_thumbnail(
    sha256: str, request: Request, runtime: RuntimeDep, _principal: MediaReader
) -> Response:
    """The small copy for lists."""
    stored = _store(runtime)
    if _has_it(request, sha256, "thumbnail"):
        return Response(status_code=304)
    return _sent(await stored.open_thumbnail(sha256), PUBLISHED_TYPE, sha256, "thumbnail")


@router.get("/{sha256}/original", response_class=Response)
async def read_original(
    sha256: str,
    request: Request,
    runtime: RuntimeDep,
    principal: EvidenceReader,
    session: ReadSessionDep,
) -> Response:
    """The sealed original with all its metadata; who looked is kept for the auditors."""
    known = await repository.find(session, sha256)
    if known is None:
        raise MediaNotFound("There is no such photograph")
    stream = await _store(runtime).open_original(sha256)
    role = principal.acting_as(*principal.roles)
    async with runtime.database.transaction() as writing:
        work = runtime.work(
            writing,
            Actor(id=principal.id, role=role, unit=principal.unit),
            current_origin(request.client.host if request.client else None),
        )
        work.audit("read-original", f"media:{sha256}")
        await work.flush()
    return _sent(stream, known.media_type, sha256, "original")


# --- inner steps --------------------------------------------------------------------------------


def _store(runtime: Runtime) -> MediaStore:
    if runtime.media is None:
        raise NoMediaStore("Tell the operators that no place for photographs is set up.")
    return runtime.media


async def _received(
    request: Request, runtime: Runtime, uploader: str, *, span: timedelta, most: int
) -> MediaView:
    store, settings = _store(runtime), settings_of(runtime)
    async with runtime.database.reading() as session:
        await require_quota(session, uploader, runtime.clock.now(), span=span, most=most)
    limits = MediaLimits(max_bytes=settings.media_max_bytes)
    zone = ZoneInfo(runtime.pack.city.zone)
    if request.headers.get("content-type", "").startswith("multipart/form-data"):
        media = await _from_form(request, store, limits, zone)
    else:
        declared = request.headers.get("content-type")
        media = await store.receive(
            request.stream(), declared_type=declared, limits=limits, camera_zone=zone
        )
    async with runtime.database.transaction() as session:
        await keep(session, store, media, uploader, runtime.clock.now())
    return MediaView.of(media)


async def _from_form(
    request: Request, store: MediaStore, limits: MediaLimits, zone: ZoneInfo
) -> Any:
    counted = StarletteRequest(request.scope, _at_most(request, limits.max_bytes + FORM_OVERHEAD))
    async with counted.form(max_files=1, max_fields=10) as form:
        file = form.get("file")
        if not isinstance(file, UploadFile):
            raise FileMissing("Send the photograph in the form field `file`.")
        return await store.receive(
            _chunks(file), declared_type=file.content_type, limits=limits, camera_zone=zone
        )


def _at_most(request: Request, most: int) -> Any:
    """The request's body, cut off as soon as it is longer than allowed."""
    seen = 0

    async def receive() -> Message:
        nonlocal seen
        message = await request.receive()
        seen += len(message.get("body", b""))
        if seen > most:
            raise MediaTooLarge(f"Send a file of at most {most - FORM_OVERHEAD} bytes")
        return message

    return receive


async def _chunks(file: UploadFile) -> AsyncIterator[bytes]:
    while chunk := await file.read(256 * 1024):
        yield chunk


def _has_it(request: Request, sha256: str, copy: str) -> bool:
    return request.headers.get("if-none-match") == _etag(sha256, copy)


def _etag(sha256: str, copy: str) -> str:
    return f'"{sha256}-{copy}"'


def _sent(stream: MediaStream, media_type: str, sha256: str, copy: str) -> Response:
    headers = media_response_headers(media_type)
    headers["ETag"] = _etag(sha256, copy)
    headers["Content-Length"] = str(stream.size)
    return StreamingResponse(stream.chunks, headers=headers)
