"""The operators: look through what has come in, merge, reject or register."""

from functools import partial
from typing import Any

from services.replay.api import Caller
from services.replay.errors import Refused
from services.replay.hands import Hands
from services.replay.plan import End, Plan
from services.replay.reporting import Stage
from shared.vocabulary import Role

Json = dict[str, Any]

_CONFLICT = 409


class Operators:
    """Decide about every report that waits."""

    def __init__(self, stage: Stage, hands: Hands) -> None:
        self._stage = stage
        self._hands = hands

    async def look_through(self) -> bool:
        """Take every waiting report in hand; whether there were any."""
        reader = self._stage.city.person(self._stage.cast.somebody(Role.OPERATOR))
        found = False
        async for page in reader.pages("intake", "/reports", state="received"):
            for item in page:
                plan = self._stage.board.see_report(item)
                if plan is not None and plan.key in self._stage.board.open:
                    work = partial(self._decide, plan, item)
                    self._hands.take(("report", plan.key), plan.key, work)
                    found = True
            if self._hands.full:
                break
        return found

    async def _decide(self, plan: Plan, item: Json) -> None:
        operator = self._stage.city.person(self._stage.cast.somebody(Role.OPERATOR, plan.key))
        path, step = f"/reports/{item['id']}", (plan.key, plan.end.value)
        forms = self._stage.forms
        try:
            if plan.end is End.MERGED:
                await self._merge(operator, plan, path)
            elif plan.end is End.CHECKING:
                await operator.post("intake", f"{path}/check", {}, step=step)
                self._stage.board.see_report(await operator.get("intake", path))
            elif plan.end is End.REJECTED:
                body = forms.rejection(plan)
                answer = await operator.post("intake", f"{path}/rejection", body, step=step)
                self._stage.board.see_report(answer)
            else:
                body = forms.registration(plan, needs_grid=item["place"].get("grid") is None)
                step = (plan.key, "register")
                answer = await operator.post("intake", f"{path}/registration", body, step=step)
                self._stage.board.see_report(answer)
        except Refused as refused:
            if refused.answer != _CONFLICT:
                raise
            # It was decided between the list and now: see how.
            self._stage.board.see_report(await operator.get("intake", path))

    async def _merge(self, operator: Caller, plan: Plan, path: str) -> None:
        """Merge into the earlier report, once that has come in; until then it waits."""
        board = self._stage.board
        if plan.into in board.reports:
            body = {"into": board.reports[plan.into]}
            answer = await operator.post("intake", f"{path}/merge", body, step=(plan.key, "merge"))
            board.see_report(answer)
