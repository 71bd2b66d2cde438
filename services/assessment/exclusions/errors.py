"""What can be wrong with an exclusion."""

from shared.errors import Conflict, Forbidden, NotFound


class ExclusionUnknown(NotFound):
    code = "exclusion-unknown"


class NoSuchAssignment(NotFound):
    code = "assignment-unknown"
    title = "No such case was with this unit"


class AlreadyProposed(Conflict):
    code = "exclusion-pending"
    title = "This is proposed or decided already"


class NotInThisState(Conflict):
    """`state` is how things stand, `allowed` what may be done."""

    code = "exclusion-not-in-this-state"


class SecondPersonNeeded(Forbidden):
    code = "separation-of-duties"
    title = "Another person has to decide this"
