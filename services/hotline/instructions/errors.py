"""What can be wrong with an instruction."""

from shared.errors import Conflict, InvalidInput


class InstructionNotPossible(Conflict):
    """Only what went its way can be followed; `state` is where the ticket is."""

    code = "instruction-not-possible"


class InstructedUnitUnknown(InvalidInput):
    code = "unit-unknown"
