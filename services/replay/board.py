"""What has been seen so far: which request stands where, and what is still missing."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Protocol

from services.replay.deeds import CaseNow, Deed, is_at_end
from services.replay.marks import key_in
from services.replay.plan import Plan

Json = dict[str, Any]


class Step(StrEnum):
    """The stages of the day, as the progress bars show them."""

    REPORTED = "reported"
    REGISTERED = "registered"
    DISPATCHED = "dispatched"
    HANDLED = "handled"
    VERIFIED = "verified"
    CLOSED = "closed"


_STEPS = list(Step)
_REACHED = {
    "awaiting-dispatch": Step.REGISTERED,
    "dispatched": Step.DISPATCHED,
    "accepted": Step.DISPATCHED,
    "deferred": Step.DISPATCHED,
    "handled": Step.HANDLED,
    "verification-asked": Step.HANDLED,
    "verification-undecided": Step.HANDLED,
    "verifying": Step.HANDLED,
    "verified": Step.VERIFIED,
    "closed": Step.CLOSED,
    "voided": Step.REGISTERED,
}


class Watcher(Protocol):
    """Is told how far the day is."""

    def expect(self, step: Step, total: int) -> None: ...
    def reach(self, step: Step, count: int) -> None: ...


class Board:
    """Everything that the players know in common, by key of the request.

    Attributes:
        reports: ids of the reports that were seen.
        refused: codes of the problems with which a request was refused.
        done: detours taken in this run.
        troubles: refusals of later commands, for people to read.
        settled: set when nobody has anything to do any more.
    """

    def __init__(self, plans: Mapping[str, Plan], watcher: Watcher) -> None:
        self.plans = plans
        self.reports: dict[str, str] = {}
        self.reported: set[str] = set()
        self.cases: dict[str, CaseNow] = {}
        self.refused: dict[str, str] = {}
        self.done: dict[str, set[Deed]] = defaultdict(set)
        self.troubles: dict[str, str] = {}
        self.settled = asyncio.Event()
        self._keys: dict[str, str | None] = {}
        self._open = set(plans)
        self._reached: dict[Step, set[str]] = {step: set() for step in Step}
        self._watcher = watcher
        self._moved_at = time.monotonic()
        for step in Step:
            watcher.expect(step, sum(_comes_to(plan, step) for plan in plans.values()))
        self._settle()

    @property
    def open(self) -> frozenset[str]:
        """Keys of the requests that are not where they are to end."""
        return frozenset(self._open)

    @property
    def quiet_seconds(self) -> float:
        """How long nothing has moved."""
        return time.monotonic() - self._moved_at

    def plan_of(self, text: str | None) -> Plan | None:
        """The plan of the request that a text is about."""
        return self.plans.get(key_in(text) or "")

    def plan_of_case(self, case_id: str) -> Plan | None:
        return self.plans.get(self._keys.get(case_id) or "")

    def knows_case(self, case_id: str) -> bool:
        return case_id in self._keys

    def see_reported(self, key: str) -> None:
        """A service has taken the request in."""
        if key not in self.reported:
            self.reported.add(key)
            self._reach(Step.REPORTED, key)

    def see_refused(self, key: str, code: str) -> None:
        self.refused[key] = code
        self._reach(Step.REPORTED, key)
        self._end(key)

    def see_report(self, item: Json) -> Plan | None:
        """A report in a list or an answer."""
        plan = self.plan_of(item["description"])
        if plan is None:
            return None
        self.reports.setdefault(plan.key, item["id"])
        self.see_reported(plan.key)
        if item["state"] == "registered":
            self._reach(Step.REGISTERED, plan.key)
        if not plan.becomes_case and item["state"] == plan.end.value:
            self._end(plan.key)
        return plan

    def see_case(self, item: Json) -> CaseNow:
        """A case in a list or an answer."""
        case = CaseNow.of(item)
        self._keys[case.id] = case.key
        plan = self.plans.get(case.key or "")
        if plan is None:
            return case
        before = self.cases.get(plan.key)
        self.cases[plan.key] = case
        if before != case:
            self._moved_at = time.monotonic()
        last = _STEPS.index(_REACHED[case.state])
        for step in _STEPS[: last + 1]:
            self._reach(step, plan.key)
        if is_at_end(plan, case, self.done[plan.key]):
            self._end(plan.key)
        return case

    def _reach(self, step: Step, key: str) -> None:
        reached = self._reached[step]
        if key not in reached:
            reached.add(key)
            self._moved_at = time.monotonic()
            self._watcher.reach(step, len(reached))

    def _end(self, key: str) -> None:
        self._open.discard(key)
        self._settle()

    def _settle(self) -> None:
        if not self._open:
            self.settled.set()


def _comes_to(plan: Plan, step: Step) -> bool:
    if step is Step.REPORTED:
        return True
    if not plan.becomes_case:
        return False
    last = _REACHED[plan.end.value]
    return _STEPS.index(step) <= _STEPS.index(last)
