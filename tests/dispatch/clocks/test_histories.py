"""Whole histories of cases on the real case file, against pencil and paper, minute by minute.

Every combination of extension, deferral, return to the same unit and to another, refusal, repeated
dispatch, urgent and special cases and units with command duty, over a change of season and two
holidays. After every step the unit's time, every due time and what is told are looked at.
"""

import os
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st
from sqlmodel.ext.asyncio.session import AsyncSession

from services.dispatch.base import tables
from services.dispatch.case_files.domain import Action, CaseState
from services.dispatch.case_files.models import Assignment, Case
from services.dispatch.case_files.repository import FileRows
from services.dispatch.case_files.service import CaseFile, limit_of
from services.dispatch.clocks.domain import (
    ClockRules,
    Light,
    SegmentKind,
    charge_of,
    continues_clock,
    light,
)
from shared.clock import ManualClock
from shared.events.vocabulary import DispatchReason, Source
from shared.pack.loader import load_pack
from shared.work import Actor, Origin, UnitOfWork
from shared.worktime import Limit
from tests.dispatch.clocks.pencil import Paper, Sent, instant_of, minute_of

PACK = load_pack(Path(__file__).parents[3] / "packs" / "qilihe")
BEGIN = datetime.fromisoformat("2026-09-21T08:30:00+08:00")
BASE_MINUTES = 8 * 60
HOUR = 60
HISTORIES = int(os.environ.get("MINQING_TEST_HISTORIES", "80"))
"""How many are tried; set it to some thousands for a thorough run."""
UNITS = {"plain": False, "commanding": True, "other": False}
REASONS = {
    "first": DispatchReason.FIRST,
    "returned": DispatchReason.AFTER_RETURN,
    "failed": DispatchReason.AFTER_FAILED_VERIFICATION,
}
PLACES = {
    CaseState.AWAITING_DISPATCH: "desk",
    CaseState.HANDLED: "checking",
    CaseState.VERIFICATION_ASKED: "sending",
    CaseState.VERIFICATION_UNDECIDED: "sending",
    CaseState.VERIFYING: "field",
    CaseState.VERIFIED: "closing",
}
STEPS = (
    "extend",
    "extend",
    "refuse-request",
    "defer",
    "defer-cut-short",
    "return-same",
    "return-other",
    "refuse-feedback",
    "fail",
    "fail",
    "fail",
    "undecided",
)


@dataclass(frozen=True)
class Step:
    """Something that happens, and three stretches of minutes that it takes."""

    what: str
    waits: tuple[int, int, int]


waits = st.one_of(st.integers(0, 90), st.integers(0, 90), st.integers(0, 1_500))
histories = st.lists(
    st.builds(Step, st.sampled_from(STEPS), st.tuples(waits, waits, waits)), max_size=8
)


