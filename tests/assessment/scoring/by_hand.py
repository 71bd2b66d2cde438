"""Scorecards by plain loops over plain lines, written from the definitions by themselves.

Nothing of the product is used: a line is a dictionary as `minqing assess` reads it, with `standing`
beside it, instants are aware, shares are Fractions.
"""

from collections.abc import Sequence
from datetime import datetime
from fractions import Fraction
from math import floor
from typing import Any

Line = dict[str, Any]
KINDS = {
    "repeat": "second_dispatch_at",
    "deferral": "deferral_granted_at",
    "extension": "extension_granted_at",
}


def scorecards_by_hand(
    lines: Sequence[Line],
    start: datetime,
    end: datetime,
    computed_at: datetime,
    parameters: dict[str, Any],
) -> dict[str, dict[str, Any]]:
    """Figures by unit, exact."""
    cards = {}
    for unit in {line["unit"] for line in lines}:
        mine = [line for line in lines if line["unit"] == unit and start <= line["due_at"] < end]
        cards[unit] = _of_unit(mine, computed_at, parameters)
    for unit, card in cards.items():
        card["rank"] = None
        if card["score"] is not None and not card["small_sample"]:
            ranked = [other for other in cards.values() if not other["small_sample"]]
            scores = [other["score"] for other in ranked if other["score"] is not None]
            card["rank"] = sum(score > card["score"] for score in scores) + 1
        card["unit"] = unit
    return cards


def _of_unit(mine: list[Line], computed_at: datetime, parameters: dict[str, Any]) -> dict[str, Any]:
    mine = [line for line in mine if line["standing"] not in ("voided", "excluded")]
    before = [
        line
        for line in mine
        if line["returned_to_other"] == 0 and line["standing"] != "awaiting-dispatch"
    ]
    forgiven = {
        kind: _first(before, granted, parameters["allowance"][kind])
        for kind, granted in KINDS.items()
    }
    verdicts = {
        (line["case"], line["ordinal"]): _verdict(line, forgiven, computed_at) for line in before
    }
    told = list(verdicts.values())
    timely = told.count("timely")
    resolved = told.count("resolved") + timely
    due = told.count("due") + resolved
    score = None
    if due > 0:
        score = 100 * (
            parameters["timely"] * Fraction(timely, due)
            + parameters["resolved"] * Fraction(resolved, due)
        )
    return {
        "due": due,
        "resolved": resolved,
        "timely": timely,
        "timely_rate": Fraction(timely, due) if due else None,
        "resolution_rate": Fraction(resolved, due) if due else None,
        "score": score,
        "small_sample": 0 < due < parameters["rank_minimum"],
        "forgiven": {kind: len(found) for kind, found in forgiven.items()},
        "returned_to_other": sum(line["returned_to_other"] > 0 for line in mine),
        "returns_refused": sum(line["returns_refused"] for line in mine),
        "repeated": sum(line["second_dispatch_at"] is not None for line in before),
        "extended": sum(line["extension_granted_at"] is not None for line in before),
        "deferred": sum(line["deferral_granted_at"] is not None for line in before),
        "false_feedback": sum(line["feedback_refused"] for line in before),
        "verdicts": verdicts,
    }


def _first(before: list[Line], granted: str, share: Fraction) -> list[int]:
    """Which lines the allowance of a kind forgives."""
    candidates = [
        line for line in before if line[granted] is not None and line["standing"] != "acknowledged"
    ]
    candidates.sort(key=lambda line: (line[granted], line["case"], line["ordinal"]))
    return [id(line) for line in candidates[: floor(share * len(before))]]


def _verdict(line: Line, forgiven: dict[str, list[int]], computed_at: datetime) -> str:
    """forgiven, due (not resolved), resolved (not timely) or timely."""
    if line["standing"] == "acknowledged":
        return "timely"
    if id(line) in forgiven["deferral"]:
        return "forgiven"
    if line["closed_at"] is None or line["closed_at"] > computed_at:
        return "due"
    limit = line["limit_seconds"]
    if id(line) in forgiven["extension"]:
        limit += line["extension_seconds"]
    not_forgiven = [
        kind
        for kind, granted in KINDS.items()
        if line[granted] is not None and id(line) not in forgiven[kind]
    ]
    if not_forgiven or line["returned_to_same"] > 0 or line["used_seconds"] > limit:
        return "resolved"
    return "timely"
