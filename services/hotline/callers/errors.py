"""What can be wrong with a caller's data."""

from shared.errors import InvalidInput, NotFound


class CallerNotFound(NotFound):
    code = "caller-not-found"


class NumberInvalid(InvalidInput):
    code = "number-invalid"
    title = "This is no telephone number"


class PersonalDataInText(InvalidInput):
    """The text would carry a person's data to services that have no business knowing it."""

    code = "personal-data-in-text"
    title = "The text holds personal data"
