"""What can be wrong with a file of assignments."""

from shared.errors import InvalidInput
from shared.faults import Fault


class LinesRefused(InvalidInput):
    """Lines that cannot be read; none of the file is used."""

    code = "lines-refused"
    title = "Some lines are no assignments"

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__("\n".join(str(fault) for fault in faults))
        self.faults = faults
