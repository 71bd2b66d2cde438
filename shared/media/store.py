"""Takes photographs in: sealed original, published copy, thumbnail, named by the content's hash."""

import asyncio
import errno
import hashlib
import json
import math
import os
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, tzinfo
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from shared.media.domain import (
    SNIFF_BYTES,
    MediaFault,
    MediaLimits,
    MediaStoreUnavailable,
    MediaTooLarge,
    MediaTooManyPixels,
    MediaUnreadable,
    Rendition,
    StorageFull,
    StoredMedia,
    camera_instant,
    camera_position,
    check_name,
    settle_type,
)
from shared.media.shelf import MediaStream, Shelf, in_thread, shelf_at

WRITE_CHUNK: Final = 1024 * 1024
_NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_PASSED_ON: Final = ("PATH", "LD_LIBRARY_PATH", "SYSTEMROOT", "TMPDIR", "TEMP", "TMP", "LANG")
_DARKROOM: Final = Path(__file__).with_name("darkroom.py")


class Drawer(StrEnum):
    """The three kinds of files of one photograph; each is a prefix in the store."""

    ORIGINALS = "originals"
    PUBLISHED = "published"
    THUMBNAILS = "thumbnails"

    def key(self, sha256: str) -> str:
        return f"{self}/{sha256[:2]}/{sha256[2:4]}/{sha256}"


@dataclass(frozen=True, slots=True)
class _Spooled:
    path: Path
    sha256: str
    media_type: str
    size: int


class MediaStore:
    """A content-addressed store of photographs.

    The same bytes received twice are stored once. Rows that name a photograph are written after
    `receive` returned; a crash in between leaves files without a row, which `stored_before`
    finds, never a row without files.
    """

    def __init__(self, shelf: Shelf, *, decoders: int = 2) -> None:
        """Store on the given shelf.

        Args:
            shelf: where the files go.
            decoders: pictures decoded at the same time, each in a process of its own.
        """
        self._shelf = shelf
        self._decoders = asyncio.Semaphore(decoders)

    @classmethod
    def at(cls, url: str, *, decoders: int = 2) -> "MediaStore":
        """The store at a path, `file://`, `memory://` or object store address; see `shelf_at`."""
        return cls(shelf_at(url), decoders=decoders)

    async def receive(
        self,
        stream: AsyncIterator[bytes],
        *,
        declared_type: str | None = None,
        limits: MediaLimits | None = None,
        camera_zone: tzinfo | None = None,
    ) -> StoredMedia:
        """Store a photograph, byte for byte, with its copies; on any error nothing is stored.

        A picture whose size can be read but which cannot be seen whole is kept as evidence, with
        `fault` set and nothing published. Receiving the stored original again tries again.

        Args:
            stream: the content as it arrives; not read further once refused.
            declared_type: media type the sender named; None or application/octet-stream for none.
            limits: the defaults of `MediaLimits` where None.
            camera_zone: zone of camera clocks that do not write their offset.

        Raises:
            MediaTooLarge: longer than allowed.
            MediaTypeNotAllowed: no JPEG, PNG or WebP, or another than declared.
            MediaUnreadable: empty, or not even the size of the picture can be read.
            MediaTooManyPixels: over the pixel limit.
            StorageFull: no room.
            MediaStoreUnavailable: the object store does not answer.
        """
        limits = limits or MediaLimits()
        with _no_room_is_storage_full(), self._shelf.workspace() as folder:
            original = Path(folder, "original")
            spooled = await _spool(stream, original, declared_type, limits.max_bytes)
            async with self._decoders:
                findings = await _developed(spooled, limits)
            _refuse(findings, limits)
            media = await asyncio.to_thread(_described, spooled, findings, camera_zone)
            files = {Drawer.ORIGINALS.key(spooled.sha256): original}
            if media.published is not None:
                # The original last: once it has its name, everything of it is there.
                copies = {
                    Drawer.PUBLISHED.key(spooled.sha256): original.with_name("published"),
                    Drawer.THUMBNAILS.key(spooled.sha256): original.with_name("thumbnail"),
                }
                files = copies | files
            await self._shelf.place(files)
        return media

    async def open_original(self, sha256: str) -> MediaStream:
        """The sealed evidence, with all its metadata: for those entitled to it only.

        Raises:
            MediaNotFound: nothing is stored under this hash.
        """
        return await self._shelf.open(Drawer.ORIGINALS.key(check_name(sha256)))

    async def open_published(self, sha256: str) -> MediaStream:
        """The copy without metadata, by the hash of its original; always a JPEG.

        Raises:
            MediaNotFound: nothing is stored under this hash, or it could not be published.
        """
        return await self._shelf.open(Drawer.PUBLISHED.key(check_name(sha256)))

    async def open_thumbnail(self, sha256: str) -> MediaStream:
        """The small copy for lists, by the hash of its original; always a JPEG.

        Raises:
            MediaNotFound: nothing is stored under this hash, or it could not be published.
        """
        return await self._shelf.open(Drawer.THUMBNAILS.key(check_name(sha256)))

    async def verify_original(self, sha256: str) -> bool:
        """Whether the stored original still has the hash it is named by."""
        digest = hashlib.sha256()
        async for chunk in await self.open_original(sha256):
            digest.update(chunk)
        return digest.hexdigest() == sha256

    async def holds(self, sha256: str) -> bool:
        """Whether the original of this hash is there."""
        return await self._shelf.has(Drawer.ORIGINALS.key(check_name(sha256)))

    async def stored_before(self, moment: datetime) -> AsyncIterator[str]:
        """Hashes of what was last received before the moment: candidates for `discard`."""
        seen = set()
        for drawer in Drawer:
            async for entry in self._shelf.listing(f"{drawer}/"):
                name = entry.key.rpartition("/")[2]
                if entry.modified_at < moment and name not in seen:
                    seen.add(name)
                    yield name

    async def discard(self, sha256: str) -> None:
        """Remove a photograph that no row names, or whose retention has ended."""
        check_name(sha256)
        for drawer in Drawer:
            await self._shelf.remove(drawer.key(sha256))


