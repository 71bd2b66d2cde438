"""Compares the services' books with what the day should have brought."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeVar

from services.replay.plan import End, Plan, Route


class Kind(StrEnum):
    """What is wrong about a difference."""

    LOST = "lost"
    DOUBLED = "doubled"
    DIFFERENT = "different"


@dataclass(frozen=True, slots=True)
class Difference:
    """Something that a service's book says otherwise.

    Attributes:
        key: of the request; empty for a whole book.
        count: how many requests it is about.
    """

    kind: Kind
    service: str
    key: str
    expected: str
    found: str
    count: int = 1


@dataclass(frozen=True, slots=True)
class ReportEntry:
    """A report in intake's book."""

    id: str
    key: str | None
    state: str
    case_id: str | None
    merged_into: str | None


@dataclass(frozen=True, slots=True)
class CaseEntry:
    """A case in dispatch's book."""

    id: str
    key: str | None
    state: str
    dispatches: int
    failed: int


@dataclass(frozen=True, slots=True)
class TicketEntry:
    """A ticket in the hotline's book."""

    id: str
    key: str | None
    state: str
    progress: str
    case_id: str | None


@dataclass(frozen=True, slots=True)
class SetEntry:
    """A set in assessment's book: how many, and a checksum of which."""

    count: int
    checksum: str


@dataclass(frozen=True, slots=True)
class Books:
    """What the services know, all of it, also what other days brought.

    Attributes:
        sets: assessment's sets of reports and cases by name.
        behind: facts that assessment has not folded yet.
    """

    reports: Sequence[ReportEntry] = ()
    cases: Sequence[CaseEntry] = ()
    tickets: Sequence[TicketEntry] = ()
    sets: Mapping[str, SetEntry] = field(default_factory=dict)
    behind: int = 0


_PROGRESS = {
    End.RECEIVED: frozenset({"received"}),
    End.CHECKING: frozenset({"received"}),
    End.REJECTED: frozenset({"rejected"}),
    End.AWAITING_DISPATCH: frozenset({"registered", "opened"}),
    End.DISPATCHED: frozenset({"dispatched"}),
    End.ACCEPTED: frozenset({"accepted"}),
    End.DEFERRED: frozenset({"accepted"}),
    End.HANDLED: frozenset({"handled"}),
    End.VERIFYING: frozenset({"handled"}),
    End.VERIFIED: frozenset({"verified"}),
    End.CLOSED: frozenset({"closed"}),
    End.VOIDED: frozenset({"voided"}),
}
"""How far a ticket's own timeline comes; a unit's requests are nothing that a caller is told."""


def checksum_of(ids: Iterable[str]) -> str:
    """As assessment does it: SHA-256 of the ids, sorted, joined by line feeds."""
    return hashlib.sha256("\n".join(sorted(ids)).encode()).hexdigest()


def differences(
    plans: Mapping[str, Plan], refused: Mapping[str, str], books: Books
) -> list[Difference]:
    """Everything in which the books are not as planned; empty when all agree.

    Args:
        plans: what should have become of every request.
        refused: requests that were not taken, by key; there must be no trace of them.
        books: of the services.
    """
    checker = _Checker(plans, refused, books)
    return [*checker.of_intake(), *checker.of_dispatch(), *checker.of_hotline(), *_totals(books)]


def counted(found: Iterable[Difference], kind: Kind) -> int:
    return sum(one.count for one in found if one.kind is kind)


