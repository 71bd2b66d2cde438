"""Accounts over HTTP."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response

from services.identity.accounts.auth import AccountKeeper, AccountReader
from services.identity.accounts.models import Account
from services.identity.accounts.repository import account_by_id, page_of_accounts
from services.identity.accounts.schemas import (
    AccountChange,
    AccountCreate,
    AccountView,
    Reasoned,
)
from services.identity.accounts.service import AccountService
from services.identity.organisations.schemas import Code
from shared.errors import NotFound
from shared.journal import JournalEntry, read_journal
from shared.web.etag import IfMatch, set_etag
from shared.web.paging import Page, PageRequest, page_of, page_request
from shared.web.route import CommandRoute, ReadSessionDep, RuntimeDep, WorkDep

router = APIRouter(prefix="/accounts", tags=["accounts"], route_class=CommandRoute)


@router.get("")
async def list_accounts(
    session: ReadSessionDep,
    _reader: AccountReader,
    page: Annotated[PageRequest, Depends(page_request)],
    unit: Annotated[Code | None, Query(description="only of this organisation")] = None,
    active: Annotated[bool | None, Query()] = None,
) -> Page[AccountView]:
    """Accounts by their login."""
    rows = await page_of_accounts(session, page, unit=unit, active=active)
    return page_of(rows, page, lambda row: [row.login], _view)


@router.get("/{account_id}")
async def get_account(
    account_id: UUID, session: ReadSessionDep, _reader: AccountReader, response: Response
) -> AccountView:
    """One account."""
    row = await account_by_id(session, account_id)
    if row is None:
        raise NotFound("There is no such account.")
    set_etag(response, row)
    return _view(row)


@router.get("/{account_id}/journal")
async def get_account_journal(
    account_id: UUID, session: ReadSessionDep, runtime: RuntimeDep, _reader: AccountReader
) -> list[JournalEntry]:
    """Who did what to this account, oldest first."""
    return await read_journal(session, runtime.tables, "accounts", account_id)


@router.post("", status_code=201)
async def create_account(
    command: AccountCreate,
    work: WorkDep,
    runtime: RuntimeDep,
    _keeper: AccountKeeper,
    response: Response,
) -> AccountView:
    """Make an account. It has no password: a security administrator hands out a one-time code."""
    row = await AccountService(work, runtime).create(**dict(command))
    response.headers["Location"] = f"accounts/{row.id}"
    return await _changed(row, work, response)


@router.patch("/{account_id}")
async def change_account(
    *,
    account_id: UUID,
    command: AccountChange,
    work: WorkDep,
    runtime: RuntimeDep,
    _keeper: AccountKeeper,
    response: Response,
    if_match: IfMatch = None,
) -> AccountView:
    """Change the named fields; a change of roles or unit ends the sessions of the account."""
    row = await AccountService(work, runtime).change(
        target=account_id,
        changes=command.model_dump(exclude_unset=True, exclude_none=True),
        if_match=if_match,
    )
    return await _changed(row, work, response)


@router.post("/{account_id}/closing")
async def close_account(
    *,
    account_id: UUID,
    command: Reasoned,
    work: WorkDep,
    runtime: RuntimeDep,
    _keeper: AccountKeeper,
    response: Response,
    if_match: IfMatch = None,
) -> AccountView:
    """Close an account; its sessions end everywhere within a minute."""
    row = await AccountService(work, runtime).close(
        target=account_id, reason=command.reason, if_match=if_match
    )
    return await _changed(row, work, response)


@router.post("/{account_id}/reopening")
async def reopen_account(
    *,
    account_id: UUID,
    command: Reasoned,
    work: WorkDep,
    runtime: RuntimeDep,
    _keeper: AccountKeeper,
    response: Response,
    if_match: IfMatch = None,
) -> AccountView:
    """Let the person sign in again."""
    row = await AccountService(work, runtime).reopen(
        target=account_id, reason=command.reason, if_match=if_match
    )
    return await _changed(row, work, response)


async def _changed(row: Account, work: WorkDep, response: Response) -> AccountView:
    await work.settle()
    set_etag(response, row)
    return _view(row)


def _view(row: Account) -> AccountView:
    return AccountView.model_validate(row, from_attributes=True)
