"""What can be wrong with a booking."""

from shared.errors import Conflict, Forbidden, NotFound


class FundExceeded(Conflict):
    """More than the year's fund has left; `left_fen` says how much that is, `year` of which."""

    code = "fund-exceeded"


class CorrectionNotCovered(Conflict):
    """What rests on the entry has to be corrected first; `account` and `short_fen` say what."""

    code = "correction-not-covered"


class OfficeOnly(Forbidden):
    """Money is given, paid out, written off and corrected by the leading group's office."""

    code = "office-only"


class NoSuchEntry(NotFound):
    code = "ledger-entry-not-found"


class NoSuchFund(NotFound):
    """Nothing was ever booked in this year."""

    code = "fund-not-found"
