"""Putting candidate units in order: the responsibility table first, then precedents."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class ReasonKind(StrEnum):
    """Why a unit is suggested, or what speaks against it."""

    TABLE = "responsibility-table"
    PRECEDENT = "precedent"
    NAMED_IN_RETURN = "named-in-return"
    RETURNED_IT = "returned-it"
    FAILED_VERIFICATION = "failed-verification"


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason, in both languages."""

    kind: ReasonKind
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Precedent:
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
    table: Sequence[tuple[str, Reason]],
    precedents: Iterable[Precedent],
    past: Iterable[PastDispatch],
    named: Mapping[str, str],
) -> list[Candidate]:
    """Units in the order in which to think of them, each with its reasons.

    What failed its verification goes back to its unit and nobody else. Otherwise the
    responsibility table leads, then precedents, the most frequent first, then units that were
    named in a return; units that have returned this very case go to the end.

    Args:
        table: units of the responsibility table, best first.
        precedents: what was settled before, for the class and ground of the case.
        past: earlier dispatches of this case, oldest first.
        named: units named in returns of this case, with the reason given.
    """
    past = list(past)
    if past and past[-1].outcome == "failed":
        return [Candidate(past[-1].unit, [_FAILED])]
    found: dict[str, Candidate] = {}
    for unit, reason in table:
        found.setdefault(unit, Candidate(unit)).reasons.append(reason)
    for precedent in sorted(precedents, key=lambda item: (-item.cases, item.unit)):
        found.setdefault(precedent.unit, Candidate(precedent.unit)).reasons.append(
            _precedent_reason(precedent)
        )
    for unit, why in named.items():
        reason = Reason(
            ReasonKind.NAMED_IN_RETURN, f"退回时被指认：{why}", f"Named in a return: {why}"
        )
        found.setdefault(unit, Candidate(unit)).reasons.append(reason)
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


def _precedent_reason(precedent: Precedent) -> Reason:
    day = precedent.last_at.date().isoformat()
    return Reason(
        ReasonKind.PRECEDENT,
        f"本网格同类案卷曾由其办结 {precedent.cases} 件，最近派遣于 {day}",
        f"Has settled {precedent.cases} of this class on this ground, last dispatched on {day}",
    )
