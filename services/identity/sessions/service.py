"""Beginning, refreshing and ending sessions."""

from datetime import datetime, timedelta
from uuid import UUID

from services.identity.accounts.domain import is_administrator
from services.identity.accounts.models import Account
from services.identity.accounts.repository import lock_account
from services.identity.accounts.service import AccountService
from services.identity.config import IdentitySettings, identity_settings
from services.identity.keys.service import issue_token
from services.identity.passwords.errors import CredentialsRefused
from services.identity.passwords.models import Credential
from services.identity.passwords.repository import credential_of
from services.identity.passwords.service import Attempts, PasswordService, check_password, is_due
from services.identity.second_factors.errors import SecondFactorRequired
from services.identity.second_factors.service import SecondFactorService
from services.identity.sessions.domain import (
    EndReason,
    Must,
    SessionLimits,
    new_refresh_token,
    reason_to_end,
    refresh_digest,
)
from services.identity.sessions.errors import RefreshRefused
from services.identity.sessions.models import RefreshToken, Session
from services.identity.sessions.repository import (
    end_all,
    forget_old,
    refresh_token,
    session_by_id,
    use_up,
)
from services.identity.sessions.schemas import Tokens
from shared.errors import MinqingError, NotFound
from shared.events.identity import SessionEnded
from shared.inbox.standing import end_standing
from shared.service import Runtime
from shared.work import Actor, UnitOfWork

KEEP_SESSIONS = timedelta(days=2)
_SWEEP = 1_000


def duties_of(
    account: Account, credential: Credential, *, settings: IdentitySettings, now: datetime
) -> list[Must]:
    """What somebody has to do before their tokens carry roles."""
    must = []
    if is_due(credential, now, days=settings.password_days):
        must.append(Must.CHANGE_PASSWORD)
    needs_factor = settings.administrators_need_second_factor and is_administrator(account.roles)
    if needs_factor and credential.factor_confirmed_at is None:
        must.append(Must.ENROL_SECOND_FACTOR)
    return must


