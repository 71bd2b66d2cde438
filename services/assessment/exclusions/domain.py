"""The states of an exclusion, and who may not decide it."""

from enum import StrEnum


class ExclusionState(StrEnum):
    """An exclusion holds while it is granted; nothing is ever deleted."""

    PROPOSED = "proposed"
    GRANTED = "granted"
    REFUSED = "refused"
    LIFTED = "lifted"


ALLOWED: dict[ExclusionState, tuple[str, ...]] = {
    ExclusionState.PROPOSED: ("decide",),
    ExclusionState.GRANTED: ("lift",),
    ExclusionState.REFUSED: (),
    ExclusionState.LIFTED: (),
}
"""What may be done in each state."""
