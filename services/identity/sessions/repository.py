"""Finding sessions and refresh tokens."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from services.identity.sessions.domain import EndReason
from services.identity.sessions.models import RefreshToken, Session


async def refresh_token(session: AsyncSession, digest: str) -> RefreshToken | None:
    return await session.get(RefreshToken, digest)


async def use_up(session: AsyncSession, digest: str, now: datetime) -> bool:
    """Mark a refresh token as used; False when somebody was faster."""
    result = await session.exec(
        sa.update(RefreshToken)
        .where(col(RefreshToken.digest) == digest, col(RefreshToken.used_at).is_(None))
        .values(used_at=now)
        .execution_options(synchronize_session=False)
    )
    return bool(result.rowcount)


async def session_by_id(session: AsyncSession, session_id: UUID) -> Session | None:
    return await session.get(Session, session_id, populate_existing=True)


async def open_sessions(
    session: AsyncSession, account_id: UUID, since: datetime
) -> Sequence[Session]:
    statement = (
        select(Session)
        .where(
            Session.account_id == account_id,
            col(Session.ended_at).is_(None),
            Session.last_used_at >= since,
        )
        .order_by(col(Session.started_at).desc())
        .limit(100)
    )
    return (await session.exec(statement)).all()


async def end_all(session: AsyncSession, account_id: UUID, now: datetime) -> None:
    await session.exec(
        sa.update(Session)
        .where(col(Session.account_id) == account_id, col(Session.ended_at).is_(None))
        .values(
            ended_at=now, end_reason=EndReason.SIGNED_OUT.value, version=col(Session.version) + 1
        )
        .execution_options(synchronize_session=False)
    )


async def forget_old(session: AsyncSession, before: datetime, limit: int) -> int:
    """Delete refresh tokens issued, and sessions last used, before that; at most `limit` each."""
    tokens = sa.select(col(RefreshToken.digest)).where(col(RefreshToken.issued_at) < before)
    gone = await session.exec(
        sa.delete(RefreshToken)
        .where(col(RefreshToken.digest).in_(tokens.limit(limit)))
        .execution_options(synchronize_session=False)
    )
    still = sa.select(col(RefreshToken.session_id))
    sessions = sa.select(col(Session.id)).where(
        col(Session.last_used_at) < before, col(Session.id).not_in(still)
    )
    ended = await session.exec(
        sa.delete(Session)
        .where(col(Session.id).in_(sessions.limit(limit)))
        .execution_options(synchronize_session=False)
    )
    return int(gone.rowcount) + int(ended.rowcount)
