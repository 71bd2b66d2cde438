"""The ledger over HTTP."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path, status

from services.dispatch.fund.auth import LedgerReader, OfficeLeader, check_office
from services.dispatch.fund.domain import EntryKind
from services.dispatch.fund.repository import FundRepository
from services.dispatch.fund.schemas import AppropriationCommand, EntryView, LedgerView
from services.dispatch.fund.service import FundService, ledger_of
from shared.web.paging import Page, PageRequest, page_of, page_request
from shared.web.route import CommandRoute, ReadSessionDep, RuntimeDep, WorkDep

router = APIRouter(prefix="/funds", tags=["fund"], route_class=CommandRoute)

Year = Annotated[int, Path(ge=2000, le=2999, description="of the fund")]


@router.get("")
async def list_funds(*, session: ReadSessionDep, _principal: LedgerReader) -> list[LedgerView]:
    """The totals of every year that has a ledger, oldest first."""
    repository = FundRepository(session)
    return [await ledger_of(repository, year) for year in await repository.years()]


@router.post("/{year}/appropriations", status_code=status.HTTP_201_CREATED)
async def appropriate(
    *,
    year: Year,
    command: AppropriationCommand,
    work: WorkDep,
    runtime: RuntimeDep,
    principal: OfficeLeader,
) -> EntryView:
    """Give money to the fund of a year; for a leader of the office."""
    check_office(principal, runtime.pack.responsibility.office)
    service = FundService.of(work, runtime)
    entry = await service.appropriate(
        year, fen=command.amount_fen, basis=command.basis, reference=command.reference
    )
    return EntryView.of(entry, list(await service.repository.postings_of([entry.id])))


@router.get("/{year}")
async def get_fund(*, year: Year, session: ReadSessionDep, _principal: LedgerReader) -> LedgerView:
    """Fund, committed, spent, left; claimed, to recover, recovered, written off."""
    return await ledger_of(FundRepository(session), year)


@router.get("/{year}/entries")
async def list_entries(
    *,
    year: Year,
    session: ReadSessionDep,
    _principal: LedgerReader,
    page: Annotated[PageRequest, Depends(page_request)],
    kind: EntryKind | None = None,
    remediation: UUID | None = None,
) -> Page[EntryView]:
    """The entries of a year in their order, each with what it does to which account."""
    repository = FundRepository(session)
    rows = await repository.page(page, year, kind=kind, remediation=remediation)
    found = await repository.postings_by_entry([row.id for row in rows])
    return page_of(
        rows, page, lambda row: (row.number,), lambda row: EntryView.of(row, found[row.id])
    )
