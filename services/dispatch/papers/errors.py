"""What can be wrong with a paper."""

from shared.errors import Conflict, InvalidInput


class PaperNotOutstanding(Conflict):
    code = "paper-not-outstanding"
    title = "This paper is not asked for, or somebody has completed it"


class PapersOutstanding(Conflict):
    code = "papers-outstanding"
    title = "Papers of this emergency are still missing"


class ConditionNotOfClass(InvalidInput):
    code = "condition-not-of-class"
    title = "The condition belongs to another class"
