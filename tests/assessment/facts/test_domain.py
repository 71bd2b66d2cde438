"""The fold of a case gives the same facts whatever the order of arrival, and the right ones."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.assessment.facts.domain import (
    CaseState,
    fold_case,
    measure_stage,
    paused_seconds,
)
from shared.events.vocabulary import DispatchReason
from shared.pack.model import CityPack, Stage

UNITS = ("water", "transport", "environment")
SAME = DispatchReason.AFTER_RETURN


def _line(unit: str, due_at: datetime) -> dict[str, Any]:
    return {
        "unit": unit,
        "due_at": due_at,
        "dispatches": 1,
        "second": None,
        "extension": 0,
        "extended_at": None,
        "deferred_at": None,
        "same": 0,
        "other": 0,
        "refused": 0,
        "false": 0,
        "closed_at": None,
        "awaiting": False,
    }


class Life:
    """Lives a random life of a case and keeps, by hand, what must come out."""

    def __init__(self, teller: Any, data: st.DataObject) -> None:
        self.teller = teller
        self.draw = data.draw
        self.lines: list[dict[str, Any]] = []
        self.redispatches = 0
        self.failed = 0

    def live(self, steps: int) -> None:
        self.teller.registered().opened()
        self.dispatch(DispatchReason.FIRST)
        state = "with-unit"
        for _ in range(steps):
            state = getattr(self, f"_{state.replace('-', '_')}")()
            if state == "end":
                return

    def dispatch(self, reason: DispatchReason) -> None:
        unit = self.draw(st.sampled_from(UNITS))
        due_at = self.teller.now + timedelta(minutes=self.draw(st.integers(1, 9_000)))
        self.teller.dispatched(unit, reason, due_at=due_at)
        last = self.lines[-1] if self.lines else None
        if reason is DispatchReason.AFTER_FAILED_VERIFICATION:
            self.redispatches += 1
        if last is None or last["unit"] != unit:
            if last is not None:
                last["awaiting"] = False
                last["other"] += reason is SAME
            self.lines.append(_line(unit, due_at))
            return
        last["due_at"] = due_at
        last["awaiting"] = False
        if reason is SAME:
            last["same"] += 1
        else:
            last["dispatches"] += 1
            last["second"] = last["second"] or self.teller.now

    def _with_unit(self) -> str:
        line, teller = self.lines[-1], self.teller.wait(7)
        step = self.draw(st.sampled_from(["extend", "defer", "return", "refuse", "handle", "void"]))
        if step == "extend":
            granted = self.draw(st.booleans())
            due_at = line["due_at"] + timedelta(hours=2)
            teller.extension_decided(
                granted=granted, added=7_200, new_due_at=due_at if granted else None
            )
            if granted:
                line["extension"] += 7_200
                line["extended_at"] = line["extended_at"] or teller.now
                line["due_at"] = due_at
        elif step == "defer":
            granted_at = teller.now
            teller.deferral_decided(granted=True, until=teller.now + timedelta(days=3))
            due_at = line["due_at"] + timedelta(days=2)
            teller.wait(60).deferral_ended(due_at)
            line["deferred_at"] = line["deferred_at"] or granted_at
            line["due_at"] = due_at
        elif step == "return":
            teller.return_decided(granted=True)
            line["awaiting"] = True
            return "returned"
        elif step == "refuse":
            teller.return_decided(granted=False)
            line["refused"] += 1
        elif step == "handle":
            teller.handled()
            return "handled"
        else:
            teller.voided()
            return "end"
        return "with-unit"

    def _returned(self) -> str:
        self.dispatch(SAME)
        return "with-unit"

    def _handled(self) -> str:
        if self.draw(st.booleans()):
            self.teller.feedback_refused()
            self.lines[-1]["false"] += 1
            return "with-unit"
        passed = self.draw(st.booleans())
        self.teller.verification(passed=passed)
        if passed:
            return "passed"
        self.failed += 1
        return "failed"

    def _failed(self) -> str:
        self.dispatch(DispatchReason.AFTER_FAILED_VERIFICATION)
        return "with-unit"

    def _passed(self) -> str:
        self.teller.closed()
        self.lines[-1]["closed_at"] = self.teller.now
        return "closed"

    def _closed(self) -> str:
        if not self.draw(st.booleans()):
            return "end"
        self.teller.reopened()
        self.lines[-1]["closed_at"] = None
        self.dispatch(DispatchReason.AFTER_REOPENING)
        return "with-unit"


@given(data=st.data(), steps=st.integers(0, 25))
def test_the_fold_gives_what_was_lived_whatever_the_order_and_the_repetitions(
    teller: Any, data: st.DataObject, steps: int
) -> None:
    life = Life(teller(), data)
    life.live(steps)
    told = life.teller.stored()
    again = [
        replace(event, event_id=uuid4()) for event in data.draw(st.lists(st.sampled_from(told)))
    ]
    shuffled = data.draw(st.permutations(told + again))

    facts = fold_case(life.teller.case_id, shuffled)

    assert facts == fold_case(life.teller.case_id, told)
    assert [
        {
            "unit": item.unit,
            "due_at": item.due_at,
            "dispatches": item.dispatches,
            "second": item.second_dispatch_at,
            "extension": item.extension_seconds,
            "extended_at": item.extension_granted_at,
            "deferred_at": item.deferral_granted_at,
            "same": item.returned_to_same,
            "other": item.returned_to_other,
            "refused": item.returns_refused,
            "false": item.feedback_refused,
            "closed_at": item.closed_at,
            "awaiting": item.awaiting_dispatch,
        }
        for item in facts.assignments
    ] == life.lines
    assert facts.redispatches == life.redispatches
    assert facts.failed_verifications == life.failed


@given(data=st.data(), steps=st.integers(0, 15))
def test_any_part_of_a_life_can_be_folded(teller: Any, data: st.DataObject, steps: int) -> None:
    life = Life(teller(), data)
    life.live(steps)
    told = life.teller.stored()
    kept = data.draw(st.lists(st.sampled_from(told), unique_by=lambda event: event.event_id))

    facts = fold_case(life.teller.case_id, kept)

    assert len(facts.assignments) <= len(life.teller.envelopes)


def test_a_case_without_a_hitch_keeps_every_stage(teller: Any, qilihe: CityPack) -> None:
    told = teller().settled("water")

    facts = fold_case(told.case_id, told.stored())

    assert facts.state is CaseState.CLOSED
    assert facts.number == told.number
    assert {(span.stage, span.post) for span in facts.stages} == {
        (Stage.REGISTRATION, "operator"),
        (Stage.DISPATCH, "dispatcher"),
        (Stage.SUPERVISION, "dispatcher"),
        (Stage.SENDING_OUT, "program"),
        (Stage.VERIFICATION, "collector"),
        (Stage.CLOSING, "operator"),
    }
    for span in facts.stages:
        measured = measure_stage(span, qilihe.stages, qilihe.calendar, urgent=False, special=False)
        assert measured.kept is True
        assert measured.used_seconds == (span.ended_at - span.started_at).total_seconds()


@pytest.mark.parametrize(("minutes", "kept"), [(30, True), (31, False)])
def test_a_stage_is_kept_up_to_its_limit(
    teller: Any, qilihe: CityPack, minutes: int, *, kept: bool
) -> None:
    told = teller().registered().opened().dispatched("water", minutes=minutes)
    facts = fold_case(told.case_id, told.stored())
    span = next(span for span in facts.stages if span.stage is Stage.DISPATCH)

    measured = measure_stage(span, qilihe.stages, qilihe.calendar, urgent=False, special=False)

    assert measured.kept is kept
    assert measured.used_seconds == minutes * 60


def test_nights_count_for_urgent_cases_only(teller: Any, qilihe: CityPack) -> None:
    evening = datetime.fromisoformat("2026-05-11T17:25:00+08:00")
    told = teller(at=evening).registered(minutes=0).opened().dispatched("water", minutes=15 * 60)
    facts = fold_case(told.case_id, told.stored())
    span = next(span for span in facts.stages if span.stage is Stage.DISPATCH)

    ordinary = measure_stage(span, qilihe.stages, qilihe.calendar, urgent=False, special=False)
    urgent = measure_stage(span, qilihe.stages, qilihe.calendar, urgent=True, special=False)

    assert (ordinary.used_seconds, ordinary.kept) == (5 * 60, True)
    assert (urgent.used_seconds, urgent.kept) == (15 * 3_600, False)


def test_special_cases_wait_for_their_time_without_a_limit(teller: Any, qilihe: CityPack) -> None:
    told = teller(special=True).settled("water")
    facts = fold_case(told.case_id, told.stored())
    span = next(span for span in facts.stages if span.stage is Stage.SENDING_OUT)

    measured = measure_stage(span, qilihe.stages, qilihe.calendar, urgent=False, special=True)

    assert measured.kept is None


def test_a_deferral_that_ended_early_pauses_only_until_then(teller: Any, qilihe: CityPack) -> None:
    morning = datetime.fromisoformat("2026-05-11T09:00:00+08:00")
    told = teller(at=morning).registered(minutes=0).opened().dispatched("water", minutes=0)
    told.deferral_decided(granted=True, until=morning + timedelta(days=30))
    told.wait(24 * 60).deferral_ended(due_at=morning + timedelta(days=2))
    (assignment,) = fold_case(told.case_id, told.stored()).assignments

    assert paused_seconds(assignment, qilihe.calendar, urgent=False) == 6.5 * 3_600
    assert paused_seconds(assignment, qilihe.calendar, urgent=True) == 24 * 3_600
    assert assignment.due_at == morning + timedelta(days=2)


def test_a_case_registered_by_rule_has_no_registration_stage(teller: Any) -> None:
    told = teller().registered(by_rule="trusted-collector")

    facts = fold_case(told.case_id, told.stored())

    assert facts.by_rule
    assert facts.state is CaseState.REGISTERED
    assert facts.stages == ()


def test_a_voided_case_leaves_its_assignments_marked(teller: Any) -> None:
    told = teller().registered().opened().dispatched("water").voided()

    facts = fold_case(told.case_id, told.stored())

    assert facts.state is CaseState.VOIDED
    assert [item.voided for item in facts.assignments] == [True]


def test_the_second_dispatch_stays_the_second_when_a_third_follows(teller: Any) -> None:
    told = teller().registered().opened().dispatched("water")
    times = []
    for _ in range(2):
        told.handled().verification(passed=False)
        told.dispatched("water", DispatchReason.AFTER_FAILED_VERIFICATION)
        times.append(told.now)

    (assignment,) = fold_case(told.case_id, told.stored()).assignments

    assert assignment.dispatches == 3
    assert assignment.second_dispatch_at == times[0]
