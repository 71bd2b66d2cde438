"""Scores agree with plain loops written from the definitions, for thousands of histories."""

from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.assessment.lines.domain import Assignments, Line, columns_of
from services.assessment.scoring.domain import (
    NEVER,
    Judgement,
    Kind,
    Reason,
    Rule,
    Scorecard,
    Standing,
    judge,
    microseconds,
    reasons_of,
    rounded,
    scorecards,
)
from tests.assessment.scoring.by_hand import scorecards_by_hand

START = datetime(2026, 5, 1, tzinfo=UTC)
END = datetime(2026, 6, 1, tzinfo=UTC)
COMPUTED_AT = END
STANDINGS = {
    "counts": Standing.COUNTS,
    "voided": Standing.VOIDED,
    "excluded": Standing.EXCLUDED,
    "awaiting-dispatch": Standing.AWAITING_DISPATCH,
    "acknowledged": Standing.ACKNOWLEDGED,
}

_rarely = st.sampled_from([0, 0, 0, 0, 0, 1, 2])
# Few different instants, so that many are granted at the same one.
_granted = st.integers(0, 4).map(lambda hours: START + timedelta(hours=hours))
_sometimes = st.one_of(st.none(), st.none(), _granted)
_around = st.sampled_from(
    [
        START - timedelta(microseconds=1),
        START,
        START + timedelta(days=9),
        START + timedelta(days=9),
        START + timedelta(days=20),
        END - timedelta(microseconds=1),
        END,
    ]
)
_closed = st.sampled_from(
    [None, START, START + timedelta(days=9), COMPUTED_AT, COMPUTED_AT + timedelta(microseconds=1)]
)


@st.composite
def assignments(draw: Any) -> dict[str, Any]:
    extended, deferred = draw(_sometimes), draw(_sometimes)
    dispatches = draw(st.sampled_from([1, 1, 1, 2, 3]))
    return {
        "case": f"{draw(st.integers(1, 12))}",
        "unit": draw(st.sampled_from("abc")),
        "due_at": draw(_around),
        "limit_seconds": 10,
        "used_seconds": draw(st.sampled_from([0, 9, 10, 11, 12, 13])),
        "closed_at": draw(_closed),
        "extension_seconds": 0 if extended is None else draw(st.integers(0, 3)),
        "extension_granted_at": extended,
        "deferral_seconds": 0 if deferred is None else draw(st.integers(0, 3)),
        "deferral_granted_at": deferred,
        "second_dispatch_at": draw(_granted) if dispatches > 1 else None,
        "dispatches": dispatches,
        "returned_to_same": draw(_rarely),
        "returned_to_other": draw(_rarely),
        "returns_refused": draw(_rarely),
        "feedback_refused": draw(_rarely),
        "standing": draw(st.sampled_from(["counts"] * 8 + list(STANDINGS))),
    }


histories = st.lists(assignments(), max_size=60).map(
    lambda lines: [{**line, "ordinal": number} for number, line in enumerate(lines)]
)
_shares = st.sampled_from(
    [Fraction(0), Fraction(3, 100), Fraction(1, 10), Fraction(1, 3), Fraction(1, 2), Fraction(1)]
)
_weights = st.sampled_from([Fraction(4, 5), Fraction(0), Fraction(1), Fraction(1, 3)])
parameters = st.builds(
    lambda timely, repeat, deferral, extension, minimum: {
        "timely": timely,
        "resolved": 1 - timely,
        "allowance": {"repeat": repeat, "deferral": deferral, "extension": extension},
        "rank_minimum": minimum,
    },
    _weights,
    _shares,
    _shares,
    _shares,
    st.integers(0, 10),
)


def line_of(written: dict[str, Any]) -> Line:
    values = {
        name: microseconds(value) if value is None or isinstance(value, datetime) else value
        for name, value in written.items()
        if name in Line._fields
    }
    return Line(**values)


def columns(lines: list[dict[str, Any]]) -> Assignments:
    return columns_of(
        [line_of(line) for line in lines],
        ordinals=[line["ordinal"] for line in lines],
        standing=[STANDINGS[line["standing"]] for line in lines],
    )


def rule(given: dict[str, Any]) -> Rule:
    return Rule(
        timely=given["timely"],
        resolved=given["resolved"],
        allowance={Kind(kind): share for kind, share in given["allowance"].items()},
        rank_minimum=given["rank_minimum"],
    )


def computed(
    lines: list[dict[str, Any]], given: dict[str, Any]
) -> tuple[Assignments, Judgement, list[Scorecard]]:
    made = columns(lines)
    judged = judge(made.columns, START, END, COMPUTED_AT, rule(given))
    return made, judged, scorecards(judged, made.units, rule(given))


@settings(max_examples=2_000)
@given(lines=histories, numbers=parameters)
def test_figures_agree_with_plain_loops(
    lines: list[dict[str, Any]], numbers: dict[str, Any]
) -> None:
    _, judged, cards = computed(lines, numbers)

    expected = scorecards_by_hand(lines, START, END, COMPUTED_AT, numbers)
    assert [card.unit for card in cards] == sorted(expected)
    for card in cards:
        by_hand = dict(expected[card.unit])
        by_hand.pop("verdicts")
        forgiven = {kind.value: count for kind, count in card.forgiven.items()}
        assert {name: getattr(card, name) for name in by_hand if name != "forgiven"} == {
            name: value for name, value in by_hand.items() if name != "forgiven"
        }
        assert forgiven == by_hand["forgiven"]
    for position, row in enumerate(judged.rows.tolist()):
        line = lines[row]
        verdict = expected[line["unit"]]["verdicts"].get((line["case"], line["ordinal"]))
        assert bool(judged.timely[position]) == (verdict == "timely")
        assert bool(judged.resolved[position]) == (verdict in ("timely", "resolved"))
        assert bool(judged.due[position]) == (verdict in ("timely", "resolved", "due"))


