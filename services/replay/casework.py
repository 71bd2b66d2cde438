"""Dispatchers, handlers and supervisors: take each case as far as its plan goes."""

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from services.replay.api import Caller
from services.replay.deeds import CaseNow, Deed, next_deed
from services.replay.errors import Refused
from services.replay.hands import Hands
from services.replay.plan import Ask, End, Plan
from services.replay.reporting import Stage
from shared.vocabulary import Role

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

Json = dict[str, Any]

_CONFLICT = 409
_MOST_SURPRISES = 3
_DEFERRED_FOR = timedelta(days=14)
_PATHS = {Ask.RETURN: "returns", Ask.EXTENSION: "extensions", Ask.DEFERRAL: "deferrals"}
QUEUES = ("verified", "verification-undecided", "awaiting-dispatch")
"""States into which facts from other services bring a case; the others follow from a command."""


class CaseWorkers:
    """Work on cases until it is somebody else's turn."""

    def __init__(self, stage: Stage, hands: Hands) -> None:
        self._stage = stage
        self._hands = hands
        ends = {plan.end for plan in stage.board.plans.values()}
        self._queues = QUEUES + (("verifying",) if End.VERIFYING in ends else ())
        self._deeds: dict[Deed, Callable[[Plan, CaseNow], Awaitable[Json]]] = {
            Deed.DISPATCH: self._dispatch,
            Deed.VOID: self._void,
            Deed.ASK: self._ask,
            Deed.ACCEPT: self._accept,
            Deed.FEED_BACK: self._feed_back,
            Deed.REFUSE_FEEDBACK: partial(self._check, accepted=False),
            Deed.ACCEPT_FEEDBACK: partial(self._check, accepted=True),
            Deed.VERIFY_AGAIN: self._verify_again,
            Deed.CLOSE: self._close,
        }

    async def look_through(self) -> bool:
        """Take in hand what has come to the centre's queues; whether there was anything to do."""
        return any([await self._look_at(state=state) for state in self._queues])

    async def look_at_all(self) -> None:
        """Look at every case there is: at the beginning, and when nothing moves."""
        await self._look_at()

    async def _look_at(self, **wanted: str) -> bool:
        reader = self._stage.city.person(self._stage.cast.somebody(Role.DISPATCHER))
        found = False
        async for page in reader.pages("dispatch", "/cases", order="newest", **wanted):
            for item in page:
                found |= self.go_on(item)
            if wanted and self._hands.full:
                break
        return found

    def go_on(self, item: Json) -> bool:
        """Take a case in hand if there is something to do about it."""
        case = self._stage.board.see_case(item)
        plan = self._stage.board.plans.get(case.key or "")
        if plan is None or next_deed(plan, case, self._stage.board.done[plan.key]) is None:
            return False
        self._hands.take(("case", plan.key), plan.key, partial(self._follow, plan, case))
        return True

    async def _follow(self, plan: Plan, case: CaseNow) -> None:
        surprises = 0
        board = self._stage.board
        while deed := next_deed(plan, case, board.done[plan.key]):
            try:
                answer = await self._deeds[deed](plan, case)
            except Refused as refused:
                surprises += 1
                if refused.answer != _CONFLICT or surprises > _MOST_SURPRISES:
                    raise
                # Somebody was faster, or the list was old: see where it stands now.
                answer = await self._centre(plan, Role.DISPATCHER).get(
                    "dispatch", f"/cases/{case.id}"
                )
            else:
                board.done[plan.key].add(deed)
            case = board.see_case(answer)

    # -- deeds -----------------------------------------------------------------------------------

    async def _dispatch(self, plan: Plan, case: CaseNow) -> Json:
        number = case.dispatches + 1
        unit = plan.second_unit if plan.second_unit and case.dispatches else plan.unit
        step = (plan.key, Deed.DISPATCH.value, number)
        dispatcher = self._centre(plan, Role.DISPATCHER)
        return await self._post(dispatcher, case, "dispatch", {"unit": unit}, step)

    async def _accept(self, plan: Plan, case: CaseNow) -> Json:
        step = (plan.key, Deed.ACCEPT.value, case.dispatches)
        return await self._post(self._of_unit(plan, case), case, "acceptance", {}, step)

    async def _feed_back(self, plan: Plan, case: CaseNow) -> Json:
        again = Deed.REFUSE_FEEDBACK in self._stage.board.done[plan.key]
        step = (plan.key, Deed.FEED_BACK.value, case.dispatches, again)
        body = self._stage.forms.feedback(self._stage.media_of(Role.HANDLER))
        return await self._post(self._of_unit(plan, case), case, "feedback", body, step)

    async def _check(self, plan: Plan, case: CaseNow, *, accepted: bool) -> Json:
        again = Deed.REFUSE_FEEDBACK in self._stage.board.done[plan.key]
        step = (plan.key, "check", case.dispatches, again)
        body: Json = {"accepted": accepted}
        if not accepted:
            body["reason"] = self._stage.forms.word("not-done")
        checker = self._centre(plan, Role.DISPATCHER)
        return await self._post(checker, case, "feedback-check", body, step)

    async def _verify_again(self, plan: Plan, case: CaseNow) -> Json:
        step = (plan.key, Deed.VERIFY_AGAIN.value, case.rounds)
        return await self._post(self._centre(plan, Role.DISPATCHER), case, "verification", {}, step)

    async def _close(self, plan: Plan, case: CaseNow) -> Json:
        body = {"conclusion": self._stage.forms.word("closed")}
        step = (plan.key, Deed.CLOSE.value, case.dispatches)
        return await self._post(self._centre(plan, Role.OPERATOR), case, "closing", body, step)

    async def _void(self, plan: Plan, case: CaseNow) -> Json:
        body = {"reason": self._stage.forms.word("void")}
        asker = self._centre(plan, Role.OPERATOR)
        asked = await self._post(asker, case, "voiding", body, (plan.key, "ask-void"))
        return await self._decide(plan, asked, "void-decision", granted=True)

    async def _ask(self, plan: Plan, case: CaseNow) -> Json:
        if plan.asks is None:
            raise ValueError(f"{plan.key} asks for nothing")
        condition = self._stage.pack.condition(plan.condition or "")
        until = (plan.created + _DEFERRED_FOR).isoformat()
        body = self._stage.forms.ask(plan.asks, condition.limit.kind.value, until)
        step = (plan.key, Deed.ASK.value)
        asker = self._of_unit(plan, case)
        asked = await self._post(asker, case, _PATHS[plan.asks], body, step)
        if plan.granted is None:
            return self._case_in(asked)
        if plan.asks is Ask.EXTENSION and plan.granted:
            return await self._grant_at_two_levels(plan, asked)
        return await self._decide(plan, asked, "decision", granted=plan.granted)

    async def _grant_at_two_levels(self, plan: Plan, asked: Json) -> Json:
        body = {"reason": self._stage.forms.word("granted")}
        await self._centre(plan, Role.DISPATCHER).post(
            "dispatch",
            f"/requests/{asked['request']['id']}/proposal",
            body,
            step=(plan.key, "proposal"),
        )
        return await self._decide(plan, asked, "consent", granted=True)

    async def _decide(self, plan: Plan, asked: Json, path: str, *, granted: bool) -> Json:
        body = self._stage.forms.decision(granted=granted)
        answer = await self._centre(plan, Role.SUPERVISOR).post(
            "dispatch", f"/requests/{asked['request']['id']}/{path}", body, step=(plan.key, path)
        )
        return self._case_in(answer)

    # -- inner steps -----------------------------------------------------------------------------

    async def _post(
        self, caller: Caller, case: CaseNow, path: str, body: Json, step: tuple[object, ...]
    ) -> Json:
        return await caller.post("dispatch", f"/cases/{case.id}/{path}", body, step=step)

    def _case_in(self, answer: Json) -> Json:
        found: Json = answer["case"]
        return found

    def _centre(self, plan: Plan, role: Role) -> Caller:
        return self._stage.city.person(self._stage.cast.somebody(role, plan.key))

    def _of_unit(self, plan: Plan, case: CaseNow) -> Caller:
        login = self._stage.cast.somebody(Role.HANDLER, plan.key, unit=case.unit)
        return self._stage.city.person(login)
