"""The facts of other services that the hotline acts on."""

from typing import Any

from services.hotline.alarms import handlers as alarms
from services.hotline.contacts import handlers as contacts
from services.hotline.following import handlers
from shared.events import Received, dispatch, identity, intake
from shared.inbox import standing
from shared.inbox.subscriptions import Handler, Subscriptions
from shared.service import Runtime
from shared.work import UnitOfWork


def both(first: Handler[Any], second: Handler[Any]) -> Handler[Any]:
    """Two features that act on one fact, in one transaction."""

    async def handle(received: Received[Any], work: UnitOfWork, runtime: Runtime) -> None:
        await first(received, work, runtime)
        await second(received, work, runtime)

    return handle


subscriptions = Subscriptions("hotline")
subscriptions.on(identity.AccountChanged)(
    both(standing.on_account_changed, contacts.on_account_changed)
)
subscriptions.on(identity.SessionEnded)(standing.on_session_ended)

subscriptions.on(intake.ReportReceived)(
    both(alarms.on_report_received, handlers.on_report_received)
)
subscriptions.on(intake.ReportRegistered)(
    both(alarms.on_report_registered, handlers.on_report_registered)
)
subscriptions.on(intake.ReportRejected)(
    both(alarms.on_report_rejected, handlers.on_report_rejected)
)
subscriptions.on(intake.ReportMerged)(both(alarms.on_report_merged, handlers.on_report_merged))
subscriptions.on(intake.ReportUnmerged)(handlers.on_report_unmerged)

subscriptions.on(dispatch.CaseOpened)(handlers.on_case_opened)
subscriptions.on(dispatch.CaseDispatched)(handlers.on_case_dispatched)
subscriptions.on(dispatch.CaseAccepted)(handlers.on_case_accepted)
subscriptions.on(dispatch.CaseHandled)(handlers.on_case_handled)
subscriptions.on(dispatch.CaseVerified)(handlers.on_case_verified)
subscriptions.on(dispatch.CaseClosed)(both(alarms.on_case_closed, handlers.on_case_closed))
subscriptions.on(dispatch.CaseVoided)(both(alarms.on_case_voided, handlers.on_case_voided))
subscriptions.on(dispatch.CaseReopened)(handlers.on_case_reopened)
