"""Contacts in the database."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from services.hotline.contacts.models import DutyContact


class ContactRepository:
    def __init__(self, session: AsyncSession) -> None:
        self.session = session

    async def find(self, name: str) -> DutyContact | None:
        """The contact of an account name or account id."""
        named = sa.or_(col(DutyContact.login) == name, col(DutyContact.account_id) == name)
        # A login that looks like somebody's account id must not hide the account.
        statement = select(DutyContact).where(named).order_by(col(DutyContact.login) != name)
        return (await self.session.exec(statement)).first()

    async def everybody(self) -> Sequence[DutyContact]:
        return (await self.session.exec(select(DutyContact).order_by(DutyContact.login))).all()

    def add(self, contact: DutyContact) -> None:
        self.session.add(contact)
