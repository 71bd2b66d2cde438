"""Scores agree with plain loops, and are exact to the last of six decimals."""

from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from fractions import Fraction
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.assessment.scorecards.domain import (
    Assignment,
    Reason,
    judge,
    rounded,
    score_units,
)
from shared.pack.model import AssessmentParameters

COMPUTED_AT = datetime(2026, 6, 1, tzinfo=UTC)
PARAMETERS = AssessmentParameters(
    version="test",
    valid_from=date(2026, 1, 1),
    timely_weight=Fraction(4, 5),
    resolution_weight=Fraction(1, 5),
    redispatch_allowance=Fraction(3, 100),
    extension_allowance=Fraction(3, 100),
    deferral_allowance=Fraction(3, 100),
    resolution_target=Fraction(17, 20),
    small_sample=3,
    trial=False,
    appeal_days=5,
)
_instants = st.integers(-20, 20).map(lambda days: COMPUTED_AT + timedelta(days=days))
_rarely = st.sampled_from([0, 0, 0, 0, 1, 2])

assignments = st.builds(
    Assignment,
    case_id=st.integers(1, 10**6).map(lambda number: UUID(int=number)),
    ordinal=st.integers(1, 3),
    unit=st.sampled_from(["a", "b", "c", "d", "e"]),
    due_at=_instants,
    limit_seconds=st.one_of(st.none(), st.integers(0, 5)),
    used_seconds=st.integers(0, 6),
    closed_at=st.one_of(st.none(), _instants),
    extension_granted_at=st.one_of(st.none(), st.none(), _instants),
    deferral_granted_at=st.one_of(st.none(), st.none(), _instants),
    dispatches=st.sampled_from([1, 1, 1, 2, 3]),
    returned_to_same=_rarely,
    returned_to_other=_rarely,
    returns_refused=_rarely,
    feedback_refused=_rarely,
    awaiting_dispatch=st.sampled_from([False, False, False, True]),
    voided=st.sampled_from([False, False, False, True]),
)


def by_hand(unit: str, lines: list[Assignment]) -> dict[str, Any]:
    """One unit's figures by plain loops."""
    due = resolved = timely = 0
    for line in lines:
        if line.unit != unit or line.voided or line.awaiting_dispatch or line.returned_to_other > 0:
            continue
        due += 1
        if line.closed_at is None or line.closed_at > COMPUTED_AT:
            continue
        resolved += 1
        if line.limit_seconds is not None and line.used_seconds > line.limit_seconds:
            continue
        if line.extension_granted_at or line.deferral_granted_at:
            continue
        if line.returned_to_same > 0 or line.dispatches > 1:
            continue
        timely += 1
    score = None
    if due:
        with localcontext() as context:
            context.prec = 60
            exact = 100 * (4 * Decimal(timely) + Decimal(resolved)) / (5 * Decimal(due))
            score = exact.quantize(Decimal("0.000001"), ROUND_HALF_EVEN)
    return {"due": due, "resolved": resolved, "timely": timely, "score": score}


@given(lines=st.lists(assignments, max_size=40))
def test_scores_agree_with_plain_loops(lines: list[Assignment]) -> None:
    cards = score_units(["a", "b", "z"], lines, PARAMETERS, COMPUTED_AT)

    assert [card.unit for card in cards] == sorted({"a", "b", "z"} | {line.unit for line in lines})
    expected = {card.unit: by_hand(card.unit, lines) for card in cards}
    for card in cards:
        assert {
            "due": card.due,
            "resolved": card.resolved,
            "timely": card.timely,
            "score": rounded(card.score),
        } == expected[card.unit]
    eligible = {
        card.unit: expected[card.unit]["score"]
        for card in cards
        if expected[card.unit]["due"] >= PARAMETERS.small_sample
    }
    for card in cards:
        assert card.small_sample == (0 < card.due < PARAMETERS.small_sample)
        if card.unit in eligible:
            better = sum(score > eligible[card.unit] for score in eligible.values())
            assert card.rank == better + 1
        else:
            assert card.rank is None


@given(lines=st.lists(assignments, max_size=20), seed=st.randoms(use_true_random=False))
def test_the_order_of_assignments_changes_nothing(lines: list[Assignment], seed: Any) -> None:
    shuffled = lines.copy()
    seed.shuffle(shuffled)

    assert score_units([], lines, PARAMETERS, COMPUTED_AT) == score_units(
        [], shuffled, PARAMETERS, COMPUTED_AT
    )


@given(line=assignments)
def test_every_assignment_says_why_it_counted(line: Assignment) -> None:
    judgement = judge(line, COMPUTED_AT)

    assert judgement.reasons
    assert judgement.timely == (judgement.reasons == (Reason.IN_TIME,))
    assert not judgement.timely or judgement.resolved
    assert not judgement.resolved or judgement.due


@given(numerator=st.integers(-(10**9), 10**9), denominator=st.integers(1, 10**6))
def test_rounding_is_half_to_even(numerator: int, denominator: int) -> None:
    with localcontext() as context:
        context.prec = 80
        expected = (Decimal(numerator) / Decimal(denominator)).quantize(
            Decimal("0.000001"), ROUND_HALF_EVEN
        )

    assert rounded(Fraction(numerator, denominator)) == expected


@pytest.mark.parametrize(("text", "expected"), [("0.0000005", "0"), ("0.0000015", "0.000002")])
def test_halves_go_to_the_even_neighbour(text: str, expected: str) -> None:
    assert rounded(Fraction(text)) == Decimal(expected)
