"""Random lives of cases, told fact by fact, with what must come out kept by hand beside them."""

from collections.abc import Iterable
from datetime import timedelta
from random import Random
from typing import Any

from services.assessment.facts.domain import AssignmentFacts
from shared.events.vocabulary import DispatchReason

UNITS = ("water", "transport", "environment")
STILL_MOVED = {"with_unit", "handled", "failed", "passed"}
SAME_RUN = (DispatchReason.AFTER_RETURN, DispatchReason.AFTER_FAILED_VERIFICATION)


class Life:
    """Lives a case and keeps a line for each run of a unit's clock, as with a pencil.

    Args:
        teller: of an empty case.
        chance: decides what happens.
    """

    def __init__(self, teller: Any, chance: Random) -> None:
        self.teller = teller
        self.chance = chance
        self.lines: list[dict[str, Any]] = []
        self.used = 0
        self.redispatches = 0
        self.failed = 0

    def live(self, steps: int) -> "Life":
        self.teller.registered().opened()
        self._calendar("opened")
        self.dispatch(DispatchReason.FIRST)
        state = "with_unit"
        for _ in range(steps):
            self._calendar(state)
            state = getattr(self, f"_{state}")()
            if state == "end":
                break
        return self

    def _calendar(self, state: str) -> None:
        """Now and then a holiday more or less; what was given back or closed is not moved."""
        if state == "closed" or self.chance.random() < 0.75:
            return
        line = self.lines[-1] if self.lines else None
        due_at = self.teller.now + timedelta(minutes=self.chance.randint(-2_000, 9_000))
        limit = self.chance.choice([None, 6_900, 7_200, 15_000])
        added = line["extension_seconds"] if line is not None else 0
        self.teller.deadlines_moved(due_at, None if limit is None else limit + added)
        if line is not None and state in STILL_MOVED:
            line |= {"due_at": due_at, "limit_seconds": limit}

    def dispatch(self, reason: DispatchReason) -> None:
        unit = self.chance.choice(UNITS)
        last = self.lines[-1] if self.lines else None
        failed = reason is DispatchReason.AFTER_FAILED_VERIFICATION
        if failed and last is not None and self.chance.random() < 0.9:
            unit = last["unit"]
        self.redispatches += failed
        goes_on = last is not None and last["unit"] == unit and reason in SAME_RUN
        due_at = self.teller.now + timedelta(minutes=self.chance.randint(1, 9_000))
        limit = self.chance.choice([None, 7_200, 14_400])
        if not goes_on:
            self.used = self.teller.paused = 0
        added = last["extension_seconds"] if goes_on and last is not None else 0
        self.teller.dispatched(
            unit,
            reason,
            due_at=due_at,
            used=self.used,
            limit=None if limit is None else limit + added,
        )
        if last is not None:
            last["awaiting_dispatch"] = False
        if goes_on and last is not None:
            self._goes_on(last, reason)
        else:
            self._begins(unit, reason, last)
        self.lines[-1] |= {"due_at": due_at, "limit_seconds": limit, "used_seconds": self.used}

    def _goes_on(self, line: dict[str, Any], reason: DispatchReason) -> None:
        if reason is DispatchReason.AFTER_RETURN:
            line["returned_to_same"] += 1
            return
        line["dispatches"] += 1
        line["second_dispatch_at"] = line["second_dispatch_at"] or self.teller.now

    def _begins(self, unit: str, reason: DispatchReason, last: dict[str, Any] | None) -> None:
        if last is not None:
            last["returned_to_other"] += reason is DispatchReason.AFTER_RETURN
            last["passed_on"] = True
        counts = ("returned_to_same", "returned_to_other", "returns_refused", "feedback_refused")
        times = (
            "closed_at",
            "extension_granted_at",
            "deferral_granted_at",
            "second_dispatch_at",
        )
        self.lines.append(
            {
                "ordinal": len(self.lines) + 1,
                "unit": unit,
                "dispatched_at": self.teller.now,
                "dispatches": 1,
                "extension_seconds": 0,
                "deferral_seconds": 0,
                "awaiting_dispatch": False,
                "passed_on": False,
                "voided": False,
                **dict.fromkeys(counts, 0),
                **dict.fromkeys(times),
            }
        )

    def _read(self) -> int:
        """The clock goes on a little, and is read."""
        self.used += self.chance.randint(0, 4_000)
        self.lines[-1]["used_seconds"] = self.used
        self.lines[-1]["deferral_seconds"] = self.teller.paused
        return self.used

    def _with_unit(self) -> str:
        self.teller.wait(7)
        deeds = ["extend", "extend", "defer", "defer", "return", "return", "handle", "handle"]
        deed = self.chance.choice([*deeds, "handle", "void"])
        return str(getattr(self, f"_{deed}")())

    def _extend(self) -> str:
        line, granted = self.lines[-1], self.chance.random() < 0.7
        due_at = line["due_at"] + timedelta(hours=2)
        added = self.chance.choice([3_600, 7_200])
        self.teller.extension_decided(
            granted=granted,
            added=added,
            new_due_at=due_at if granted else None,
            used=self._read(),
        )
        if granted:
            line["extension_seconds"] += added
            line["extension_granted_at"] = line["extension_granted_at"] or self.teller.now
            line["due_at"] = due_at
        return "with_unit"

    def _defer(self) -> str:
        line, granted = self.lines[-1], self.chance.random() < 0.7
        until = self.teller.now + timedelta(days=3)
        self.teller.deferral_decided(granted=granted, until=until, used=self._read())
        if not granted:
            return "with_unit"
        line["deferral_granted_at"] = line["deferral_granted_at"] or self.teller.now
        line["due_at"] = until
        self._calendar("with_unit")
        if self.chance.random() < 0.2:
            return "end"
        due_at = line["due_at"] + timedelta(days=2)
        self.teller.paused += self.chance.randint(1, 20_000)
        self.teller.wait(60).deferral_ended(due_at, used=self._read())
        line["due_at"] = due_at
        return "with_unit"

    def _return(self) -> str:
        granted = self.chance.random() < 0.6
        self.teller.return_decided(granted=granted, used=self._read())
        if granted:
            self.lines[-1]["awaiting_dispatch"] = True
            return "returned"
        self.lines[-1]["returns_refused"] += 1
        return "with_unit"

    def _handle(self) -> str:
        self.teller.handled(self._read())
        return "handled"

    def _void(self) -> str:
        self.teller.voided()
        for line in self.lines:
            line["voided"] = True
        return "end"

    def _returned(self) -> str:
        self.dispatch(DispatchReason.AFTER_RETURN)
        return "with_unit"

    def _handled(self) -> str:
        if self.chance.random() < 0.3:
            self.teller.feedback_refused()
            self.lines[-1]["feedback_refused"] += 1
            return "with_unit"
        passed = self.chance.random() < 0.5
        self.teller.verification(passed=passed, used=self._read())
        self.failed += not passed
        return "passed" if passed else "failed"

    def _failed(self) -> str:
        self.dispatch(DispatchReason.AFTER_FAILED_VERIFICATION)
        return "with_unit"

    def _passed(self) -> str:
        self.teller.closed(self._read())
        self.lines[-1]["closed_at"] = self.teller.now
        return "closed"

    def _closed(self) -> str:
        if self.chance.random() < 0.5:
            return "end"
        self.teller.reopened()
        self._calendar("reopened")
        self.dispatch(DispatchReason.AFTER_REOPENING)
        return "with_unit"


def by_hand(lives: Iterable[Life]) -> dict[Any, list[dict[str, Any]]]:
    """The lines of each case."""
    return {life.teller.case_id: life.lines for life in lives}


def line_of(assignment: AssignmentFacts) -> dict[str, Any]:
    """An assignment in the form of a line."""
    names = AssignmentFacts.__dataclass_fields__
    return {name: getattr(assignment, name) for name in names}
