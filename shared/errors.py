"""The root of every error that a person or a program may be told about."""

from typing import Any, ClassVar


class MinqingError(Exception):
    """An expected failure with a stable code.

    Attributes:
        code: kebab-case name that clients may rely on; it never changes its meaning.
        status: HTTP status that the web edge answers with. Kept beside the code so that one
            table of errors serves the API, the pages and the command line.
        extra: further members for the problem document, JSON values only.
    """

    code: ClassVar[str] = "internal-error"
    status: ClassVar[int] = 500
    title: ClassVar[str] = "Something went wrong"

    def __init__(self, message: str, **extra: Any) -> None:
        super().__init__(message)
        self.message = message
        self.extra = extra


class InvalidInput(MinqingError):
    """The request or file cannot be read as what it claims to be."""

    code = "invalid-input"
    status = 422
    title = "The input is not valid"


class NotFound(MinqingError):
    code = "not-found"
    status = 404
    title = "There is no such thing, or it is not yours to see"


class Forbidden(MinqingError):
    code = "forbidden"
    status = 403
    title = "Your role does not allow this"


class Conflict(MinqingError):
    """The request was fine but the state of things does not allow it now."""

    code = "conflict"
    status = 409
    title = "The present state does not allow this"


class Unavailable(MinqingError):
    """A dependency does not answer; the same request may succeed later."""

    code = "unavailable"
    status = 503
    title = "Not possible right now, try again"
