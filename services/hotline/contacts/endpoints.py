"""Contacts over HTTP."""

from fastapi import APIRouter

from services.hotline.callers.service import seal_of
from services.hotline.contacts.auth import ContactKeeper, ContactReader, OwnContact
from services.hotline.contacts.repository import ContactRepository
from services.hotline.contacts.schemas import ContactInput, ContactView
from services.hotline.contacts.service import ContactService, contact_view
from shared.web.route import CommandRoute, ReadSessionDep, RuntimeDep, WorkDep

router = APIRouter(prefix="/duty-contacts", tags=["duty contacts"], route_class=CommandRoute)


@router.get("")
async def list_contacts(
    session: ReadSessionDep, runtime: RuntimeDep, _principal: ContactReader
) -> list[ContactView]:
    """Everybody who may be told of emergencies, by account name; addresses are masked."""
    seal = seal_of(runtime)
    return [contact_view(one, seal) for one in await ContactRepository(session).everybody()]


@router.post("/me")
async def enter_own_contact(
    command: ContactInput, work: WorkDep, runtime: RuntimeDep, principal: OwnContact
) -> ContactView:
    """Say how you are reached on duty."""
    service = ContactService.of(work, runtime)
    given = command.model_dump(exclude_unset=True)
    contact = await service.enter(principal.login or principal.id, given)
    return contact_view(contact, seal_of(runtime))


@router.post("/{login}")
async def enter_contact(
    login: str, command: ContactInput, work: WorkDep, runtime: RuntimeDep, _principal: ContactKeeper
) -> ContactView:
    """Say how somebody is reached on duty."""
    service = ContactService.of(work, runtime)
    contact = await service.enter(login, command.model_dump(exclude_unset=True))
    return contact_view(contact, seal_of(runtime))
