"""What can go wrong with a second factor."""

from shared.errors import Conflict, MinqingError


class SecondFactorRequired(MinqingError):
    """The password fits; a code of the authenticator is needed beside it."""

    code = "second-factor-required"
    status = 401
    title = "Send the code of your authenticator"


class SecondFactorRefused(Conflict):
    code = "second-factor-refused"
    title = "The code does not fit"


class SecondFactorEnrolled(Conflict):
    code = "second-factor-enrolled"
    title = "There is an authenticator already"


class NoSecondFactor(Conflict):
    code = "second-factor-missing"
    title = "There is no authenticator yet"
