"""Thousands of whole lives at once: the fold over columns against lines kept by hand."""

from random import Random
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.assessment.assignments.domain import (
    AssignmentColumns,
    each_fact_once,
    fold_assignments,
)
from services.assessment.events.domain import CASE, StoredEvent
from services.assessment.facts.domain import fold_cases
from services.assessment.records.domain import (
    GREATEST_SPAN,
    RECORD,
    Fact,
    Records,
    record_of,
    records,
    unit_key,
)
from services.assessment.scoring.domain import NEVER
from tests.assessment.lives import UNITS, Life, by_hand, line_of

LIVES = 3_000


def recorded(events: list[StoredEvent]) -> list[tuple[int, ...]]:
    rows = [
        record_of(item.event, case_id=UUID(item.subject), sequence=item.sequence, at=item.at)
        for item in events
        if item.aggregate == CASE
    ]
    return [row for row in rows if row is not None]


def rows_of(columns: AssignmentColumns) -> list[tuple[Any, ...]]:
    arrays = [getattr(columns, name) for name in columns.__dataclass_fields__]
    return list(zip(*(array.tolist() for array in arrays), strict=True))


@pytest.fixture(scope="module")
def lives(teller: Any) -> list[Life]:
    chance = Random(20261122)  # noqa: S311 - chance, not a secret
    return [Life(teller(), chance).live(chance.randint(0, 25)) for _ in range(LIVES)]


@pytest.fixture(scope="module")
def told(lives: list[Life]) -> Records:
    return records(recorded([event for life in lives for event in life.teller.stored()]))


def test_thousands_of_lives_folded_at_once_give_the_lines_kept_by_hand(lives: list[Life]) -> None:
    chance = Random(7)  # noqa: S311 - an order, not a secret
    events = {}
    for life in chance.sample(lives, len(lives)):
        mixed = life.teller.stored()
        mixed += [event for event in mixed if chance.random() < 0.2]
        chance.shuffle(mixed)
        events[life.teller.case_id] = mixed

    folded = fold_cases(events)

    assert {facts.case_id: [line_of(item) for item in facts.assignments] for facts in folded} == (
        by_hand(lives)
    )
    kinds = [line for life in lives for line in life.lines]
    assert any(
        line["extension_seconds"]
        and line["deferral_seconds"]
        and line["returned_to_same"]
        and line["returns_refused"]
        and line["dispatches"] > 1
        for line in kinds
    ), "every combination has to occur"


@given(seed=st.integers(0, 2**32 - 1), doubled=st.floats(0, 1))
@settings(max_examples=25, deadline=None)
def test_neither_order_nor_repetition_changes_a_figure(
    told: Records, seed: int, doubled: float
) -> None:
    chance = np.random.default_rng(seed)
    again = told[chance.random(len(told)) < doubled]
    mixed = chance.permutation(np.concatenate([told, again]))

    assert rows_of(fold_assignments(mixed)) == rows_of(fold_assignments(told))


@given(parts=st.integers(2, 40))
@settings(max_examples=10, deadline=None)
def test_cases_may_be_folded_in_any_parts(told: Records, parts: int) -> None:
    part = told["case_low"] % parts
    folds = [fold_assignments(told[part == number]) for number in range(parts)]

    assert sorted(rows_of(AssignmentColumns.joined(folds))) == rows_of(fold_assignments(told))


@pytest.mark.parametrize("form", ["far apart", "one half the same", "long histories"])
def test_ids_and_histories_of_any_form_are_folded_alike(told: Records, form: str) -> None:
    """What makes the common form quick to sort may not be needed for being right."""
    cases, number = np.unique(told["case_low"], return_inverse=True)
    chance = np.random.default_rng(1)
    other = told.copy()
    if form == "far apart":
        other["case_high"] = chance.permutation(np.arange(len(cases)) * 2**50)[number]
    elif form == "one half the same":
        other["case_high"], other["case_low"] = 7, chance.permutation(len(cases))[number]
    else:
        other["sequence"] += 2**12

    figures = fold_assignments(other)

    assert sorted(row[2:] for row in rows_of(figures)) == sorted(
        row[2:] for row in rows_of(fold_assignments(told))
    )
    ids = [figures.case_id(place).int for place in range(len(figures))]
    assert ids == sorted(ids)


def test_of_two_tellings_the_newer_version_counts_in_either_order(teller: Any) -> None:
    life = teller().registered().opened().dispatched("water").handled(1_000)
    old = records(recorded(life.stored()))
    newer = old[old["fact"] == Fact.CLOCK_READ].copy()
    newer["version"], newer["used_seconds"] = 2, 2_000

    for mixed in (np.concatenate([old, newer]), np.concatenate([newer, old])):
        assert fold_assignments(mixed).used_seconds.tolist() == [2_000]


def test_two_different_tellings_of_one_version_are_settled_alike_in_either_order(
    teller: Any,
) -> None:
    life = teller().registered().opened().dispatched("water").handled(1_000)
    one = records(recorded(life.stored()))
    other = one.copy()
    other["used_seconds"] += 1

    there, back = np.concatenate([one, other]), np.concatenate([other, one])

    assert each_fact_once(there).tobytes() == each_fact_once(back).tobytes()
    assert len(each_fact_once(there)) == len(one)


def test_a_fact_about_a_dispatch_that_has_not_arrived_waits_for_it(teller: Any) -> None:
    life = teller().registered().opened().dispatched("water").handled(1_000)
    whole = records(recorded(life.stored()))

    assert len(fold_assignments(whole[whole["fact"] == Fact.CLOCK_READ])) == 0
    assert fold_assignments(whole).used_seconds.tolist() == [1_000]


def test_nothing_told_gives_no_assignments() -> None:
    assert len(fold_assignments(records([]))) == 0


def test_a_limit_of_a_lifetime_is_kept_as_the_longest_there_is(teller: Any) -> None:
    life = teller().registered().opened().dispatched("water", limit=10**12)

    assert fold_assignments(records(recorded(life.stored()))).limit_seconds.tolist() == [
        GREATEST_SPAN
    ]


def test_records_are_the_same_bytes_on_every_machine() -> None:
    """They are stored; their form may not change unnoticed."""
    assert RECORD.itemsize == 64
    assert [RECORD.fields[name][0].str for name in RECORD.names or ()] == (
        ["<u8"] * 3 + ["<i8"] * 2 + ["<u4"] + ["<i4"] * 4 + ["<u2"] + ["|u1"] * 2
    )
    assert unit_key("water") == 0x7121B4AE07786F51
    assert len({unit_key(unit) for unit in UNITS}) == len(UNITS)
    assert NEVER == 2**63 - 1
