"""Finding credentials and counts of failures."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from services.identity.passwords.models import AttemptGuard, Credential


async def credential_of(session: AsyncSession, account_id: UUID) -> Credential | None:
    """The credential as it is in the database now."""
    return await session.get(Credential, account_id, populate_existing=True)


async def credential_or_new(session: AsyncSession, account_id: UUID) -> Credential:
    row = await credential_of(session, account_id)
    if row is None:
        row = Credential(account_id=account_id)
        session.add(row)
    return row


async def accounts_with_password(session: AsyncSession) -> set[UUID]:
    statement = select(Credential.account_id).where(col(Credential.password_hash).is_not(None))
    return set((await session.exec(statement)).all())


async def lock_guards(session: AsyncSession, names: Iterable[str]) -> Sequence[AttemptGuard]:
    """The counts under these names, locked until the end of the transaction."""
    statement = (
        select(AttemptGuard)
        .where(col(AttemptGuard.name).in_(sorted(names)))
        .order_by(AttemptGuard.name)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return (await session.exec(statement)).all()


async def locks_of(session: AsyncSession, names: Iterable[str]) -> Sequence[datetime]:
    """Until when the logins and addresses of these names are locked; takes no lock itself."""
    statement = select(AttemptGuard.locked_until).where(
        col(AttemptGuard.name).in_(list(names)), col(AttemptGuard.locked_until).is_not(None)
    )
    return [until for until in (await session.exec(statement)).all() if until is not None]


async def count_failure(
    session: AsyncSession, name: str, now: datetime, *, forget: datetime
) -> int:
    """Count one more failure, from 1 again if the last one is older than `forget`."""
    table = sa.inspect(AttemptGuard).local_table
    insert: Any = postgresql.insert
    if session.get_bind().dialect.name == "sqlite":
        insert = sqlite.insert
    statement = insert(table).values(name=name, failures=1, last_failure_at=now)
    again = sa.case((table.c.last_failure_at < forget, 1), else_=table.c.failures + 1)
    statement = statement.on_conflict_do_update(
        index_elements=[table.c.name], set_={"failures": again, "last_failure_at": now}
    ).returning(table.c.failures)
    return int((await session.exec(statement)).one().failures)


async def lock_until(session: AsyncSession, name: str, until: datetime) -> None:
    await session.exec(
        sa.update(AttemptGuard).where(col(AttemptGuard.name) == name).values(locked_until=until)
    )


async def forget_failures(session: AsyncSession, name: str) -> int:
    result = await session.exec(sa.delete(AttemptGuard).where(col(AttemptGuard.name) == name))
    return int(result.rowcount)
