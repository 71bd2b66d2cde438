"""What can be wrong with duty and positions."""

from shared.errors import Conflict, Forbidden, InvalidInput


class NotOnDuty(Conflict):
    code = "not-on-duty"
    title = "Positions are taken on duty only"


class FixOutsideDuty(InvalidInput):
    code = "fix-outside-duty"
    title = "A position was not measured on this duty"


class NoAccountName(Forbidden):
    code = "no-account-name"
    title = "Only people with an account name go on duty"