async def _spool(
    stream: AsyncIterator[bytes], path: Path, declared_type: str | None, max_bytes: int
) -> _Spooled:
    """Write the stream to the path while hashing; stop at the first reason to refuse it."""
    digest = hashlib.sha256()
    buffer = bytearray()
    media_type = ""
    size = 0
    with path.open("wb", buffering=0) as file:

        def flush() -> None:
            rest = memoryview(bytes(buffer))
            digest.update(rest)
            while rest:  # an unbuffered write may take less than it is given
                rest = rest[file.write(rest) :]

        async for chunk in stream:
            size += len(chunk)
            if size > max_bytes:
                raise MediaTooLarge(
                    f"Send a file of at most {max_bytes} bytes", max_bytes=max_bytes
                )
            buffer += chunk
            if not media_type and len(buffer) >= SNIFF_BYTES:
                media_type = settle_type(bytes(buffer[:SNIFF_BYTES]), declared_type)
            if len(buffer) >= WRITE_CHUNK:
                await in_thread(flush)
                buffer.clear()
        if not size:
            raise MediaUnreadable("The file is empty: take or choose the photograph again")
        media_type = media_type or settle_type(bytes(buffer), declared_type)
        await in_thread(flush)
    return _Spooled(path, digest.hexdigest(), media_type, size)


async def _developed(spooled: _Spooled, limits: MediaLimits) -> dict[str, Any]:
    """Run the darkroom on a spooled original and bring back its findings."""
    order = {
        "source": str(spooled.path),
        "published": str(spooled.path.with_name("published")),
        "thumbnail": str(spooled.path.with_name("thumbnail")),
        "media_type": spooled.media_type,
        "max_pixels": limits.max_pixels,
        "max_edge": limits.max_edge,
        "thumbnail_edge": limits.thumbnail_edge,
        "max_memory_bytes": limits.decode_memory_bytes,
        "max_seconds": math.ceil(limits.decode_seconds),
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-I",
        str(_DARKROOM),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={name: os.environ[name] for name in _PASSED_ON if name in os.environ},
    )
    # What stands if the process is stopped for its memory or crashes on the picture.
    findings: dict[str, Any] = {"fault": MediaFault.UNDECODABLE}
    try:
        async with asyncio.timeout(limits.decode_seconds):
            await _converse(process, order, findings)
    except TimeoutError:
        findings["fault"] = MediaFault.TOO_SLOW
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.communicate()
    return findings


async def _converse(
    process: asyncio.subprocess.Process, order: dict[str, Any], findings: dict[str, Any]
) -> None:
    """Hand the order over and gather what comes back, as far as it comes."""
    if process.stdin is None or process.stdout is None:
        raise RuntimeError("The darkroom was started without its pipes")
    with suppress(BrokenPipeError, ConnectionResetError):
        process.stdin.write(json.dumps(order).encode())
        await process.stdin.drain()
        process.stdin.close()
    async for line in process.stdout:
        findings.update(json.loads(line))
    await process.wait()


def _refuse(findings: dict[str, Any], limits: MediaLimits) -> None:
    """Turn a verdict of the darkroom into the error that says what to do."""
    if code := findings.get("errno"):
        raise OSError(code, os.strerror(code))
    if findings.get("refused") == "too-many-pixels":
        raise MediaTooManyPixels(
            f"Send a picture of at most {limits.max_pixels} pixels (width times height)",
            max_pixels=limits.max_pixels,
        )
    if "width" in findings:
        return
    if findings["fault"] == MediaFault.TOO_SLOW:
        raise MediaStoreUnavailable("The picture could not be looked at in time: send it later")
    raise MediaUnreadable("The picture is damaged from its beginning: take or send it again")


def _described(
    spooled: _Spooled, findings: dict[str, Any], camera_zone: tzinfo | None
) -> StoredMedia:
    whole = findings["fault"] is None
    camera = findings.get("camera", {})
    return StoredMedia(
        sha256=spooled.sha256,
        media_type=spooled.media_type,
        size=spooled.size,
        width=findings["width"],
        height=findings["height"],
        trailing_bytes=findings.get("trailing_bytes", 0),
        published=_rendition(spooled.path.with_name("published"), findings) if whole else None,
        thumbnail=_rendition(spooled.path.with_name("thumbnail"), findings) if whole else None,
        fault=None if whole else MediaFault(findings["fault"]),
        perceptual_hash=findings.get("perceptual_hash"),
        captured_at=camera_instant(camera, camera_zone),
        captured_position=camera_position(camera),
    )


def _rendition(path: Path, findings: dict[str, Any]) -> Rendition:
    content = path.read_bytes()
    width, height = findings[path.name]
    digest = hashlib.sha256(content).hexdigest()
    return Rendition(sha256=digest, size=len(content), width=width, height=height)


@contextmanager
def _no_room_is_storage_full() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in _NO_ROOM:
            message = "There is no room for photographs: tell the operators, then send it again"
            raise StorageFull(message) from error
        raise
