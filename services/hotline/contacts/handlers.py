"""What identity tells about accounts."""

from services.hotline.contacts.service import ContactService
from shared.events import Received
from shared.events.identity import AccountChanged
from shared.service import Runtime
from shared.work import UnitOfWork


async def on_account_changed(
    received: Received[AccountChanged], work: UnitOfWork, runtime: Runtime
) -> None:
    """An account was made, changed, opened or closed."""
    event = received.event
    await ContactService.of(work, runtime).follow_account(
        str(received.subject), login=event.login, roles=event.roles, active=event.active
    )
