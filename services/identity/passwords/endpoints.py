"""Passwords and one-time codes over HTTP."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response

from services.identity.accounts.domain import as_login
from services.identity.passwords.auth import ActingOneself, SecurityAdministrator
from services.identity.passwords.schemas import OneTimeCode, PasswordChange, PasswordReset
from services.identity.passwords.service import PasswordService
from shared.errors import MinqingError
from shared.web.policy import anyone
from shared.web.problems import problem
from shared.web.route import CommandRoute, KeylessCommandRoute, RuntimeDep, WorkDep

router = APIRouter(tags=["passwords"], route_class=KeylessCommandRoute)
administration = APIRouter(tags=["passwords"], route_class=CommandRoute)


def refused(request: Request, error: MinqingError, *, scheme: str = "Bearer") -> Response:
    """A refusal as an answer that is committed: raising it would undo the count of failures."""
    headers = {}
    if error.status == 401:  # noqa: PLR2004
        headers["WWW-Authenticate"] = scheme
    extra: dict[str, Any] = dict(error.extra)
    if "retry_after" in extra:
        headers["Retry-After"] = str(extra["retry_after"])
    return problem(
        error.status,
        error.code,
        error.title,
        error.message,
        instance=request.url.path,
        headers=headers,
        **extra,
    )


@router.put("/me/password", status_code=204, response_class=Response)
async def change_password(
    command: PasswordChange,
    work: WorkDep,
    runtime: RuntimeDep,
    oneself: ActingOneself,
    request: Request,
) -> Response:
    """Change one's own password. All sessions end: sign in again with the new one."""
    refusal = await PasswordService(work, runtime).change(
        login=oneself.login or "",
        current_password=command.current_password,
        new_password=command.new_password,
    )
    return refused(request, refusal) if refusal else Response(status_code=204)


@router.post(
    "/password-resets",
    status_code=204,
    response_class=Response,
    dependencies=[Depends(anyone)],
)
async def reset_password(
    command: PasswordReset, work: WorkDep, runtime: RuntimeDep, request: Request
) -> Response:
    """Exchange a one-time code for a password of one's own."""
    refusal = await PasswordService(work, runtime).redeem(
        login=as_login(command.login), code=command.code, new_password=command.new_password
    )
    return refused(request, refusal) if refusal else Response(status_code=204)


@router.post("/accounts/{account_id}/one-time-code", status_code=201)
async def issue_one_time_code(
    account_id: UUID, work: WorkDep, runtime: RuntimeDep, _keeper: SecurityAdministrator
) -> OneTimeCode:
    """Make a code for an account, to be handed over in person. The one before no longer counts.

    Sending this again makes another code; the answer is not kept.
    """
    code, expires_at = await PasswordService(work, runtime).issue_code(account_id)
    return OneTimeCode(code=code, expires_at=expires_at)


@administration.post("/accounts/{account_id}/unlocking", status_code=204, response_class=Response)
async def unlock_account(
    account_id: UUID, work: WorkDep, runtime: RuntimeDep, _keeper: SecurityAdministrator
) -> Response:
    """Let somebody try again at once who was locked after too many failures."""
    await PasswordService(work, runtime).unlock(account_id)
    return Response(status_code=204)
