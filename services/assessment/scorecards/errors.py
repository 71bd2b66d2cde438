"""What can be wrong when a scorecard is asked for."""

from shared.errors import NotFound


class UnitUnknown(NotFound):
    code = "unit-unknown"
