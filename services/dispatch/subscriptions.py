"""The facts of other services that dispatch acts on."""

from services.dispatch.cases.handlers import on_report_registered
from services.dispatch.reporters.handlers import (
    on_report_merged,
    on_report_unmerged,
    on_ticket_reopened,
    on_ticket_withdrawn,
)
from services.dispatch.supervision_rules.handlers import on_ticket_instructed
from services.dispatch.verifications.handlers import (
    on_task_completed,
    on_task_due_time_moved,
    on_task_expired,
    on_task_issued,
)
from shared.events.hotline import TicketInstructed, TicketReopened, TicketWithdrawn
from shared.events.intake import (
    ReportMerged,
    ReportRegistered,
    ReportUnmerged,
    TaskCompleted,
    TaskDueTimeMoved,
    TaskExpired,
    TaskIssued,
)
from shared.inbox.standing import watch_standing
from shared.inbox.subscriptions import Subscriptions

subscriptions = Subscriptions("dispatch")
watch_standing(subscriptions)

subscriptions.on(ReportRegistered)(on_report_registered)
subscriptions.on(ReportMerged)(on_report_merged)
subscriptions.on(ReportUnmerged)(on_report_unmerged)
subscriptions.on(TaskIssued)(on_task_issued)
subscriptions.on(TaskCompleted)(on_task_completed)
subscriptions.on(TaskDueTimeMoved)(on_task_due_time_moved)
subscriptions.on(TaskExpired)(on_task_expired)
subscriptions.on(TicketReopened)(on_ticket_reopened)
subscriptions.on(TicketWithdrawn)(on_ticket_withdrawn)
subscriptions.on(TicketInstructed)(on_ticket_instructed)
