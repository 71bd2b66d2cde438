"""What can be wrong with a command to a call."""

from shared.errors import Conflict, Forbidden, InvalidInput, NotFound


class CallNotFound(NotFound):
    code = "call-not-found"


class CallStateForbids(Conflict):
    """`state` is where the call is, `allowed` what can be done with it there."""

    code = "call-state"


class CallOfAnotherAgent(Forbidden):
    code = "call-of-another-agent"
    title = "Another agent has this call"


class CallBeganInFuture(InvalidInput):
    code = "call-began-in-future"


class CallerAmbiguous(InvalidInput):
    code = "caller-ambiguous"
    title = "Say who calls in one way only"


class AgentMissing(InvalidInput):
    code = "agent-missing"
    title = "Say who has the call"
