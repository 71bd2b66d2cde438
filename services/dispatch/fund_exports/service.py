"""Writes the ledger of a year into a file."""

import csv
import io
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from services.dispatch.fund.domain import Posting
from services.dispatch.fund.repository import FundRepository
from services.dispatch.fund.schemas import EntryView, LedgerView
from services.dispatch.fund.service import ledger_of
from services.dispatch.fund_exports.domain import (
    HEADER,
    Booked,
    Cell,
    money,
    row_of,
    sum_row,
)
from services.dispatch.fund_exports.schemas import LedgerDocument
from shared.spreadsheets import harmless
from shared.web.paging import MAX_LIMIT, PageRequest, page_of

_TOTALS = (
    ("基金总额 Fund", "fund_fen"),
    ("追缴回拨 Returned", "returned_fen"),
    ("预留 Committed", "committed_fen"),
    ("支出 Spent", "spent_fen"),
    ("结余 Left", "left_fen"),
    ("追缴立项 Claimed", "claimed_fen"),
    ("待追缴 To recover", "to_recover_fen"),
    ("已追缴 Recovered", "recovered_fen"),
    ("核销 Written off", "written_off_fen"),
)


async def document_of(repository: FundRepository, year: int) -> LedgerDocument:
    """Totals and every entry of a year, read in one transaction.

    Raises:
        NoSuchFund: nothing was ever booked in it.
    """
    ledger = await ledger_of(repository, year)
    entries: list[EntryView] = []
    cursor: str | None = None
    while True:
        request = PageRequest(limit=MAX_LIMIT, cursor=cursor)
        rows = await repository.page(request, year)
        found = await repository.postings_by_entry([row.id for row in rows])
        page = page_of(
            rows,
            request,
            lambda row: (row.number,),
            lambda row, found=found: EntryView.of(row, found[row.id]),  # type: ignore[misc]
        )
        entries += page.items
        if page.next_cursor is None:
            return LedgerDocument(**ledger.model_dump(), booked=entries)
        cursor = page.next_cursor


def as_csv(document: LedgerDocument) -> bytes:
    """Comma-separated values in UTF-8 with a mark, so that spreadsheet programs read Chinese."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(HEADER)
    for row in _rows(document):
        writer.writerow([_plain(cell) for cell in row])
    return text.getvalue().encode("utf-8-sig")


def as_xlsx(document: LedgerDocument) -> bytes:
    """A workbook: the totals on one sheet, the entries on the other; numbers stay numbers."""
    # Loaded when a spreadsheet is asked for: no other request needs it.
    import xlsxwriter  # noqa: PLC0415

    file = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    book = xlsxwriter.Workbook(file, options)
    bold = book.add_format({"bold": True})
    formats = {
        Decimal: book.add_format({"num_format": "#,##0.00"}),
        date: book.add_format({"num_format": "yyyy-mm-dd"}),
    }
    totals = book.add_worksheet("总账 Totals")
    totals.set_column(0, 1, 26)
    totals.write_string(0, 0, f"{document.year} 年度代整治资金台账", bold)
    for line, (title, cell) in enumerate(_total_lines(document), start=1):
        totals.write_string(line, 0, title)
        _write(totals, line, 1, cell, formats)
    sheet = book.add_worksheet("明细 Entries")
    sheet.freeze_panes(1, 0)
    sheet.set_column(0, len(HEADER) - 1, 16)
    for column, title in enumerate(HEADER):
        sheet.write_string(0, column, title, bold)
    for line, row in enumerate(_rows(document), start=1):
        for column, cell in enumerate(row):
            _write(sheet, line, column, cell, formats)
    book.close()
    return file.getvalue()


def _write(sheet: Any, line: int, column: int, cell: Cell, formats: dict[type, Any]) -> None:
    if cell is None:
        return
    if isinstance(cell, date):
        sheet.write_datetime(line, column, cell, formats[date])
    elif isinstance(cell, Decimal):
        # Sixteen digits are written: every amount that can be booked, to the fen.
        sheet.write_number(line, column, cell, formats[Decimal])
    elif isinstance(cell, int):
        sheet.write_number(line, column, cell)
    else:
        sheet.write_string(line, column, cell)


def _total_lines(document: LedgerView) -> list[tuple[str, Cell]]:
    return [(title, money(getattr(document, name))) for title, name in _TOTALS]


def _rows(document: LedgerDocument) -> Sequence[tuple[Cell, ...]]:
    numbers = {entry.id: entry.number for entry in document.booked}
    booked = [
        Booked(
            number=entry.number,
            day=entry.day,
            kind=entry.kind,
            case_number=entry.case_number,
            unit=entry.unit,
            basis=entry.basis,
            reference=entry.reference,
            corrects=numbers.get(entry.corrects) if entry.corrects else None,
            fen=entry.amount_fen,
            postings=tuple(Posting(item.account, item.fen) for item in entry.postings),
        )
        for entry in document.booked
    ]
    return [*(row_of(entry) for entry in booked), sum_row(booked)]


def _plain(cell: Cell) -> str:
    if cell is None:
        return ""
    return harmless(cell) if isinstance(cell, str) else str(cell)