@given(lines=histories, numbers=parameters, seed=st.randoms(use_true_random=False))
def test_the_order_of_lines_changes_nothing(
    lines: list[dict[str, Any]], numbers: dict[str, Any], seed: Any
) -> None:
    shuffled = lines.copy()
    seed.shuffle(shuffled)

    assert computed(lines, numbers)[2] == computed(shuffled, numbers)[2]


_LEAVES = {
    Reason.VOIDED,
    Reason.EXCLUDED,
    Reason.RETURNED_TO_OTHER,
    Reason.AWAITING_DISPATCH,
    Reason.DEFERRAL_FORGIVEN,
}
_SPOILS = {
    Reason.NOT_CLOSED,
    Reason.OVER_LIMIT,
    Reason.EXTENSION_BEYOND,
    Reason.DEFERRAL_BEYOND,
    Reason.REPEAT_BEYOND,
    Reason.RETURNED_TO_SAME,
}


@given(lines=histories, numbers=parameters)
def test_every_assignment_says_why_it_counted(
    lines: list[dict[str, Any]], numbers: dict[str, Any]
) -> None:
    _, judged, _ = computed(lines, numbers)

    for position in range(len(judged.rows)):
        reasons = set(reasons_of(int(judged.reasons[position])))
        assert bool(judged.due[position]) == (not reasons & _LEAVES)
        assert bool(judged.timely[position]) == bool(
            reasons & {Reason.IN_TIME, Reason.ACKNOWLEDGED}
        )
        if judged.due[position]:
            assert bool(judged.timely[position]) == (not reasons & _SPOILS)


def plain(number: int, **other: Any) -> dict[str, Any]:
    return {
        "case": f"{number:04d}",
        "unit": "water",
        "due_at": START + timedelta(days=1),
        "limit_seconds": 100,
        "used_seconds": 100,
        "closed_at": START + timedelta(days=2),
        "extension_seconds": 0,
        "extension_granted_at": None,
        "deferral_seconds": 0,
        "deferral_granted_at": None,
        "second_dispatch_at": None,
        "dispatches": 1,
        "returned_to_same": 0,
        "returned_to_other": 0,
        "returns_refused": 0,
        "feedback_refused": 0,
        "standing": "counts",
        "ordinal": 1,
        **other,
    }


DEFAULTS = {
    "timely": Fraction(4, 5),
    "resolved": Fraction(1, 5),
    "allowance": {kind.value: Fraction(3, 100) for kind in Kind},
    "rank_minimum": 20,
}


@pytest.mark.parametrize(("count", "forgiven"), [(99, 2), (100, 3), (101, 3), (33, 0), (34, 1)])
def test_a_share_is_exact(count: int, forgiven: int) -> None:
    repeated = {"dispatches": 2, "second_dispatch_at": START}

    card = computed([plain(number, **repeated) for number in range(count)], DEFAULTS)[2][0]

    assert card.forgiven[Kind.REPEAT] == forgiven
    assert card.timely == forgiven


def test_ties_are_forgiven_by_the_id_of_the_case() -> None:
    repeated = {"dispatches": 2, "second_dispatch_at": START}
    lines = [plain(number, **repeated) for number in (7, 5, 9, 3)]
    lines += [plain(number) for number in range(100, 130)]

    made, judged, _ = computed(lines, DEFAULTS)

    assert [made.cases[row] for row in judged.rows[judged.forgiven[Kind.REPEAT]].tolist()] == [
        "0003"
    ]


def test_a_pause_beyond_the_allowance_counts_as_used_time() -> None:
    line = plain(1, used_seconds=60, deferral_seconds=70, deferral_granted_at=START)

    _, judged, cards = computed([line], DEFAULTS)

    assert judged.counted_seconds.tolist() == [130]
    assert reasons_of(int(judged.reasons[0])) == (Reason.OVER_LIMIT, Reason.DEFERRAL_BEYOND)
    assert (cards[0].due, cards[0].resolved, cards[0].timely) == (1, 1, 0)


def test_a_forgiven_extension_lengthens_the_limit_and_one_beyond_does_not() -> None:
    extended = {"used_seconds": 150, "extension_seconds": 50}
    lines = [plain(number) for number in range(100, 132)]
    lines += [
        plain(1, **extended, extension_granted_at=START + timedelta(hours=1)),
        plain(2, **extended, extension_granted_at=START),
    ]

    _, judged, cards = computed(lines, DEFAULTS)

    assert judged.recognised_seconds[-2:].tolist() == [100, 150]
    assert judged.timely[-2:].tolist() == [False, True]
    assert cards[0].timely == 33


def test_nothing_is_scored_where_nothing_was_due() -> None:
    card = computed([plain(1, returned_to_other=1)], DEFAULTS)[2][0]

    assert (card.due, card.score, card.timely_rate, card.rank) == (0, None, None, None)
    assert not card.small_sample
    assert card.returned_to_other == 1


def test_no_instant_is_after_never() -> None:
    assert microseconds(datetime.max.replace(tzinfo=UTC)) < NEVER == microseconds(None)


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
