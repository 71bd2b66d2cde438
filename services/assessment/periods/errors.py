"""What can be wrong with a period, and why it cannot be closed."""

from shared.errors import Conflict, InvalidInput, NotFound


class PeriodUnreadable(InvalidInput):
    code = "period-unreadable"
    title = "This is no month, quarter or year"


class PeriodNotClosed(NotFound):
    code = "period-not-closed"
    title = "This period is not closed"


class PeriodClosedAlready(Conflict):
    code = "period-closed"
    title = "This period is closed"


class PeriodRunning(Conflict):
    """`ends` says when it is over."""

    code = "period-running"
    title = "This period is not over"


class FactsMissing(Conflict):
    """`behind` subjects are not folded, `parked` events could not be taken in."""

    code = "facts-missing"
    title = "Not everything that was told is counted yet"


class ParametersImpossible(InvalidInput):
    code = "parameters-impossible"
    title = "Nothing can be computed with these parameters"


class VersionUnknown(NotFound):
    code = "parameters-version-unknown"
