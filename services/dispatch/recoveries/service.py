"""Commands about claims, and counter-entries."""

from datetime import date
from typing import Self
from uuid import UUID

from services.dispatch.case_files.errors import UnitUnknown
from services.dispatch.fund.domain import (
    CORRECTABLE,
    EntryKind,
    claim,
    opposite,
    recovery,
    return_to_fund,
    totals,
    write_off,
)
from services.dispatch.fund.errors import CorrectionNotCovered, NoSuchEntry
from services.dispatch.fund.models import LedgerEntry
from services.dispatch.fund.service import FundService, Subject
from services.dispatch.remediation.domain import (
    CostState,
    RemediationState,
    check_claim,
    check_receipt,
    check_something_owed,
    recovery_state,
)
from services.dispatch.remediation.errors import (
    EntryCorrectedAlready,
    EntryNotCorrectable,
    NoSuchRecovery,
)
from services.dispatch.remediation.models import Recovery, Remediation
from services.dispatch.remediation.service import RemediationService, subject_of
from shared.errors import InvalidInput
from shared.events.dispatch import LedgerCorrected, RecoveryChanged, RecoveryClaimed
from shared.service import Runtime
from shared.web.etag import check_match
from shared.work import UnitOfWork


class RecoveryService:
    """Claims money back, and undoes entries; made per unit of work."""

    def __init__(self, work: UnitOfWork, remediations: RemediationService) -> None:
        self.work = work
        self.remediations = remediations
        self.repository = remediations.repository
        self.fund: FundService = remediations.fund
        self.pack = remediations.pack

    @classmethod
    def of(cls, work: UnitOfWork, runtime: Runtime) -> Self:
        """The service of a running process, for one unit of work."""
        return cls(work, RemediationService.of(work, runtime))

    # -- claims --------------------------------------------------------------------------------

    async def claim(
        self, remediation_id: UUID, *, subject: str, unit: str | None, fen: int, basis: str
    ) -> Recovery:
        """A responsible subject has been found: what was spent, or part of it, is claimed back.

        Raises:
            ClaimExceedsSpending: all claims together are more than was spent.
        """
        remediation = await self.remediations.take(remediation_id)
        if unit is not None and unit not in self.pack.units:
            raise UnitUnknown(f"The city has no unit {unit}; leave it out if it is none.")
        await self.fund.lock(remediation.year)
        found = totals(await self.fund.repository.balances_of_remediation(remediation.id))
        check_claim(fen, spent=found.spent, claimed=found.claimed)
        row = Recovery(
            remediation_id=remediation.id,
            case_number=remediation.case_number,
            year=remediation.year,
            subject=subject,
            unit=unit,
            basis=basis,
            amount_fen=fen,
            claimed_at=self.work.now(),
            claimed_by=self.work.actor.id,
        )
        self.repository.add(row)
        await self.work.settle()
        await self.fund.book(
            row.year,
            EntryKind.CLAIM,
            claim(fen),
            fen=fen,
            basis=basis,
            subject=subject_of(remediation, recovery_id=row.id),
        )
        self.work.record(row, "claim", to_state=row.state.value, reason=basis)
        details = {"recovery": str(row.id), "fen": fen}
        self.work.record(remediation, "claim", reason=basis, details=details)
        event = RecoveryClaimed(
            case_id=remediation.case_id, recovery_id=row.id, unit=unit, amount_fen=fen
        )
        self.work.tell(remediation, event)
        return row

    async def receive(
        self,
        recovery_id: UUID,
        *,
        fen: int,
        received_on: date,
        reference: str | None,
        if_match: str | None,
    ) -> Recovery:
        """Money has come in; where the city has it so, it goes back into the fund.

        Raises:
            ReceiptExceedsClaim: more than is owed.
            InvalidInput: the day is still to come, or before the claim.
        """
        row, remediation = await self._take(recovery_id, if_match)
        if received_on > self.fund.today():
            raise InvalidInput("Money is booked when it has come in, not before.")
        await self._lock_years(row.year, received_on.year)
        found = totals(await self.fund.repository.balances_of_recovery(row.id))
        check_receipt(fen, to_recover=found.to_recover)
        about = subject_of(remediation, recovery_id=row.id)
        entry = await self.fund.book(
            row.year,
            EntryKind.RECOVERY,
            recovery(fen),
            fen=fen,
            basis=row.basis,
            day=received_on,
            reference=reference,
            subject=about,
        )
        if self.pack.responsibility.recovered_to_fund:
            await self.fund.book(
                received_on.year,
                EntryKind.RETURN_TO_FUND,
                return_to_fund(fen),
                fen=fen,
                basis=row.basis,
                day=received_on,
                reference=reference,
                subject=Subject(case_number=row.case_number, unit=remediation.unit),
                belongs_to=entry.id,
            )
        await self._follow_ledger(row, remediation, "receive", reference)
        return row

    async def write_off(self, recovery_id: UUID, *, reason: str, if_match: str | None) -> Recovery:
        """Give up what is still owed.

        Raises:
            NothingToRecover: nothing is.
        """
        row, remediation = await self._take(recovery_id, if_match)
        await self.fund.lock(row.year)
        owed = totals(await self.fund.repository.balances_of_recovery(row.id)).to_recover
        check_something_owed(owed)
        await self.fund.book(
            row.year,
            EntryKind.WRITE_OFF,
            write_off(owed),
            fen=owed,
            basis=reason,
            subject=subject_of(remediation, recovery_id=row.id),
        )
        await self._follow_ledger(row, remediation, "write-off", reason)
        return row

    async def _take(self, recovery_id: UUID, if_match: str | None) -> tuple[Recovery, Remediation]:
        row = await self.repository.recovery(recovery_id)
        if row is None:
            raise NoSuchRecovery("There is no such claim.")
        check_match(row, if_match)
        return row, await self.remediations.take(row.remediation_id)

    async def _lock_years(self, *years: int) -> None:
        """Always the earlier one first, so that two bookings never wait for each other."""
        for year in sorted(set(years)):
            await self.fund.lock(year)

    async def _follow_ledger(
        self, row: Recovery, remediation: Remediation, action: str, reason: str | None
    ) -> None:
        """The state of a claim follows from its entries."""
        found = totals(await self.fund.repository.balances_of_recovery(row.id))
        before = row.state
        row.state = recovery_state(found.claimed, found.recovered, found.written_off)
        self.work.record(
            row, action, from_state=before.value, to_state=row.state.value, reason=reason
        )
        event = RecoveryChanged(
            case_id=remediation.case_id,
            recovery_id=row.id,
            state=row.state.value,
            to_recover_fen=found.to_recover,
            recovered_fen=found.recovered,
            written_off_fen=found.written_off,
        )
        self.work.tell(remediation, event)

    # -- corrections ---------------------------------------------------------------------------

    async def correct(self, entry_id: UUID, *, reason: str) -> list[LedgerEntry]:
        """Undo an entry by its opposite; the entry itself stays.

        Returns:
            What was booked, in order: the counter-entry, and what belongs to it.

        Raises:
            NoSuchEntry: there is none.
            EntryNotCorrectable: it follows from something else.
            EntryCorrectedAlready: each is undone once.
            CorrectionNotCovered: what rests on it has to be corrected first.
        """
        entry = await self.fund.repository.entry(entry_id)
        if entry is None:
            raise NoSuchEntry("There is no such entry.")
        if entry.kind not in CORRECTABLE:
            raise EntryNotCorrectable(
                f"A {entry.kind} is not corrected by itself: change what it follows from."
            )
        back = await self.fund.repository.belonging_to(entry.id)
        await self._lock_years(entry.year, *([back.year] if back else []))
        if await self.fund.repository.correction_of(entry.id) is not None:
            raise EntryCorrectedAlready("This entry has been undone already.")
        booked = [await self._counter(item, reason) for item in (entry, back) if item is not None]
        return booked + await self._follow_correction(entry, reason)

    async def _counter(self, entry: LedgerEntry, reason: str) -> LedgerEntry:
        return await self.fund.book(
            entry.year,
            EntryKind.CORRECTION,
            opposite(await self.fund.repository.postings(entry.id)),
            fen=entry.amount_fen,
            basis=reason,
            reference=entry.reference,
            subject=Subject(
                case_number=entry.case_number,
                unit=entry.unit,
                remediation_id=entry.remediation_id,
                cost_id=entry.cost_id,
                recovery_id=entry.recovery_id,
            ),
            corrects=entry.id,
        )

    async def _follow_correction(self, entry: LedgerEntry, reason: str) -> list[LedgerEntry]:
        """Bring cost, claim and order in step with the ledger."""
        if entry.remediation_id is None:
            return []
        remediation = await self.remediations.take(entry.remediation_id)
        await self._check_covered(remediation, entry)
        if entry.cost_id is not None:
            cost = await self.repository.cost(entry.cost_id)
            if cost is not None:
                cost.state = CostState.CORRECTED
        if entry.recovery_id is not None:
            row, _ = await self._take(entry.recovery_id, None)
            await self._follow_ledger(row, remediation, "correct", reason)
        details = {"entry": str(entry.id), "kind": entry.kind.value, "fen": entry.amount_fen}
        self.work.record(remediation, "correct", reason=reason, details=details)
        event = LedgerCorrected(
            case_id=remediation.case_id,
            kind=entry.kind.value,
            amount_fen=entry.amount_fen,
            year=entry.year,
        )
        self.work.tell(remediation, event)
        if remediation.state is RemediationState.COMPLETED:
            # What the payment had used of the money kept back is not needed any more.
            return await self._released(remediation, reason)
        return []

    async def _released(self, remediation: Remediation, reason: str) -> list[LedgerEntry]:
        rest = await self.remediations.release_rest(remediation, reason)
        if rest <= 0:
            return []
        last = await self.fund.repository.last_of(remediation.id)
        return [last] if last is not None else []

    async def _check_covered(self, remediation: Remediation, entry: LedgerEntry) -> None:
        """What is claimed was spent, and what came in is claimed, for this order and this claim."""
        balances = await self.fund.repository.balances_of_remediation(remediation.id)
        found = totals(balances)
        short = found.claimed - found.spent
        if short > 0:
            raise CorrectionNotCovered(
                f"{short} fen of it are claimed back: correct the claim first.",
                account="claimed",
                short_fen=short,
            )
        if entry.recovery_id is None:
            return
        owed = totals(await self.fund.repository.balances_of_recovery(entry.recovery_id)).to_recover
        if owed < 0:
            raise CorrectionNotCovered(
                f"{-owed} fen of this claim have come in or were written off: correct that first.",
                account="to-recover",
                short_fen=-owed,
            )
