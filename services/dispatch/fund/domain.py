"""Double entry for the yearly fund: amounts in fen, every entry balanced, nothing ever changed.

Money is a whole number of fen, the hundredth of the currency. Each entry moves an amount between
accounts of one year, so its postings make zero. A correction is a new entry with the opposite
postings. Accounts that are sources run below zero by what they have given; no other account ever
does: who would take more out of it than there is, is refused.

Two chains of accounts, each balanced by itself:

- money: appropriated, returned -> available -> committed -> spent, so that
  `fund + returned = left + committed + spent`;
- claims: claimed -> to recover -> recovered or written off, so that
  `claimed = to_recover + recovered + written_off`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from services.dispatch.fund.errors import CorrectionNotCovered, FundExceeded


class Account(StrEnum):
    """Where an amount can be, within one year."""

    APPROPRIATED = "appropriated"
    RETURNED = "returned"
    AVAILABLE = "available"
    COMMITTED = "committed"
    SPENT = "spent"
    CLAIMED = "claimed"
    TO_RECOVER = "to-recover"
    RECOVERED = "recovered"
    WRITTEN_OFF = "written-off"


SOURCES = frozenset({Account.APPROPRIATED, Account.RETURNED, Account.CLAIMED})
"""Accounts that run below zero: what came from them."""


class EntryKind(StrEnum):
    """What an entry records."""

    APPROPRIATION = "appropriation"
    COMMITMENT = "commitment"
    RELEASE = "release"
    PAYMENT = "payment"
    CLAIM = "claim"
    RECOVERY = "recovery"
    RETURN_TO_FUND = "return-to-fund"
    WRITE_OFF = "write-off"
    CORRECTION = "correction"


CORRECTABLE = frozenset(
    {
        EntryKind.APPROPRIATION,
        EntryKind.PAYMENT,
        EntryKind.CLAIM,
        EntryKind.RECOVERY,
        EntryKind.WRITE_OFF,
    }
)
"""Commitments follow their estimate; a return follows its recovery; a correction is done anew."""


@dataclass(frozen=True, slots=True)
class Posting:
    """An amount in fen that an account gains (or, below zero, loses)."""

    account: Account
    fen: int


Postings = tuple[Posting, ...]


def moved(fen: int, source: Account, target: Account) -> Postings:
    """An amount taken from one account to another.

    Raises:
        ValueError: nothing, or less, is to be moved.
    """
    if fen <= 0:
        raise ValueError("an amount above nothing is moved")
    return (Posting(source, -fen), Posting(target, fen))


def appropriation(fen: int) -> Postings:
    """Money is given to the fund."""
    return moved(fen, Account.APPROPRIATED, Account.AVAILABLE)


def commitment(fen: int) -> Postings:
    """Money is kept back for an order."""
    return moved(fen, Account.AVAILABLE, Account.COMMITTED)


def release(fen: int) -> Postings:
    """Money kept back is free again."""
    return moved(fen, Account.COMMITTED, Account.AVAILABLE)


def payment(fen: int, committed: int) -> Postings:
    """A cost is paid: from what is kept back for the order first, the rest from what is free.

    Args:
        fen: the cost.
        committed: what is kept back for this order.
    """
    kept = min(fen, max(committed, 0))
    parts: Postings = ()
    if kept:
        parts += moved(kept, Account.COMMITTED, Account.SPENT)
    if fen > kept:
        parts += moved(fen - kept, Account.AVAILABLE, Account.SPENT)
    return parts


def claim(fen: int) -> Postings:
    """A responsible subject is found: it owes this much."""
    return moved(fen, Account.CLAIMED, Account.TO_RECOVER)


def recovery(fen: int) -> Postings:
    """Part of a claim has come in."""
    return moved(fen, Account.TO_RECOVER, Account.RECOVERED)


def return_to_fund(fen: int) -> Postings:
    """Money that came in goes back into the fund, in the year in which it came in."""
    return moved(fen, Account.RETURNED, Account.AVAILABLE)


def write_off(fen: int) -> Postings:
    """Part of a claim is given up."""
    return moved(fen, Account.TO_RECOVER, Account.WRITTEN_OFF)


def opposite(postings: Iterable[Posting]) -> Postings:
    """The postings that undo others."""
    return tuple(Posting(item.account, -item.fen) for item in postings)


@dataclass(frozen=True, slots=True)
class Totals:
    """The ledger of a year, in fen.

    Attributes:
        fund: appropriated.
        returned: recovered money put back into this year's fund.
        left: free to be committed or paid.
    """

    fund: int
    returned: int
    committed: int
    spent: int
    left: int
    claimed: int
    to_recover: int
    recovered: int
    written_off: int

    @property
    def balanced(self) -> bool:
        """Both chains make zero."""
        money = self.fund + self.returned == self.left + self.committed + self.spent
        return money and self.claimed == self.to_recover + self.recovered + self.written_off


def totals(balances: Mapping[Account, int]) -> Totals:
    """The totals of a year from the balances of its accounts."""

    def of(account: Account) -> int:
        return balances.get(account, 0)

    return Totals(
        fund=-of(Account.APPROPRIATED),
        returned=-of(Account.RETURNED),
        committed=of(Account.COMMITTED),
        spent=of(Account.SPENT),
        left=of(Account.AVAILABLE),
        claimed=-of(Account.CLAIMED),
        to_recover=of(Account.TO_RECOVER),
        recovered=of(Account.RECOVERED),
        written_off=of(Account.WRITTEN_OFF),
    )


def after(balances: Mapping[Account, int], postings: Iterable[Posting]) -> dict[Account, int]:
    """Balances once the postings have been made."""
    found = dict(balances)
    for item in postings:
        found[item.account] = found.get(item.account, 0) + item.fen
    return found


def check_booking(
    balances: Mapping[Account, int], postings: Postings, *, year: int, correction: bool = False
) -> None:
    """Refuse what would take more out of an account than there is.

    Args:
        balances: of the accounts of the year, before.
        postings: of one entry.
        year: of the fund, for the problem.
        correction: whether the entry undoes another one.

    Raises:
        FundExceeded: more is to be committed or paid than the fund has left.
        CorrectionNotCovered: what a correction would take back has gone on already.
        ValueError: the postings do not make zero.
    """
    if sum(item.fen for item in postings):
        raise ValueError("the postings of an entry make zero")
    later = after(balances, postings)
    for account in Account:
        balance = later.get(account, 0)
        overdrawn = balance > 0 if account in SOURCES else balance < 0
        if not overdrawn:
            continue
        short = abs(balance)
        if account is Account.AVAILABLE and not correction:
            left = balances.get(Account.AVAILABLE, 0)
            raise FundExceeded(
                f"The fund of {year} has {left} fen left, {short} too few: have more appropriated,"
                " or release what is committed elsewhere.",
                year=year,
                left_fen=left,
                short_fen=short,
            )
        raise CorrectionNotCovered(
            f"{short} fen of it have gone on already ({account.value}): correct what came after"
            " it first.",
            account=account.value,
            short_fen=short,
        )
