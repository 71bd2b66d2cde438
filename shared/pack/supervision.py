"""Reads what a pack says about supervision orders and the rules that open them."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from shared.pack.model import OrderTerms, SupervisionSettings, Text
from shared.pack.reading import FaultList, Settings, read_settings
from shared.vocabulary import SupervisionCause, SupervisionLevel
from shared.worktime import Limit, LimitNotUnderstood

BY_RULE = frozenset(SupervisionCause) - {SupervisionCause.MEETING, SupervisionCause.IMPORTANT}
"""Causes that a rule can find by itself; the others are for people to see."""

MAX_TIMES = 100
MAX_DAYS = 3_660
MAX_METRES = 100_000


def read_supervision(folder: Path, faults: FaultList) -> SupervisionSettings | None:
    """The settings of supervision.toml, or None with faults that name the lines."""
    settings = read_settings(folder / "supervision.toml", faults)
    if settings is None:
        return None
    before = len(faults)
    terms: dict[SupervisionCause, OrderTerms] = {}
    numbers: dict[str, Any] = {}
    by_rule = set()
    for cause in SupervisionCause:
        table = settings.table(cause.value)
        if not table.keys():
            continue
        found = _terms(table)
        if found is not None:
            terms[cause] = found
        if cause in BY_RULE and table.flag("on"):
            by_rule.add(cause)
        if cause in _PARAMETERS:
            numbers |= _PARAMETERS[cause](table)
        table.refuse_the_rest()
    settings.refuse_the_rest()
    if len(faults) > before:
        return None
    return SupervisionSettings(terms=terms, by_rule=frozenset(by_rule), **numbers)


def _terms(table: Settings) -> OrderTerms | None:
    level, answer = table.text("level"), _limit(table, "answer")
    asked = table.table("asked")
    text = Text(asked.text("zh"), asked.text("en")) if asked.keys() else Text("", "")
    asked.refuse_the_rest()
    levels = [known.value for known in SupervisionLevel]
    if level and level not in levels:
        table.fault("level", f"level is '{level}'; the levels are {', '.join(levels)}")
        return None
    return (
        None if answer is None or not level else OrderTerms(SupervisionLevel(level), answer, text)
    )


def _limit(table: Settings, key: str) -> Limit | None:
    """A limit above nothing; an order without one would never be due."""
    value = table.text(key)
    if not value:
        return None
    try:
        limit = Limit.parse(value)
    except LimitNotUnderstood as error:
        table.fault(key, f"{key}: {error.message}")
        return None
    if not limit.amount:
        table.fault(key, f"{key} is {value}; it must be above 0")
        return None
    return limit


def _complaints(table: Settings) -> dict[str, Any]:
    return {
        "complaints": table.whole("times", 2, MAX_TIMES),
        "complaint_days": table.whole("window_days", 1, MAX_DAYS),
        "complaint_radius_m": float(table.number("radius_m", 0, MAX_METRES)),
    }


_PARAMETERS: Mapping[SupervisionCause, Callable[[Settings], dict[str, Any]]] = {
    SupervisionCause.FAILED_VERIFICATION: lambda table: {
        "failed_verifications": table.whole("times", 1, MAX_TIMES)
    },
    SupervisionCause.SHIRKING: lambda table: {"returns": table.whole("times", 1, MAX_TIMES)},
    SupervisionCause.NOT_ACCEPTED: lambda table: {"acceptance": _limit(table, "within")},
    SupervisionCause.REPEATED_COMPLAINT: _complaints,
}
