"""Orders led at random through everything that people may try, beside a model of plain sets.

The model is a list of what each state lets pass, written down from the trade's rule: acknowledged,
answered, judged by somebody else, struck off when accepted, then published. Whatever it does not
allow must be refused with the allowed actions named, and nothing must be lost from the history.
"""

import asyncio
import tempfile
from collections.abc import Coroutine
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from services.dispatch.app import service
from shared.clock import ManualClock
from shared.pack.loader import load_pack
from shared.testing import service_under_test
from shared.vocabulary import Role
from tests.dispatch.story import MONDAY, UNIT, Story, instant

PACK = load_pack(Path(__file__).parents[3] / "packs" / "qilihe")
ORDERS = "/supervision-orders"

ALLOWED = {
    "ordered": ["acknowledge"],
    "acknowledged": ["answer", "ask-extension"],
    "answered": ["accept", "send-back"],
    "sent-back": ["answer", "ask-extension"],
    "accepted": ["strike-off"],
    "struck-off": ["publish"],
    "published": [],
}

T = TypeVar("T")


class OrderLife(RuleBasedStateMachine):
    """One order on one case, tried in every way."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.folder = tempfile.TemporaryDirectory()
        self.clock = ManualClock(MONDAY)
        self.under_test = service_under_test(
            service,
            database_url=f"sqlite+aiosqlite:///{self.folder.name}/order.db",
            pack=PACK,
            folder=Path(self.folder.name),
            clock=self.clock,
        )
        self.story = Story(self.run(self.under_test.__aenter__()), PACK, self.clock)
        self.state = "ordered"
        self.states = ["ordered"]
        self.answers: list[Any] = []
        self.pending: int | None = None
        self.extensions = 0

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    def teardown(self) -> None:
        self.run(self.under_test.__aexit__(None, None, None))
        self.runner.close()
        self.folder.cleanup()

    @initialize()
    def ordered(self) -> None:
        self.case_id = self.run(self.story.with_unit())
        body = {"cause": "important", "cases": [str(self.case_id)]}
        answer = self.run(self.story.supervisor.post(ORDERS, json=body))
        assert answer.status_code == 201, answer.text
        self.order = answer.json()
        self.due_at = instant(self.order["due_at"])

    def _try(self, client: Any, step: str, action: str, **body: Any) -> bool:
        """Send a command; True when it went through, which the model must have expected."""
        answer = self.run(client.post(f"{ORDERS}/{self.order['id']}/{step}", json=body))
        if action in ALLOWED[self.state]:
            assert answer.status_code in {200, 201}, answer.text
            return True
        assert answer.status_code == 409, answer.text
        problem = answer.json()
        assert (problem["state"], problem["allowed"]) == (self.state, ALLOWED[self.state])
        return False

    def _moved(self, state: str) -> None:
        self.state = state
        self.states.append(state)

    @rule(minutes=st.integers(0, 600))
    def wait(self, minutes: int) -> None:
        self.clock.advance(timedelta(minutes=minutes))

    @rule()
    def acknowledge(self) -> None:
        if self._try(self.story.handler(UNIT), "acknowledgement", "acknowledge"):
            self._moved("acknowledged")

    @rule()
    def answer(self) -> None:
        if self._try(self.story.handler(UNIT), "answers", "answer", text="完成"):
            self._moved("answered")
            self.answers.append(None)
            self.pending = None

    @rule(accepted=st.booleans())
    def judge(self, *, accepted: bool) -> None:
        action = "accept" if accepted else "send-back"
        body = {"accepted": accepted, "reason": "看过"}
        if self._try(self.story.supervisor, "judgement", action, **body):
            self._moved("accepted" if accepted else "sent-back")
            self.answers[-1] = accepted

    @rule()
    def strike_off(self) -> None:
        if self._try(self.story.supervisor, "striking-off", "strike-off"):
            self._moved("struck-off")

    @rule()
    def publish(self) -> None:
        if self._try(self.story.supervisor, "publication", "publish", bulletin="第 1 期"):
            self._moved("published")

    @rule(days=st.integers(-2, 5))
    def ask_extension(self, days: int) -> None:
        until = self.due_at + timedelta(days=days)
        body = {"report": "困难", "until": until.isoformat()}
        path = f"{ORDERS}/{self.order['id']}/extensions"
        now = self.clock.now()
        if (
            "ask-extension" in ALLOWED[self.state]
            and self.pending is None
            and (now > self.due_at or until <= max(now, self.due_at))
        ):
            answer = self.run(self.story.handler(UNIT).post(path, json=body))
            assert (answer.status_code, answer.json()["code"]) == (422, "order-date-over")
        elif "ask-extension" in ALLOWED[self.state] and self.pending is not None:
            answer = self.run(self.story.handler(UNIT).post(path, json=body))
            assert answer.json()["code"] == "order-extension-already-asked"
        elif self._try(self.story.handler(UNIT), "extensions", "ask-extension", **body):
            self.extensions += 1
            self.pending, self.until = self.extensions, until
            self.states.append(self.state)

    @rule(granted=st.booleans())
    def decide(self, *, granted: bool) -> None:
        leader = self.story.someone(Role.LEADER)
        number = self.pending or max(self.extensions, 1)
        path = f"{ORDERS}/{self.order['id']}/extensions/{number}/decision"
        answer = self.run(leader.post(path, json={"granted": granted, "reason": "研究"}))
        if self.pending is None:
            assert answer.status_code == (409 if self.extensions else 404), answer.text
        elif granted and self.until <= self.clock.now():
            assert answer.json()["code"] == "order-date-over"
        else:
            assert answer.status_code == 200, answer.text
            self.pending = None
            if granted:
                self.due_at = self.until
                self.states.append(self.state)

    @invariant()
    def nothing_is_lost(self) -> None:
        if not hasattr(self, "order"):
            return
        file = self.run(self.story.supervisor.get(f"{ORDERS}/{self.order['id']}")).json()
        assert (file["state"], file["allowed"]) == (self.state, ALLOWED[self.state])
        assert instant(file["due_at"]) == self.due_at
        assert file["first_due_at"] == self.order["due_at"]
        assert [item["accepted"] for item in file["answer_list"]] == self.answers
        assert len(file["extension_list"]) == self.extensions
        states = [line["to_state"] for line in file["journal"] if line["to_state"]]
        assert states == self.states
        open_ = self.state not in {"struck-off", "published"}
        case = self.run(self.story.case(self.case_id))
        assert case["open_orders"] == int(open_)


OrderLife.TestCase.settings = settings(
    max_examples=25,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
TestOrderLife = OrderLife.TestCase
