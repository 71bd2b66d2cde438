"""Whom an alarm reaches, held to rules written down a second time."""

from hypothesis import given
from hypothesis import strategies as st

from services.hotline.alarms.domain import Roster, channels_for, told_at_once, told_next
from shared.messages.message import Channel
from shared.pack.model import EmergencyRules

NAMES = st.lists(st.sampled_from(["shift1", "shift2", "shift3", "boss1", "boss2"]), max_size=6)
SHIFT = ["shift1", "shift2", "shift3"]


@st.composite
def rules(draw: st.DrawFn) -> EmergencyRules:
    return EmergencyRules(
        leaders=tuple(draw(NAMES)),
        escalation=tuple(draw(NAMES)),
        acknowledge_minutes=3,
        rounds=draw(st.integers(min_value=0, max_value=3)),
        sources=frozenset(),
        default_condition="",
        papers={},
    )


@st.composite
def rosters(draw: st.DrawFn) -> Roster:
    on_duty = draw(st.lists(st.sampled_from(SHIFT), unique=True, max_size=2))
    return Roster(on_duty=tuple(on_duty), shift_leaders=tuple(SHIFT))


@given(rules(), rosters())
def test_the_leader_on_duty_and_every_named_leader_are_told_once(
    chosen: EmergencyRules, roster: Roster
) -> None:
    told = told_at_once(chosen, roster)

    assert len(told) == len(set(told))
    expected = set(chosen.leaders) | (set(roster.on_duty) if roster.on_duty else set(SHIFT))
    assert set(told) == expected


@given(rules(), rosters())
def test_escalation_goes_through_everybody_who_is_not_off_duty_so_many_times_and_ends(
    chosen: EmergencyRules, roster: Roster
) -> None:
    walked = []
    for step in range(1, 100):
        login = told_next(chosen, roster, step)
        if login is None:
            break
        walked.append(login)

    once = []
    for login in chosen.escalation:
        off_duty = login in SHIFT and roster.on_duty and login not in roster.on_duty
        if login not in once and not off_duty:
            once.append(login)
    assert walked == once * chosen.rounds


@given(st.sets(st.sampled_from(Channel)), st.sets(st.sampled_from([Channel.EMAIL, Channel.SMS])))
def test_somebody_is_told_by_every_way_that_reaches_them_and_never_by_none(
    ready: set[Channel], reachable: set[Channel]
) -> None:
    chosen = channels_for([channel for channel in Channel if channel in ready], reachable)

    assert set(chosen) <= ready
    assert ready & reachable <= set(chosen)
    assert bool(chosen) == bool(ready)
    assert (Channel.CONSOLE in chosen) == (Channel.CONSOLE in ready)
    unreachable = set(chosen) - reachable - {Channel.CONSOLE}
    assert len(unreachable) <= (0 if ready & reachable else 1)
