"""Commands on calls."""

from datetime import datetime
from uuid import UUID

from services.hotline.callers.models import Caller
from services.hotline.callers.service import CallerService
from services.hotline.calls.domain import (
    CallOutcome,
    CallState,
    Direction,
    beginning,
    check_allowed,
    weightier,
)
from services.hotline.calls.errors import AgentMissing, CallerAmbiguous, CallOfAnotherAgent
from services.hotline.calls.models import Call
from services.hotline.calls.repository import CallRepository
from shared.events.hotline import CallEnded
from shared.work import UnitOfWork


class CallService:
    """Opens calls, answers and ends them.

    Args:
        work: the transaction.
        callers: finds and stores who calls.
    """

    def __init__(self, work: UnitOfWork, callers: CallerService) -> None:
        self.work = work
        self.calls = CallRepository(work.session)
        self._callers = callers

    async def open_call(
        self,
        *,
        direction: Direction,
        agent: str | None,
        ringing: bool,
        number: str | None = None,
        caller_id: UUID | None = None,
        name: str | None = None,
        external_id: str | None = None,
        started_at: datetime | None = None,
    ) -> tuple[Call, bool]:
        """Open a call; `True` beside it when the exchange had not told of it before.

        Raises:
            CallerAmbiguous: number and caller are both given.
            CallBeganInFuture: it has not begun yet.
        """
        if external_id is not None:
            known = await self.calls.by_external_id(external_id)
            if known is not None:
                return known, False
        caller = await self._caller(number=number, caller_id=caller_id, name=name)
        now = self.work.now()
        began = beginning(started_at, now)
        call = Call(
            external_id=external_id,
            direction=direction,
            caller_id=caller.id if caller else None,
            agent=agent or "",
            started_at=began,
        )
        if not ringing:
            call.state, call.answered_at = CallState.ANSWERED, now
        self.work.session.add(call)
        self.work.record(call, "open", to_state=call.state)
        return call, True

    async def answer_call(self, call: Call, *, agent: str) -> Call:
        """Somebody takes the receiver.

        Raises:
            CallStateForbids: it has been answered, or is over.
            AgentMissing: the exchange did not say who.
        """
        if not agent:
            raise AgentMissing("Send `agent`: the account id of who has taken the call.")
        check_allowed(call.state, "answer")
        call.state, call.answered_at, call.agent = CallState.ANSWERED, self.work.now(), agent
        self.work.record(call, "answer", from_state=CallState.RINGING, to_state=call.state)
        return call

    async def end_call(
        self,
        call: Call,
        *,
        outcome: CallOutcome | None = None,
        recording: str | None = None,
        only_of: str | None = None,
    ) -> Call:
        """The call is over.

        Args:
            call: which one.
            outcome: what came of it, if not what its tickets say.
            recording: where the recording is kept.
            only_of: refuse unless this agent has the call.

        Raises:
            CallStateForbids: it is over already.
            CallOfAnotherAgent: see `only_of`.
        """
        check_allowed(call.state, "end")
        if only_of is not None and call.agent not in {"", only_of}:
            raise CallOfAnotherAgent("Let the agent who has it end it, or the shift leader.")
        before, call.state, call.ended_at = call.state, CallState.ENDED, self.work.now()
        call.outcome = outcome or call.outcome
        call.recording = recording or call.recording
        self.work.tell(
            call,
            CallEnded(
                direction=call.direction,
                agent=call.agent,
                seconds_to_answer=call.seconds_to_answer,
                seconds=call.seconds,
                outcome=call.outcome,
            ),
        )
        self.work.record(call, "end", from_state=before, to_state=call.state)
        return call

    async def note_outcome(self, call_id: UUID, outcome: CallOutcome) -> None:
        """Remember what a call led to; one that is over has been told about and stays as it is."""
        call = await self.calls.get(call_id)
        if call.state != CallState.ENDED:
            call.outcome = weightier(call.outcome, outcome)

    async def _caller(
        self, *, number: str | None, caller_id: UUID | None, name: str | None
    ) -> Caller | None:
        if caller_id is not None:
            if number is not None or name is not None:
                raise CallerAmbiguous("Send `number`, with a `name` if known, or `caller_id`.")
            return await self._callers.callers.get(caller_id)
        if number is None:
            return None
        return await self._callers.take_in(number=number, name=name)
