"""What can be wrong with a command to a coordination."""

from shared.errors import Conflict, Forbidden, InvalidInput, NotFound


class NoSuchCoordination(NotFound):
    code = "coordination-not-found"


class CoordinationOpenAlready(Conflict):
    """One at a time for a case; `coordination` names the open one."""

    code = "coordination-open-already"


class CoordinationEnded(Conflict):
    """It was decided or withdrawn; `state` says which."""

    code = "coordination-ended"


class NotWithTheCentre(Conflict):
    """It was passed up: what the centre might have done is the office's now."""

    code = "coordination-passed-up"


class UnitInvitedAlready(Conflict):
    code = "unit-invited-already"


class PositionsOutstanding(Conflict):
    """Invited units have time left; `units` names them, `due_at` says until when."""

    code = "positions-outstanding"


class DecisionWithOffice(Forbidden):
    """What was passed up is decided by a leader of the leading group's office, nobody else."""

    code = "decision-with-office"


class DecisionWithCentre(Forbidden):
    """What was not passed up is decided by the centre."""

    code = "decision-with-centre"


class CoordinationNotNeeded(Conflict):
    """A unit has the case and it can wait: a return comes first."""

    code = "coordination-not-needed"


class UnitNotHeard(InvalidInput):
    """Cases go to units that were heard, unless it is said why not."""

    code = "unit-not-heard"
