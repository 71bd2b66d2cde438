"""The facts of other services that the hotline acts on."""

from services.hotline.following import handlers
from shared.events import dispatch, intake
from shared.inbox.standing import watch_standing
from shared.inbox.subscriptions import Subscriptions

subscriptions = Subscriptions("hotline")
watch_standing(subscriptions)

subscriptions.on(intake.ReportReceived)(handlers.on_report_received)
subscriptions.on(intake.ReportRegistered)(handlers.on_report_registered)
subscriptions.on(intake.ReportRejected)(handlers.on_report_rejected)
subscriptions.on(intake.ReportMerged)(handlers.on_report_merged)
subscriptions.on(intake.ReportUnmerged)(handlers.on_report_unmerged)

subscriptions.on(dispatch.CaseOpened)(handlers.on_case_opened)
subscriptions.on(dispatch.CaseDispatched)(handlers.on_case_dispatched)
subscriptions.on(dispatch.CaseAccepted)(handlers.on_case_accepted)
subscriptions.on(dispatch.CaseHandled)(handlers.on_case_handled)
subscriptions.on(dispatch.CaseVerified)(handlers.on_case_verified)
subscriptions.on(dispatch.CaseClosed)(handlers.on_case_closed)
subscriptions.on(dispatch.CaseVoided)(handlers.on_case_voided)
subscriptions.on(dispatch.CaseReopened)(handlers.on_case_reopened)
