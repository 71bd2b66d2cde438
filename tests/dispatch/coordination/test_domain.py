"""Rules of a coordination: times, who decides, and when."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.dispatch.coordination.domain import (
    CoordinationState,
    Invited,
    Standing,
    check_heard,
    decided_by_office,
    next_due,
    standing,
)
from services.dispatch.coordination.errors import (
    CoordinationEnded,
    DecisionWithCentre,
    DecisionWithOffice,
    PositionsOutstanding,
)
from shared.vocabulary import Role
from tests.dispatch.story import MONDAY

HOURS = st.integers(0, 9)
INVITED = st.lists(st.tuples(HOURS, st.none() | HOURS), max_size=5)
ROLES = st.sets(st.sampled_from([Role.DISPATCHER, Role.SUPERVISOR, Role.LEADER, Role.HANDLER]))


def _invited(drawn: list[tuple[int, int | None]], now: int) -> list[Invited]:
    return [
        Invited(
            f"unit-{number}",
            MONDAY + timedelta(hours=due),
            None if stated is None or stated > now else MONDAY + timedelta(hours=stated),
        )
        for number, (due, stated) in enumerate(drawn)
    ]


@settings(deadline=None)
@given(drawn=INVITED, hour=HOURS, reason=st.none() | st.just("cannot wait"))
def test_a_decision_waits_for_whoever_is_silent_and_has_time_left(
    drawn: list[tuple[int, int | None]], hour: int, reason: str | None
) -> None:
    now = MONDAY + timedelta(hours=hour)
    silent = sorted(
        f"unit-{number}"
        for number, (due, stated) in enumerate(drawn)
        if (stated is None or stated > hour) and due >= hour
    )
    invited = _invited(drawn, hour)
    if silent and reason is None:
        with pytest.raises(PositionsOutstanding) as caught:
            check_heard(invited, now, reason)
        assert caught.value.extra["units"] == silent
    else:
        check_heard(invited, now, reason)


@settings(deadline=None)
@given(drawn=INVITED, hour=HOURS)
def test_the_timer_is_set_for_the_next_silent_unit(
    drawn: list[tuple[int, int | None]], hour: int
) -> None:
    hours = [due for due, stated in drawn if (stated is None or stated > hour) and due > hour]
    wanted = MONDAY + timedelta(hours=min(hours)) if hours else None
    assert next_due(_invited(drawn, hour), MONDAY + timedelta(hours=hour)) == wanted


def test_what_is_stated_at_the_very_instant_is_in_time() -> None:
    hour = timedelta(hours=1)
    assert standing(Invited("u", MONDAY, MONDAY), MONDAY + hour) is Standing.STATED
    late = Invited("u", MONDAY, MONDAY + timedelta(microseconds=1))
    assert standing(late, MONDAY + hour) is Standing.STATED_LATE
    assert standing(Invited("u", MONDAY, None), MONDAY) is Standing.WAITING
    assert standing(Invited("u", MONDAY, None), MONDAY + hour) is Standing.OVERDUE


@settings(deadline=None)
@given(
    state=st.sampled_from(CoordinationState),
    roles=ROLES,
    unit=st.sampled_from(["office", "centre", None]),
)
def test_the_office_decides_what_was_passed_up_and_the_centre_the_rest(
    state: CoordinationState, roles: set[Role], unit: str | None
) -> None:
    ended = state in {CoordinationState.SETTLED, CoordinationState.WITHDRAWN}
    if ended:
        with pytest.raises(CoordinationEnded):
            decided_by_office(state, roles, unit, "office")
    elif state is CoordinationState.PASSED_UP:
        if Role.LEADER in roles and unit == "office":
            assert decided_by_office(state, roles, unit, "office") is True
        else:
            with pytest.raises(DecisionWithOffice):
                decided_by_office(state, roles, unit, "office")
    elif roles & {Role.DISPATCHER, Role.SUPERVISOR}:
        assert decided_by_office(state, roles, unit, "office") is False
    else:
        with pytest.raises(DecisionWithCentre):
            decided_by_office(state, roles, unit, "office")
