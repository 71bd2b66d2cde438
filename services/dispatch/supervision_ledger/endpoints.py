"""The ledger of supervision orders over HTTP: in figures, and as a table to keep."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from services.dispatch.supervision.endpoints import QueryDep
from services.dispatch.supervision_ledger.schemas import LedgerView
from services.dispatch.supervision_ledger.service import LedgerService
from shared.web.route import CommandRoute, ReadSessionDep, RuntimeDep

router = APIRouter(prefix="/supervision-ledger", tags=["supervision"], route_class=CommandRoute)


@router.get("")
async def get_ledger(
    *, session: ReadSessionDep, runtime: RuntimeDep, query: QueryDep
) -> LedgerView:
    """Counts by unit and cause; every order is in one of on_time, late and the three colours."""
    items = await LedgerService(session, runtime.pack).figures(query)
    return LedgerView(at=query.now, items=items)


@router.get("/export", response_class=Response)
async def export_ledger(
    *,
    session: ReadSessionDep,
    runtime: RuntimeDep,
    query: QueryDep,
    language: Annotated[
        str | None, Query(pattern="^(zh|en)$", description="of headings and names")
    ] = None,
) -> Response:
    """The ledger as a table (CSV, UTF-8) that spreadsheets open, oldest first."""
    chosen = language or runtime.pack.city.languages[0]
    text = await LedgerService(session, runtime.pack).table(query, chosen)
    return Response(
        text.encode("utf-8-sig"),
        media_type="text/csv; charset=utf-8",
        headers={
            "Content-Disposition": (
                f'attachment; filename="supervision-ledger-{query.now:%Y%m%d}.csv"'
            )
        },
    )
