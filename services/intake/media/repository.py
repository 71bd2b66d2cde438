"""Rows of photographs."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from services.intake.media.domain import look_alike, quarters
from services.intake.media.models import MediaFile, MediaUpload
from shared.db.core import execute
from shared.db.pipeline import Rows, Statement, Step
from shared.media import StoredMedia

_KNOWN = Statement(
    sa.select(col(MediaFile.sha256)).where(
        col(MediaFile.sha256) == sa.bindparam("sha256", type_=sa.String())
    )
)


Ask = Callable[[Step], Awaitable[list[Rows]]]


async def unknown_among(ask: Ask, hashes: Sequence[str]) -> list[str]:
    """Those of the hashes that no photograph is stored under.

    Args:
        ask: runs a statement where it belongs: in a work, in a transaction, or in none.
        hashes: of originals.
    """
    (rows,) = await ask((_KNOWN, [{"sha256": sha256} for sha256 in hashes]))
    known = {sha256 for (sha256,) in rows}
    return [sha256 for sha256 in hashes if sha256 not in known]


async def uploads_since(session: AsyncSession, uploader: str, since: datetime) -> int:
    statement = select(sa.func.count()).where(
        MediaUpload.uploader == uploader, col(MediaUpload.uploaded_at) >= since
    )
    return (await session.exec(statement)).one()


async def lock_hash(session: AsyncSession, sha256: str) -> None:
    """Let nobody else save or discard this photograph until the end of the transaction."""
    if session.get_bind().dialect.name == "postgresql":
        # On SQLite a transaction that writes is alone anyway.
        await execute(session, sa.select(sa.func.pg_advisory_xact_lock(int(sha256[:15], 16))))


async def save(session: AsyncSession, media: StoredMedia, uploader: str, at: datetime) -> None:
    """Write down that a photograph is stored and who sent it."""
    table: sa.Table = MediaFile.__table__  # type: ignore[attr-defined]
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    insert: Any = sqlite.insert(table) if is_sqlite else postgresql.insert(table)
    position = media.captured_position
    values = {
        "sha256": media.sha256,
        "media_type": media.media_type,
        "size": media.size,
        "width": media.width,
        "height": media.height,
        "trailing_bytes": media.trailing_bytes,
        "published_sha256": media.published.sha256 if media.published else None,
        "fault": media.fault.value if media.fault else None,
        "perceptual_hash": media.perceptual_hash,
        "captured_at": media.captured_at,
        "captured_longitude": position.lng if position else None,
        "captured_latitude": position.lat if position else None,
        "uploaded_at": at,
    }
    values |= dict(zip(MediaFile.QUARTERS, quarters(media.perceptual_hash), strict=True))
    # Sent again, a picture that could not be shown may have been seen whole this time.
    seen = ("published_sha256", "fault", "perceptual_hash", *MediaFile.QUARTERS)
    changed = {name: values[name] for name in seen}
    await session.exec(
        insert.values(values).on_conflict_do_update(index_elements=[table.c.sha256], set_=changed)
    )
    session.add(MediaUpload(sha256=media.sha256, uploader=uploader, uploaded_at=at))


async def photographs(session: AsyncSession, hashes: Sequence[str]) -> Sequence[MediaFile]:
    statement = select(MediaFile).where(col(MediaFile.sha256).in_(hashes))
    return (await session.exec(statement)).all()


async def first_sent_alike(
    session: AsyncSession, files: Sequence[MediaFile]
) -> dict[str, datetime]:
    """By hash of each photograph: when another one that looks the same was first sent, if any."""
    this, other = MediaFile.__table__, MediaFile.__table__.alias("other")  # type: ignore[attr-defined]
    # Hashes a few bits apart have a quarter in common; quarters of flat areas are in too many.
    quarter_in_common = sa.or_(
        *(sa.and_(other.c[name] == this.c[name], this.c[name] != 0) for name in MediaFile.QUARTERS)
    )
    statement = (
        sa.select(
            this.c.sha256, this.c.perceptual_hash, other.c.perceptual_hash, other.c.uploaded_at
        )
        .join(other, sa.and_(quarter_in_common, other.c.sha256 != this.c.sha256))
        .where(this.c.sha256.in_([file.sha256 for file in files]))
        .order_by(other.c.uploaded_at)
    )
    found: dict[str, datetime] = {}
    for sha256, one, another, sent_at in (await execute(session, statement)).all():
        if look_alike(one, another):
            found.setdefault(sha256, sent_at)
    return found


async def find(session: AsyncSession, sha256: str) -> MediaFile | None:
    return await session.get(MediaFile, sha256)
