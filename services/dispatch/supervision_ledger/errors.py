"""What can be wrong with a look at the ledger."""

from shared.errors import InvalidInput


class LedgerTooLong(InvalidInput):
    """More entries than one table takes; a period or a unit narrows it."""

    code = "ledger-too-long"