class _Checker:
    def __init__(self, plans: Mapping[str, Plan], refused: Mapping[str, str], books: Books) -> None:
        self._plans = plans
        self._refused = refused
        self._reports = _by_key(books.reports)
        self._cases = _by_key(books.cases)
        self._tickets = _by_key(books.tickets)

    def of_intake(self) -> Iterator[Difference]:
        for plan in self._plans.values():
            found = self._reports.get(plan.key, [])
            taken = plan.key not in self._refused
            yield from _number("intake", plan.key, len(found), expected=int(taken))
            if taken and len(found) == 1:
                yield from self._report(plan, found[0])

    def of_dispatch(self) -> Iterator[Difference]:
        for plan in self._plans.values():
            found = self._cases.get(plan.key, [])
            expected = int(plan.becomes_case and plan.key not in self._refused)
            yield from _number("dispatch", plan.key, len(found), expected=expected)
            if expected and len(found) == 1:
                yield from self._case(plan, found[0])

    def of_hotline(self) -> Iterator[Difference]:
        for plan in self._plans.values():
            found = self._tickets.get(plan.key, [])
            expected = int(plan.route is Route.PHONE)
            yield from _number("hotline", plan.key, len(found), expected=expected)
            if expected and len(found) == 1:
                yield from self._ticket(plan, found[0])

    def _report(self, plan: Plan, report: ReportEntry) -> Iterator[Difference]:
        expected = "registered" if plan.becomes_case else plan.end.value
        yield from _same("intake", plan.key, expected, report.state)
        case = next(iter(self._cases.get(plan.key, [])), None)
        if plan.becomes_case and case is not None:
            yield from _same("intake", plan.key, f"case {case.id}", f"case {report.case_id}")
        if plan.into is not None:
            targets = [one.id for one in self._reports.get(plan.into, [])]
            if report.merged_into not in targets:
                expected = f"merged into {plan.into}"
                yield _different("intake", plan.key, expected, f"into {report.merged_into}")

    def _case(self, plan: Plan, case: CaseEntry) -> Iterator[Difference]:
        yield from _same("dispatch", plan.key, plan.end.value, case.state)
        failed, expected = f"{case.failed} failed", f"{plan.fails} failed"
        yield from _same("dispatch", plan.key, expected, failed)

    def _ticket(self, plan: Plan, ticket: TicketEntry) -> Iterator[Difference]:
        if plan.key in self._refused:
            yield from _same("hotline", plan.key, "answered", ticket.state)
            return
        # A merged request goes the way of the one that it was merged into.
        leading = self._plans.get(plan.into or "", plan)
        expected = _PROGRESS[leading.end]
        if ticket.progress not in expected:
            yield _different("hotline", plan.key, " or ".join(sorted(expected)), ticket.progress)


def _totals(books: Books) -> Iterator[Difference]:
    """Assessment against intake and dispatch, whatever brought the reports."""
    reports, cases = books.reports, books.cases
    expected = {
        "reports_received": [one.id for one in reports],
        "reports_registered": [one.id for one in reports if one.state == "registered"],
        "reports_merged": [one.id for one in reports if one.state == "merged"],
        "reports_rejected": [one.id for one in reports if one.state == "rejected"],
        "cases_opened": [one.id for one in cases],
        "cases_closed": [one.id for one in cases if one.state == "closed"],
        "cases_voided": [one.id for one in cases if one.state == "voided"],
        "cases_redispatched": [one.id for one in cases if one.failed and one.dispatches > 1],
    }
    for name, ids in expected.items():
        found = books.sets.get(name)
        if found is None:
            yield _different("assessment", "", name, "not told")
        elif found.count != len(ids):
            kind = Kind.LOST if found.count < len(ids) else Kind.DOUBLED
            texts = f"{len(ids)} {name}", f"{found.count}"
            yield Difference(kind, "assessment", "", *texts, count=abs(len(ids) - found.count))
        elif found.checksum != checksum_of(ids):
            yield _different("assessment", "", f"{name}: the same ones", "other ones")
    if books.behind:
        yield _different("assessment", "", "nothing behind", f"{books.behind} behind")


Entry = TypeVar("Entry", ReportEntry, CaseEntry, TicketEntry)


def _by_key(entries: Iterable[Entry]) -> dict[str, list[Entry]]:
    found: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        if entry.key is not None:
            found[entry.key].append(entry)
    return found


def _number(service: str, key: str, found: int, *, expected: int) -> Iterator[Difference]:
    if found < expected:
        yield Difference(Kind.LOST, service, key, f"{expected}", f"{found}")
    elif found > expected:
        texts = f"{expected}", f"{found}"
        yield Difference(Kind.DOUBLED, service, key, *texts, count=found - expected)


def _same(service: str, key: str, expected: str, found: str) -> Iterator[Difference]:
    if expected != found:
        yield _different(service, key, expected, found)


def _different(service: str, key: str, expected: str, found: str) -> Difference:
    return Difference(Kind.DIFFERENT, service, key, expected, found)


def tally(plans: Mapping[str, Plan], books: Books) -> dict[str, int]:
    """Counts of this day's requests, from the services' books and not from the plan."""
    reports = [one for one in books.reports if one.key in plans]
    states = Counter(one.state for one in reports)
    cases = [one for one in books.cases if one.key in plans]
    return {
        "reports": len(reports),
        "registered": states["registered"],
        "merged": states["merged"],
        "rejected": states["rejected"],
        "closed": sum(one.state == "closed" for one in cases),
        "redispatched": sum(bool(one.failed) and one.dispatches > 1 for one in cases),
    }


def open_cases(plans: Mapping[str, Plan], books: Books) -> dict[str, int]:
    """This day's open cases by state."""
    over = {"closed", "voided"}
    states = (one.state for one in books.cases if one.key in plans and one.state not in over)
    return dict(sorted(Counter(states).items()))
