"""What can be wrong with a command on the way of a case."""

from shared.errors import InvalidInput


class NotAResponsibleUnit(InvalidInput):
    """Cases go to bureaus, sub-districts, utilities and companies of the city pack only."""

    code = "not-a-responsible-unit"


class LimitOfOtherKind(InvalidInput):
    """A clock that goes on keeps its kind of time."""

    code = "limit-of-other-kind"


class ConditionOfOtherClass(InvalidInput):
    """The registration condition belongs to another class than the case's."""

    code = "condition-of-other-class"
