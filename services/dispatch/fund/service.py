"""Booking: one entry at a time, checked against what there is, under the lock of its year."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Self
from uuid import UUID
from zoneinfo import ZoneInfo

from services.dispatch.fund.domain import (
    Account,
    EntryKind,
    Posting,
    Postings,
    appropriation,
    check_booking,
    totals,
)
from services.dispatch.fund.errors import NoSuchFund
from services.dispatch.fund.models import Fund, LedgerEntry, LedgerPosting
from services.dispatch.fund.repository import FundRepository
from services.dispatch.fund.schemas import LedgerView, TotalsView
from shared.pack.model import CityPack
from shared.service import Runtime
from shared.work import UnitOfWork


@dataclass(frozen=True, slots=True)
class Subject:
    """What an entry is about; the totals of each are sums of its postings."""

    case_number: str | None = None
    unit: str | None = None
    remediation_id: UUID | None = None
    cost_id: UUID | None = None
    recovery_id: UUID | None = None


class FundService:
    """Books; made per unit of work."""

    def __init__(self, work: UnitOfWork, pack: CityPack) -> None:
        self.work = work
        self.pack = pack
        self.repository = FundRepository(work.session)

    @classmethod
    def of(cls, work: UnitOfWork, runtime: Runtime) -> Self:
        """The service of a running process, for one unit of work."""
        return cls(work, runtime.pack)

    def today(self) -> date:
        """The city's date."""
        return self.work.now().astimezone(ZoneInfo(self.pack.city.zone)).date()

    async def appropriate(
        self, year: int, *, fen: int, basis: str, reference: str | None
    ) -> LedgerEntry:
        """Give money to the fund of a year."""
        return await self.book(
            year,
            EntryKind.APPROPRIATION,
            appropriation(fen),
            fen=fen,
            basis=basis,
            reference=reference,
        )

    async def lock(self, year: int) -> Mapping[Account, int]:
        """Hold the ledger of a year until this work ends; its balances, which stay true so long."""
        await self._fund(year)
        return await self.repository.balances(year)

    async def book(
        self,
        year: int,
        kind: EntryKind,
        postings: Postings,
        *,
        fen: int,
        basis: str,
        day: date | None = None,
        reference: str | None = None,
        subject: Subject | None = None,
        belongs_to: UUID | None = None,
        corrects: UUID | None = None,
    ) -> LedgerEntry:
        """Add an entry to the ledger of a year.

        Args:
            year: whose accounts are meant.
            kind: what it records.
            postings: make zero.
            fen: the amount as people say it.
            basis: why.
            day: local date of what it records, if not today.
            reference: number of the voucher.
            subject: the order or claim it is about.
            belongs_to: the recovery whose money it puts back.
            corrects: the entry that it undoes.

        Raises:
            FundExceeded: the fund has not so much left.
            CorrectionNotCovered: what it would take back has gone on.
        """
        fund = await self._fund(year)
        balances = await self.repository.balances(year)
        check_booking(balances, postings, year=year, correction=corrects is not None)
        about = subject or Subject()
        fund.entries += 1
        entry = LedgerEntry(
            year=year,
            number=fund.entries,
            kind=kind,
            day=day or self.today(),
            amount_fen=fen,
            basis=basis,
            reference=reference,
            case_number=about.case_number,
            unit=about.unit,
            remediation_id=about.remediation_id,
            cost_id=about.cost_id,
            recovery_id=about.recovery_id,
            belongs_to=belongs_to,
            corrects=corrects,
            booked_at=self.work.now(),
            booked_by=self.work.actor.id,
            booked_as=self.work.actor.role,
        )
        self.repository.add(entry)
        # The entry goes first: its postings refer to it, and the next booking sums them.
        await self.work.settle()
        for line, item in enumerate(postings, start=1):
            self.repository.add(self._posting(entry, line, item))
        await self.work.settle()
        details = {"entry": str(entry.id), "number": entry.number, "fen": fen}
        self.work.record(fund, kind.value, reason=basis, details=details)
        return entry

    def _posting(self, entry: LedgerEntry, line: int, item: Posting) -> LedgerPosting:
        return LedgerPosting(
            entry_id=entry.id,
            line=line,
            year=entry.year,
            account=item.account,
            fen=item.fen,
            remediation_id=entry.remediation_id,
            recovery_id=entry.recovery_id,
        )

    async def _fund(self, year: int) -> Fund:
        fund = await self.repository.locked_fund(year)
        if fund is None:
            fund = Fund(year=year)
            self.repository.add(fund)
            # Somebody may do the same at this moment: the constraint lets one of them through.
            await self.work.settle()
        return fund


async def ledger_of(repository: FundRepository, year: int) -> LedgerView:
    """The totals of a year.

    Raises:
        NoSuchFund: nothing was ever booked in it.
    """
    fund = await repository.fund(year)
    if fund is None:
        known = ", ".join(str(one) for one in await repository.years()) or "none"
        raise NoSuchFund(f"There is no ledger of {year}. Years with one: {known}.")
    found = TotalsView.of(totals(await repository.balances(year)))
    return LedgerView(year=year, entries=fund.entries, **found.model_dump())
