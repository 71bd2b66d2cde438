"""What keeps reports from being merged."""

from shared.errors import Conflict, InvalidInput


class MergeWithItself(InvalidInput):
    code = "merge-with-itself"
    title = "A report cannot be merged into itself"


class MergeTargetGone(Conflict):
    """The report that should stand for both cannot."""

    code = "merge-target"
