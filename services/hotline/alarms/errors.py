"""What can be wrong with a command on an alarm."""

from shared.errors import Conflict, NotFound


class AlarmNotFound(NotFound):
    code = "alarm-not-found"


class AlarmNotOpen(Conflict):
    code = "alarm-not-open"
    title = "Somebody has taken this alarm up already, or it has ended"
