"""What can be wrong with a command to a precedent."""

from shared.errors import Conflict, Forbidden, NotFound


class NoSuchPrecedent(NotFound):
    code = "precedent-not-found"


class PrecedentRevokedAlready(Conflict):
    """It is not offered any more; it stays to be read."""

    code = "precedent-revoked-already"


class PrecedentOfOffice(Forbidden):
    """What the leading group's office has decided, only the office revokes."""

    code = "precedent-of-office"
