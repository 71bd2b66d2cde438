"""The hotline beside the cases: questions answered or referred, and callers rung up afterwards."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

from services.replay.api import Caller
from services.replay.marks import key_in, marked
from services.replay.reporting import Stage, number_of
from shared.vocabulary import Role

Json = dict[str, Any]

_PAUSE_SECONDS = 0.2
_LOOKS = 25

SHIFT_LENGTH = timedelta(hours=8)

ATTEMPTS: tuple[Json, ...] = (
    {"outcome": "reached", "satisfaction": "very-satisfied"},
    {"outcome": "reached", "satisfaction": "basically-satisfied"},
    {"outcome": "not-reached"},
    {"outcome": "reached", "satisfaction": "dissatisfied", "reopen": True, "note": "问题又出现了"},
)
"""How the call-backs of a sample day go, in the order of the requests."""


class Telephone:
    """Agents on the telephone."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    async def begin_shift(self, at: datetime) -> None:
        """Put a shift on the roster, so that there is somebody on duty to be told of emergencies.

        Args:
            at: when it begins.
        """
        leader = self._stage.city.person(self._stage.cast.somebody(Role.SHIFT_LEADER))
        people = [leader, self._agent("")]
        ids = [(await person.get("identity", "/me"))["id"] for person in people]
        plan = {
            "starts_at": at.isoformat(),
            "ends_at": (at + SHIFT_LENGTH).isoformat(),
            "leader": ids[0],
            "agents": ids[1:],
        }
        await leader.post("hotline", "/shifts", plan, step=("shift", at.isoformat()))

    async def inquiries(self, asked: tuple[tuple[str, str | None, str | None], ...]) -> None:
        """Calls that are answered from the knowledge base or referred, and make no case."""
        for number, (question, entry, address) in enumerate(asked, start=1):
            await self._inquiry(f"Q{number:03d}", question, entry, address)

    async def _inquiry(
        self, key: str, question: str, entry: str | None, address: str | None
    ) -> None:
        agent, language = self._agent(key), self._stage.pack.city.languages[0]
        opening = self._stage.forms.call(number_of(key))
        call = await agent.post("hotline", "/calls", opening, step=(key, "call"))
        recording = {
            "description": marked(question, key),
            "appeal_kind": "inquiry",
            "call_id": call["id"],
            "competence": "court" if address and "法院" in address else "government",
        }
        ticket = await agent.post("hotline", "/tickets", recording, step=(key, "ticket"))
        path = f"/tickets/{ticket['id']}"
        if entry is not None:
            told = {"knowledge_id": entry, "language": language}
            await agent.post("hotline", f"{path}/answer", told, step=(key, "answer"))
        else:
            await agent.post("hotline", f"{path}/referral", {"to": address}, step=(key, "refer"))
        await agent.post("hotline", f"/calls/{call['id']}/end", {}, step=(key, "end-call"))

    async def call_back(self) -> int:
        """Ring some of the callers up whose cases were closed; how many."""
        waiting = await self._waiting(len(ATTEMPTS))
        for item, attempt in zip(waiting, ATTEMPTS, strict=False):
            key = key_in(item["description"]) or item["id"]
            path = f"/callbacks/{item['id']}/attempt"
            await self._agent(key).post("hotline", path, attempt, step=(key, "call-back"))
        return min(len(waiting), len(ATTEMPTS))

    async def _waiting(self, enough: int) -> list[Json]:
        """The queue of call-backs, as soon as the closings have got there."""
        found: list[Json] = []
        for _ in range(_LOOKS):
            pages = self._agent("").pages("hotline", "/callbacks")
            found = [item async for page in pages for item in page]
            if len(found) >= enough:
                break
            await asyncio.sleep(_PAUSE_SECONDS)
        return sorted(found, key=lambda item: str(item["description"]))

    def _agent(self, key: str) -> Caller:
        return self._stage.city.person(self._stage.cast.somebody(Role.AGENT, key))
