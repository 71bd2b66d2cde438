"""What can be wrong with accounts."""

from shared.errors import Conflict, Forbidden, InvalidInput


class AccountExists(Conflict):
    code = "account-exists"
    title = "This login is taken"


class AccountClosed(Conflict):
    code = "account-closed"


class AccountOpen(Conflict):
    code = "account-open"


class AdministratorsNotSeparated(InvalidInput):
    """System, security and audit administration lie in different hands."""

    code = "administrators-not-separated"
    title = "One account may not hold two administrator roles"


class RoleNotForPeople(InvalidInput):
    code = "role-not-for-people"
    title = "This role is for systems"


class UnknownOrganisation(InvalidInput):
    code = "organisation-unknown"


class OwnAccount(Forbidden):
    """Administrators do not decide about themselves."""

    code = "own-account"
    title = "Another administrator has to do this"
