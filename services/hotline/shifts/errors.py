"""What can be wrong with a shift."""

from shared.errors import Conflict, InvalidInput, NotFound


class ShiftNotFound(NotFound):
    code = "shift-not-found"


class ShiftTimesInvalid(InvalidInput):
    code = "shift-times-invalid"
    title = "A shift ends after it begins"


class NoteAcknowledged(Conflict):
    code = "note-acknowledged"
    title = "Somebody has taken this note over already"
