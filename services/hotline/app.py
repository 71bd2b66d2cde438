"""The hotline service: what it is made of."""

from services.hotline.alarms import endpoints as alarms
from services.hotline.alarms.handlers import escalate
from services.hotline.alarms.models import Alarm
from services.hotline.alarms.service import OFFICE
from services.hotline.base import metadata, tables
from services.hotline.callbacks import endpoints as callbacks
from services.hotline.callers import endpoints as callers
from services.hotline.callers.service import seal_of
from services.hotline.calls import endpoints as calls
from services.hotline.contacts import endpoints as contacts
from services.hotline.contacts.service import take_over_people
from services.hotline.instructions import endpoints as instructions
from services.hotline.knowledge import endpoints as knowledge
from services.hotline.knowledge.service import take_over_pack
from services.hotline.shifts import endpoints as shifts
from services.hotline.subscriptions import subscriptions
from services.hotline.tickets import endpoints as tickets
from shared.service import Runtime, Service
from shared.timers.timer import Timer
from shared.web.messages import message_router


async def prepare(runtime: Runtime) -> None:
    """Take over knowledge and people of the city pack; refuse to be installed without a key.

    Raises:
        PersonalDataKeyMissing: callers' data could not be sealed.
    """
    seal_of(runtime)
    await take_over_pack(runtime)
    await take_over_people(runtime)


service = Service(
    name="hotline",
    summary="Calls, tickets, knowledge and call-backs of the citizens' 24-hour line",
    metadata=metadata,
    tables=tables,
    routers=[
        calls.router,
        callers.router,
        tickets.router,
        instructions.router,
        knowledge.router,
        callbacks.router,
        shifts.router,
        contacts.router,
        alarms.router,
        message_router(OFFICE),
    ],
    subscriptions=subscriptions,
    timers=[Timer.on("alarm-escalation", Alarm, "escalate_at", escalate)],
    messages=OFFICE,
    prepare=prepare,
)
