"""What can be wrong with a command to a ticket."""

from shared.errors import Conflict, InvalidInput, NotFound


class TicketNotFound(NotFound):
    code = "ticket-not-found"


class TicketStateForbids(Conflict):
    """`state` is where the ticket is, `allowed` what can be done with it there."""

    code = "ticket-state"


class OutsideCompetence(Conflict):
    """The hotline does not take such matters on; it tells the caller the right address."""

    code = "outside-competence"
    title = "This matter has to be referred"


class ClassUnknown(InvalidInput):
    code = "class-unknown"
    title = "There is no such class"


class PlaceMissing(InvalidInput):
    code = "place-missing"
    title = "The matter needs a place"


class CallerAmbiguous(InvalidInput):
    code = "caller-ambiguous"
    title = "Say who it is for in one way only"


class AnswerMissing(InvalidInput):
    code = "answer-missing"
    title = "Say what was answered"


class ReopeningNotPossible(Conflict):
    """Only a case that was closed goes on, and once after each closing."""

    code = "reopening-not-possible"


class DirectUnitRefused(InvalidInput):
    code = "direct-unit-refused"
    title = "It cannot be sent to this unit directly"
