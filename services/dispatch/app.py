"""Dispatch put together: its tables, addresses, subscriptions and timers."""

from services.dispatch.base import metadata, tables
from services.dispatch.cases import endpoints as cases
from services.dispatch.clock_words import endpoints as clock_words
from services.dispatch.coordination import endpoints as coordination
from services.dispatch.coordination.handlers import position_timer
from services.dispatch.explanations import endpoints as explanations
from services.dispatch.fund import endpoints as fund
from services.dispatch.fund_exports import endpoints as fund_exports
from services.dispatch.limits.handlers import case_timer
from services.dispatch.papers import endpoints as papers
from services.dispatch.papers.handlers import paper_timer
from services.dispatch.recomputation import endpoints as recomputation
from services.dispatch.recomputation.service import recomputer
from services.dispatch.recoveries import endpoints as recoveries
from services.dispatch.remediation import endpoints as remediation
from services.dispatch.requests import endpoints as requests
from services.dispatch.responsibility import endpoints as responsibility
from services.dispatch.subscriptions import subscriptions
from services.dispatch.supervision import endpoints as supervision
from services.dispatch.supervision.handlers import order_timer
from services.dispatch.supervision_ledger import endpoints as supervision_ledger
from services.dispatch.supervision_rules.handlers import acceptance_timer, on_limit_passed
from shared.service import Periodic, Service

service = Service(
    name="dispatch",
    summary="Case files from registration to archive: dispatch, handling, closing, clocks.",
    metadata=metadata,
    tables=tables,
    routers=[
        cases.router,
        requests.router,
        explanations.router,
        clock_words.router,
        responsibility.router,
        supervision.router,
        supervision_ledger.router,
        coordination.router,
        recomputation.router,
        papers.router,
        fund.router,
        fund_exports.router,
        remediation.router,
        recoveries.router,
    ],
    subscriptions=subscriptions,
    periodic=[Periodic("deadlines", 10.0, recomputer.recompute_if_changed)],
    timers=[
        case_timer([on_limit_passed]),
        position_timer(),
        paper_timer(),
        acceptance_timer(),
        order_timer(),
    ],
)
