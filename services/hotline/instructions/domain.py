"""On which tickets a leader may give an instruction that is followed."""

from services.hotline.instructions.errors import InstructionNotPossible
from services.hotline.tickets.domain import TicketState

FOLLOWED = frozenset({TicketState.SUBMITTED, TicketState.CLOSED})
"""The ticket went into the case pipeline, so that a unit has its case or will."""


def check_can_be_followed(state: TicketState) -> None:
    """An instruction is about a matter that a unit has, or will have.

    Raises:
        InstructionNotPossible: the ticket was not submitted.
    """
    if state not in FOLLOWED:
        raise InstructionNotPossible(
            f"The ticket is {state}: submit it first, so that a unit can act on the instruction.",
            state=state.value,
            allowed=sorted(one.value for one in FOLLOWED),
        )
