"""The collectors: on duty on their ground, out to each verification, back with a finding."""

import asyncio
from collections.abc import Iterable
from functools import partial
from typing import Any

from services.replay.deeds import finding_of
from services.replay.errors import Refused
from services.replay.hands import Hands
from services.replay.plan import Plan
from services.replay.reporting import Stage
from shared.pack.model import Grid
from shared.vocabulary import Role

Json = dict[str, Any]

_CONFLICT = 409


class Collectors:
    """Complete the verification tasks of the day's cases."""

    def __init__(self, stage: Stage, hands: Hands) -> None:
        self._stage = stage
        self._hands = hands

    async def begin_duty(self) -> None:
        """The owners of the day's grids go on duty where their ground is."""
        plans = self._stage.board.plans.values()
        grids = [self._stage.pack.grids[code] for code in {plan.grid for plan in plans} if code]
        await asyncio.gather(*(self._begin(grid) for grid in _one_each(grids)))

    async def _begin(self, grid: Grid) -> None:
        middle = grid.polygon.representative_point()
        position = {"longitude": round(middle.x, 6), "latitude": round(middle.y, 6)}
        collector = self._stage.city.person(grid.owner)
        duty = await collector.get("intake", "/collectors/me/duty")
        if not duty["on"]:
            # A new duty each time: the key must not bring yesterday's answer back.
            step = (grid.owner, "duty", duty["since"])
            body = {"on": True, "position": position}
            await collector.post("intake", "/collectors/me/duty", body, step=step)

    async def look_through(self) -> bool:
        """Take in hand what was issued; whether there was anything."""
        reader = self._stage.city.person(self._stage.cast.somebody(Role.SHIFT_LEADER))
        found = False
        wanted = {"state": ["issued", "accepted"], "kind": "verification"}
        async for page in reader.pages("intake", "/tasks", **wanted):
            for task in page:
                plan = await self._plan_of(task)
                finding = finding_of(plan, task["round"]) if plan else None
                if plan is not None and finding is not None:
                    work = partial(self._complete, plan, task, finding)
                    self._hands.take(("task", task["id"]), plan.key, work)
                    found = True
            if self._hands.full:
                break
        return found

    async def _plan_of(self, task: Json) -> Plan | None:
        board = self._stage.board
        if not board.knows_case(task["case_id"]):
            reader = self._stage.city.person(self._stage.cast.somebody(Role.DISPATCHER))
            board.see_case(await reader.get("dispatch", f"/cases/{task['case_id']}"))
        return board.plan_of_case(task["case_id"])

    async def _complete(self, plan: Plan, task: Json, finding: str) -> None:
        collector = self._stage.city.person(task["collector"])
        media = self._stage.media_of(Role.COLLECTOR)
        body = self._stage.forms.finding(finding, task["place"], media)
        step = (plan.key, "find", task["round"])
        path = f"/tasks/{task['id']}/complete"
        try:
            await collector.post("intake", path, body, step=step)
        except Refused as refused:
            if refused.answer != _CONFLICT:
                raise
            # It has gone to somebody else meanwhile; the list shows whom.


def _one_each(grids: Iterable[Grid]) -> list[Grid]:
    """One grid for each owner, the first by code."""
    owned = {grid.owner: grid for grid in sorted(grids, key=lambda grid: grid.code, reverse=True)}
    return list(owned.values())
