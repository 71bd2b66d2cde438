"""The states of a report, and how names and numbers are masked."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.intake.reports.domain import (
    OPEN_STATES,
    ReportAction,
    ReportState,
    allowed_actions,
    masked_name,
    masked_number,
    next_state,
    state_before_merge,
)
from services.intake.reports.errors import ReportStateForbids

LETTERS = {
    ReportAction.CHECK: "c",
    ReportAction.FINISH_CHECK: "f",
    ReportAction.REGISTER: "A",
    ReportAction.REJECT: "R",
    ReportAction.MERGE: "m",
    ReportAction.UNMERGE: "u",
}
# A life in one line: checks as often as wanted, merges taken back, one decision at the end.
LIFE = re.compile(r"(cf|c?mu)*(c|c?m|c?[AR])?")


@settings(deadline=None)
@given(st.lists(st.sampled_from(list(ReportAction)), max_size=12))
def test_exactly_the_lives_of_the_rule_are_possible(actions: list[ReportAction]) -> None:
    state, before_merge, life = ReportState.RECEIVED, ReportState.RECEIVED, ""
    for action in actions:
        told = life + LETTERS[action]
        possible = LIFE.fullmatch(told) is not None
        if not possible:
            with pytest.raises(ReportStateForbids) as refusal:
                next_state(state, action)
            assert refusal.value.extra["state"] == state
            assert action not in refusal.value.extra["allowed"]
            return
        target = next_state(state, action)
        if action is ReportAction.MERGE:
            before_merge = state_before_merge(state)
        state = before_merge if action is ReportAction.UNMERGE else target
        life = told


@pytest.mark.parametrize("state", list(ReportState))
def test_what_is_offered_is_possible(state: ReportState) -> None:
    for action in allowed_actions(state):
        next_state(state, ReportAction(action))
    assert ("register" in allowed_actions(state)) == (state in OPEN_STATES)


@settings(deadline=None)
@given(st.text(min_size=1, max_size=30), st.from_regex(r"[0-9]{1,20}", fullmatch=True))
def test_masks_hide_most_and_keep_the_length_of_numbers(name: str, number: str) -> None:
    masked = masked_name(name)
    assert masked[0] == name[0]
    assert set(masked[1:]) == {"*"}
    hidden = masked_number(number)
    assert len(hidden) == len(number)
    assert sum(digit != "*" for digit in hidden) <= 7
    assert hidden.count("*") >= min(len(number), 1)
