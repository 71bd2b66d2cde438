"""What can be wrong when facts are asked for or folded again."""

from shared.errors import Conflict, NotFound


class CaseUnknown(NotFound):
    code = "case-unknown"


class RebuildUnknown(NotFound):
    code = "rebuild-unknown"


class RebuildRunning(Conflict):
    """One rebuild at a time: a second one would only do the same work again."""

    code = "rebuild-running"
    title = "A rebuild is running already"
