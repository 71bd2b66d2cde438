"""What can be wrong with a caller's data."""

from shared.errors import InvalidInput, MinqingError, NotFound, Unavailable


class CallerNotFound(NotFound):
    code = "caller-not-found"


class NumberInvalid(InvalidInput):
    code = "number-invalid"
    title = "This is no telephone number"


class PersonalDataInText(InvalidInput):
    """The text would carry a person's data to services that have no business knowing it."""

    code = "personal-data-in-text"
    title = "The text holds personal data"


class PersonalDataKeyMissing(Unavailable):
    """Nobody's data is stored in the clear because a key was forgotten."""

    code = "personal-data-key-missing"
    title = "The key for personal data is not set"


class PersonalDataKeyUnusable(MinqingError):
    code = "personal-data-key-unusable"
    title = "The key for personal data is no key"


class SealBroken(MinqingError):
    """What was sealed cannot be opened: another key, or somebody changed it."""

    code = "personal-data-unreadable"
    title = "The caller's data cannot be read"
