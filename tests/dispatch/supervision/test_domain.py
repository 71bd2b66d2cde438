"""The table of an order's states, its date, and what makes two orders one matter."""

from datetime import datetime, timedelta
from fractions import Fraction
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.dispatch.clocks.domain import ClockRules, Light
from services.dispatch.supervision.domain import (
    KIND_OF,
    OFFERED,
    TRANSITIONS,
    OrderAction,
    OrderState,
    allowed_order_actions,
    deadline_until,
    matter_of,
    next_order_state,
    order_light,
)
from services.dispatch.supervision.errors import OrderDateOver, OrderNotAllowedNow
from shared.pack.model import CityPack
from shared.vocabulary import SupervisionCause
from tests.dispatch.story import MONDAY, local

RULES = ClockRules(warn_share=Fraction(1, 5))


def test_every_action_is_in_the_table_and_every_cause_has_a_kind() -> None:
    assert set(TRANSITIONS) == set(OrderAction)
    assert set(KIND_OF) == set(SupervisionCause)


def test_an_order_leaves_the_ledger_only_by_an_accepted_answer() -> None:
    """Every way from ordered to struck off goes through acknowledged, answered and accepted."""
    for needed in (OrderState.ACKNOWLEDGED, OrderState.ANSWERED, OrderState.ACCEPTED):
        reached = {OrderState.ORDERED}
        for _ in OrderState:
            reached |= {
                after
                for row in TRANSITIONS.values()
                for before, after in row.items()
                if before in reached and after is not needed
            }
        assert OrderState.STRUCK_OFF not in reached


@pytest.mark.parametrize("state", OrderState)
@pytest.mark.parametrize("action", OFFERED)
def test_what_is_refused_names_what_is_allowed(state: OrderState, action: OrderAction) -> None:
    allowed = allowed_order_actions(state)
    if action.value in allowed:
        next_order_state(state, action)
        return
    with pytest.raises(OrderNotAllowedNow) as caught:
        next_order_state(state, action)
    assert caught.value.extra == {"state": state.value, "allowed": allowed}


class TestMatter:
    def test_the_order_of_the_cases_makes_no_other_matter(self) -> None:
        one, two = uuid4(), uuid4()
        cause = SupervisionCause.RED_LIGHT
        first = matter_of(cause, "water", cases=[one, two], subject="a")
        assert first == matter_of(cause, "water", cases=[two, one], subject="b")
        assert first != matter_of(cause, "water", cases=[one], subject="a")
        assert first != matter_of(cause, "roads", cases=[one, two], subject="a")
        assert first != matter_of(SupervisionCause.SHIRKING, "water", cases=[one, two], subject="a")

    def test_two_papers_on_one_case_are_two_matters(self) -> None:
        case = uuid4()
        cause = SupervisionCause.INSTRUCTION
        first = matter_of(cause, "water", cases=[case], subject="批示〔2026〕17 号")
        assert first == matter_of(cause, "water", cases=[case], subject="批示〔2026〕17号")
        assert first != matter_of(cause, "water", cases=[case], subject="批示〔2026〕18 号")

    def test_writing_makes_no_other_matter(self) -> None:
        cause = SupervisionCause.MEETING
        first = matter_of(cause, "water", cases=[], subject="纪要〔2026〕3 号")
        assert first == matter_of(cause, "water", cases=[], subject="纪要〔２０２６〕3号")
        assert first != matter_of(cause, "water", cases=[], subject="纪要〔2026〕4 号")


class TestDate:
    def test_it_turns_yellow_in_the_last_fifth_of_the_working_time(self, qilihe: CityPack) -> None:
        # Monday 09:00 to Tuesday 17:30: 6 hours and 6.5 make 12.5; 10 of them are up at 15:00.
        found = deadline_until(qilihe.calendar, MONDAY, local("2026-06-02 17:30"), RULES)
        assert found.warn_at == local("2026-06-02 15:00")
        assert found.due_at == local("2026-06-02 17:30")

    def test_a_night_without_working_time_is_shared_by_the_hours(self, qilihe: CityPack) -> None:
        found = deadline_until(
            qilihe.calendar, local("2026-06-01 20:00"), local("2026-06-02 06:00"), RULES
        )
        assert found.warn_at == local("2026-06-02 04:00")

    @given(days=st.integers(0, 400))
    def test_a_date_that_has_come_is_refused(self, qilihe: CityPack, days: int) -> None:
        with pytest.raises(OrderDateOver):
            deadline_until(qilihe.calendar, MONDAY, MONDAY - timedelta(days=days), RULES)

    @given(minutes=st.integers(1, 60 * 24 * 200))
    def test_the_warning_lies_between_beginning_and_date(
        self, qilihe: CityPack, minutes: int
    ) -> None:
        due = MONDAY + timedelta(minutes=minutes)
        found = deadline_until(qilihe.calendar, MONDAY, due, RULES)
        assert MONDAY < found.warn_at <= due


@given(minutes=st.integers(-1_000, 1_000), answered=st.none() | st.integers(-1_000, 1_000))
def test_an_answered_order_keeps_the_colour_of_its_answer(
    minutes: int, answered: int | None
) -> None:
    warn, due = MONDAY, MONDAY + timedelta(minutes=100)

    def at(offset: int) -> datetime:
        return MONDAY + timedelta(minutes=offset)

    measured = minutes if answered is None else answered
    expected = Light.RED if measured > 100 else Light.YELLOW if measured >= 0 else Light.GREEN
    found = order_light(warn, due, None if answered is None else at(answered), at(minutes))
    assert found is expected
