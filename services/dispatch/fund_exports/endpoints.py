"""The ledger of a year as a file over HTTP."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Query, Response

from services.dispatch.fund.auth import LedgerReader
from services.dispatch.fund.endpoints import Year
from services.dispatch.fund.repository import FundRepository
from services.dispatch.fund_exports.schemas import Format
from services.dispatch.fund_exports.service import as_csv, as_xlsx, document_of
from shared.web.route import ReadingRoute, ReadSessionDep

router = APIRouter(prefix="/funds", tags=["fund"], route_class=ReadingRoute)

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@router.get(
    "/{year}/export",
    response_class=Response,
    responses={
        200: {
            "description": "the file",
            "content": {XLSX: {}, "text/csv": {}, "application/json": {}},
        }
    },
)
async def export_ledger(
    *,
    year: Year,
    session: ReadSessionDep,
    _principal: LedgerReader,
    format: Annotated[  # noqa: A002 - the word of the address
        Format, Query(description="xlsx, csv or json")
    ] = "xlsx",
) -> Response:
    """Every entry of a year with its totals, as a spreadsheet, CSV or JSON."""
    document = await document_of(FundRepository(session), year)
    match format:
        case "json":
            content, kind = document.model_dump_json().encode(), "application/json"
        case "csv":
            content, kind = as_csv(document), "text/csv; charset=utf-8"
        case _:
            # A year's workbook takes a while to write; others are answered meanwhile.
            content, kind = await asyncio.to_thread(as_xlsx, document), XLSX
    name = f'attachment; filename="ledger-{year}.{format}"'
    return Response(content, media_type=kind, headers={"Content-Disposition": name})
