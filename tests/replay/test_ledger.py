"""The comparison of the books: it finds what is planted."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from services.replay.ledger import (
    Books,
    CaseEntry,
    Difference,
    Kind,
    ReportEntry,
    SetEntry,
    TicketEntry,
    checksum_of,
    counted,
    differences,
    open_cases,
    tally,
)
from services.replay.plan import End, Plan
from tests.replay.test_deeds import plan

PLANS = {
    one.key: one
    for one in (
        plan(End.CLOSED, key="1"),
        plan(End.CLOSED, key="2", fails=1),
        plan(End.DISPATCHED, key="3"),
        plan(End.REJECTED, key="4"),
        plan(End.MERGED, key="5", into="1"),
        plan(End.CLOSED, key="6"),
    )
}
REFUSED = {"6": "place-missing"}


def sets_of(reports: list[ReportEntry], cases: list[CaseEntry]) -> dict[str, SetEntry]:
    def of(ids: list[str]) -> SetEntry:
        return SetEntry(len(ids), checksum_of(ids))

    def in_state(state: str) -> SetEntry:
        return of([one.id for one in reports if one.state == state])

    return {
        "reports_received": of([one.id for one in reports]),
        "reports_registered": in_state("registered"),
        "reports_merged": in_state("merged"),
        "reports_rejected": in_state("rejected"),
        "cases_opened": of([one.id for one in cases]),
        "cases_closed": of([one.id for one in cases if one.state == "closed"]),
        "cases_voided": of([one.id for one in cases if one.state == "voided"]),
        "cases_redispatched": of([one.id for one in cases if one.failed]),
    }


def good_books() -> Books:
    reports = [
        ReportEntry("r1", "1", "registered", "c1", None),
        ReportEntry("r2", "2", "registered", "c2", None),
        ReportEntry("r3", "3", "registered", "c3", None),
        ReportEntry("r4", "4", "rejected", None, None),
        ReportEntry("r5", "5", "merged", "c1", "r1"),
        ReportEntry("r9", None, "received", None, None),
    ]
    cases = [
        CaseEntry("c1", "1", "closed", 1, 0),
        CaseEntry("c2", "2", "closed", 2, 1),
        CaseEntry("c3", "3", "dispatched", 1, 0),
    ]
    tickets = [
        TicketEntry("t1", "1", "closed", "closed", "c1"),
        TicketEntry("t2", "2", "closed", "closed", "c2"),
        TicketEntry("t3", "3", "submitted", "dispatched", "c3"),
        TicketEntry("t4", "4", "closed", "rejected", None),
        TicketEntry("t5", "5", "closed", "closed", "c1"),
        TicketEntry("t6", "6", "answered", "none", None),
    ]
    return Books(reports, cases, tickets, sets_of(reports, cases))


def found(books: Books, plans: dict[str, Plan] = PLANS) -> list[Difference]:
    return differences(plans, REFUSED, books)


def without(books: Books, name: str, entry_id: str) -> Books:
    kept = [one for one in getattr(books, name) if one.id != entry_id]
    return replace(books, **{name: kept})


def with_one_more(books: Books, name: str, entry_id: str) -> Books:
    rows = list(getattr(books, name))
    twin = next(replace(one, id=f"{one.id}-again") for one in rows if one.id == entry_id)
    return replace(books, **{name: [*rows, twin]})


def changed(books: Books, name: str, entry_id: str, **fields: object) -> Books:
    rows = [replace(one, **fields) if one.id == entry_id else one for one in getattr(books, name)]
    return replace(books, **{name: rows})


def test_books_as_planned_agree() -> None:
    assert found(good_books()) == []


def test_the_figures_come_from_the_books() -> None:
    assert tally(PLANS, good_books()) == {
        "reports": 5,
        "registered": 3,
        "merged": 1,
        "rejected": 1,
        "closed": 2,
        "redispatched": 1,
    }
    assert open_cases(PLANS, good_books()) == {"dispatched": 1}


@pytest.mark.parametrize(
    ("name", "entry_id", "service"),
    [("reports", "r3", "intake"), ("cases", "c2", "dispatch"), ("tickets", "t1", "hotline")],
)
def test_a_missing_entry_is_lost(name: str, entry_id: str, service: str) -> None:
    result = found(without(good_books(), name, entry_id))
    lost = [one for one in result if one.kind is Kind.LOST]
    assert [(one.service, one.key) for one in lost] == [(service, entry_id[1:])]


@pytest.mark.parametrize(
    ("name", "entry_id", "service"),
    [("reports", "r3", "intake"), ("cases", "c2", "dispatch"), ("tickets", "t1", "hotline")],
)
def test_an_entry_too_many_is_doubled(name: str, entry_id: str, service: str) -> None:
    result = found(with_one_more(good_books(), name, entry_id))
    doubled = [one for one in result if one.kind is Kind.DOUBLED]
    assert (service, entry_id[1:]) in [(one.service, one.key) for one in doubled]


def test_a_refused_request_must_leave_no_report() -> None:
    books = good_books()
    reports = [*books.reports, ReportEntry("r6", "6", "received", None, None)]
    result = found(replace(books, reports=reports, sets=sets_of(reports, list(books.cases))))
    assert [(one.kind, one.service, one.key) for one in result] == [(Kind.DOUBLED, "intake", "6")]


def test_a_case_of_a_rejected_report_is_doubled() -> None:
    books = good_books()
    cases = [*books.cases, CaseEntry("c4", "4", "closed", 1, 0)]
    result = found(replace(books, cases=cases, sets=sets_of(list(books.reports), cases)))
    assert [(one.kind, one.service, one.key) for one in result] == [(Kind.DOUBLED, "dispatch", "4")]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda books: changed(books, "cases", "c3", state="awaiting-dispatch"),
        lambda books: changed(books, "cases", "c2", failed=0),
        lambda books: changed(books, "reports", "r1", case_id="c2"),
        lambda books: changed(books, "reports", "r5", merged_into="r2"),
        lambda books: changed(books, "reports", "r4", state="received"),
        lambda books: changed(books, "tickets", "t5", progress="merged"),
        lambda books: changed(books, "tickets", "t6", state="recorded"),
        lambda books: replace(books, behind=3),
        lambda books: replace(books, sets={}),
    ],
    ids=[
        "stage",
        "failed",
        "case",
        "into",
        "undecided",
        "caller",
        "refused-caller",
        "behind",
        "untold",
    ],
)
def test_what_stands_elsewhere_is_different(spoil: Callable[[Books], Books]) -> None:
    assert counted(found(spoil(good_books())), Kind.DIFFERENT) > 0


def test_assessment_is_compared_with_all_the_others_have() -> None:
    books = good_books()
    closed = books.sets["cases_closed"]
    for count, kind in ((1, Kind.LOST), (4, Kind.DOUBLED)):
        sets = {**books.sets, "cases_closed": replace(closed, count=count)}
        result = found(replace(books, sets=sets))
        assert [(one.kind, one.service) for one in result] == [(kind, "assessment")]
        assert counted(result, kind) == abs(count - 2)
    sets = {**books.sets, "cases_closed": replace(closed, checksum=checksum_of(["c1", "c3"]))}
    result = found(replace(books, sets=sets))
    assert [(one.kind, one.service) for one in result] == [(Kind.DIFFERENT, "assessment")]
