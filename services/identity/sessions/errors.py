"""What can be wrong with a session."""

from shared.errors import MinqingError


class RefreshRefused(MinqingError):
    """The session is over, whatever the reason, or there never was one."""

    code = "refresh-refused"
    status = 401
    title = "Sign in again"
