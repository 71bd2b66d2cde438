"""Putting candidate units in order, each with everything that speaks for or against it.

Six rungs may speak for a unit: a coordination has decided it for this class on this ground; it
owns, or keeps up, the component that stands there; the responsibility table names it, for its
ground or for the class; it has settled such cases here before; a unit that returned the case has
named it. The city pack says which rung goes before which. A unit stands where the first rung that
names it stands, and is shown with the reasons of all of them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from shared.pack.model import CandidateRung, Text


class ReasonKind(StrEnum):
    """Why a unit is suggested, or what speaks against it. Stable: programs may rely on it."""

    DECIDED = "decided-before"
    OWNER = "owns-component"
    MAINTAINER = "maintains-component"
    TERRITORY = "territory"
    CLASS = "class"
    SETTLED = "settled-before"
    NAMED_IN_RETURN = "named-in-return"
    RETURNED_IT = "returned-it"
    FAILED_VERIFICATION = "failed-verification"


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason, in both languages.

    Attributes:
        reference: what it rests on, if that has a name: a precedent's id, a component's code.
    """

    kind: ReasonKind
    zh: str
    en: str
    reference: str | None = None


@dataclass(frozen=True, slots=True)
class Voice:
    """One thing that speaks for a unit, on its rung."""

    rung: CandidateRung
    unit: str
    reason: Reason


@dataclass(frozen=True, slots=True)
class Settled:
    """How often a unit has settled this class on this ground, and when last."""

    unit: str
    cases: int
    last_at: datetime


@dataclass(frozen=True, slots=True)
class PastDispatch:
    """A dispatch of the same case that did not end it."""

    unit: str
    outcome: str


@dataclass
class Candidate:
    """A unit with everything that speaks for or against it."""

    unit: str
    reasons: list[Reason] = field(default_factory=list)


def candidates(
    voices: Iterable[Voice], past: Iterable[PastDispatch], order: Sequence[CandidateRung]
) -> list[Candidate]:
    """Units in the order in which to think of them, each with its reasons.

    What failed its verification goes back to its unit and nobody else. Otherwise the rungs lead
    in the city's order, and within a rung the order in which the voices are given. Units that
    have returned this very case go to the end.

    Args:
        voices: what speaks for whom; those of one rung with the weightiest first.
        past: earlier dispatches of this case, oldest first.
        order: every rung once, the weightiest first.
    """
    past = list(past)
    if past and past[-1].outcome == "failed":
        return [Candidate(past[-1].unit, [_FAILED])]
    rank = {rung: place for place, rung in enumerate(order)}
    found: dict[str, Candidate] = {}
    for voice in sorted(voices, key=lambda voice: rank[voice.rung]):
        found.setdefault(voice.unit, Candidate(voice.unit)).reasons.append(voice.reason)
    returned = {item.unit for item in past if item.outcome == "returned"}
    for unit in returned & set(found):
        found[unit].reasons.append(_RETURNED)
    return sorted(found.values(), key=lambda candidate: candidate.unit in returned)


_FAILED = Reason(
    ReasonKind.FAILED_VERIFICATION,
    "核查未通过，再次派遣原责任单位",
    "It failed its verification and goes out again to the unit that handled it",
)
_RETURNED = Reason(
    ReasonKind.RETURNED_IT, "该单位已退回本案卷", "This unit has returned this very case"
)


def decision_voice(unit: str, *, reference: str, basis: str, day: date) -> Voice:
    """A coordination has decided it for this class on this ground, and nobody has revoked it."""
    reason = Reason(
        ReasonKind.DECIDED,
        f"本网格同类案卷经协调于 {day} 确定由其负责：{basis}",
        f"A coordination of {day} settled this class on this ground on it: {basis}",
        reference,
    )
    return Voice(CandidateRung.DECISION, unit, reason)


def owner_voice(unit: str, *, component: str, metres: float) -> Voice:
    """It owns a component of the case's class that stands at the place."""
    reason = Reason(
        ReasonKind.OWNER,
        f"部件 {component}（相距 {metres:.0f} 米）的权属单位",
        f"Owns the component {component}, {metres:.0f} m away",
        component,
    )
    return Voice(CandidateRung.OWNER, unit, reason)


def maintainer_voice(unit: str, *, component: str, metres: float) -> Voice:
    """It keeps up a component of the case's class that stands at the place."""
    reason = Reason(
        ReasonKind.MAINTAINER,
        f"部件 {component}（相距 {metres:.0f} 米）的养护单位",
        f"Keeps up the component {component}, {metres:.0f} m away",
        component,
    )
    return Voice(CandidateRung.MAINTAINER, unit, reason)


def table_voice(unit: str, words: Text, *, ground: bool) -> Voice:
    """The responsibility table names it: for its ground, or for the class wherever it is."""
    kind = ReasonKind.TERRITORY if ground else ReasonKind.CLASS
    return Voice(CandidateRung.TABLE, unit, Reason(kind, words.zh, words.en))


def settled_voices(settled: Iterable[Settled]) -> list[Voice]:
    """Units that closed such cases here before, the most frequent first."""
    return [
        Voice(
            CandidateRung.SETTLED,
            item.unit,
            Reason(
                ReasonKind.SETTLED,
                f"本网格同类案卷曾由其办结 {item.cases} 件，最近派遣于 {item.last_at.date()}",
                f"Has settled {item.cases} of this class on this ground,"
                f" last dispatched on {item.last_at.date()}",
            ),
        )
        for item in sorted(settled, key=lambda item: (-item.cases, item.unit))
    ]


def named_voices(named: Mapping[str, str]) -> list[Voice]:
    """Units that were named in returns of this case, each with the reason given there."""
    return [
        Voice(
            CandidateRung.NAMED,
            unit,
            Reason(ReasonKind.NAMED_IN_RETURN, f"退回时被指认：{why}", f"Named in a return: {why}"),
        )
        for unit, why in named.items()
    ]
