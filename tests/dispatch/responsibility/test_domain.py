"""The order of candidate units, against an oracle that knows nothing of sorting rungs."""

from hypothesis import given, settings
from hypothesis import strategies as st

from services.dispatch.responsibility.domain import (
    PastDispatch,
    Reason,
    ReasonKind,
    Settled,
    Voice,
    candidates,
    settled_voices,
)
from shared.pack.model import CandidateRung
from tests.dispatch.story import MONDAY

UNITS = st.sampled_from(["a", "b", "c", "d", "e"])
RUNGS = list(CandidateRung)
VOICES = st.lists(st.tuples(st.sampled_from(RUNGS), UNITS), max_size=14)


def _voices(spoken: list[tuple[CandidateRung, str]]) -> list[Voice]:
    return [
        Voice(rung, unit, Reason(ReasonKind.CLASS, str(number), str(number)))
        for number, (rung, unit) in enumerate(spoken)
    ]


@settings(deadline=None)
@given(spoken=VOICES, order=st.permutations(RUNGS), returned=st.lists(UNITS))
def test_each_rung_is_gone_through_in_the_citys_order_and_returners_come_last(
    spoken: list[tuple[CandidateRung, str]], order: list[CandidateRung], returned: list[str]
) -> None:
    # By hand: walk down the rungs and write down each unit when it is first heard of.
    heard: list[str] = []
    said: dict[str, list[str]] = {}
    for rung in order:
        for number, (spoke_on, unit) in enumerate(spoken):
            if spoke_on is rung:
                if unit not in heard:
                    heard.append(unit)
                said.setdefault(unit, []).append(str(number))
    wanted = [unit for unit in heard if unit not in returned]
    wanted += [unit for unit in heard if unit in returned]

    found = candidates(
        _voices(spoken), [PastDispatch(unit, "returned") for unit in returned], order
    )
    assert [item.unit for item in found] == wanted
    for item in found:
        against = [ReasonKind.RETURNED_IT] if item.unit in returned else []
        assert [reason.zh for reason in item.reasons[: len(said[item.unit])]] == said[item.unit]
        assert [reason.kind for reason in item.reasons[len(said[item.unit]) :]] == against


@settings(deadline=None)
@given(spoken=VOICES, past=st.lists(st.tuples(UNITS, st.sampled_from(["returned", "failed"]))))
def test_what_failed_goes_to_its_unit_and_nobody_else(
    spoken: list[tuple[CandidateRung, str]], past: list[tuple[str, str]]
) -> None:
    dispatches = [PastDispatch(*item) for item in past]
    found = candidates(_voices(spoken), [*dispatches, PastDispatch("f", "failed")], RUNGS)
    assert [(item.unit, [reason.kind for reason in item.reasons]) for item in found] == [
        ("f", [ReasonKind.FAILED_VERIFICATION])
    ]


@settings(deadline=None)
@given(st.lists(st.tuples(UNITS, st.integers(1, 3)), unique_by=lambda item: item[0]))
def test_the_most_frequent_of_those_who_settled_it_comes_first(
    settled: list[tuple[str, int]],
) -> None:
    voices = settled_voices(Settled(unit, cases, MONDAY) for unit, cases in settled)
    counts = dict(settled)
    shown = [counts[voice.unit] for voice in voices]
    assert shown == sorted(shown, reverse=True)
    assert {voice.unit for voice in voices} == set(counts)
