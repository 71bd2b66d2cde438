"""Where finished files go: a local folder that survives power loss, or any object store."""

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, Protocol
from urllib.parse import unquote, urlsplit

import obstore
from obstore.exceptions import BaseError, NotFoundError
from obstore.store import LocalStore, MemoryStore, ObjectStore, from_url

from shared.media.domain import MediaNotFound, MediaStoreUnavailable

READ_CHUNK: Final = 256 * 1024
_INCOMING: Final = "incoming"
_READ_ONLY: Final = 0o440


@dataclass(frozen=True, slots=True)
class MediaStream:
    """The bytes of one stored file, in chunks, with their number known beforehand."""

    size: int
    chunks: AsyncIterator[bytes]

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self.chunks

    async def read(self) -> bytes:
        return b"".join([chunk async for chunk in self.chunks])


@dataclass(frozen=True, slots=True)
class Shelved:
    """One entry of a listing."""

    key: str
    modified_at: datetime


class Shelf(Protocol):
    """Keeps files under keys such as `originals/ab/cd/<sha256>`."""

    def workspace(self) -> tempfile.TemporaryDirectory[str]:
        """A folder for one upload in the making, removed with everything in it on leaving."""

    async def place(self, files: Mapping[str, Path]) -> None:
        """Store each file under its key, in the order given; a key is seen whole or not at all."""

    async def open(self, key: str) -> MediaStream:
        """Open a file for reading, `MediaNotFound` where there is none."""

    async def has(self, key: str) -> bool:
        """Whether there is a file under the key."""

    async def remove(self, key: str) -> None:
        """Remove a file if it is there."""

    def listing(self, prefix: str) -> AsyncIterator[Shelved]:
        """Every entry under the prefix."""


class ObjectShelf:
    """Any store that obstore knows: S3, Azure, Google, or memory for tests."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    def workspace(self) -> tempfile.TemporaryDirectory[str]:
        return tempfile.TemporaryDirectory(prefix="minqing-media-", ignore_cleanup_errors=True)

    async def place(self, files: Mapping[str, Path]) -> None:
        try:
            for key, path in files.items():
                await obstore.put_async(self._store, key, path)
        except BaseError as error:
            raise _unavailable() from error

    async def open(self, key: str) -> MediaStream:
        try:
            found = await obstore.get_async(self._store, key)
        except (NotFoundError, FileNotFoundError) as error:
            raise MediaNotFound("There is no such photograph") from error
        except BaseError as error:
            raise _unavailable() from error
        stream = found.stream(min_chunk_size=READ_CHUNK)

        async def chunks() -> AsyncIterator[bytes]:
            async for chunk in stream:
                yield bytes(chunk)

        return MediaStream(found.meta["size"], chunks())

    async def has(self, key: str) -> bool:
        try:
            await obstore.head_async(self._store, key)
        except (NotFoundError, FileNotFoundError):
            return False
        except BaseError as error:
            raise _unavailable() from error
        return True

    async def remove(self, key: str) -> None:
        try:
            with suppress(NotFoundError, FileNotFoundError):
                await obstore.delete_async(self._store, key)
        except BaseError as error:
            raise _unavailable() from error

    async def listing(self, prefix: str) -> AsyncIterator[Shelved]:
        try:
            async for batch in obstore.list(self._store, prefix):
                for entry in batch:
                    yield Shelved(entry["path"], entry["last_modified"])
        except BaseError as error:
            raise _unavailable() from error


class FolderShelf(ObjectShelf):
    """A local folder, written so that after a crash a name leads to the whole file or to nothing.

    obstore writes a local file under another name and renames it but does not wait for the disk.
    Here every file is on the disk before the first gets its name, and the names are before
    `place` returns.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()
        (self.folder / _INCOMING).mkdir(parents=True, exist_ok=True)
        super().__init__(LocalStore(self.folder))

    def workspace(self) -> tempfile.TemporaryDirectory[str]:
        # On the same file system, so that placing is renaming and a full disk shows before it.
        return tempfile.TemporaryDirectory(dir=self.folder / _INCOMING, ignore_cleanup_errors=True)

    async def place(self, files: Mapping[str, Path]) -> None:
        await in_thread(self._place, files)

    def _place(self, files: Mapping[str, Path]) -> None:
        for key, path in files.items():
            path.chmod(_READ_ONLY)
            _sync(path)
            (self.folder / key).parent.mkdir(parents=True, exist_ok=True)
        for key, path in files.items():
            path.replace(self.folder / key)
        # Up to the top each time: another upload may have made a folder and not yet synced it.
        touched = {folder for key in files for folder in (self.folder / key).parents}
        for folder in touched - set(self.folder.parents):
            _sync(folder)


async def in_thread(work: Callable[..., None], *arguments: object) -> None:
    """Run blocking work in a thread and never return before it has ended, cancelled or not.

    A thread cannot be cancelled: left alone it would go on writing to files that are being closed
    and removed.
    """
    running = asyncio.ensure_future(asyncio.to_thread(work, *arguments))
    try:
        await asyncio.shield(running)
    except asyncio.CancelledError:
        await asyncio.wait({running})
        raise


def _sync(path: Path) -> None:
    if path.is_dir() and os.name == "nt":
        return  # Windows cannot open folders
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _unavailable() -> MediaStoreUnavailable:
    return MediaStoreUnavailable("The store of photographs does not answer: send it again later")


def shelf_at(url: str) -> Shelf:
    """The shelf that an address means.

    Args:
        url: a path or `file:///path` for a local folder, `memory://`, or an object store such as
            `s3://bucket/prefix`; credentials come from the environment as obstore reads them.
    """
    parts = urlsplit(url)
    if "://" not in url:
        return FolderShelf(Path(url))
    if parts.scheme == "file":
        return FolderShelf(Path(unquote(parts.path)))
    if parts.scheme == "memory":
        return ObjectShelf(MemoryStore())
    return ObjectShelf(from_url(url))
