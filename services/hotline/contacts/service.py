"""Keeping the people on duty as pack and identity have them, and finding their addresses."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from services.hotline.callers.domain import mask_number, normalise_number
from services.hotline.callers.service import seal_of
from services.hotline.config import settings_of
from services.hotline.contacts.domain import TOLD_ROLES, mask_email, plain_email
from services.hotline.contacts.errors import ContactUnknown
from services.hotline.contacts.models import DutyContact
from services.hotline.contacts.repository import ContactRepository
from services.hotline.contacts.schemas import ContactView
from shared.ids import uuid7
from shared.messages.message import Channel
from shared.pack.model import CityPack
from shared.seal.domain import Seal
from shared.service import Runtime
from shared.work import Actor, Origin, UnitOfWork

if TYPE_CHECKING:
    from sqlmodel.ext.asyncio.session import AsyncSession


class DutyBook:
    """The address book of the hotline's messages: opens an address at the moment of sending."""

    def __init__(self, session: "AsyncSession", seal: Seal) -> None:
        self._contacts = ContactRepository(session)
        self._seal = seal

    async def address(self, recipient: str, channel: Channel) -> str | None:
        contact = await self._contacts.find(recipient)
        if contact is None:
            return None
        sealed, slot = {
            Channel.SMS: (contact.phone_sealed, contact.phone_slot),
            Channel.EMAIL: (contact.email_sealed, contact.email_slot),
        }.get(channel, (None, ""))
        return self._seal.open(sealed, slot) if sealed else None


def duty_book(runtime: Runtime, session: "AsyncSession") -> DutyBook:
    return DutyBook(session, seal_of(runtime))


class ContactService:
    """Commands on contacts."""

    def __init__(self, work: UnitOfWork, seal: Seal, country_code: str) -> None:
        self.work = work
        self.contacts = ContactRepository(work.session)
        self._seal = seal
        self._country_code = country_code

    @classmethod
    def of(cls, work: UnitOfWork, runtime: Runtime) -> "ContactService":
        return cls(work, seal_of(runtime), settings_of(runtime).country_code)

    async def take_over(self, pack: CityPack) -> None:
        """Know everybody of the pack who may be told; what was entered for them stays."""
        known = {contact.login: contact for contact in await self.contacts.everybody()}
        for person in pack.people:
            if TOLD_ROLES.isdisjoint(person.roles) or person.login in known:
                continue
            roles = sorted(role.value for role in person.roles)
            self.contacts.add(
                DutyContact(login=person.login, roles=roles, language=person.language)
            )

    async def follow_account(
        self, account_id: str, *, login: str, roles: Iterable[str], active: bool
    ) -> None:
        """Identity says who an account is; those who are never told of anything are not kept."""
        held = set(roles)
        contact = await self.contacts.find(login)
        if contact is None:
            if TOLD_ROLES.isdisjoint(held):
                return
            contact = DutyContact(login=login, roles=[], language="zh")
            self.contacts.add(contact)
        contact.account_id, contact.roles, contact.active = account_id, sorted(held), active

    async def enter(self, login: str, given: Mapping[str, str | None]) -> DutyContact:
        """Say how somebody is reached; only what is given changes.

        Raises:
            ContactUnknown: the account is not one that is told of emergencies.
            NumberInvalid, EmailInvalid: it cannot be an address.
        """
        contact = await self.contacts.find(login)
        if contact is None:
            raise ContactUnknown("Only shift leaders and leaders have contacts for emergencies.")
        if "phone" in given:
            phone = given["phone"]
            number = normalise_number(phone, self._country_code) if phone else None
            contact.phone_sealed = self._seal.close(number, contact.phone_slot) if number else None
        if "email" in given:
            email = given["email"]
            plain = plain_email(email) if email else None
            contact.email_sealed = self._seal.close(plain, contact.email_slot) if plain else None
        contact.changed_at, contact.changed_by = self.work.now(), self.work.actor.id
        self.work.audit("enter-contact", f"duty-contact:{contact.login}")
        return contact


def contact_view(contact: DutyContact, seal: Seal) -> ContactView:
    """A contact as shown, its addresses masked."""
    phone, email = contact.phone_sealed, contact.email_sealed
    return ContactView(
        login=contact.login,
        roles=contact.roles,
        active=contact.active,
        language=contact.language,
        phone=mask_number(seal.open(phone, contact.phone_slot)) if phone else None,
        email=mask_email(seal.open(email, contact.email_slot)) if email else None,
        changed_at=contact.changed_at,
    )


async def take_over_people(runtime: Runtime) -> None:
    """At installation: know the people of the city pack."""
    async with runtime.database.transaction() as session:
        work = runtime.work(session, Actor("service:hotline"), Origin(str(uuid7())))
        await ContactService.of(work, runtime).take_over(runtime.pack)
        await work.flush()
