"""Who may send how many photographs, and whether one is there."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlmodel.ext.asyncio.session import AsyncSession

from services.intake.media import repository
from services.intake.media.errors import TooManyUploads
from services.intake.reports.errors import MediaUnknown


async def require_known(session: AsyncSession, hashes: Sequence[str]) -> None:
    """Refuse photographs that are not stored.

    Raises:
        MediaUnknown: `missing` lists those to upload first.
    """
    if not hashes:
        return
    missing = await repository.unknown_among(session, hashes)
    if missing:
        raise MediaUnknown(
            "Upload the photographs listed under `missing` first, then send this again.",
            missing=missing,
        )


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
