"""The ledger as a table: one row an entry, amounts as exact decimals of the currency.

Amounts are whole numbers of fen; shown in the currency they have exactly two decimals and are never
floating-point numbers.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from services.dispatch.fund.domain import SOURCES, Account, EntryKind, Posting

Cell = str | int | Decimal | date | None

FEN = Decimal("0.01")

_COLUMNS: tuple[tuple[str, Account], ...] = (
    ("拨款 Appropriated", Account.APPROPRIATED),
    ("追缴回拨 Returned", Account.RETURNED),
    ("结余 Left", Account.AVAILABLE),
    ("预留 Committed", Account.COMMITTED),
    ("支出 Spent", Account.SPENT),
    ("追缴立项 Claimed", Account.CLAIMED),
    ("待追缴 To recover", Account.TO_RECOVER),
    ("已追缴 Recovered", Account.RECOVERED),
    ("核销 Written off", Account.WRITTEN_OFF),
)
HEADER: tuple[str, ...] = (
    "序号 No.",
    "日期 Date",
    "类别 Kind",
    "案卷编号 Case",
    "单位 Unit",
    "事由 Basis",
    "凭证 Reference",
    "更正 Corrects",
    "金额 Amount",
    *(title for title, _ in _COLUMNS),
)
KIND_WORDS = {
    EntryKind.APPROPRIATION: "拨款 appropriation",
    EntryKind.COMMITMENT: "预留 commitment",
    EntryKind.RELEASE: "释放 release",
    EntryKind.PAYMENT: "支付 payment",
    EntryKind.CLAIM: "追缴立项 claim",
    EntryKind.RECOVERY: "追缴到账 recovery",
    EntryKind.RETURN_TO_FUND: "追缴回拨 return to fund",
    EntryKind.WRITE_OFF: "核销 write-off",
    EntryKind.CORRECTION: "更正 correction",
}


@dataclass(frozen=True, slots=True)
class Booked:
    """An entry as the table shows it; `corrects` is the number of the entry that it undoes."""

    number: int
    day: date
    kind: EntryKind
    case_number: str | None
    unit: str | None
    basis: str
    reference: str | None
    corrects: int | None
    fen: int
    postings: tuple[Posting, ...]


def money(fen: int) -> Decimal:
    """Fen in the currency, exact to two decimals."""
    return fen * FEN


def row_of(entry: Booked) -> tuple[Cell, ...]:
    """An entry as a row; sources are shown as what came from them, so above zero."""
    return (
        entry.number,
        entry.day,
        KIND_WORDS[entry.kind],
        entry.case_number,
        entry.unit,
        entry.basis,
        entry.reference,
        entry.corrects,
        money(entry.fen),
        *(_amount(entry.postings, account) for _, account in _COLUMNS),
    )


def sum_row(entries: Sequence[Booked]) -> tuple[Cell, ...]:
    """The last row: what each account holds, summed from the rows above."""
    postings = [item for entry in entries for item in entry.postings]
    sums = [_amount(postings, account) or money(0) for _, account in _COLUMNS]
    blank: tuple[Cell, ...] = (None,) * (len(HEADER) - len(sums) - 1)
    return ("合计 Total", *blank, *sums)


def _amount(postings: Sequence[Posting], account: Account) -> Decimal | None:
    found = [item.fen for item in postings if item.account is account]
    if not found:
        return None
    return money(-sum(found) if account in SOURCES else sum(found))
