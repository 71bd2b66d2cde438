"""What is done next with a case."""

import itertools
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from services.replay.deeds import CaseNow, Deed, finding_of, is_at_end, next_deed
from services.replay.plan import Ask, End, Plan, Route, Spot

CASE = CaseNow("c", "1", "n", "awaiting-dispatch", None, dispatches=0, rounds=0, failed=0)
ENDS = [
    end
    for end in End
    if end.value
    in {
        "awaiting-dispatch",
        "dispatched",
        "accepted",
        "handled",
        "verifying",
        "verified",
        "closed",
        "voided",
    }
]


def plan(end: End, **more: object) -> Plan:
    fields = {
        "key": "1",
        "route": Route.PHONE,
        "created": datetime(2018, 10, 21, tzinfo=UTC),
        "text": "Noise (SR-1)",
        "spot": Spot(),
        "class_key": None,
        "condition": None,
        "grid": None,
        "unit": "nypd",
        "end": end,
    }
    return Plan(**(fields | more))  # type: ignore[arg-type]


def played(what: Plan) -> Iterator[CaseNow]:
    """The states that a case goes through, told independently of the players' own table."""
    case, done = CASE, set[Deed]()
    for _ in range(60):
        yield case
        deed = next_deed(what, case, done)
        if deed is not None:
            case = _after(deed, what, case)
            done.add(deed)
        elif case.state == "verification-asked":
            case = replace(case, state="verifying")
        elif case.state == "verifying" and (finding := finding_of(what, case.rounds)):
            failed = finding == "failed"
            state = "awaiting-dispatch" if failed else "verified"
            case = replace(case, state=state, failed=case.failed + failed)
        else:
            assert is_at_end(what, case, done)
            return


def _after(deed: Deed, what: Plan, case: CaseNow) -> CaseNow:
    if deed is Deed.DISPATCH:
        return replace(case, state="dispatched", dispatches=case.dispatches + 1)
    if deed in {Deed.ACCEPT_FEEDBACK, Deed.VERIFY_AGAIN}:
        return replace(case, state="verification-asked", rounds=case.rounds + 1)
    if deed is Deed.ASK:
        return replace(case, state=_after_asking(what, case.state))
    states = {
        Deed.ACCEPT: "accepted",
        Deed.REFUSE_FEEDBACK: "accepted",
        Deed.FEED_BACK: "handled",
        Deed.CLOSE: "closed",
        Deed.VOID: "voided",
    }
    return replace(case, state=states[deed])


def _after_asking(what: Plan, state: str) -> str:
    if not what.granted:
        return state
    return {Ask.RETURN: "awaiting-dispatch", Ask.DEFERRAL: "deferred"}.get(what.asks, state)


@given(
    end=st.sampled_from(ENDS),
    fails=st.integers(0, 3),
    refused=st.booleans(),
    asks=st.sampled_from([None, Ask.RETURN, Ask.EXTENSION]),
    granted=st.booleans(),
)
def test_every_case_comes_to_its_end_and_stays_there(
    *, end: End, fails: int, refused: bool, asks: Ask | None, granted: bool
) -> None:
    # Who asks has had the case; only a granted return brings it back to the centre.
    assume(end is not End.AWAITING_DISPATCH or asks is None or (asks is Ask.RETURN and granted))
    what = plan(end, fails=fails, feedback_refused=refused, asks=asks, granted=granted)
    *_, last = played(what)
    assert last.state == end.value


@pytest.mark.parametrize("fails", [0, 1, 2])
def test_a_failed_verification_leads_to_another_dispatch(fails: int) -> None:
    states = list(played(plan(End.CLOSED, fails=fails)))
    assert states[-1].state == "closed"
    assert (states[-1].dispatches, states[-1].failed) == (fails + 1, fails)
    visited = [state for state, _ in itertools.groupby(one.state for one in states)]
    assert visited.count("verifying") == fails + 1


def test_a_granted_deferral_leaves_the_case_deferred() -> None:
    *_, last = played(plan(End.DEFERRED, asks=Ask.DEFERRAL, granted=True))
    assert last.state == "deferred"


def test_nobody_goes_where_the_verification_is_to_stay_open() -> None:
    assert finding_of(plan(End.VERIFYING), 1) is None
    assert finding_of(plan(End.CLOSED, fails=1), 1) == "failed"
    assert finding_of(plan(End.CLOSED, fails=1), 2) == "passed"
