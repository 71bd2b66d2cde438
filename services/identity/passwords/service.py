"""Hashing and checking passwords, counting failures, handing out and taking codes."""

import asyncio
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from services.identity.accounts.domain import account_id, as_login
from services.identity.accounts.errors import AccountClosed, OwnAccount
from services.identity.accounts.models import Account
from services.identity.accounts.repository import account_by_login, all_accounts, lock_account
from services.identity.accounts.service import AccountService
from services.identity.config import IdentitySettings, identity_settings
from services.identity.passwords.domain import (
    address_guard,
    code_digest,
    faults_of,
    is_too_old,
    lock_after,
    login_guard,
    new_code,
)
from services.identity.passwords.errors import (
    CredentialsRefused,
    PasswordRefused,
    TooManyFailures,
)
from services.identity.passwords.models import Credential
from services.identity.passwords.repository import (
    accounts_with_password,
    count_failure,
    credential_of,
    credential_or_new,
    forget_failures,
    lock_guards,
    lock_until,
    locks_of,
)
from shared.errors import MinqingError, NotFound
from shared.service import Runtime
from shared.work import Actor, UnitOfWork

FORGET_FAILURES = timedelta(days=1)


class Hashing:
    """argon2id in threads, a few at a time: each takes tens of megabytes and a processor.

    Attributes:
        checks: passwords compared so far.
        asked: passwords that were to be compared so far, those that wait their turn included.
    """

    def __init__(self, settings: IdentitySettings) -> None:
        memory, rounds = settings.argon2_memory_kib, settings.argon2_rounds
        hasher = Argon2Hasher(time_cost=rounds, memory_cost=memory, parallelism=1)
        self._hash = PasswordHash((hasher,))
        self._turns = asyncio.Semaphore(settings.hashing_threads)
        self._decoy: str | None = None
        self.checks = self.asked = 0

    async def hash(self, password: str) -> str:
        async with self._turns:
            return await asyncio.to_thread(self._hash.hash, password)

    async def matches(self, password: str, stored: str | None) -> bool:
        """Whether the password fits; without a stored hash the same work is done in vain."""
        if self._decoy is None:
            self._decoy = await self.hash(secrets.token_urlsafe())
        self.asked += 1
        async with self._turns:
            self.checks += 1
            fits = await asyncio.to_thread(self._hash.verify, password, stored or self._decoy)
        return fits and stored is not None


def hashing_of(runtime: Runtime) -> Hashing:
    """The hashing of this runtime, made once."""
    found = runtime.extras.get("hashing")
    if found is None:
        found = runtime.extras["hashing"] = Hashing(identity_settings(runtime))
    hashing: Hashing = found
    return hashing


class Attempts:
    """Failures of one login from one address, counted and answered with growing locks.

    Args:
        work: of the attempt; a refusal must be returned and not raised, or its count is undone.
        settings: of identity.
        login: as typed, in stored form; None where no person signs in.
    """

    def __init__(self, work: UnitOfWork, settings: IdentitySettings, login: str | None) -> None:
        self._work = work
        self._settings = settings
        self._login = None if login is None else login_guard(login)
        self._address = address_guard(work.origin.source_address)

    @property
    def name(self) -> str:
        """How the audit names what was tried; tells nothing of what was typed."""
        return self._login or self._address

    @property
    def _names(self) -> list[str]:
        return [name for name in (self._login, self._address) if name]

    async def seem_locked(self, runtime: Runtime) -> bool:
        """Whether one of the two is locked, asked without keeping a connection or a lock."""
        async with runtime.database.reading() as session:
            until = await locks_of(session, self._names)
        return any(instant > self._work.now() for instant in until)

    async def locked(self) -> TooManyFailures | None:
        """The refusal, while one of the two is locked; takes their locks in the database."""
        until = [
            guard.locked_until
            for guard in await lock_guards(self._work.session, self._names)
            if guard.locked_until is not None and guard.locked_until > self._work.now()
        ]
        if not until:
            return None
        self._work.audit("refuse-locked", self.name, succeeded=False)
        seconds = int((max(until) - self._work.now()).total_seconds()) + 1
        return TooManyFailures(
            f"Wait {seconds} seconds, or ask a security administrator to unlock the account.",
            retry_after=seconds,
        )

    async def failed(self, action: str, account: Account | None) -> None:
        """Count a failure of login and address, and lock what has too many."""
        about = f"account:{account.id}" if account else self.name
        self._work.audit(action, about, succeeded=False)
        for name, allowed in (
            (self._address, self._settings.address_attempts),
            (self._login, self._settings.sign_in_attempts),
        ):
            if name is not None:
                await self._count(name, allowed, about)

    async def _count(self, name: str, allowed: int, about: str) -> None:
        now = self._work.now()
        failures = await count_failure(self._work.session, name, now, forget=now - FORGET_FAILURES)
        lock = lock_after(
            failures,
            allowed=allowed,
            first=timedelta(minutes=self._settings.lock_minutes),
            longest=timedelta(hours=self._settings.longest_lock_hours),
        )
        if lock:
            await lock_until(self._work.session, name, now + lock)
            self._work.audit("lock", about if name == self._login else name)

    async def succeeded(self) -> None:
        if self._login is not None:
            await forget_failures(self._work.session, self._login)


