"""Claims and counter-entries over HTTP."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Response, status
from sqlmodel.ext.asyncio.session import AsyncSession

from services.dispatch.fund.auth import LedgerReader, OfficeLeader, check_office
from services.dispatch.fund.repository import FundRepository
from services.dispatch.fund.schemas import EntryView
from services.dispatch.recoveries.service import RecoveryService
from services.dispatch.remediation.auth import Claimant
from services.dispatch.remediation.domain import RecoveryState
from services.dispatch.remediation.errors import NoSuchRecovery
from services.dispatch.remediation.models import Recovery
from services.dispatch.remediation.repository import RemediationRepository
from services.dispatch.remediation.schemas import (
    ClaimCommand,
    CorrectionAnswer,
    CorrectionCommand,
    ReceiptCommand,
    RecoverySummary,
    RecoveryView,
    WriteOffCommand,
)
from shared.journal import JournalEntry, read_journal
from shared.web.etag import IfMatch, set_etag
from shared.web.paging import Page, PageRequest, page_of, page_request
from shared.web.route import CommandRoute, ReadSessionDep, RuntimeDep, WorkDep
from shared.work import UnitOfWork

router = APIRouter(tags=["recoveries"], route_class=CommandRoute)


async def _recoveries(work: WorkDep, runtime: RuntimeDep) -> RecoveryService:
    return RecoveryService.of(work, runtime)


RecoveriesDep = Annotated[RecoveryService, Depends(_recoveries)]


@router.post("/remediations/{remediation_id}/claims", status_code=status.HTTP_201_CREATED)
async def claim(
    *,
    remediation_id: UUID,
    command: ClaimCommand,
    work: WorkDep,
    service: RecoveriesDep,
    _principal: Claimant,
    response: Response,
) -> RecoveryView:
    """A responsible subject has been found: claim back what was spent, or part of it."""
    row = await service.claim(
        remediation_id,
        subject=command.subject,
        unit=command.unit,
        fen=command.amount_fen,
        basis=command.basis,
    )
    response.headers["Location"] = f"recoveries/{row.id}"
    return await _answer(row, work, response)


@router.post("/recoveries/{recovery_id}/receipts")
async def receive(
    *,
    recovery_id: UUID,
    command: ReceiptCommand,
    work: WorkDep,
    service: RecoveriesDep,
    _principal: Claimant,
    response: Response,
    if_match: IfMatch = None,
) -> RecoveryView:
    """Book money that has come in for a claim."""
    row = await service.receive(
        recovery_id,
        fen=command.amount_fen,
        received_on=command.received_on,
        reference=command.reference,
        if_match=if_match,
    )
    return await _answer(row, work, response)


@router.post("/recoveries/{recovery_id}/write-off")
async def write_off(
    *,
    recovery_id: UUID,
    command: WriteOffCommand,
    work: WorkDep,
    runtime: RuntimeDep,
    service: RecoveriesDep,
    principal: OfficeLeader,
    response: Response,
    if_match: IfMatch = None,
) -> RecoveryView:
    """Give up what is still owed; for a leader of the office, with a reason."""
    check_office(principal, runtime.pack.responsibility.office)
    row = await service.write_off(recovery_id, reason=command.reason, if_match=if_match)
    return await _answer(row, work, response)


@router.post("/ledger-entries/{entry_id}/correction", status_code=status.HTTP_201_CREATED)
async def correct_entry(
    *,
    entry_id: UUID,
    command: CorrectionCommand,
    work: WorkDep,
    runtime: RuntimeDep,
    service: RecoveriesDep,
    principal: OfficeLeader,
) -> CorrectionAnswer:
    """Undo a wrong entry by its opposite; for a leader of the office, with a reason."""
    check_office(principal, runtime.pack.responsibility.office)
    booked = await service.correct(entry_id, reason=command.reason)
    await work.settle()
    found = await service.fund.repository.postings_by_entry([row.id for row in booked])
    return CorrectionAnswer(entries=[EntryView.of(row, found[row.id]) for row in booked])


@router.get("/recoveries")
async def list_recoveries(
    *,
    session: ReadSessionDep,
    _principal: LedgerReader,
    page: Annotated[PageRequest, Depends(page_request)],
    state: RecoveryState | None = None,
) -> Page[RecoverySummary]:
    """Claims, the oldest first."""
    rows = await RemediationRepository(session).page_of_recoveries(page, state=state)
    return page_of(rows, page, lambda row: (row.id,), RecoverySummary.of)


@router.get("/recoveries/{recovery_id}")
async def get_recovery(
    *, recovery_id: UUID, session: ReadSessionDep, _principal: LedgerReader, response: Response
) -> RecoveryView:
    """A claim with what has come in, what was given up and what is owed."""
    row = await RemediationRepository(session).recovery(recovery_id)
    if row is None:
        raise NoSuchRecovery("There is no such claim.")
    set_etag(response, row)
    return await _view(row, session)


@router.get("/recoveries/{recovery_id}/journal")
async def get_recovery_journal(
    recovery_id: UUID, session: ReadSessionDep, runtime: RuntimeDep, _principal: LedgerReader
) -> list[JournalEntry]:
    """Who did what, when and why; oldest first."""
    return await read_journal(session, runtime.tables, Recovery.__tablename__, recovery_id)


async def _answer(row: Recovery, work: UnitOfWork, response: Response) -> RecoveryView:
    await work.settle()
    set_etag(response, row)
    return await _view(row, work.session)


async def _view(row: Recovery, session: AsyncSession) -> RecoveryView:
    balances = await FundRepository(session).balances_of_recovery(row.id)
    return RecoveryView.with_amounts(row, balances)
