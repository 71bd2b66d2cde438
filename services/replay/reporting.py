"""The people who report: callers and agents, citizens on the web, collectors, liaisons."""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from services.replay.api import Caller, City
from services.replay.board import Board
from services.replay.cast import Cast
from services.replay.errors import Refused
from services.replay.forms import Forms
from services.replay.marks import key_in
from services.replay.plan import Plan, Route, share_of
from shared.pack.model import CityPack
from shared.vocabulary import Role

_QUOTA_STATUS = 429
_NUMBERS = 100
_BEHALF = {Route.WEB: "web", Route.LIAISON: "grid-leader", Route.INSTRUCTION: "leader"}


@dataclass
class Stage:
    """What all players stand on.

    Attributes:
        photographs: content address of the picture that a role sends.
        on_behalf: web reports that an operator took down because the page takes no more.
    """

    city: City
    pack: CityPack
    cast: Cast
    forms: Forms
    board: Board
    photographs: dict[Role, str] = field(default_factory=dict)
    on_behalf: int = 0

    def media_of(self, role: Role) -> list[str]:
        return [self.photographs[role]] if role in self.photographs else []


class Reporters:
    """Send what the day brings, in its order.

    Args:
        speed: seconds of the day that pass in one second; 0 sends as fast as it goes.
    """

    def __init__(self, stage: Stage, *, at_once: int, speed: float) -> None:
        self._stage = stage
        self._at_once = at_once
        self._speed = speed
        self._page_full = False

    async def play(self) -> None:
        """Send everything that is not there yet."""
        known = self._stage.board.reported
        waiting = iter([plan for key, plan in self._stage.board.plans.items() if key not in known])
        started = time.monotonic()
        async with asyncio.TaskGroup() as group:
            for _ in range(self._at_once):
                group.create_task(self._send_all(waiting, started))

    async def _send_all(self, waiting: Iterator[Plan], started: float) -> None:
        for plan in waiting:
            await self._wait_for(plan, started)
            await self.send(plan)

    async def _wait_for(self, plan: Plan, started: float) -> None:
        if self._speed <= 0:
            return
        first = next(iter(self._stage.board.plans.values()))
        into_day = (plan.created - first.created).total_seconds()
        due = started + into_day / self._speed
        await asyncio.sleep(max(0.0, due - time.monotonic()))

    async def send(self, plan: Plan) -> None:
        """Let the right person report; a refusal is the end of the request."""
        board = self._stage.board
        try:
            if plan.route is Route.PHONE:
                await self._by_telephone(plan)
            elif plan.route is Route.WEB:
                await self._on_the_web(plan)
            elif plan.route is Route.HANDSET:
                await self._by_handset(plan)
            else:
                await self._on_behalf(plan)
        except Refused as refused:
            board.see_refused(plan.key, refused.reason)
        else:
            board.see_reported(plan.key)

    async def _by_telephone(self, plan: Plan) -> None:
        forms, key = self._stage.forms, plan.key
        agent = self._stage.city.person(self._stage.cast.somebody(Role.AGENT, key))
        call = await agent.post("hotline", "/calls", forms.call(number_of(key)), step=(key, "call"))
        ticket = await agent.post(
            "hotline", "/tickets", forms.ticket(plan, call["id"]), step=(key, "ticket")
        )
        ending = {"outcome": "ticket"}
        await agent.post("hotline", f"/calls/{call['id']}/end", ending, step=(key, "end-call"))
        path = f"/tickets/{ticket['id']}"
        try:
            submission = forms.submission(plan)
            await agent.post("hotline", f"{path}/submission", submission, step=(key, "submit"))
        except Refused:
            answer = {"text": forms.word("no-place")}
            await agent.post("hotline", f"{path}/answer", answer, step=(key, "answer"))
            raise

    async def _on_the_web(self, plan: Plan) -> None:
        """By the citizens' page; it takes few from one address, the rest an operator takes down."""
        city, forms = self._stage.city, self._stage.forms
        if not self._page_full:
            body = forms.web_report(plan, city.key(plan.key, "client"))
            try:
                await city.public.post("intake", "/public/reports", body)
            except Refused as refused:
                if refused.answer != _QUOTA_STATUS:
                    raise
                self._page_full = True
                if refused.sent_before and await self._is_there(plan):
                    return
            else:
                return
        self._stage.on_behalf += 1
        await self._on_behalf(plan)

    async def _is_there(self, plan: Plan) -> bool:
        operator = self._stage.city.person(self._stage.cast.somebody(Role.OPERATOR, plan.key))
        async for page in operator.pages("intake", "/reports", source="web"):
            if any(key_in(item["description"]) == plan.key for item in page):
                return True
        return False

    async def _by_handset(self, plan: Plan) -> None:
        collector = self._stage.city.person(self._stage.cast.collector(plan))
        await self._report(collector, plan, None, self._stage.media_of(Role.COLLECTOR))

    async def _on_behalf(self, plan: Plan) -> None:
        operator = self._stage.city.person(self._stage.cast.somebody(Role.OPERATOR, plan.key))
        await self._report(operator, plan, _BEHALF[plan.route], [])

    async def _report(
        self, caller: Caller, plan: Plan, source: str | None, media: list[str]
    ) -> None:
        client_id = self._stage.city.key(plan.key, "client")
        body = self._stage.forms.report(plan, client_id, source=source, media=media)
        answer = await caller.post("intake", "/reports", body, step=(plan.key, "report"))
        self._stage.board.see_report(answer)


def number_of(key: str) -> str:
    """A telephone number that nobody has, of a block kept free for stories."""
    return f"212-555-01{int(share_of('number', 'caller', key) * _NUMBERS):02d}"
