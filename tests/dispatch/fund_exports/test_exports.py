"""The ledger as files: the same figures, exact to the fen, and nothing that runs."""

import csv
import io
import zipfile
from decimal import Decimal
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.dispatch.fund_exports.domain import money
from shared.spreadsheets import harmless
from shared.vocabulary import Role
from tests.dispatch.story import UNIT, Story

OFFICE = "leading-group"
SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


async def _booked(story: Story) -> Any:
    leader = story.someone(Role.LEADER, name="leader-1", unit=OFFICE)
    path = "/funds/2026/appropriations"
    await story.post(leader, path, 201, amount_fen=123_456_789_07, basis="=cmd()|'x'!A1")
    wrong = await story.post(leader, path, 201, amount_fen=1, basis="录错")
    order = {"unit": UNIT, "basis": "纪要", "reason": "无责任主体", "estimate_fen": 1_999}
    await story.post(story.dispatcher, f"/cases/{await story.opened()}/remediation", 201, **order)
    await story.post(leader, f"/ledger-entries/{wrong['id']}/correction", 201, reason="录错")
    return leader


def _parsed(text: str | bytes) -> ET.Element:
    return ET.fromstring(text)  # noqa: S314 - our own file


def _sheets(content: bytes) -> list[list[list[str]]]:
    """Every sheet as rows of cell texts, read from the file's own parts."""
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        shared = ["".join(node.itertext()) for node in _parsed(file.read("xl/sharedStrings.xml"))]
        found = []
        names = sorted(name for name in file.namelist() if name.startswith("xl/worksheets/sheet"))
        for name in names:
            text = file.read(name).decode()
            assert "<f>" not in text
            rows = []
            for row in _parsed(text).iter(f"{SHEET}row"):
                cells = []
                for cell in row.iter(f"{SHEET}c"):
                    value = cell.find(f"{SHEET}v")
                    raw = "" if value is None else value.text or ""
                    cells.append(shared[int(raw)] if cell.get("t") == "s" else raw)
                rows.append(cells)
            found.append(rows)
        return found


async def test_the_spreadsheet_has_the_totals_and_every_entry(story: Story) -> None:
    leader = await _booked(story)
    answer = await leader.get("/funds/2026/export")
    assert answer.headers["content-type"].startswith("application/vnd.openxmlformats")
    assert 'filename="ledger-2026.xlsx"' in answer.headers["content-disposition"]
    totals, entries = _sheets(answer.content)
    assert ["基金总额 Fund", "123456789.07"] in totals
    assert ["预留 Committed", "19.99"] in totals
    assert ["结余 Left", "123456769.08"] in totals
    assert len(entries) == 1 + 4 + 1
    assert "=cmd()|'x'!A1" in entries[1]
    assert entries[-1][1:5] == ["123456789.07", "0.00", "123456769.08", "19.99"]


async def test_csv_and_json_say_the_same(story: Story) -> None:
    leader = await _booked(story)
    raw = (await leader.get("/funds/2026/export?format=csv")).content
    assert raw.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(raw.decode("utf-8-sig"))))
    document = (await leader.get("/funds/2026/export?format=json")).json()
    assert [row["金额 Amount"] for row in rows[:-1]] == [
        str(Decimal(entry["amount_fen"]) / 100) if entry["amount_fen"] % 100 else "0.00"
        for entry in document["booked"]
    ]
    assert rows[-1]["结余 Left"] == str(money(document["left_fen"]))
    assert rows[0]["事由 Basis"] == "'=cmd()|'x'!A1"
    assert rows[3]["更正 Corrects"] == "2"
    assert document["balanced"] is True


async def test_a_year_without_a_ledger_is_named(story: Story) -> None:
    leader = await _booked(story)
    answer = await leader.get("/funds/2031/export")
    assert answer.status_code == 404
    assert (answer.json()["code"], "2026" in answer.json()["detail"]) == ("fund-not-found", True)


@pytest.mark.parametrize("role", [Role.HANDLER, Role.AGENT, Role.OPERATOR])
async def test_the_ledger_is_not_for_everybody(story: Story, role: Role) -> None:
    await _booked(story)
    client = story.someone(role, unit=UNIT)
    assert (await client.get("/funds/2026/export")).status_code == 403


@given(st.integers(-(10**15), 10**15))
def test_money_is_exact(fen: int) -> None:
    assert money(fen) * 100 == fen
    assert str(money(fen)).split(".")[1] == f"{abs(fen) % 100:02}"


@given(st.text())
def test_no_text_begins_a_formula(text: str) -> None:
    shown = harmless(text)
    assert not shown.startswith(("=", "+", "-", "@", "\t", "\r"))
    assert shown.removeprefix("'") == text.removeprefix("'")
