"""The steps of an appeal: filed by the unit, proposed by one person, decided by another."""

from enum import StrEnum

from services.assessment.scoring.domain import Standing


class AppealState(StrEnum):
    FILED = "filed"
    PROPOSED = "proposed"
    GRANTED = "granted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class Correction(StrEnum):
    """What a granted appeal changes about one assignment.

    Attributes:
        ACKNOWLEDGE: it counts as resolved in time.
        LEAVE_OUT: it does not count at all.
    """

    ACKNOWLEDGE = "acknowledge"
    LEAVE_OUT = "leave-out"

    @property
    def standing(self) -> Standing:
        return _STANDING[self]


_STANDING = {
    Correction.ACKNOWLEDGE: Standing.ACKNOWLEDGED,
    Correction.LEAVE_OUT: Standing.EXCLUDED,
}

ALLOWED: dict[AppealState, tuple[str, ...]] = {
    AppealState.FILED: ("propose", "withdraw"),
    AppealState.PROPOSED: ("decide", "withdraw"),
    AppealState.GRANTED: (),
    AppealState.REFUSED: (),
    AppealState.WITHDRAWN: (),
}
"""What may be done in each state."""
