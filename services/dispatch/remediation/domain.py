"""Rules of remediation on behalf: what a cost, an order and a claim can be, and who may not."""

from enum import StrEnum

from services.dispatch.case_files.errors import SeparationOfDuties
from services.dispatch.remediation.errors import (
    ClaimExceedsSpending,
    NothingToRecover,
    ReceiptExceedsClaim,
)


class RemediationState(StrEnum):
    """Whether work and costs are still to come."""

    ORDERED = "ordered"
    COMPLETED = "completed"


class CostState(StrEnum):
    """What became of a cost."""

    RECORDED = "recorded"
    PAID = "paid"
    REFUSED = "refused"
    CORRECTED = "corrected"
    """Paid, and undone by a counter-entry."""


class RecoveryState(StrEnum):
    """How far a claim has come."""

    CLAIMED = "claimed"
    PARTLY_RECOVERED = "partly-recovered"
    RECOVERED = "recovered"
    WRITTEN_OFF = "written-off"
    """What had not come in was given up by a leader."""
    CANCELLED = "cancelled"
    """The claim itself was corrected away."""


def recovery_state(claimed: int, recovered: int, written_off: int) -> RecoveryState:
    """The state of a claim from its amounts in fen."""
    if claimed == 0:
        return RecoveryState.CANCELLED
    if recovered + written_off < claimed:
        return RecoveryState.PARTLY_RECOVERED if recovered else RecoveryState.CLAIMED
    return RecoveryState.WRITTEN_OFF if written_off else RecoveryState.RECOVERED


def check_claim(fen: int, *, spent: int, claimed: int) -> None:
    """No more is claimed back, in all claims together, than was spent.

    Raises:
        ClaimExceedsSpending: it is.
    """
    claimable = spent - claimed
    if fen > claimable:
        raise ClaimExceedsSpending(
            f"{claimable} fen can still be claimed: {spent} were spent, {claimed} are claimed.",
            claimable_fen=claimable,
        )


def check_receipt(fen: int, *, to_recover: int) -> None:
    """No more comes in for a claim than is owed.

    Raises:
        ReceiptExceedsClaim: it does.
    """
    if fen > to_recover:
        raise ReceiptExceedsClaim(
            f"{to_recover} fen are owed: book what belongs to this claim only.",
            to_recover_fen=to_recover,
        )


def check_something_owed(to_recover: int) -> None:
    """Only what is still owed can be given up.

    Raises:
        NothingToRecover: nothing is.
    """
    if to_recover <= 0:
        raise NothingToRecover("Nothing is owed any more: there is nothing to write off.")


def check_not_own_cost(actor: str, recorded_by: str) -> None:
    """Who records a cost does not decide on its payment.

    Raises:
        SeparationOfDuties: it is the same person.
    """
    if actor == recorded_by:
        raise SeparationOfDuties("You recorded this cost: its payment is decided by a colleague.")
