"""Reading and adding to the ledger."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from services.dispatch.fund.domain import Account, EntryKind, Posting
from services.dispatch.fund.models import Fund, LedgerEntry, LedgerPosting
from shared.web.paging import PageRequest, after

Balances = dict[Account, int]


class FundRepository:
    """All SQL on the ledger."""

    def __init__(self, session: AsyncSession) -> None:
        self.session = session

    def add(self, row: Any) -> None:
        self.session.add(row)

    async def fund(self, year: int) -> Fund | None:
        return (await self.session.exec(select(Fund).where(Fund.year == year))).first()

    async def locked_fund(self, year: int) -> Fund | None:
        """The row of a year, held until this work ends: bookings of a year wait for one another."""
        statement = (
            select(Fund)
            .where(Fund.year == year)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
        return (await self.session.exec(statement)).first()

    async def years(self) -> Sequence[int]:
        return (await self.session.exec(select(Fund.year).order_by(col(Fund.year)))).all()

    async def balances(self, year: int) -> Balances:
        return await self._sums(LedgerPosting.year == year)

    async def balances_of_remediation(self, remediation_id: UUID) -> Balances:
        return await self._sums(LedgerPosting.remediation_id == remediation_id)

    async def balances_of_recovery(self, recovery_id: UUID) -> Balances:
        return await self._sums(LedgerPosting.recovery_id == recovery_id)

    async def balances_of_remediations(self, ids: Sequence[UUID]) -> dict[UUID, Balances]:
        """The same for the rows of a page, in one statement."""
        statement = (
            select(
                LedgerPosting.remediation_id, LedgerPosting.account, sa.func.sum(LedgerPosting.fen)
            )
            .where(col(LedgerPosting.remediation_id).in_(ids))
            .group_by(col(LedgerPosting.remediation_id), col(LedgerPosting.account))
        )
        found: dict[UUID, Balances] = {key: {} for key in ids}
        for key, account, fen in (await self.session.exec(statement)).all():
            if key is not None:
                found[key][Account(account)] = int(fen)
        return found

    async def _sums(self, condition: Any) -> Balances:
        statement = (
            select(LedgerPosting.account, sa.func.sum(LedgerPosting.fen))
            .where(condition)
            .group_by(col(LedgerPosting.account))
        )
        rows = (await self.session.exec(statement)).all()
        return {Account(account): int(fen) for account, fen in rows}

    async def entry(self, entry_id: UUID) -> LedgerEntry | None:
        return await self.session.get(LedgerEntry, entry_id)

    async def postings(self, entry_id: UUID) -> tuple[Posting, ...]:
        found = await self.postings_of([entry_id])
        return tuple(Posting(row.account, row.fen) for row in found)

    async def postings_of(self, ids: Sequence[UUID]) -> Sequence[LedgerPosting]:
        statement = (
            select(LedgerPosting)
            .where(col(LedgerPosting.entry_id).in_(ids))
            .order_by(col(LedgerPosting.entry_id), col(LedgerPosting.line))
        )
        return (await self.session.exec(statement)).all()

    async def postings_by_entry(self, ids: Sequence[UUID]) -> dict[UUID, list[LedgerPosting]]:
        found: dict[UUID, list[LedgerPosting]] = {key: [] for key in ids}
        for row in await self.postings_of(ids):
            found[row.entry_id].append(row)
        return found

    async def correction_of(self, entry_id: UUID) -> LedgerEntry | None:
        statement = select(LedgerEntry).where(LedgerEntry.corrects == entry_id)
        return (await self.session.exec(statement)).first()

    async def belonging_to(self, entry_id: UUID) -> LedgerEntry | None:
        statement = select(LedgerEntry).where(LedgerEntry.belongs_to == entry_id)
        return (await self.session.exec(statement)).first()

    async def last_of(self, remediation_id: UUID) -> LedgerEntry | None:
        """The latest entry about a remediation."""
        statement = (
            select(LedgerEntry)
            .where(LedgerEntry.remediation_id == remediation_id)
            .order_by(col(LedgerEntry.number).desc())
            .limit(1)
        )
        return (await self.session.exec(statement)).first()

    async def page(
        self,
        request: PageRequest,
        year: int,
        *,
        kind: EntryKind | None = None,
        remediation: UUID | None = None,
    ) -> Sequence[LedgerEntry]:
        """Entries of a year in the order in which they were booked."""
        statement = select(LedgerEntry).where(LedgerEntry.year == year)
        if kind is not None:
            statement = statement.where(LedgerEntry.kind == kind)
        if remediation is not None:
            statement = statement.where(LedgerEntry.remediation_id == remediation)
        statement = after(statement, [LedgerEntry.number], request)
        return list((await self.session.exec(statement)).all())
