"""What can be wrong with a command to a remediation."""

from shared.errors import Conflict, NotFound


class NoSuchRemediation(NotFound):
    code = "remediation-not-found"


class NoSuchCost(NotFound):
    code = "remediation-cost-not-found"


class NoSuchRecovery(NotFound):
    code = "recovery-not-found"


class RemediationOrderedAlready(Conflict):
    """One at a time for a case; `remediation` names the open one."""

    code = "remediation-ordered-already"


class RemediationElsewhere(Conflict):
    """Another unit has the case; `unit` names it."""

    code = "remediation-elsewhere"


class RemediationCompleted(Conflict):
    code = "remediation-completed"


class CostsUndecided(Conflict):
    """Costs wait for their decision; `costs` numbers them."""

    code = "costs-undecided"


class CostNotPending(Conflict):
    """It was paid, refused or corrected already; `state` says which."""

    code = "cost-not-pending"


class ClaimExceedsSpending(Conflict):
    """No more is claimed back than was spent; `claimable_fen` says how much that is."""

    code = "claim-exceeds-spending"


class ReceiptExceedsClaim(Conflict):
    """No more comes in than is owed; `to_recover_fen` says how much that is."""

    code = "receipt-exceeds-claim"


class NothingToRecover(Conflict):
    code = "nothing-to-recover"


class EntryCorrectedAlready(Conflict):
    code = "entry-corrected-already"


class EntryNotCorrectable(Conflict):
    """Commitments follow their estimate, returns their recovery; corrections are done anew."""

    code = "entry-not-correctable"
