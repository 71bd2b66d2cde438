"""What can be wrong with a supervision order, or with a step of it."""

from shared.errors import Conflict, InvalidInput, NotFound


class NoSuchOrder(NotFound):
    code = "supervision-order-not-found"


class OrderNotAllowedNow(Conflict):
    """The order stands where this cannot be done; `state` and `allowed` say what can be."""

    code = "not-allowed-now"


class OrderDateOver(InvalidInput):
    code = "order-date-over"


class OrderSourceMissing(InvalidInput):
    """An instruction or a decision is quoted, so that the ledger can be followed back to it."""

    code = "order-source-missing"


class OrderSubjectMissing(InvalidInput):
    """An order is about cases, or has a title of its own."""

    code = "order-subject-missing"


class UnitNotNamed(InvalidInput):
    code = "order-unit-not-named"


class ExtensionAlreadyAsked(Conflict):
    """One problem report at a time; the leader decides the pending one first."""

    code = "order-extension-already-asked"


class NoSuchExtension(NotFound):
    code = "order-extension-not-found"


class ExtensionNotPending(Conflict):
    """It was decided already, or the unit has answered meanwhile; `state` says which."""

    code = "order-extension-not-pending"
