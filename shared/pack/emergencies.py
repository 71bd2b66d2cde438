"""Reads and checks emergencies.toml: who is told, who stands in, which papers follow."""

from dataclasses import dataclass
from pathlib import Path

from shared.pack.model import EmergencyRules, Paper
from shared.pack.reading import FaultList, Settings, read_settings
from shared.pack.sections import MAX_MINUTES, NO_LIMIT, Head, Tables, settings_limit
from shared.vocabulary import Role
from shared.worktime import Limit

FILE = "emergencies.toml"
MAX_ROUNDS = 100
TOLD = frozenset({Role.SHIFT_LEADER, Role.LEADER})
"""Who may be told of an emergency, and so may acknowledge it."""


@dataclass(frozen=True, slots=True)
class ReadEmergencies:
    """The rules with what is needed to point at their lines."""

    rules: EmergencyRules
    settings: Settings
    registration: Settings


def read_emergencies(folder: Path, faults: FaultList) -> ReadEmergencies | None:
    """Read the file; None with a fault where it cannot be read."""
    settings = read_settings(folder / FILE, faults)
    if settings is None:
        return None
    registration = settings.table("registration")
    papers = settings.table("papers")
    rules = EmergencyRules(
        leaders=settings.texts("leaders"),
        escalation=settings.texts("escalation"),
        acknowledge_minutes=settings.whole("acknowledge_minutes", 1, MAX_MINUTES),
        rounds=settings.whole("rounds", 0, MAX_ROUNDS),
        sources=frozenset(registration.texts("sources")),
        default_condition=registration.text("default_condition"),
        papers={paper: limit for paper in Paper if (limit := _paper_limit(papers, paper))},
    )
    for table in (settings, registration, papers):
        table.refuse_the_rest()
    return ReadEmergencies(rules, settings, registration)


def _paper_limit(papers: Settings, paper: Paper) -> Limit | None:
    limit = settings_limit(papers, paper)
    never = papers.has(paper) and papers.get(paper) == NO_LIMIT
    if never or (limit is not None and not limit.kind.continuous):
        papers.fault(paper, f"papers.{paper} runs day and night: hours, days or minutes")
        return None
    return limit


def check_emergencies(
    read: ReadEmergencies | None, head: Head, tables: Tables, faults: FaultList
) -> None:
    """Add a fault for everybody and everything that is named and does not exist."""
    if read is None:
        return
    _check_people(read, tables, faults)
    known = {source.value.code for source in head.sources}
    for source in sorted(read.rules.sources - known):
        if faults.clean("city.toml"):
            read.registration.fault("sources", f"the source '{source}' is not in city.toml")
    code = read.rules.default_condition
    found = {one.value.code: one.value for one in tables.conditions}.get(code)
    if not faults.clean("rules.csv") or not code:
        return
    if found is None:
        read.registration.fault("default_condition", f"the condition {code} is not in rules.csv")
    elif not found.urgent:
        read.registration.fault("default_condition", f"the condition {code} is not urgent")


def _check_people(read: ReadEmergencies, tables: Tables, faults: FaultList) -> None:
    if not read.rules.leaders and not read.settings.has("leaders"):
        return
    if not read.rules.leaders:
        read.settings.fault("leaders", "leaders names nobody: an emergency has to reach somebody")
    if not faults.clean("people.csv"):
        return
    roles = {one.value.login: one.value.roles for one in tables.people}
    for key in ("leaders", "escalation"):
        for login in getattr(read.rules, key):
            if login not in roles:
                read.settings.fault(key, f"'{login}' is not in people.csv")
            elif TOLD.isdisjoint(roles[login]):
                read.settings.fault(key, f"'{login}' is neither shift leader nor leader")
