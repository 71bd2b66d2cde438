"""The table of states: whole, and without dead ends."""

import pytest

from services.dispatch.case_files.domain import (
    FINAL,
    OFFERED,
    STAGE_OF,
    TRANSITIONS,
    Action,
    CaseState,
    allowed_actions,
    next_state,
)
from services.dispatch.case_files.errors import NotAllowedNow


def test_every_action_and_every_state_is_in_the_table() -> None:
    assert set(TRANSITIONS) == set(Action)
    assert set(STAGE_OF) == set(CaseState)


def test_every_state_is_reached_from_the_opening_and_leads_to_the_archive() -> None:
    steps = {
        state: {
            after
            for row in TRANSITIONS.values()
            for before, after in row.items()
            if before is state
        }
        for state in CaseState
    }
    reached = {CaseState.AWAITING_DISPATCH}
    for _ in CaseState:
        reached |= {after for state in reached for after in steps[state]}
    assert reached == set(CaseState)
    for state in CaseState:
        onward = {state}
        for _ in CaseState:
            onward |= {after for item in onward for after in steps[item]}
        assert onward & FINAL


@pytest.mark.parametrize("state", CaseState)
@pytest.mark.parametrize("action", Action)
def test_a_step_is_in_the_table_or_refused_with_what_is_allowed(
    state: CaseState, action: Action
) -> None:
    if state in TRANSITIONS[action]:
        assert next_state(state, action) is TRANSITIONS[action][state]
        assert (action.value in allowed_actions(state)) is (action in OFFERED)
        return
    with pytest.raises(NotAllowedNow) as refused:
        next_state(state, action)
    assert refused.value.extra == {"state": state.value, "allowed": allowed_actions(state)}
    assert action.value not in allowed_actions(state)
