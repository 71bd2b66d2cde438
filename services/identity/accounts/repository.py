"""Finding accounts."""

from collections.abc import Sequence
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from services.identity.accounts.models import Account
from shared.web.paging import PageRequest, after


async def account_by_login(session: AsyncSession, login: str) -> Account | None:
    return (await session.exec(select(Account).where(Account.login == login))).first()


async def account_by_id(session: AsyncSession, account_id: UUID) -> Account | None:
    return await session.get(Account, account_id)


async def lock_account(session: AsyncSession, account_id: UUID) -> Account | None:
    """The account as it is now, locked until the end of the transaction.

    Whoever issues tokens and whoever takes them away meet here, so that no token issued after the
    taking away carries an earlier instant.
    """
    statement = (
        select(Account)
        .where(Account.id == account_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return (await session.exec(statement)).first()


async def all_accounts(session: AsyncSession) -> dict[str, Account]:
    return {row.login: row for row in (await session.exec(select(Account))).all()}


async def page_of_accounts(
    session: AsyncSession, page: PageRequest, *, unit: str | None, active: bool | None
) -> Sequence[Account]:
    statement = select(Account)
    if unit is not None:
        statement = statement.where(Account.unit == unit)
    if active is not None:
        statement = statement.where(col(Account.active).is_(active))
    return (await session.exec(after(statement, [Account.login], page))).all()  # type: ignore[no-any-return]
