"""Fills identity's tables from the city pack; safe to repeat at every start."""

from datetime import timedelta

import sqlalchemy as sa
from sqlmodel import col

from services.identity.accounts.service import AccountService
from services.identity.clients.service import ClientService, forget_expired_proofs
from services.identity.config import identity_settings
from services.identity.keys.models import SigningKey
from services.identity.keys.service import KeyService
from services.identity.organisations.service import OrganisationService
from services.identity.passwords.models import AttemptGuard
from services.identity.passwords.service import FORGET_FAILURES, PasswordService
from services.identity.sessions.service import forget_old_sessions
from shared.ids import uuid7
from shared.service import Runtime
from shared.work import Actor, Origin

_LONGEST_LOCK = timedelta(days=2)


async def prepare(runtime: Runtime) -> None:
    """Take over organisations, people and systems of the pack, and make the first signing key."""
    async with runtime.database.transaction() as session:
        work = runtime.work(session, Actor("service:identity"), Origin(str(uuid7())))
        await KeyService(work, runtime).ensure()
        await OrganisationService(work, runtime.pack).take_over()
        await AccountService(work, runtime).take_over()
        await ClientService(work, runtime).take_over()
        await work.settle()
        if password := identity_settings(runtime).demo_password:
            await PasswordService(work, runtime).give_demo_password(password.get_secret_value())
        await work.flush()
    runtime.committed(work)


async def sweep(runtime: Runtime) -> None:
    """Delete what no longer serves: old sessions, counts of failures, used proofs, retired keys."""
    await forget_old_sessions(runtime)
    await forget_expired_proofs(runtime)
    now = runtime.clock.now()
    async with runtime.database.transaction() as session:
        await session.exec(
            sa.delete(AttemptGuard).where(
                col(AttemptGuard.last_failure_at) < now - FORGET_FAILURES - _LONGEST_LOCK
            )
        )
        await session.exec(sa.delete(SigningKey).where(col(SigningKey.retires_at) < now))
