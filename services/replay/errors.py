"""What can go wrong with a replay as a whole."""

from shared.errors import InvalidInput, Unavailable


class DayUnreadable(InvalidInput):
    """The file is not a day of requests; the message names file and line."""

    code = "day-unreadable"


class NobodyForRole(InvalidInput):
    """The city pack has nobody who could play a part."""

    code = "nobody-for-role"


class SignInRefused(InvalidInput):
    code = "sign-in-refused"


class ServiceSilent(Unavailable):
    """No answer after many attempts; the same command goes on where this run ended."""

    code = "service-silent"


class Refused(InvalidInput):
    """A service refused a request with a problem document.

    Attributes:
        answer: HTTP status of the answer.
        reason: stable code of the problem.
        sent_before: an attempt before this one got no answer, so it may have been carried out.
    """

    code = "request-refused"

    def __init__(self, message: str, *, answer: int, reason: str, sent_before: bool) -> None:
        super().__init__(message)
        self.answer = answer
        self.reason = reason
        self.sent_before = sent_before
