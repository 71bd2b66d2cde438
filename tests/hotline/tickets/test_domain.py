"""Where a ticket may go."""

from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from services.hotline.tickets.domain import (
    Competence,
    TicketAction,
    TicketState,
    allowed_actions,
    located,
    next_state,
    ticket_number,
)
from services.hotline.tickets.errors import OutsideCompetence, PlaceMissing, TicketStateForbids
from shared.pack.model import CityPack


class TicketLife(RuleBasedStateMachine):
    """Any row of actions; an independent account of what has happened says what may come next."""

    def __init__(self) -> None:
        super().__init__()
        self.state = TicketState.RECORDED
        self.settled = False
        self.submitted = False
        self.closed = False

    @rule(action=st.sampled_from(TicketAction), competence=st.sampled_from(Competence))
    def act(self, action: TicketAction, competence: Competence) -> None:
        recorded = not self.settled and not self.submitted and not self.closed
        outside = competence != Competence.GOVERNMENT
        possible = {
            TicketAction.CLASSIFY: recorded,
            TicketAction.ANSWER: recorded and not outside,
            TicketAction.REFER: recorded,
            TicketAction.SUBMIT: recorded and not outside,
            TicketAction.WITHDRAW: recorded or (self.submitted and not self.settled),
            TicketAction.REOPEN: self.closed,
        }[action]
        if not possible:
            with pytest.raises((TicketStateForbids, OutsideCompetence)) as refused:
                next_state(self.state, competence, action)
            extra: dict[str, Any] = refused.value.extra
            assert extra["state"] == self.state
            assert action not in extra["allowed"]
            return
        self.state = next_state(self.state, competence, action)
        if action in {TicketAction.ANSWER, TicketAction.REFER, TicketAction.WITHDRAW}:
            self.settled, self.submitted = True, False
        elif action in {TicketAction.SUBMIT, TicketAction.REOPEN}:
            self.submitted, self.closed = True, False

    @rule()
    def case_closes(self) -> None:
        if self.submitted:
            self.state, self.submitted, self.closed = TicketState.CLOSED, False, True

    @invariant()
    def what_is_offered_is_possible(self) -> None:
        for competence in Competence:
            for action in allowed_actions(self.state, competence):
                next_state(self.state, competence, TicketAction(action))


TestTicketLife = TicketLife.TestCase


def test_numbers_grow_beyond_five_digits() -> None:
    assert ticket_number("20260601", 1) == "H2026060100001"
    assert ticket_number("20260601", 123_456) == "H20260601123456"


def test_a_place_is_an_address_or_a_whole_position(qilihe: CityPack) -> None:
    nowhere: dict[str, Any] = {"longitude": None, "latitude": None, "accuracy_m": None}
    with pytest.raises(PlaceMissing):
        located(qilihe, **nowhere, address=None)
    with pytest.raises(PlaceMissing):
        located(qilihe, **{**nowhere, "latitude": 36.0}, address="西津西路")
    assert located(qilihe, **nowhere, address="西津西路").position_source == "address"
    grid = next(iter(qilihe.grids.values()))
    point = grid.polygon.representative_point()
    found = located(qilihe, longitude=point.x, latitude=point.y, accuracy_m=5.0, address=None)
    assert found.grid == grid.code
    far = located(qilihe, longitude=0.0, latitude=0.0, accuracy_m=None, address=None)
    assert far.grid is None
