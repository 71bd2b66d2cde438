"""Intake: what it consists of."""

from services.intake.base import metadata, tables
from services.intake.collectors.endpoints import router as collectors
from services.intake.collectors.service import forget
from services.intake.duplicates.endpoints import router as duplicates
from services.intake.media.endpoints import router as media
from services.intake.media.endpoints import uploads
from services.intake.media.service import discard_orphans
from services.intake.recomputation.endpoints import router as recomputations
from services.intake.recomputation.service import recomputer
from services.intake.registration.endpoints import router as registration
from services.intake.reports.endpoints import contacts, public
from services.intake.reports.endpoints import router as reports
from services.intake.reports.service import seal_of
from services.intake.subscriptions import subscriptions
from services.intake.tasks.endpoints import router as tasks
from services.intake.tasks.service import move_on
from shared.service import Periodic, Runtime, Service


async def prepare(runtime: Runtime) -> None:
    """Refuse to start before a citizen's name would have to be refused.

    Raises:
        PersonalDataKeyMissing: reporters' names and numbers could not be sealed.
    """
    seal_of(runtime)


service = Service(
    name="intake",
    prepare=prepare,
    summary="Reports from every source, registration, and the work of the collectors.",
    metadata=metadata,
    tables=tables,
    routers=(
        reports,
        contacts,
        public,
        registration,
        duplicates,
        tasks,
        collectors,
        uploads,
        media,
        recomputations,
    ),
    subscriptions=subscriptions,
    periodic=(
        Periodic("tasks", 15, move_on),
        Periodic("deadlines", 10, recomputer.recompute_if_changed),
        Periodic("forget", 3_600, forget),
        Periodic("orphaned-photographs", 86_400, discard_orphans),
    ),
)
