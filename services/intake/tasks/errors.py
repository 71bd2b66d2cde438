"""What keeps a field task from going on."""

from shared.errors import Conflict, Forbidden, InvalidInput, NotFound


class TaskNotFound(NotFound):
    code = "task-not-found"


class TaskStateForbids(Conflict):
    """`state` is where the task is, `allowed` what can be done with it there."""

    code = "task-state"


class TaskWithAnother(Conflict):
    code = "task-with-another"
    title = "The task has gone to somebody else"


class DutiesNotSeparate(Forbidden):
    code = "separation-of-duties"
    title = "Who dispatches or handles cases does not verify them"


class FindingNotOfKind(InvalidInput):
    code = "finding-not-of-kind"
    title = "The finding does not answer this task"


class PhotographMissing(InvalidInput):
    code = "photograph-missing"
    title = "A finding needs its photograph"


class NoteMissing(InvalidInput):
    code = "note-missing"
    title = "Say why the finding was not made on the spot"


class CollectorUnknown(InvalidInput):
    code = "collector-unknown"
    title = "There is no such collector"


class NobodyToSend(Conflict):
    code = "nobody-to-send"
    title = "There is nobody to send"
