"""Signing in and out over HTTP."""

from datetime import timedelta
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response

from services.identity.accounts.domain import as_login
from services.identity.accounts.repository import account_by_id
from services.identity.config import identity_settings
from services.identity.passwords.auth import ActingOneself, Oneself
from services.identity.passwords.endpoints import refused
from services.identity.passwords.repository import credential_of
from services.identity.second_factors.endpoints import account_of
from services.identity.sessions.repository import open_sessions
from services.identity.sessions.schemas import Me, Refresh, SessionView, SignIn, Tokens
from services.identity.sessions.service import SessionService, duties_of
from shared.errors import MinqingError
from shared.web.policy import anyone
from shared.web.route import KeylessCommandRoute, ReadSessionDep, RuntimeDep, WorkDep

router = APIRouter(tags=["sessions"], route_class=KeylessCommandRoute)


@router.post("/sessions", status_code=201, response_model=Tokens, dependencies=[Depends(anyone)])
async def sign_in(
    command: SignIn, work: WorkDep, runtime: RuntimeDep, request: Request
) -> Tokens | Response:
    """Sign in with a password, and with a code where an authenticator is enrolled."""
    found = await SessionService(work, runtime).sign_in(
        login=as_login(command.login), password=command.password, code=command.code
    )
    return refused(request, found) if isinstance(found, MinqingError) else found


@router.post("/sessions/refresh", response_model=Tokens, dependencies=[Depends(anyone)])
async def refresh_session(
    command: Refresh, work: WorkDep, runtime: RuntimeDep, request: Request
) -> Tokens | Response:
    """Exchange a refresh token for new tokens. Using one twice ends the session."""
    found = await SessionService(work, runtime).refresh(command.refresh_token)
    return refused(request, found) if isinstance(found, MinqingError) else found


@router.get("/sessions")
async def list_sessions(
    session: ReadSessionDep, runtime: RuntimeDep, oneself: Oneself
) -> list[SessionView]:
    """One's own open sessions, the youngest first."""
    since = runtime.clock.now() - timedelta(minutes=identity_settings(runtime).idle_minutes)
    account = await account_by_id(session, account_of(oneself))
    if account is None:
        return []
    return [
        SessionView(
            id=row.id,
            started_at=row.started_at,
            last_used_at=row.last_used_at,
            source_address=row.source_address,
            current=str(row.id) == oneself.session,
        )
        for row in await open_sessions(session, account.id, since)
        if account.tokens_valid_after is None or row.started_at > account.tokens_valid_after
    ]


@router.delete("/sessions/current", status_code=204, response_class=Response)
async def sign_out(work: WorkDep, runtime: RuntimeDep, oneself: ActingOneself) -> Response:
    """Sign out: the tokens of this session count no more, everywhere within a minute."""
    await SessionService(work, runtime).sign_out(oneself.session)
    return Response(status_code=204)


@router.delete("/sessions", status_code=204, response_class=Response)
async def sign_out_everywhere(
    work: WorkDep, runtime: RuntimeDep, oneself: ActingOneself
) -> Response:
    """End all of one's sessions, this one included."""
    await SessionService(work, runtime).sign_out_everywhere(account_of(oneself))
    return Response(status_code=204)


@router.get("/me")
async def get_me(session: ReadSessionDep, runtime: RuntimeDep, oneself: Oneself) -> Me:
    """Who is signed in, and what this token allows."""
    target = _uuid_or_none(oneself.id)
    account = None if target is None else await account_by_id(session, target)
    credential = None if account is None else await credential_of(session, account.id)
    must = []
    if account is not None and credential is not None:
        must = duties_of(
            account, credential, settings=identity_settings(runtime), now=runtime.clock.now()
        )
    return Me(
        id=oneself.id,
        login=oneself.login,
        name_zh=account and account.name_zh,
        name_en=account and account.name_en,
        unit=oneself.unit,
        language=account and account.language,
        roles=sorted(oneself.roles),
        must=must,
        session_id=oneself.session,
    )


def _uuid_or_none(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
