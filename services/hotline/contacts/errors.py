"""What can be wrong with the contacts of somebody on duty."""

from shared.errors import InvalidInput, NotFound


class ContactUnknown(NotFound):
    code = "contact-unknown"
    title = "Nobody of this account name is told of emergencies"


class EmailInvalid(InvalidInput):
    code = "email-invalid"
    title = "This is no e-mail address"