class SessionService:
    """A refusal is returned and not raised, because what it leaves behind has to be committed."""

    def __init__(self, work: UnitOfWork, runtime: Runtime) -> None:
        self._work = work
        self._runtime = runtime
        self._settings = identity_settings(runtime)
        self._limits = SessionLimits(
            idle=timedelta(minutes=self._settings.idle_minutes),
            absolute=timedelta(hours=self._settings.absolute_hours),
        )
        self._passwords = PasswordService(work, runtime)
        self._factors = SecondFactorService(work, runtime)

    async def sign_in(
        self, *, login: str, password: str, code: str | None
    ) -> Tokens | MinqingError:
        attempts = Attempts(self._work, self._settings, login)
        # Refused before the costly comparison; `accept` looks again after it, under their locks.
        if await attempts.seem_locked(self._runtime) and (locked := await attempts.locked()):
            return locked
        checked = await check_password(self._runtime, login, password)
        found = await self._passwords.accept(checked, attempts, "sign-in")
        if isinstance(found, MinqingError):
            return found
        account, credential = found
        if credential.factor_confirmed_at is not None:
            if code is None:
                return SecondFactorRequired("Repeat the sign-in with `code`.")
            if not self._factors.takes(credential, code):
                await attempts.failed("sign-in-second-factor", account)
                return CredentialsRefused("Check login, password and code and try again.")
        await attempts.succeeded()
        return await self._begin(account, credential)

    async def _begin(self, account: Account, credential: Credential) -> Tokens:
        now = self._work.now()
        row = Session(
            account_id=account.id,
            started_at=now,
            last_used_at=now,
            source_address=self._work.origin.source_address,
        )
        self._work.session.add(row)
        await self._work.settle()
        self._work.actor = Actor(id=str(account.id), unit=account.unit)
        self._work.audit("sign-in", f"account:{account.id}")
        return await self._tokens(row, account, credential)

    async def refresh(self, token: str) -> Tokens | MinqingError:
        """The next pair of tokens; a token used before ends the whole session."""
        session, digest = self._work.session, refresh_digest(token)
        known = await refresh_token(session, digest)
        row = None if known is None else await session_by_id(session, known.session_id)
        if known is None or row is None:
            self._work.audit("refresh", "session:unknown", succeeded=False)
            return RefreshRefused("This is no refresh token of ours: sign in again.")
        account = await lock_account(session, row.account_id)
        credential = await credential_of(session, row.account_id)
        await session.refresh(row)
        if account is None or credential is None or row.ended_at is not None:
            return RefreshRefused("The session is over: sign in again.")
        self._work.actor = Actor(id=str(account.id), unit=account.unit)
        now = self._work.now()
        if not await use_up(session, digest, now):
            await self._end(row, EndReason.REPLAYED)
            return RefreshRefused("This token was used before, so its session was ended.")
        reason = EndReason.REVOKED if not account.active else self._over(row, account)
        if reason is not None:
            await self._end(row, reason)
            return RefreshRefused("The session is over: sign in again.")
        row.last_used_at = now
        return await self._tokens(row, account, credential)

    async def sign_out(self, session_id: str | None) -> None:
        """End the session that a token belongs to; ended ones stay ended."""
        row = await self._of_token(session_id)
        if row.ended_at is None:
            await self._end(row, EndReason.SIGNED_OUT)

    async def sign_out_everywhere(self, account_id: UUID) -> None:
        account = await lock_account(self._work.session, account_id)
        if account is None:
            raise NotFound("There is no account behind this token.")
        await end_all(self._work.session, account.id, self._work.now())
        await AccountService(self._work, self._runtime).end_sessions(account, "sign-out-all")

    async def _of_token(self, session_id: str | None) -> Session:
        try:
            row = await session_by_id(self._work.session, UUID(session_id or ""))
        except ValueError:
            row = None
        if row is None:
            raise NotFound("There is no session behind this token.")
        await lock_account(self._work.session, row.account_id)
        await self._work.session.refresh(row)
        return row

    def _over(self, row: Session, account: Account) -> EndReason | None:
        return reason_to_end(
            started_at=row.started_at,
            last_used_at=row.last_used_at,
            revoked_at=account.tokens_valid_after,
            now=self._work.now(),
            limits=self._limits,
        )

    async def _end(self, row: Session, reason: EndReason) -> None:
        now = self._work.now()
        row.ended_at, row.end_reason = now, reason.value
        await end_standing(self._work, self._runtime, str(row.id), now)
        self._work.tell(row, SessionEnded(session_id=row.id, ended_at=now))
        self._work.audit(f"session-{reason.value}", f"session:{row.id}")

    async def _tokens(self, row: Session, account: Account, credential: Credential) -> Tokens:
        now = self._work.now()
        must = duties_of(account, credential, settings=self._settings, now=now)
        fresh = new_refresh_token()
        self._work.session.add(
            RefreshToken(digest=refresh_digest(fresh), session_id=row.id, issued_at=now)
        )
        life = timedelta(minutes=self._settings.access_token_minutes)
        access = await issue_token(
            self._runtime,
            subject=str(account.id),
            now=now,
            life=life,
            roles=[] if must else account.roles,
            unit=account.unit,
            login=account.login,
            session=str(row.id),
        )
        return Tokens(
            access_token=access,
            expires_in=int(life.total_seconds()),
            refresh_token=fresh,
            session_id=row.id,
            account_id=account.id,
            must=must,
        )


async def forget_old_sessions(runtime: Runtime) -> None:
    """Delete what no refresh can need any more; the audit keeps the sign-ins."""
    before = runtime.clock.now() - KEEP_SESSIONS
    deleted = _SWEEP
    while deleted >= _SWEEP:
        async with runtime.database.transaction() as session:
            deleted = await forget_old(session, before, _SWEEP)
