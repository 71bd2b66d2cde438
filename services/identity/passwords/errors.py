"""What can be wrong with passwords and codes."""

from shared.errors import InvalidInput, MinqingError


class PasswordRefused(InvalidInput):
    """The new password breaks the rules; `faults` names every broken one."""

    code = "password-refused"
    title = "Choose another password"


class CredentialsRefused(MinqingError):
    """One answer for an unknown login, a wrong password or code, and a closed account."""

    code = "credentials-refused"
    status = 401
    title = "Login and password do not fit"


class TooManyFailures(MinqingError):
    """The login or the source address is locked for a while."""

    code = "too-many-failures"
    status = 429
    title = "Locked after too many failures"
