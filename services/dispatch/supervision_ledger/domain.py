"""How the ledger becomes a table that a spreadsheet opens and a person can read."""

import csv
import io
from collections.abc import Iterable, Sequence

from shared.spreadsheets import harmless

HEADINGS = (
    ("督办编号", "number"),
    ("督办事项", "title"),
    ("督办类别", "kind"),
    ("督办原因", "cause"),
    ("督办级别", "level"),
    ("责任单位代码", "unit"),
    ("责任单位", "unit name"),
    ("案卷编号", "cases"),
    ("督办要求", "asked"),
    ("来源", "source"),
    ("文号", "reference"),
    ("下达时间", "ordered at"),
    ("签收时间", "acknowledged at"),
    ("原定期限", "first due at"),
    ("现行期限", "due at"),
    ("灯色", "light"),
    ("状态", "state"),
    ("答复时间", "answered at"),
    ("按期", "in time"),
    ("销号时间", "struck off at"),
    ("通报", "bulletin"),
)
"""Columns of the table, in Chinese and English."""


def table(rows: Iterable[Sequence[str]], *, chinese: bool) -> str:
    """Headings and rows as RFC 4180 text."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow([zh if chinese else en for zh, en in HEADINGS])
    writer.writerows([harmless(text) for text in row] for row in rows)
    return out.getvalue()
