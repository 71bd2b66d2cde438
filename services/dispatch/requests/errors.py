"""What can be wrong with a request or its decision."""

from shared.errors import Conflict, InvalidInput, NotFound


class NoSuchRequest(NotFound):
    code = "request-not-found"


class RequestAlreadyAsked(Conflict):
    """One of each kind at a time; the pending one is decided or withdrawn first."""

    code = "request-already-asked"


class RequestNotPending(Conflict):
    """It was decided, withdrawn, or overtaken by the case; `state` says which."""

    code = "request-not-pending"


class ExtensionOfOtherKind(InvalidInput):
    code = "extension-of-other-kind"


class DeferralDateOver(InvalidInput):
    code = "deferral-date-over"
