"""Enrolling, checking and removing authenticators."""

import base64
from uuid import UUID

from services.identity.accounts.errors import OwnAccount
from services.identity.accounts.models import Account
from services.identity.accounts.repository import lock_account
from services.identity.accounts.service import AccountService
from services.identity.keys.service import seal_of
from services.identity.passwords.models import Credential
from services.identity.passwords.repository import credential_of, credential_or_new
from services.identity.second_factors.domain import new_secret, provisioning_uri, step_of
from services.identity.second_factors.errors import (
    NoSecondFactor,
    SecondFactorEnrolled,
    SecondFactorRefused,
)
from services.identity.second_factors.schemas import FactorEnrolment
from shared.errors import NotFound
from shared.service import Runtime
from shared.work import UnitOfWork


class SecondFactorService:
    def __init__(self, work: UnitOfWork, runtime: Runtime) -> None:
        self._work = work
        self._runtime = runtime

    def takes(self, credential: Credential, code: str) -> bool:
        """Whether the code is good; a good one is used up."""
        if credential.factor_secret is None:
            return False
        secret = seal_of(self._runtime).open(credential.factor_secret, str(credential.account_id))
        now = self._work.now().timestamp()
        step = step_of(secret, code, now, after=credential.factor_step)
        if step is None:
            return False
        credential.factor_step = step
        return True

    async def enrol(self, target: UUID) -> FactorEnrolment:
        """A new secret for an account without a confirmed one; it counts once confirmed."""
        account = await self._account(target)
        credential = await credential_or_new(self._work.session, account.id)
        if credential.factor_confirmed_at is not None:
            raise SecondFactorEnrolled("A security administrator has to remove the old one first.")
        secret = new_secret()
        credential.factor_secret = seal_of(self._runtime).close(secret, str(account.id))
        self._work.audit("enrol-second-factor", f"account:{account.id}")
        return FactorEnrolment(
            secret=base64.b32encode(secret).decode(), uri=provisioning_uri(secret, account.login)
        )

    async def confirm(self, target: UUID, code: str) -> None:
        """Let the enrolled secret count from now on; all sessions end."""
        account = await self._account(target)
        credential = await credential_of(self._work.session, account.id)
        if credential is None or credential.factor_secret is None:
            raise NoSecondFactor("Enrol first.", allowed=["enrolment"])
        if credential.factor_confirmed_at is not None:
            raise SecondFactorEnrolled("It is confirmed already.")
        if not self.takes(credential, code):
            raise SecondFactorRefused("Check the clock of your device and send the next code.")
        credential.factor_confirmed_at = self._work.now()
        await AccountService(self._work, self._runtime).end_sessions(
            account, "second-factor-confirm"
        )

    async def remove(self, target: UUID) -> None:
        """Take away an authenticator, e.g. a lost one; all sessions of the account end."""
        account = await self._account(target)
        if self._work.actor.id == str(account.id):
            raise OwnAccount("Another security administrator removes yours.")
        credential = await credential_of(self._work.session, account.id)
        if credential is None or credential.factor_secret is None:
            raise NoSecondFactor("There is nothing to remove.")
        credential.factor_secret = credential.factor_confirmed_at = None
        credential.factor_step = 0
        await AccountService(self._work, self._runtime).end_sessions(
            account, "second-factor-remove"
        )

    async def _account(self, target: UUID) -> Account:
        account = await lock_account(self._work.session, target)
        if account is None:
            raise NotFound("There is no such account.")
        return account
