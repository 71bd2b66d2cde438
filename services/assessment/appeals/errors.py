"""What can be wrong with an appeal."""

from shared.errors import Conflict, Forbidden, InvalidInput, NotFound


class AppealUnknown(NotFound):
    code = "appeal-unknown"


class NotCounted(NotFound):
    code = "assignment-not-in-period"
    title = "This case is not among those of your unit in this period"


class AppealLate(Conflict):
    """`appeal_until` says when the time was over."""

    code = "appeal-late"
    title = "The time to appeal is over"


class AppealedAlready(Conflict):
    code = "appeal-exists"
    title = "This is appealed already"


class NotInThisState(Conflict):
    """`state` is how things stand, `allowed` what may be done."""

    code = "appeal-not-in-this-state"


class CorrectionNeeded(InvalidInput):
    code = "correction-needed"


class SecondPersonNeeded(Forbidden):
    code = "separation-of-duties"
    title = "Another person has to decide this"
