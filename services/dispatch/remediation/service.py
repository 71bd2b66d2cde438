"""Commands of a remediation: ordered, costs recorded and decided, completed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Self
from uuid import UUID

from services.dispatch.case_files.domain import Action, CaseCategory, CaseState
from services.dispatch.case_files.service import CaseFile
from services.dispatch.cases.service import CaseService
from services.dispatch.fund.domain import (
    Account,
    EntryKind,
    Postings,
    commitment,
    payment,
    release,
    totals,
)
from services.dispatch.fund.service import FundService, Subject
from services.dispatch.remediation.domain import CostState, RemediationState, check_not_own_cost
from services.dispatch.remediation.errors import (
    CostNotPending,
    CostsUndecided,
    NoSuchCost,
    NoSuchRemediation,
    RemediationCompleted,
    RemediationElsewhere,
    RemediationOrderedAlready,
)
from services.dispatch.remediation.models import Cost, Remediation
from services.dispatch.remediation.repository import RemediationRepository
from shared.errors import InvalidInput
from shared.events.dispatch import (
    CostDecided,
    CostRecorded,
    RemediationEstimated,
    RemediationOrdered,
)
from shared.events.dispatch import RemediationCompleted as RemediationCompletedFact
from shared.service import Runtime
from shared.web.etag import check_match
from shared.work import UnitOfWork
from shared.worktime import Limit


@dataclass(frozen=True, slots=True)
class Order:
    """What an order says; `estimate_fen` is kept back in the fund of the year."""

    unit: str
    basis: str
    reason: str
    estimate_fen: int = 0
    limit: Limit | None = None
    note: str | None = None


class RemediationService:
    """Commands about remediations; made per unit of work."""

    def __init__(self, work: UnitOfWork, cases: CaseService, fund: FundService) -> None:
        self.work = work
        self.cases = cases
        self.fund = fund
        self.pack = cases.pack
        self.repository = RemediationRepository(work.session)

    @classmethod
    def of(cls, work: UnitOfWork, runtime: Runtime) -> Self:
        """The service of a running process, for one unit of work."""
        return cls(work, CaseService.of(work, runtime), FundService.of(work, runtime))

    # -- the order -----------------------------------------------------------------------------

    async def order(self, file: CaseFile, order: Order) -> Remediation:
        """File the case as one that nobody answers for, and have a unit put it right.

        A case that waits for its dispatch goes to the unit; one that the unit has already, or had
        when it was closed, stays as it is: it was handled first.

        Raises:
            RemediationOrderedAlready: one at a time.
            RemediationElsewhere: another unit has the case.
            FundExceeded: the fund of the year has not so much left as the estimate.
        """
        case = file.case
        open_one = await self.repository.ordered_for(case.id)
        if open_one is not None:
            raise RemediationOrderedAlready(
                "A remediation of this case is ordered: record its costs, or change its estimate.",
                remediation=str(open_one.id),
            )
        dispatched = await self._send(file, order)
        remediation = Remediation(
            case_id=case.id,
            case_number=case.number,
            unit=order.unit,
            year=self.fund.today().year,
            basis=order.basis,
            reason=order.reason,
            estimate_fen=order.estimate_fen,
            dispatched=dispatched,
            ordered_at=self.work.now(),
            ordered_by=self.work.actor.id,
        )
        self.repository.add(remediation)
        case.category = CaseCategory.NO_RESPONSIBLE_SUBJECT
        await self.work.settle()
        details = {"remediation": str(remediation.id), "unit": order.unit}
        self.work.record(case, "order-remediation", reason=order.reason, details=details)
        self._record(remediation, "order", order.reason, to=RemediationState.ORDERED)
        if order.estimate_fen:
            await self._book(
                remediation,
                EntryKind.COMMITMENT,
                commitment(order.estimate_fen),
                order.estimate_fen,
                order.basis,
            )
        event = RemediationOrdered(
            number=case.number,
            case_id=case.id,
            unit=order.unit,
            year=remediation.year,
            estimate_fen=order.estimate_fen,
            dispatched=dispatched,
            basis=order.basis,
        )
        self.work.tell(remediation, event)
        return remediation

    async def _send(self, file: CaseFile, order: Order) -> bool:
        """Whether the case had to be dispatched to the unit."""
        case = file.case
        here = case.unit == order.unit and case.state is not CaseState.AWAITING_DISPATCH
        if here and case.state is not CaseState.VOIDED:
            return False
        if case.unit is not None and case.state not in {
            CaseState.AWAITING_DISPATCH,
            CaseState.IN_COORDINATION,
            CaseState.VOIDED,
        }:
            raise RemediationElsewhere(
                f"{case.unit} has this case: order them, or grant their return first.",
                unit=case.unit,
            )
        file.check(Action.DISPATCH)
        await self.cases.dispatch(
            file, unit_code=order.unit, limit=order.limit, note=order.note, why=order.basis
        )
        return True

    async def estimate(
        self, remediation_id: UUID, *, fen: int, reason: str, if_match: str | None
    ) -> Remediation:
        """Keep back more, or less, in the fund; what is paid already counts as part of it."""
        remediation = await self.take(remediation_id, if_match=if_match)
        _check_ordered(remediation)
        await self.fund.lock(remediation.year)
        found = totals(await self.fund.repository.balances_of_remediation(remediation.id))
        remediation.estimate_fen = fen
        wanted = max(fen - found.spent, 0)
        change = wanted - found.committed
        if change > 0:
            await self._book(remediation, EntryKind.COMMITMENT, commitment(change), change, reason)
        elif change < 0:
            await self._book(remediation, EntryKind.RELEASE, release(-change), -change, reason)
        self._record(remediation, "estimate", reason)
        event = RemediationEstimated(
            case_id=remediation.case_id, estimate_fen=fen, committed_fen=wanted
        )
        self.work.tell(remediation, event)
        return remediation

    async def complete(
        self, remediation_id: UUID, *, note: str | None, if_match: str | None
    ) -> Remediation:
        """No more costs will come; what is still kept back is free again.

        Raises:
            CostsUndecided: costs wait for their decision.
        """
        remediation = await self.take(remediation_id, if_match=if_match)
        _check_ordered(remediation)
        waiting = await self.repository.undecided(remediation.id)
        if waiting:
            numbers = ", ".join(str(number) for number in waiting)
            raise CostsUndecided(
                f"Costs {numbers} wait for the office: have them paid or refused first.",
                costs=list(waiting),
            )
        remediation.state = RemediationState.COMPLETED
        remediation.completed_at = self.work.now()
        remediation.completed_by = self.work.actor.id
        remediation.completion_note = note
        released = await self.release_rest(remediation, note or remediation.basis)
        found = await self.fund.repository.balances_of_remediation(remediation.id)
        self._record(remediation, "complete", note, to=RemediationState.COMPLETED)
        event = RemediationCompletedFact(
            case_id=remediation.case_id,
            unit=remediation.unit,
            spent_fen=totals(found).spent,
            released_fen=released,
        )
        self.work.tell(remediation, event)
        return remediation

    async def release_rest(self, remediation: Remediation, basis: str) -> int:
        """Set free what is still kept back for it; how much that was."""
        await self.fund.lock(remediation.year)
        balances = await self.fund.repository.balances_of_remediation(remediation.id)
        rest = balances.get(Account.COMMITTED, 0)
        if rest > 0:
            await self._book(remediation, EntryKind.RELEASE, release(rest), rest, basis)
        return rest

    # -- costs ---------------------------------------------------------------------------------

    async def record_cost(
        self,
        remediation_id: UUID,
        *,
        unit: str | None,
        description: str,
        fen: int,
        incurred_on: date,
        media: Sequence[str],
    ) -> Cost:
        """A cost of the work; nothing is paid yet.

        Raises:
            NoSuchRemediation: that unit was not ordered to do it.
            RemediationCompleted: no more costs were to come.
            InvalidInput: the day is still to come.
        """
        remediation = await self.take(remediation_id, unit=unit)
        _check_ordered(remediation)
        if incurred_on > self.fund.today():
            raise InvalidInput("A cost is recorded when it has been incurred, not before.")
        remediation.costs += 1
        cost = Cost(
            remediation_id=remediation.id,
            number=remediation.costs,
            description=description,
            amount_fen=fen,
            incurred_on=incurred_on,
            media=list(media),
            recorded_at=self.work.now(),
            recorded_by=self.work.actor.id,
        )
        self.repository.add(cost)
        self._record(remediation, "record-cost", None, cost=cost.number, fen=fen)
        event = CostRecorded(
            case_id=remediation.case_id, unit=remediation.unit, cost=cost.number, amount_fen=fen
        )
        self.work.tell(remediation, event)
        return cost

    async def pay(self, cost_id: UUID, *, basis: str, reference: str | None) -> Cost:
        """Pay a cost from the fund of the order's year: what is kept back for it first.

        Raises:
            CostNotPending: it was decided already.
            SeparationOfDuties: who recorded it pays it.
            FundExceeded: the fund has not so much left.
        """
        cost, remediation = await self._take_cost(cost_id)
        await self.fund.lock(remediation.year)
        balances = await self.fund.repository.balances_of_remediation(remediation.id)
        postings = payment(cost.amount_fen, balances.get(Account.COMMITTED, 0))
        entry = await self.fund.book(
            remediation.year,
            EntryKind.PAYMENT,
            postings,
            fen=cost.amount_fen,
            basis=basis,
            reference=reference,
            subject=subject_of(remediation, cost_id=cost.id),
        )
        cost.entry_id = entry.id
        self._decide(remediation, cost, CostState.PAID, basis)
        return cost

    async def refuse(self, cost_id: UUID, *, reason: str) -> Cost:
        """Do not pay a cost; the unit may record it anew."""
        cost, remediation = await self._take_cost(cost_id)
        self._decide(remediation, cost, CostState.REFUSED, reason)
        return cost

    def _decide(self, remediation: Remediation, cost: Cost, state: CostState, reason: str) -> None:
        cost.state = state
        cost.decided_at, cost.decided_by = self.work.now(), self.work.actor.id
        cost.decision_reason = reason
        paid = state is CostState.PAID
        action = "pay-cost" if paid else "refuse-cost"
        self._record(remediation, action, reason, cost=cost.number, fen=cost.amount_fen)
        event = CostDecided(
            case_id=remediation.case_id,
            unit=remediation.unit,
            cost=cost.number,
            amount_fen=cost.amount_fen,
            paid=paid,
            year=remediation.year,
        )
        self.work.tell(remediation, event)

    async def _take_cost(self, cost_id: UUID) -> tuple[Cost, Remediation]:
        cost = await self.repository.cost(cost_id)
        if cost is None:
            raise NoSuchCost("There is no such cost.")
        if cost.state is not CostState.RECORDED:
            raise CostNotPending(f"This cost is {cost.state} already.", state=cost.state.value)
        check_not_own_cost(self.work.actor.id, cost.recorded_by)
        return cost, await self.take(cost.remediation_id)

    # -- finding and booking -------------------------------------------------------------------

    async def take(
        self, remediation_id: UUID, *, unit: str | None = None, if_match: str | None = None
    ) -> Remediation:
        """A remediation to be worked on; for people of a unit only one of their own.

        Raises:
            NoSuchRemediation: there is none, or another unit was ordered.
        """
        remediation = await self.repository.remediation(remediation_id)
        if remediation is None or (unit is not None and remediation.unit != unit):
            raise NoSuchRemediation(
                "There is no such remediation, or another unit was ordered to do it."
            )
        check_match(remediation, if_match)
        return remediation

    async def _book(
        self,
        remediation: Remediation,
        kind: EntryKind,
        postings: Postings,
        fen: int,
        basis: str,
    ) -> None:
        await self.fund.book(
            remediation.year,
            kind,
            postings,
            fen=fen,
            basis=basis,
            subject=subject_of(remediation),
        )

    def _record(
        self,
        remediation: Remediation,
        action: str,
        reason: str | None,
        *,
        to: RemediationState | None = None,
        **details: object,
    ) -> None:
        self.work.record(
            remediation,
            action,
            to_state=to.value if to else None,
            reason=reason,
            details=details,
        )


def subject_of(
    remediation: Remediation, *, cost_id: UUID | None = None, recovery_id: UUID | None = None
) -> Subject:
    """What an entry about a remediation refers to."""
    return Subject(
        case_number=remediation.case_number,
        unit=remediation.unit,
        remediation_id=remediation.id,
        cost_id=cost_id,
        recovery_id=recovery_id,
    )


def _check_ordered(remediation: Remediation) -> None:
    if remediation.state is RemediationState.COMPLETED:
        raise RemediationCompleted("This remediation is completed: order another one.")
