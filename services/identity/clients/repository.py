"""Finding clients and their secrets."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from services.identity.clients.models import Client, ClientSecret, UsedAssertion
from shared.web.paging import PageRequest, after


async def client_by_name(
    session: AsyncSession, client_id: str, *, lock: bool = False
) -> Client | None:
    statement = select(Client).where(Client.client_id == client_id)
    if lock:
        statement = statement.with_for_update().execution_options(populate_existing=True)
    return (await session.exec(statement)).first()


async def all_clients(session: AsyncSession) -> dict[str, Client]:
    return {row.client_id: row for row in (await session.exec(select(Client))).all()}


async def page_of_clients(session: AsyncSession, page: PageRequest) -> Sequence[Client]:
    return (await session.exec(after(select(Client), [Client.client_id], page))).all()  # type: ignore[no-any-return]


async def live_secrets(
    session: AsyncSession, client: UUID, now: datetime
) -> Sequence[ClientSecret]:
    """The secrets that still work, youngest first."""
    statement = (
        select(ClientSecret)
        .where(
            ClientSecret.client == client,
            sa.or_(col(ClientSecret.expires_at).is_(None), col(ClientSecret.expires_at) > now),
        )
        .order_by(col(ClientSecret.created_at).desc(), col(ClientSecret.id).desc())
    )
    return (await session.exec(statement)).all()


async def is_used(session: AsyncSession, client: UUID, jti: str) -> bool:
    return await session.get(UsedAssertion, (client, jti)) is not None


async def forget_expired(session: AsyncSession, now: datetime) -> None:
    for table, column in (
        (UsedAssertion, col(UsedAssertion.expires_at)),
        (ClientSecret, col(ClientSecret.expires_at)),
    ):
        await session.exec(
            sa.delete(table).where(column < now).execution_options(synchronize_session=False)
        )
