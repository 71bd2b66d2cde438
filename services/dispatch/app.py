"""Dispatch put together: its tables, addresses, subscriptions and timers."""

from services.dispatch.base import metadata, tables
from services.dispatch.cases import endpoints as cases
from services.dispatch.cases.handlers import end_deferrals
from services.dispatch.explanations import endpoints as explanations
from services.dispatch.requests import endpoints as requests
from services.dispatch.responsibility import endpoints as responsibility
from services.dispatch.subscriptions import subscriptions
from shared.service import Periodic, Service

service = Service(
    name="dispatch",
    summary="Case files from registration to archive: dispatch, handling, closing, clocks.",
    metadata=metadata,
    tables=tables,
    routers=[cases.router, requests.router, explanations.router, responsibility.router],
    subscriptions=subscriptions,
    periodic=[Periodic("deferrals", 5.0, end_deferrals)],
)
