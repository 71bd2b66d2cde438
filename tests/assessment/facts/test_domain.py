"""The fold of a case gives the same facts whatever the order of arrival, and the right ones."""

from dataclasses import replace
from datetime import datetime, timedelta
from random import Random
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.assessment.facts.domain import (
    CaseState,
    fold_case,
    measure_stage,
)
from shared.events.vocabulary import DispatchReason
from shared.pack.model import CityPack, Stage
from tests.assessment.lives import Life, line_of

chances = st.randoms(use_true_random=False)


@given(chance=chances, steps=st.integers(0, 25))
def test_the_fold_gives_what_was_lived_whatever_the_order_and_the_repetitions(
    teller: Any, chance: Random, steps: int
) -> None:
    life = Life(teller(), chance).live(steps)
    told = life.teller.stored()
    again = [replace(event, event_id=uuid4()) for event in told if chance.random() < 0.3]
    shuffled = told + again
    chance.shuffle(shuffled)

    facts = fold_case(life.teller.case_id, shuffled)

    assert facts == fold_case(life.teller.case_id, told)
    assert [line_of(item) for item in facts.assignments] == life.lines
    assert facts.redispatches == life.redispatches
    assert facts.failed_verifications == life.failed


@given(chance=chances, steps=st.integers(0, 15))
def test_any_part_of_a_life_can_be_folded(teller: Any, chance: Random, steps: int) -> None:
    life = Life(teller(), chance).live(steps)
    told = life.teller.stored()
    kept = chance.sample(told, chance.randint(0, len(told)))

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


@pytest.mark.parametrize(
    ("end", "waits"),
    [
        ("dispatched", [20]),
        ("settled", [20, 10]),
        ("withdrawn", [20, 10]),
        (None, [20]),
    ],
)
def test_time_in_which_units_are_heard_is_no_wait_for_the_dispatcher(
    teller: Any, qilihe: CityPack, end: str | None, waits: list[int]
) -> None:
    told = teller().registered().opened().heard(200, end, before=20)
    if end in {"settled", "withdrawn"}:
        told.dispatched("water", minutes=10)
    mixed = [*told.stored(), *told.stored()]
    Random(5).shuffle(mixed)  # noqa: S311 - an order, not a secret

    facts = fold_case(told.case_id, mixed)

    spans = [span for span in facts.stages if span.stage is Stage.DISPATCH]
    assert [(span.ended_at - span.started_at) / timedelta(minutes=1) for span in spans] == waits
    assert [span.ordinal for span in spans] == list(range(1, len(waits) + 1))
    assert {span.post for span in spans} == {"dispatcher"}
    for span in spans:
        assert measure_stage(span, qilihe.stages, qilihe.calendar, urgent=False, special=False).kept


def test_a_case_that_goes_on_while_units_are_heard_waits_for_the_dispatcher_all_the_same(
    teller: Any,
) -> None:
    told = teller().registered().opened().heard(200, "settled", before=20, beside=True)
    told.dispatched("water", minutes=10)

    facts = fold_case(told.case_id, told.stored())

    (span,) = (span for span in facts.stages if span.stage is Stage.DISPATCH)
    assert span.ended_at - span.started_at == timedelta(minutes=230)


def test_only_the_wait_in_which_units_were_heard_is_cut(teller: Any) -> None:
    """A third return has the units heard at once; the waits before and after stay whole."""
    told = teller().registered().opened().dispatched("water", minutes=7)
    told.return_decided(granted=True).heard(90, "settled", before=0)
    told.dispatched("transport", DispatchReason.AFTER_RETURN, minutes=8)
    told.return_decided(granted=True)
    told.dispatched("water", DispatchReason.AFTER_RETURN, minutes=9)

    facts = fold_case(told.case_id, told.stored())

    spans = [span for span in facts.stages if span.stage is Stage.DISPATCH]
    assert [(span.ended_at - span.started_at) / timedelta(minutes=1) for span in spans] == [7, 8, 9]


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


def test_a_reopened_case_is_a_new_assignment_and_leaves_the_closed_one_as_it_was(
    teller: Any,
) -> None:
    told = teller().settled("water")
    before = fold_case(told.case_id, told.stored()).assignments
    told.reopened().wait(60).dispatched("water", DispatchReason.AFTER_REOPENING)

    first, second = fold_case(told.case_id, told.stored()).assignments

    assert (first,) == tuple(replace(item, passed_on=True) for item in before)
    assert (second.ordinal, second.dispatches, second.closed_at) == (2, 1, None)
    assert second.due_at > first.due_at


@pytest.mark.parametrize(("minutes", "in_time"), [(0, True), (1, False), (None, None)])
def test_a_case_is_closed_in_time_until_its_whole_way_has_run_out(
    teller: Any, minutes: int | None, *, in_time: bool | None
) -> None:
    told = teller().settled("water")
    whole = None if minutes is None else told.now - timedelta(minutes=minutes)
    told.envelopes[-1].data["whole_due_at"] = whole and whole.isoformat()

    assert fold_case(told.case_id, told.stored()).closed_in_time is in_time
    assert fold_case(told.case_id, told.reopened().stored()).closed_in_time is None


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


def test_a_new_holiday_moves_due_time_and_limit_and_leaves_extensions_alone(teller: Any) -> None:
    told = teller().registered().opened().dispatched("water", limit=14_400)
    told.extension_decided(granted=True, added=7_200, new_due_at=told.now + timedelta(hours=8))
    moved = told.now + timedelta(days=3)
    told.deadlines_moved(moved, 14_000 + 7_200)

    (assignment,) = fold_case(told.case_id, told.stored()).assignments
    assert assignment.due_at == moved
    assert (assignment.limit_seconds, assignment.extension_seconds) == (14_000, 7_200)

    later = moved + timedelta(hours=2)
    told.extension_decided(granted=True, added=3_600, new_due_at=later)
    (assignment,) = fold_case(told.case_id, told.stored()).assignments
    assert assignment.due_at == later
    assert (assignment.limit_seconds, assignment.extension_seconds) == (14_000, 10_800)

    told.handled().verification(passed=False)
    told.dispatched("water", DispatchReason.AFTER_FAILED_VERIFICATION, limit=14_400 + 10_800)
    (assignment,) = fold_case(told.case_id, told.stored()).assignments
    assert (assignment.limit_seconds, assignment.extension_seconds) == (14_400, 10_800)


@pytest.mark.parametrize("end", ["closed", "returned"])
def test_a_new_holiday_moves_nothing_that_a_unit_has_given_up(teller: Any, end: str) -> None:
    told = teller().registered().opened().dispatched("water")
    if end == "closed":
        told.handled().verification(passed=True).closed().reopened()
    else:
        told.return_decided(granted=True)
    (before,) = fold_case(told.case_id, told.stored()).assignments

    told.deadlines_moved(told.now + timedelta(days=40), 99_999)

    assert fold_case(told.case_id, told.stored()).assignments == (before,)
    told.dispatched("roads", DispatchReason.AFTER_RETURN)
    first, second = fold_case(told.case_id, told.stored()).assignments
    assert (first.due_at, first.limit_seconds) == (before.due_at, before.limit_seconds)
    assert second.limit_seconds == 14_400


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
