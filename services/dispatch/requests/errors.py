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


class ExtensionTooLate(Conflict):
    """The limit has run out already: what is overrun is not lengthened."""

    code = "extension-too-late"


class ExtensionsUsedUp(Conflict):
    code = "extensions-used-up"


class DeferralsUsedUp(Conflict):
    code = "deferrals-used-up"


class DeferralTooLong(InvalidInput):
    """`latest` is the last date that can be asked for."""

    code = "deferral-too-long"


class SecondConsentNeeded(Conflict):
    """Granting it takes a dispatcher who proposes and somebody above who consents."""

    code = "second-consent-needed"


class NotProposed(Conflict):
    """Nobody has proposed to grant it, so there is nothing to consent to."""

    code = "request-not-proposed"


class DeferralDateOver(InvalidInput):
    code = "deferral-date-over"
