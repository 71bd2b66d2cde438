"""What can be wrong with a command to a case file."""

from shared.errors import Conflict, Forbidden, InvalidInput, NotFound, Unavailable


class NoSuchCase(NotFound):
    code = "case-not-found"


class NotAllowedNow(Conflict):
    """The case stands where this cannot be done; `state` and `allowed` say what can be."""

    code = "not-allowed-now"


class CaseNotYetKnown(Unavailable):
    """A fact about a case came before the case; it is tried again until the case is here."""

    code = "case-not-yet-known"


class SeparationOfDuties(Forbidden):
    """One person may not do both: dispatch and verify, handle and judge, ask and decide."""

    code = "separation-of-duties"


class UnitUnknown(InvalidInput):
    code = "unit-unknown"


class ConditionUnknown(InvalidInput):
    code = "condition-unknown"


class LimitUnusable(InvalidInput):
    code = "limit-unusable"


class DispatchToSameUnit(InvalidInput):
    """What failed its verification goes out again to the unit that handled it."""

    code = "dispatch-to-same-unit"


class DirectDispatchOnlyUrgent(Forbidden):
    """Agents and shift leaders dispatch urgent cases only; the rest is the dispatcher's."""

    code = "direct-dispatch-only-urgent"
