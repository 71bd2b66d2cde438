"""Who may send how many photographs, and whether one is there."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from functools import partial

import structlog
from sqlmodel.ext.asyncio.session import AsyncSession

from services.intake.config import settings_of
from services.intake.media import repository
from services.intake.media.domain import Claim, Tolerance, doubts_about
from services.intake.media.errors import TooManyUploads
from services.intake.media.schemas import ShownPhotograph
from services.intake.reports.errors import MediaUnknown
from shared.db.database import Database
from shared.db.pipeline import together
from shared.media import MediaStore, MediaStoreUnavailable, StoredMedia
from shared.service import Runtime
from shared.work import UnitOfWork

_log = structlog.get_logger(__name__)
_BATCH = 100


async def require_known(work: UnitOfWork, hashes: Sequence[str]) -> None:
    """Refuse photographs that are not stored.

    Raises:
        MediaUnknown: `missing` lists those to upload first.
    """
    if not hashes:
        return
    missing = await repository.unknown_among(work.look_up, hashes)
    if missing:
        raise MediaUnknown(
            "Upload the photographs listed under `missing` first, then send this again.",
            missing=missing,
        )


async def doubted(
    session: AsyncSession, hashes: Sequence[str], claim: Claim, tolerance: Tolerance
) -> list[ShownPhotograph]:
    """Photographs in the order given, each with what speaks against it as proof of the claim."""
    if not hashes:
        return []
    files = {file.sha256: file for file in await repository.photographs(session, hashes)}
    alike = await repository.first_sent_alike(session, list(files.values()))
    return [
        ShownPhotograph(
            sha256=sha256,
            shown=file.published_sha256 is not None,
            captured_at=file.captured_at,
            doubts=doubts_about(file.facts(alike.get(sha256)), claim, tolerance),
        )
        for sha256 in hashes
        if (file := files.get(sha256)) is not None
    ]


async def keep(
    session: AsyncSession, store: MediaStore, media: StoredMedia, uploader: str, at: datetime
) -> None:
    """Write down a photograph whose files are there.

    Raises:
        MediaStoreUnavailable: they were removed as nobody's while it was sent.
    """
    await repository.lock_hash(session, media.sha256)
    if not await store.holds(media.sha256):
        raise MediaStoreUnavailable("Send the photograph again.")
    await repository.save(session, media, uploader, at)


async def discard_orphans(runtime: Runtime) -> None:
    """Remove files that an upload left which ended before the photograph was written down."""
    if runtime.media is None:
        return
    keep_for = timedelta(hours=settings_of(runtime).media_orphan_hours)
    old = runtime.media.stored_before(runtime.clock.now() - keep_for)
    async for hashes in _in_hundreds(old):
        orphans = await repository.unknown_among(runtime.database.run, hashes)
        for sha256 in orphans:
            await _discard_orphan(runtime.database, runtime.media, sha256)


async def _discard_orphan(database: Database, store: MediaStore, sha256: str) -> None:
    async with database.transaction() as session:
        await repository.lock_hash(session, sha256)
        # It may have been sent again since it was listed.
        if await repository.unknown_among(partial(together, session), [sha256]):
            await store.discard(sha256)
            _log.info("media.orphan_discarded", sha256=sha256)


async def _in_hundreds(hashes: AsyncIterator[str]) -> AsyncIterator[list[str]]:
    batch: list[str] = []
    async for sha256 in hashes:
        batch.append(sha256)
        if len(batch) == _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


async def require_quota(
    session: AsyncSession, uploader: str, now: datetime, *, span: timedelta, most: int
) -> None:
    """Refuse an upload beyond the quota.

    Raises:
        TooManyUploads: `most` have been sent within the span.
    """
    if await repository.uploads_since(session, uploader, now - span) >= most:
        raise TooManyUploads(
            f"At most {most} photographs in {span.total_seconds() / 3_600:g} hours: send the rest"
            " later, they stay on your device.",
            most=most,
        )
