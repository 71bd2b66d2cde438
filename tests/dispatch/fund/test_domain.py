"""The ledger against a plain account book: random bookings, refusals and corrections."""

from collections import Counter
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.dispatch.fund.domain import (
    Account,
    Posting,
    Postings,
    after,
    appropriation,
    check_booking,
    claim,
    commitment,
    opposite,
    payment,
    recovery,
    release,
    return_to_fund,
    totals,
    write_off,
)
from services.dispatch.fund.errors import CorrectionNotCovered, FundExceeded

AMOUNTS = st.integers(1, 1_000)
OPERATIONS = st.lists(
    st.tuples(
        st.sampled_from(
            ["appropriate", "commit", "release", "pay", "claim", "recover", "write-off", "undo"]
        ),
        AMOUNTS,
        st.integers(0, 30),
    ),
    max_size=40,
)


@dataclass
class PlainBook:
    """What a cashier would write down: four piles of money and a list of debts."""

    given: int = 0
    back: int = 0
    reserved: int = 0
    paid: int = 0
    owed: Counter[str] = field(default_factory=Counter)

    @property
    def left(self) -> int:
        return self.given + self.back - self.reserved - self.paid

    def do(self, what: str, fen: int, sign: int = 1) -> bool:
        """Do it, or undo it; False, and nothing done, where there is not enough."""
        before = (self.given, self.back, self.reserved, self.paid, Counter(self.owed))
        amount = sign * fen
        match what:
            case "appropriate":
                self.given += amount
            case "commit":
                self.reserved += amount
            case "release":
                self.reserved -= amount
            case "claim":
                self.owed["claimed"] += amount
            case "recover":
                self.owed["in"] += amount
                self.back += amount
            case "write-off":
                self.owed["off"] += amount
        open_debt = self.owed["claimed"] - self.owed["in"] - self.owed["off"]
        if min(self.left, self.reserved, self.paid, open_debt, self.given) >= 0:
            return True
        self.given, self.back, self.reserved, self.paid, self.owed = before
        return False

    def pay(self, fen: int) -> int | None:
        """How much of it came from the reserve; None where there is not enough."""
        kept = min(fen, self.reserved)
        if fen - kept > self.left:
            return None
        self.reserved -= kept
        self.paid += fen
        return kept

    def unpay(self, fen: int, kept: int) -> bool:
        if self.paid < fen:
            return False
        self.paid -= fen
        self.reserved += kept
        return True


def _booked(what: str, fen: int, reserve: int) -> list[Postings]:
    return {
        "appropriate": lambda: [appropriation(fen)],
        "commit": lambda: [commitment(fen)],
        "release": lambda: [release(fen)],
        "pay": lambda: [payment(fen, reserve)],
        "claim": lambda: [claim(fen)],
        "recover": lambda: [recovery(fen), return_to_fund(fen)],
        "write-off": lambda: [write_off(fen)],
    }[what]()


@settings(deadline=None, max_examples=400)
@given(OPERATIONS)
def test_random_bookings_always_balance_and_agree_with_a_plain_book(
    operations: list[tuple[str, int, int]],
) -> None:
    book = PlainBook()
    balances: dict[Account, int] = {}
    done: list[tuple[str, int, int, list[Postings]]] = []
    for what, amount, which in operations:
        fen, undo = amount, what == "undo"
        if undo:
            if not done:
                continue
            name, fen, kept, earlier = done[which % len(done)]
            entries = [opposite(entry) for entry in earlier]
            allowed = book.unpay(fen, kept) if name == "pay" else book.do(name, fen, -1)
        else:
            name = what
            entries = _booked(what, fen, book.reserved)
            kept = 0
            if what == "pay":
                paid_from = book.pay(fen)
                allowed, kept = paid_from is not None, paid_from or 0
            else:
                allowed = book.do(what, fen)
        later = dict(balances)
        try:
            for entry in entries:
                check_booking(later, entry, year=2026, correction=undo)
                later = after(later, entry)
            booked = True
        except (FundExceeded, CorrectionNotCovered):
            booked = False
        assert booked == allowed, (what, name, fen, balances)
        if booked:
            balances = later
            if undo:
                done.pop(which % len(done))
            else:
                done.append((what, fen, kept, entries))
        found = totals(balances)
        assert found.balanced
        assert sum(balances.values()) == 0
        assert (found.fund, found.returned, found.left, found.committed, found.spent) == (
            book.given,
            book.back,
            book.left,
            book.reserved,
            book.paid,
        )
        assert (found.claimed, found.recovered, found.written_off) == (
            book.owed["claimed"],
            book.owed["in"],
            book.owed["off"],
        )


def test_more_than_is_left_is_refused_and_says_how_much_that_is() -> None:
    balances = after({}, appropriation(1_000))
    check_booking(balances, payment(1_000, 0), year=2026)
    with pytest.raises(FundExceeded) as caught:
        check_booking(balances, payment(1_001, 0), year=2026)
    assert caught.value.extra == {"year": 2026, "left_fen": 1_000, "short_fen": 1}


def test_what_is_kept_back_for_an_order_pays_it_first() -> None:
    assert payment(700, 500) == (
        Posting(Account.COMMITTED, -500),
        Posting(Account.SPENT, 500),
        Posting(Account.AVAILABLE, -200),
        Posting(Account.SPENT, 200),
    )


@pytest.mark.parametrize("fen", [0, -1])
def test_nothing_and_less_is_never_moved(fen: int) -> None:
    with pytest.raises(ValueError, match="above nothing"):
        appropriation(fen)


def test_postings_that_do_not_balance_are_no_entry() -> None:
    with pytest.raises(ValueError, match="make zero"):
        check_booking({}, (Posting(Account.AVAILABLE, 1),), year=2026)
