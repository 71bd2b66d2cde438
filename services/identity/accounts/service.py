"""Making, changing and closing accounts, and taking them over from the city pack."""

import hashlib
from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from services.identity.accounts.domain import account_id, check_roles
from services.identity.accounts.errors import (
    AccountClosed,
    AccountExists,
    AccountOpen,
    OwnAccount,
    UnknownOrganisation,
)
from services.identity.accounts.models import Account
from services.identity.accounts.repository import (
    account_by_id,
    account_by_login,
    all_accounts,
    lock_account,
)
from services.identity.organisations.repository import organisation_by_code
from shared.errors import NotFound
from shared.events.identity import AccountChanged
from shared.inbox.standing import end_standing
from shared.pack.model import Person
from shared.service import Runtime
from shared.vocabulary import Role
from shared.web.etag import check_match
from shared.work import UnitOfWork


class AccountService:
    def __init__(self, work: UnitOfWork, runtime: Runtime) -> None:
        self._work = work
        self._runtime = runtime
        self._city = runtime.pack.city.code

    async def take_over(self) -> None:
        """Bring the people of the city pack in; tells only what changed.

        An account that the pack no longer names stays as it is: closing it is a decision.
        """
        known = await all_accounts(self._work.session)
        for person in self._runtime.pack.people:
            entry = _fingerprint(person)
            row = known.get(person.login)
            if row is None or row.pack_entry != entry:
                await self._take_over(person, row, entry)

    async def _take_over(self, person: Person, row: Account | None, entry: str) -> None:
        roles = check_roles(person.roles)
        if row is None:
            row = self._new(person.login, roles)
            self._work.session.add(row)
        changed_rights = (row.roles, row.unit) != (roles, person.unit or None)
        row.name_zh, row.name_en = person.name.zh, person.name.en
        row.roles, row.unit = roles, person.unit or None
        row.language, row.pack_entry = person.language, entry
        if changed_rights and row.event_sequence > 0:
            await self._end_tokens(row)
        self._tell(row, "take-over")

    async def create(
        self,
        *,
        login: str,
        name_zh: str,
        name_en: str,
        roles: Iterable[Role],
        unit: str | None,
        language: str,
    ) -> Account:
        if await account_by_login(self._work.session, login) is not None:
            raise AccountExists(f"There is an account {login} already; choose another login.")
        row = self._new(login, check_roles(roles))
        row.name_zh, row.name_en = name_zh, name_en
        row.unit, row.language = await self._organisation(unit), language
        self._work.session.add(row)
        self._tell(row, "create")
        return row

    async def change(
        self, *, target: UUID, changes: dict[str, Any], if_match: str | None
    ) -> Account:
        """Change an account; with its roles or unit its sessions end."""
        row = await self._locked(target)
        check_match(row, if_match)
        if "roles" in changes:
            self._not_oneself(row, "Roles of your own account are given by somebody else.")
            changes["roles"] = check_roles(changes["roles"])
        if "unit" in changes:
            await self._organisation(changes["unit"])
        before = (row.roles, row.unit)
        for name, value in changes.items():
            setattr(row, name, value)
        if before != (row.roles, row.unit):
            await self._end_tokens(row)
        self._tell(row, "change", details={"changed": sorted(changes)})
        return row

    async def close(self, *, target: UUID, reason: str, if_match: str | None) -> Account:
        """Let nobody sign in with it any more; its sessions end."""
        row = await self._locked(target)
        check_match(row, if_match)
        self._not_oneself(row, "Your own account is closed by somebody else.")
        if not row.active:
            raise AccountClosed("It is closed already.", state="closed", allowed=["reopening"])
        row.active = False
        await self._end_tokens(row)
        self._tell(row, "close", reason=reason)
        return row

    async def reopen(self, *, target: UUID, reason: str, if_match: str | None) -> Account:
        row = await self._locked(target)
        check_match(row, if_match)
        if row.active:
            raise AccountOpen("It is open.", state="active", allowed=["closing"])
        row.active = True
        self._tell(row, "reopen", reason=reason)
        return row

    async def end_sessions(self, row: Account, action: str) -> datetime:
        """Let every session and token of a locked account count no more, and tell it."""
        at = await self._end_tokens(row)
        self._tell(row, action)
        return at

    async def get(self, target: UUID) -> Account:
        row = await account_by_id(self._work.session, target)
        if row is None:
            raise NotFound("There is no such account.")
        return row

    async def _locked(self, target: UUID) -> Account:
        row = await lock_account(self._work.session, target)
        if row is None:
            raise NotFound("There is no such account.")
        return row

    async def _end_tokens(self, row: Account) -> datetime:
        row.tokens_valid_after = self._work.now()
        await end_standing(self._work, self._runtime, str(row.id), row.tokens_valid_after)
        return row.tokens_valid_after

    async def _organisation(self, code: str | None) -> str | None:
        if code is not None and await organisation_by_code(self._work.session, code) is None:
            raise UnknownOrganisation(f"There is no organisation {code}; make it first.")
        return code

    def _new(self, login: str, roles: list[str]) -> Account:
        return Account(
            id=account_id(self._city, login),
            login=login,
            name_zh="",
            name_en="",
            roles=roles,
            created_at=self._work.now(),
        )

    def _not_oneself(self, row: Account, message: str) -> None:
        if self._work.actor.id == str(row.id):
            raise OwnAccount(message)

    def _tell(
        self,
        row: Account,
        action: str,
        *,
        reason: str | None = None,
        details: dict[str, Any] | None = None,
    ) -> None:
        self._work.tell(
            row,
            AccountChanged(
                login=row.login,
                roles=tuple(row.roles),
                unit=row.unit,
                active=row.active,
                tokens_valid_after=row.tokens_valid_after,
            ),
        )
        state = "active" if row.active else "closed"
        self._work.record(row, action, to_state=state, reason=reason, details=details)
        self._work.audit(f"account-{action}", f"account:{row.id}", reason=reason)


def _fingerprint(person: Person) -> str:
    parts = [
        person.login,
        person.name.zh,
        person.name.en,
        *sorted(person.roles),
        person.unit,
        person.language,
    ]
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()