@dataclass(frozen=True)
class Checked:
    """What was found about a login and a password before any lock was taken."""

    account_id: UUID | None
    password_hash: str | None
    fits: bool


async def check_password(runtime: Runtime, login: str, password: str) -> Checked:
    """Compare a password, holding no connection meanwhile; the same work for unknown logins."""
    async with runtime.database.reading() as session:
        account = await account_by_login(session, login)
        credential = None if account is None else await credential_of(session, account.id)
    stored = None if credential is None else credential.password_hash
    fits = await hashing_of(runtime).matches(password, stored)
    return Checked(None if account is None else account.id, stored, fits)


def is_due(credential: Credential, now: datetime, *, days: int) -> bool:
    """Whether the password has to be changed before anything else is done."""
    changed_at = credential.password_changed_at
    return credential.must_change or changed_at is None or is_too_old(changed_at, now, days=days)


class PasswordService:
    def __init__(self, work: UnitOfWork, runtime: Runtime) -> None:
        self._work = work
        self._runtime = runtime
        self._settings = identity_settings(runtime)
        self._hashing = hashing_of(runtime)

    async def accept(
        self, checked: Checked, attempts: Attempts, action: str
    ) -> tuple[Account, Credential] | MinqingError:
        """The account that a checked password opens, locked; or the refusal, already counted."""
        refusal = await attempts.locked()
        if refusal is not None:
            return refusal
        account = credential = None
        if checked.account_id is not None:
            account = await lock_account(self._work.session, checked.account_id)
            credential = await credential_of(self._work.session, checked.account_id)
        if (
            account is None
            or credential is None
            or not account.active
            or not checked.fits
            # It was changed while this one was compared.
            or credential.password_hash != checked.password_hash
        ):
            await attempts.failed(action, account)
            return CredentialsRefused("Check login and password and try again.")
        return account, credential

    async def change(
        self, *, login: str, current_password: str, new_password: str
    ) -> MinqingError | None:
        """Change one's own password; all sessions of the account end.

        Returns:
            The refusal, if the current password is wrong; its count has to be committed.

        Raises:
            PasswordRefused: the new one breaks the rules.
        """
        checked = await check_password(self._runtime, login, current_password)
        attempts = Attempts(self._work, self._settings, login)
        found = await self.accept(checked, attempts, "change-password")
        if isinstance(found, MinqingError):
            return found
        account, credential = found
        await self._set(account, credential, new_password)
        await attempts.succeeded()
        return None

    async def redeem(self, *, login: str, code: str, new_password: str) -> MinqingError | None:
        """Exchange a one-time code for a new password.

        Returns:
            The refusal, one for every cause; its count has to be committed.

        Raises:
            PasswordRefused: the new one breaks the rules; the code stays good.
        """
        attempts = Attempts(self._work, self._settings, login)
        refusal = await attempts.locked()
        if refusal is not None:
            return refusal
        found = await account_by_login(self._work.session, login)
        account = None if found is None else await lock_account(self._work.session, found.id)
        credential = None if found is None else await credential_of(self._work.session, found.id)
        digest = code_digest(code)
        known = credential.code_digest if credential and credential.code_digest else ""
        fits = secrets.compare_digest(digest, known)
        if (
            account is None
            or credential is None
            or not fits
            or not self._redeemable(account, credential)
        ):
            await attempts.failed("redeem-code", account)
            return CredentialsRefused("The code is wrong or has expired; ask for a new one.")
        self._work.actor = Actor(id=str(account.id), unit=account.unit)
        credential.code_digest = credential.code_expires_at = None
        await self._set(account, credential, new_password)
        await attempts.succeeded()
        return None

    async def issue_code(self, target: UUID) -> tuple[str, datetime]:
        """A new one-time code for an account; the one before no longer counts."""
        account = await lock_account(self._work.session, target)
        if account is None:
            raise NotFound("There is no such account.")
        if self._work.actor.id == str(account.id):
            raise OwnAccount("Another security administrator gives you a code.")
        if not account.active:
            raise AccountClosed("Reopen it first.", state="closed", allowed=["reopening"])
        credential = await credential_or_new(self._work.session, account.id)
        code = new_code()
        expires_at = self._work.now() + timedelta(minutes=self._settings.one_time_code_minutes)
        credential.code_digest, credential.code_expires_at = code_digest(code), expires_at
        self._work.record(account, "issue-one-time-code")
        self._work.audit("issue-one-time-code", f"account:{account.id}")
        return code, expires_at

    async def unlock(self, target: UUID) -> None:
        """Forget the failures of an account's login."""
        account = await AccountService(self._work, self._runtime).get(target)
        if self._work.actor.id == str(account.id):
            raise OwnAccount("Another security administrator unlocks your account.")
        await forget_failures(self._work.session, login_guard(account.login))
        self._work.record(account, "unlock")
        self._work.audit("unlock", f"account:{account.id}")

    async def give_demo_password(self, password: str) -> None:
        """Let everybody of the city pack who has no password have this one; for trying it out."""
        have = await accounts_with_password(self._work.session)
        hashed = await self._hashing.hash(password)
        for account in (await all_accounts(self._work.session)).values():
            if account.pack_entry is not None and account.id not in have:
                credential = await credential_or_new(self._work.session, account.id)
                self._keep(credential, hashed)
                self._work.audit("give-demo-password", f"account:{account.id}")

    def _redeemable(self, account: Account, credential: Credential) -> bool:
        expires_at = credential.code_expires_at
        return account.active and expires_at is not None and self._work.now() < expires_at

    async def _set(self, account: Account, credential: Credential, password: str) -> None:
        faults = faults_of(password, login=account.login, shortest=self._settings.password_length)
        if not faults and await self._is_recent(credential, password):
            faults = [f"It is one of the last {self._settings.password_history} passwords."]
        if faults:
            raise PasswordRefused(" ".join(faults), faults=faults)
        self._keep(credential, await self._hashing.hash(password))
        await AccountService(self._work, self._runtime).end_sessions(account, "password-change")

    async def _is_recent(self, credential: Credential, password: str) -> bool:
        for old in credential.history[: self._settings.password_history]:
            if await self._hashing.matches(password, old):
                return True
        return False

    def _keep(self, credential: Credential, hashed: str) -> None:
        credential.password_hash = hashed
        credential.password_changed_at = self._work.now()
        credential.must_change = False
        credential.history = [hashed, *credential.history][: self._settings.password_history]


async def first_code(work: UnitOfWork, runtime: Runtime, login: str) -> tuple[str, datetime]:
    """A one-time code given out at the machine itself: how the first administrator gets in."""
    target = account_id(runtime.pack.city.code, as_login(login))
    return await PasswordService(work, runtime).issue_code(target)
