"""Whom to send, and which actions a task allows."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.intake.tasks.domain import (
    FINDINGS,
    OPEN_STATES,
    Candidate,
    TaskAction,
    TaskState,
    allowed_actions,
    choose_collector,
    next_state,
    require_fitting,
)
from services.intake.tasks.errors import FindingNotOfKind, TaskStateForbids
from shared.events.vocabulary import Finding, Place, TaskKind
from shared.geo import Position, distance_m

HERE = Place(longitude=103.7985, latitude=36.067)
STREET = "620103001"

candidates = st.lists(
    st.builds(
        Candidate,
        st.sampled_from([f"collector{number:02}" for number in range(8)]),
        st.none() | st.builds(Position, st.floats(103.75, 103.85), st.floats(36.0, 36.1)),
        st.sampled_from([None, STREET, "620103002"]),
    ),
    max_size=8,
    unique_by=lambda candidate: candidate.login,
)


@settings(deadline=None)
@given(
    candidates,
    st.none() | st.sampled_from(["collector00", "collector99"]),
    st.none() | st.just(STREET),
    st.sets(st.sampled_from([f"collector{number:02}" for number in range(8)]), max_size=8),
)
def test_the_best_choice_is_the_one_a_person_would_make(
    on_duty: list[Candidate], owner: str | None, street: str | None, without: set[str]
) -> None:
    chosen = choose_collector(on_duty, HERE, street=street, owner=owner, without=without)

    def metres(candidate: Candidate) -> float:
        there = candidate.position
        return distance_m(there, Position(103.7985, 36.067)) if there else float("inf")

    free = [candidate for candidate in on_duty if candidate.login not in without]
    in_street = [one for one in free if one.position and street and one.street == street]
    assert chosen not in without
    if in_street:
        assert metres(next(one for one in free if one.login == chosen)) == min(
            metres(one) for one in in_street
        )
    elif owner and owner not in without:
        assert chosen == owner
    elif free:
        assert metres(next(one for one in free if one.login == chosen)) == min(
            metres(one) for one in free
        )
    else:
        assert chosen is None


def test_a_task_without_coordinates_goes_to_the_owner_of_its_grid() -> None:
    near = [Candidate("collector05", Position(103.7985, 36.067), "620103002")]
    nowhere = Place(address="x")
    assert choose_collector(near, nowhere, street=STREET, owner="collector01") == "collector01"
    assert choose_collector(near, nowhere, street=STREET, owner=None) == "collector05"
    assert choose_collector([], nowhere, street=None, owner=None) is None


@settings(deadline=None)
@given(st.sampled_from(list(TaskState)), st.sampled_from(list(TaskAction)))
def test_a_task_that_is_over_stays_over(state: TaskState, action: TaskAction) -> None:
    possible = {
        TaskState.WAITING: {"issue", "reassign", "give-up", "cancel"},
        TaskState.ISSUED: {"issue", "reassign", "give-up", "cancel", "accept", "complete"},
        TaskState.ACCEPTED: {"issue", "reassign", "give-up", "cancel", "complete"},
        TaskState.UNASSIGNED: {"issue", "reassign", "give-up", "cancel"},
    }.get(state, set())
    if action not in possible:
        with pytest.raises(TaskStateForbids) as refusal:
            next_state(state, action)
        assert action not in refusal.value.extra["allowed"]
        return
    target = next_state(state, action)
    assert (target in OPEN_STATES) == (action not in {TaskAction.COMPLETE, TaskAction.CANCEL})
    if action in {TaskAction.ACCEPT, TaskAction.COMPLETE, TaskAction.REASSIGN}:
        assert action in allowed_actions(state)


@pytest.mark.parametrize("kind", list(TaskKind))
@pytest.mark.parametrize("finding", list(Finding))
def test_a_finding_answers_its_own_question_only(kind: TaskKind, finding: Finding) -> None:
    if finding in FINDINGS[kind]:
        require_fitting(kind, finding)
    else:
        with pytest.raises(FindingNotOfKind):
            require_fitting(kind, finding)