class Story:
    """One case, on the real file and on the sheet of paper at the same time."""

    def __init__(self, *, urgent: bool, special: bool, wait: int) -> None:
        self.now = BEGIN + timedelta(minutes=wait)
        self.clock = ManualClock(self.now)
        self.urgent = urgent
        work = UnitOfWork(
            service="dispatch",
            session=AsyncSession(),
            tables=tables,
            clock=self.clock,
            actor=Actor(id="somebody"),
            origin=Origin(correlation_id="a-whole-history"),
        )
        condition = next(
            item for item in PACK.conditions if item.limit == Limit.parse("4 working-hours")
        )
        case = Case(
            id=uuid4(),
            number="6201032026092100001",
            report_id=uuid4(),
            report_number="R2026092100001",
            source=Source.COLLECTOR,
            class_key=str(condition.class_key),
            condition=condition.code,
            description="井盖破损",
            place={},
            urgent=urgent,
            special=special,
            observed_at=self.now,
            registered_at=self.now,
            state=CaseState.AWAITING_DISPATCH,
            stage_started_at=self.now,
            total_started_at=self.now,
        )
        self.file = CaseFile(work, PACK, ClockRules(PACK.stages.warn_share), FileRows(case))
        self.file.begin_segment(SegmentKind.DISPATCH, self.now, "open")
        self.file.reckon()
        self.paper = Paper(urgent, special, handling=4 * HOUR)
        self.paper.note(minute_of(self.now), "desk")

    def wait(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)
        self.clock.set(self.now)

    def move(self, action: Action) -> None:
        """Take a step of the real file, and note on paper where the case lies then."""
        self.file.move(action)
        state = self.file.case.state
        self.paper.note(minute_of(self.now), PLACES.get(state, "unit"))

    def dispatch(self, unit: str, why: str) -> None:
        """What the dispatcher does, without the papers that do not matter to the clock."""
        file, case, reason = self.file, self.file.case, REASONS[why]
        previous = file.charges()[-1] if file.assignments else None
        going_on = continues_clock(previous, unit, reason)
        base = Limit.parse("8 hours" if self.urgent else "8 working-hours")
        charge = charge_of(previous, unit=unit, reason=reason, limit=base, command_duty=UNITS[unit])
        row = Assignment(
            case_id=case.id,
            number=charge.number,
            unit=unit,
            class_key=case.class_key,
            reason=reason,
            condition=case.condition,
            standard="-",
            time_limit=str(base),
            extended_by=file.assignment.extended_by if going_on else None,
            run=charge.run,
            repeat=charge.repeat,
            command_duty=charge.command_duty,
            dispatched_at=self.now,
            dispatched_by="dispatcher",
        )
        case.assignments, case.unit = charge.number, unit
        file.assignments.append(row)
        paper = self.paper
        paper.sent.append(Sent(unit, why, UNITS[unit]))
        if paper.first_of_clock() == len(paper.sent):
            paper.limit = BASE_MINUTES
        paper.handling = paper.limit
        self.move(Action.DISPATCH)
        self.file.move(Action.ACCEPT)

    # -- what happens --------------------------------------------------------------------------

    def live(self, step: Step) -> None:
        """One thing that happens to a case that is with a unit; it ends with a unit."""
        first, second, third = step.waits
        self.wait(first)
        self.check()
        match step.what:
            case "extend":
                self._extend(1 + second % 3, decided_after=third)
            case "refuse-request":
                self.wait(second)
            case "defer" | "defer-cut-short":
                self._defer(1 + second, cut_short=step.what == "defer-cut-short", after=third)
            case "return-same" | "return-other":
                self._return(step.what == "return-other", second)
            case "refuse-feedback":
                self.move(Action.HAND_IN_FEEDBACK)
                self.wait(second)
                self.check()
                self.move(Action.REFUSE_FEEDBACK)
            case _:
                self._verify(second, third, undecided=step.what == "undecided")
        self.check()

    def _extend(self, hours: int, *, decided_after: int) -> None:
        """Asked for now, decided later; the clock runs on until the decision."""
        self.wait(decided_after)
        row = self.file.assignment
        added = Limit.parse(f"{hours} {limit_of(row).kind}")
        row.extended_by = str(
            Limit.parse(row.extended_by).plus(added) if row.extended_by else added
        )
        self.file.move(Action.GRANT_EXTENSION)
        self.paper.limit += hours * HOUR
        self.paper.handling = self.paper.limit

    def _defer(self, minutes: int, *, cut_short: bool, after: int) -> None:
        until = self.now + timedelta(minutes=4 * minutes)
        self.file.case.deferred_until = until
        self.file.move(Action.GRANT_DEFERRAL)
        self.paper.note(minute_of(self.now), "off")
        self.paper.off_until = minute_of(until)
        self.check()
        if cut_short:
            self.wait(minutes)
            self.check()
            self.file.resume(reason="taken up again")
            self.paper.note(minute_of(self.now), "unit")
        else:
            # The timer is late; the clock has gone on since the date itself.
            self.wait(4 * minutes + after % 30)
            self.file.resume(at=until, reason="date reached")
            self.paper.note(minute_of(until), "unit")

    def _return(self, other: bool, wait: int) -> None:  # noqa: FBT001 - read where it is called
        self.file.case.dispatch_reason = DispatchReason.AFTER_RETURN
        self.file.release("returned", self.now)
        self.move(Action.GRANT_RETURN)
        self.wait(wait)
        before = self.file.assignment.unit
        others = [unit for unit in UNITS if unit != before]
        self.dispatch(others[wait % len(others)] if other else before, "returned")

    def _verify(self, second: int, third: int, *, undecided: bool) -> None:
        self.move(Action.HAND_IN_FEEDBACK)
        self.wait(second)
        self.check()
        self.move(Action.ACCEPT_FEEDBACK)
        self.check()
        self.wait(third)
        self.move(Action.BEGIN_VERIFICATION)
        self.wait(20)
        self.check()
        if undecided:
            self.move(Action.LEAVE_UNDECIDED)
            self.wait(second)
            self.file.move(Action.ASK_VERIFICATION)
            self.move(Action.BEGIN_VERIFICATION)
            self.wait(third)
        self.file.case.dispatch_reason = DispatchReason.AFTER_FAILED_VERIFICATION
        self.move(Action.FAIL_VERIFICATION)
        self.check()
        self.wait(second)
        self.dispatch(self.file.assignment.unit, "failed")

    # -- looking at it -------------------------------------------------------------------------

    def check(self) -> None:
        """The file says what the paper says."""
        self._check_unit()
        self._check_stage()
        self._check_whole()

    def _check_unit(self) -> None:
        paper, now = self.paper, minute_of(self.now)
        reading = self.file.read()
        used, (warn, due) = paper.read(now, paper.limit * 4 // 5, paper.limit)
        assert reading.used == timedelta(minutes=used)
        assert reading.allowed == timedelta(minutes=paper.limit)
        if warn is None or due is None:
            return  # beyond the sheet of paper
        row = self.file.assignment
        assert reading.deadline.due_at == instant_of(due) == row.due_at
        assert row.warn_at == instant_of(warn)
        for minute, expected in (
            (due, Light.YELLOW),
            (due + 1, Light.RED),
            (warn - 1, Light.GREEN),
        ):
            assert light(row.warn_at, row.due_at, instant_of(minute)) is expected

    def _check_stage(self) -> None:
        case, place = self.file.case, self.paper.notes[-1].place
        if place == "off":
            assert case.stage_due_at is None
        elif place == "unit":
            assert case.stage_due_at == self.file.assignment.due_at
        else:
            due = self.paper.stage_due()
            assert case.stage_due_at == (None if due is None else instant_of(due))

    def _check_whole(self) -> None:
        case, paper = self.file.case, self.paper
        if not paper.whole_runs():
            assert case.total_due_at is None
            return
        assert case.total_due_at is not None
        # Where a pause begins at the very end, any instant of the pause is the same due time.
        assert paper.whole_counted(minute_of(case.total_due_at)) == paper.whole_allowed()


@pytest.mark.timeout(1_800)
@given(
    urgent=st.booleans(),
    special=st.booleans(),
    unit=st.sampled_from(sorted(UNITS)),
    first_wait=st.integers(0, 8_000),
    desk=waits,
    steps=histories,
)
@settings(max_examples=HISTORIES, deadline=None)
def test_every_history_is_what_pencil_and_paper_say(
    *,
    urgent: bool,
    special: bool,
    unit: str,
    first_wait: int,
    desk: int,
    steps: list[Step],
) -> None:
    story = Story(urgent=urgent, special=special, wait=first_wait)
    story._check_stage()
    story._check_whole()
    story.wait(desk)
    story.dispatch(unit, "first")
    story.check()
    for step in steps:
        if story.now > BEGIN + timedelta(days=40):
            break
        story.live(step)
    event(f"dispatches: {len(story.paper.sent)}")
    for number in range(1, len(story.paper.sent) + 1):
        _check_past(story, number)


def _check_past(story: Story, number: int) -> None:
    """An earlier dispatch is read as it was when it was the last one, its extensions included."""
    following = [note.minute for note in story.paper.notes if note.dispatches > number]
    end = min(following, default=minute_of(story.now))
    known: Any = replace(
        story.paper,
        sent=story.paper.sent[:number],
        notes=[note for note in story.paper.notes if note.dispatches <= number],
    )
    if number < len(story.paper.sent):
        known.notes = [note for note in known.notes if note.minute <= end]
        released = story.file.assignments[number - 1].released_at
        if released is not None:
            end = min(end, minute_of(released))
    reading = story.file.read(at=instant_of(end), number=number)
    assert reading.used == timedelta(minutes=known.read(end)[0])
