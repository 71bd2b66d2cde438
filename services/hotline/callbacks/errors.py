"""What can be wrong with a call-back."""

from shared.errors import Conflict, InvalidInput, NotFound


class CallbackNotFound(NotFound):
    code = "callback-not-found"


class CallbackStateForbids(Conflict):
    """`state` is where the call-back is, `allowed` what can be done with it there."""

    code = "callback-state"


class SatisfactionMismatch(InvalidInput):
    code = "satisfaction-mismatch"
    title = "Satisfaction belongs to callers who were reached"


class RetryNotPossible(InvalidInput):
    code = "retry-not-possible"
    title = "It cannot be tried again then"


class ReopeningNeedsCause(InvalidInput):
    code = "reopening-needs-cause"
    title = "Only a caller who is not satisfied can have a case reopened"
