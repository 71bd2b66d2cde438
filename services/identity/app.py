"""The identity service: what it is made of."""

from services.identity.accounts import endpoints as accounts
from services.identity.base import metadata, tables
from services.identity.clients import endpoints as clients
from services.identity.keys import endpoints as keys
from services.identity.organisations import endpoints as organisations
from services.identity.passwords import endpoints as passwords
from services.identity.preparation import prepare, sweep
from services.identity.second_factors import endpoints as second_factors
from services.identity.sessions import endpoints as sessions
from services.identity.subscriptions import subscriptions
from shared.service import Periodic, Service

SWEEP_SECONDS = 3_600.0

service = Service(
    name="identity",
    summary="Accounts, roles, organisations, sessions and signing keys",
    metadata=metadata,
    tables=tables,
    routers=[
        keys.router,
        organisations.router,
        accounts.router,
        passwords.router,
        passwords.administration,
        second_factors.router,
        second_factors.administration,
        sessions.router,
        clients.router,
        clients.tokens,
    ],
    subscriptions=subscriptions,
    periodic=[Periodic("sweep", SWEEP_SECONDS, sweep)],
    prepare=prepare,
)
