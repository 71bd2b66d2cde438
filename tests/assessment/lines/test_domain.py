"""Frozen facts are lines that anybody can read, and come back as they were."""

import json
from datetime import UTC, datetime
from uuid import UUID

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from services.assessment.lines.domain import freeze, hash_of, thaw
from services.assessment.scoring.domain import (
    NEVER,
    UNLIMITED,
    Columns,
    PeriodFacts,
    Standing,
    microseconds,
)

UNITS = ['100 %s "甲"', "water"]
_instants = st.one_of(st.just(NEVER), st.integers(-(10**15), 4 * 10**15))
_row = st.fixed_dictionaries(
    {
        "unit": st.integers(0, 1),
        "case": st.integers(1, 2**128 - 1),
        "due_at": st.integers(0, 4 * 10**15),
        "limit_seconds": st.one_of(st.just(UNLIMITED), st.integers(0, 10**6)),
        "standing": st.sampled_from([int(standing) for standing in Standing]),
        **dict.fromkeys(
            ("closed_at", "extension_granted_at", "deferral_granted_at", "second_dispatch_at"),
            _instants,
        ),
        **{
            name: st.integers(0, 5)
            for name in (
                "ordinal",
                "used_seconds",
                "extension_seconds",
                "deferral_seconds",
                "dispatches",
                "returned_to_same",
                "returned_to_other",
                "returns_refused",
                "feedback_refused",
            )
        },
    }
)


_rows = st.lists(_row, max_size=20, unique_by=lambda row: (row["case"], row["ordinal"]))


def facts(rows: list[dict[str, int]]) -> PeriodFacts:
    cases = [UUID(int=row["case"]) for row in rows]
    columns = {
        name: np.asarray([row[name] for row in rows], dtype=np.int64)
        for name in Columns.__slots__
        if name != "case"
    }
    case = np.asarray([case.bytes for case in cases], dtype="S16")
    return PeriodFacts(Columns(case=case, **columns), UNITS, cases)


@given(rows=_rows, order=st.randoms(use_true_random=False))
def test_facts_come_back_as_they_were_frozen(rows: list[dict[str, int]], order: object) -> None:
    texts = freeze(facts(rows))
    shuffled = rows.copy()
    order.shuffle(shuffled)  # type: ignore[attr-defined]

    assert freeze(thaw(texts)) == texts
    assert hash_of(freeze(facts(shuffled))) == hash_of(texts)
    thawed = thaw(texts)
    read = sorted(
        (
            thawed.units[int(thawed.columns.unit[row])],
            thawed.case_ids[row].int,
            *(int(getattr(thawed.columns, name)[row]) for name in Columns.__slots__[2:]),
        )
        for row in range(len(thawed.columns))
    )
    assert read == sorted(
        (UNITS[row["unit"]], row["case"], *(row[name] for name in Columns.__slots__[2:]))
        for row in rows
    )


def test_a_frozen_line_is_the_line_of_the_command_with_stay_and_standing() -> None:
    due_at = microseconds(datetime(2026, 5, 6, 9, 30, tzinfo=UTC))
    row = dict.fromkeys(Columns.__slots__, 0) | {"unit": 1, "case": 7, "due_at": due_at}
    row |= {"closed_at": NEVER, "limit_seconds": UNLIMITED, "standing": int(Standing.VOIDED)}

    (line,) = freeze(facts([row]))["water"].splitlines()

    read = json.loads(line)
    assert read["case"] == "00000000-0000-0000-0000-000000000007"
    assert (read["unit"], read["due_at"]) == ("water", "2026-05-06T09:30:00.000000Z")
    assert (read["closed_at"], read["limit_seconds"], read["standing"]) == (None, None, "voided")
