"""What keeps a report from being decided."""

from shared.errors import InvalidInput


class ConditionMissing(InvalidInput):
    code = "condition-missing"
    title = "Say which registration condition holds"


class ClassMissing(InvalidInput):
    code = "class-missing"
    title = "A case needs a class"


class PlaceNeeded(InvalidInput):
    code = "place-needed"
    title = "A case needs a place"
