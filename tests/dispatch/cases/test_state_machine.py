"""Cases led at random through everything that people may try, beside a model with pencil and paper.

Whatever the model does not allow must be refused with the allowed actions named, and the clock must
agree with one kept minute by minute.
"""

import asyncio
import tempfile
from collections.abc import Coroutine
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from services.dispatch.app import service
from services.dispatch.case_files.domain import CaseState, allowed_actions
from services.dispatch.config import DispatchSettings
from shared.clock import ManualClock
from shared.events.vocabulary import Finding
from shared.pack.loader import load_pack
from shared.testing import service_under_test
from tests.dispatch.minutes import CaseLog
from tests.dispatch.story import COMMAND_UNIT, MONDAY, UNIT, Story

PACK = load_pack(Path(__file__).parents[3] / "packs" / "qilihe")
ZONE = ZoneInfo("Asia/Shanghai")
FOUR_HOURS = 240
MANY = 20
MINUTES = st.integers(min_value=0, max_value=200)

T = TypeVar("T")


class CaseLife(RuleBasedStateMachine):
    """One case, tried in every way."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.folder = tempfile.TemporaryDirectory()
        self.clock = ManualClock(MONDAY)
        url = f"sqlite+aiosqlite:///{self.folder.name}/case.db"
        # How often and until when something is granted is held by the tests of requests; here
        # it is asked for again and again.
        often = DispatchSettings(
            database_url=url,
            extension_in_time_only=False,
            extensions_at_most=MANY,
            deferrals_at_most=MANY,
        )
        self.under_test = service_under_test(
            service,
            database_url=url,
            settings=often,
            pack=PACK,
            folder=Path(self.folder.name),
            clock=self.clock,
        )
        sut = self.run(self.under_test.__aenter__())
        self.story = Story(sut, PACK, self.clock)
        self.log = CaseLog(MONDAY)
        self.state = "awaiting-dispatch"
        self.unit: str | None = None
        self.why = "first"
        self.round = 0

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    def teardown(self) -> None:
        self.run(self.under_test.__aexit__(None, None, None))
        self.runner.close()
        self.folder.cleanup()

    @initialize()
    def registered(self) -> None:
        self.case_id = self.run(self.story.opened())

    @property
    def now(self) -> Any:
        return self.clock.now().astimezone(ZONE)

    def _try(self, client: Any, action: str, allowed_in: set[str], **body: Any) -> bool:
        """Send a command; True when it went through, which the model must have expected."""
        answer = self.run(client.post(f"/cases/{self.case_id}/{action}", json=body))
        if self.state in allowed_in:
            assert answer.status_code in {200, 201}, answer.text
            return True
        assert answer.status_code == 409, answer.text
        problem = answer.json()
        assert problem["state"] == self.state
        assert problem["allowed"] == allowed_actions(CaseState(self.state))
        return False

    # -- time ----------------------------------------------------------------------------------

    @rule(minutes=MINUTES)
    def wait(self, minutes: int) -> None:
        target = self.now + timedelta(minutes=minutes)
        if target < MONDAY + timedelta(days=15):
            self.clock.set(target)
        if self.state == "deferred" and self.log.until and self.log.until <= self.now:
            self.run(self.story.timers())
            self._resumed(self.log.until)

    def _resumed(self, at: Any) -> None:
        self.state = "accepted"
        self.log.until = None
        self.log.note(at, "unit")

    # -- people --------------------------------------------------------------------------------

    @rule(unit=st.sampled_from([UNIT, COMMAND_UNIT]))
    def dispatch(self, unit: str) -> None:
        target = self.unit if self.why == "failed" and self.unit else unit
        if not self._try(self.story.dispatcher, "dispatch", {"awaiting-dispatch"}, unit=target):
            return
        same = bool(self.log.dispatches) and self.log.dispatches[-1][0] == target
        duty = target == COMMAND_UNIT
        self.log.dispatched(self.now, target, duty=duty, why=self.why)
        self.log.limit = self.log.limit if same and self.why != "first" else FOUR_HOURS
        self.state, self.unit = "dispatched", target

    @precondition(lambda self: self.unit)
    @rule()
    def accept(self) -> None:
        if self._try(self.story.handler(self.unit), "acceptance", {"dispatched"}):
            self.state = "accepted"

    @precondition(lambda self: self.unit)
    @rule()
    def hand_in(self) -> None:
        handler = self.story.handler(self.unit)
        if self._try(handler, "feedback", {"accepted"}, text="完成"):
            self.state = "handled"
            self.log.note(self.now, "centre")

    @rule(accepted=st.booleans())
    def check(self, *, accepted: bool) -> None:
        body = {"accepted": accepted, "reason": "看过"}
        if self._try(self.story.operator, "feedback-check", {"handled"}, **body):
            self.state = "verification-asked" if accepted else "accepted"
            self.round += accepted
            if not accepted:
                self.log.note(self.now, "unit")

    @rule()
    def ask_verification(self) -> None:
        if self._try(self.story.operator, "verification", {"verification-undecided"}):
            self.state = "verification-asked"
            self.round += 1

    @precondition(lambda self: self.state in {"verification-asked", "verifying"})
    @rule(finding=st.sampled_from([Finding.PASSED, Finding.FAILED, Finding.UNDECIDABLE]))
    def find(self, finding: Finding) -> None:
        self.run(self.story.found(self.case_id, finding, round_=self.round))
        if finding is Finding.FAILED:
            self.state, self.why = "awaiting-dispatch", "failed"
            self.log.note(self.now, "dispatch")
        else:
            passed = finding is Finding.PASSED
            self.state = "verified" if passed else "verification-undecided"

    @precondition(lambda self: self.state in {"awaiting-dispatch", "dispatched", "accepted"})
    @rule(
        waits=st.lists(st.integers(0, 90), min_size=5, max_size=5),
        unit=st.sampled_from([UNIT, COMMAND_UNIT]),
        finding=st.sampled_from([Finding.FAILED, Finding.FAILED, Finding.PASSED]),
    )
    def go_round(self, waits: list[int], unit: str, finding: Finding) -> None:
        """All the way to a finding at once, so that repeated dispatches are not rare."""
        steps = {
            "awaiting-dispatch": lambda: self.dispatch(unit=unit),
            "dispatched": self.accept,
            "accepted": self.hand_in,
            "handled": lambda: self.check(accepted=True),
            "verification-asked": lambda: self.find(finding=finding),
        }
        for minutes in waits:
            step = steps.get(self.state)
            if step is None:
                return
            self.wait(minutes=minutes)
            step()

    @rule()
    def close(self) -> None:
        if self._try(self.story.operator, "closing", {"verified"}):
            self.state = "closed"
            self.log.note(self.now, "nowhere")

    @precondition(lambda self: self.state == "closed")
    @rule()
    def reopen(self) -> None:
        self.run(self.story.reopened(self.case_id, self.story.new_id()))
        self.state, self.why = "awaiting-dispatch", "first"
        self.log.note(self.now, "dispatch")

    @precondition(lambda self: self.unit)
    @rule(granted=st.booleans(), minutes=MINUTES)
    def give_back(self, *, granted: bool, minutes: int) -> None:
        request = self._request("returns", {"dispatched", "accepted"})
        if request and self._decide(request, granted=granted, minutes=minutes):
            self.state, self.why, self.unit = "awaiting-dispatch", "returned", None
            self.log.note(self.now, "dispatch")

    @precondition(lambda self: self.unit)
    @rule(granted=st.booleans(), hours=st.integers(1, 3), minutes=MINUTES)
    def extend(self, *, granted: bool, hours: int, minutes: int) -> None:
        limit = {"amount": str(hours), "kind": "working-hours"}
        request = self._request("extensions", {"accepted"}, limit=limit)
        if request and self._decide(request, granted=granted, minutes=minutes):
            self.log.limit += 60 * hours

    @precondition(lambda self: self.unit)
    @rule(granted=st.booleans(), hours=st.integers(4, 60), minutes=MINUTES)
    def put_off(self, *, granted: bool, hours: int, minutes: int) -> None:
        until = self.now + timedelta(hours=hours)
        request = self._request("deferrals", {"accepted"}, until=until.isoformat())
        if request and self._decide(request, granted=granted, minutes=minutes):
            self.state, self.log.until = "deferred", until
            self.log.note(self.now, "paused")

    def _request(self, what: str, allowed_in: set[str], **body: Any) -> str | None:
        handler = self.story.handler(self.unit)
        if not self._try(handler, what, allowed_in, reason="有理由", **body):
            return None
        file = self.run(self.story.case(self.case_id))
        return str(file["requests"][-1]["id"])

    def _decide(self, request: str, *, granted: bool, minutes: int) -> bool:
        self.clock.advance(timedelta(minutes=minutes))
        self.run(self.story.decided(request, granted=granted))
        return granted

    @precondition(lambda self: self.unit)
    @rule()
    def resume(self) -> None:
        if self._try(self.story.handler(self.unit), "resumption", {"deferred"}):
            self._resumed(self.now)

    @rule()
    def urge(self) -> None:
        everywhere = {state.value for state in CaseState} - {"closed", "voided"}
        self._try(self.story.supervisor, "urging", everywhere)

    # -- what must hold ------------------------------------------------------------------------

    @invariant()
    def agrees_with_pencil_and_paper(self) -> None:
        if not hasattr(self, "case_id"):
            return
        view = self.run(self.story.case(self.case_id))
        assert view["state"] == self.state
        if not self.log.dispatches:
            return
        answer = self.run(self.story.dispatcher.get(f"/cases/{self.case_id}/clock"))
        clock = answer.json()["clocks"][-1]
        assert clock["used_seconds"] == 60 * self.log.used(self.now)
        assert clock["used_seconds"] == sum(item["seconds"] for item in clock["counted"])
        if self.state in {"dispatched", "accepted", "deferred"}:
            due = self.log.due()
            assert clock["due_at"] == due.isoformat(), (clock["due_at"], due)
        self._has_no_gaps(answer.json()["segments"])

    def _has_no_gaps(self, segments: list[dict[str, Any]]) -> None:
        for before, after in pairwise(segments):
            archived = before["kind"] == "closing"
            assert before["ended_at"] == after["started_at"] or archived


CaseLife.TestCase.settings = settings(
    max_examples=12,
    stateful_step_count=20,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
TestCaseLife = CaseLife.TestCase
