"""Finding organisations."""

from collections.abc import Sequence

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from services.identity.organisations.models import Organisation
from shared.web.paging import PageRequest, after


async def organisation_by_code(session: AsyncSession, code: str) -> Organisation | None:
    return (await session.exec(select(Organisation).where(Organisation.code == code))).first()


async def all_organisations(session: AsyncSession) -> dict[str, Organisation]:
    return {row.code: row for row in (await session.exec(select(Organisation))).all()}


async def page_of_organisations(
    session: AsyncSession, page: PageRequest, *, kind: str | None, active: bool | None
) -> Sequence[Organisation]:
    statement = select(Organisation)
    if kind is not None:
        statement = statement.where(Organisation.kind == kind)
    if active is not None:
        statement = statement.where(col(Organisation.active).is_(active))
    return (await session.exec(after(statement, [Organisation.code], page))).all()  # type: ignore[no-any-return]
