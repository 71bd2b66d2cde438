"""Which facts of other services intake acts on."""

from services.intake.registration.handlers import on_ticket_withdrawn
from services.intake.reports.handlers import on_emergency_raised, on_ticket_submitted
from services.intake.tasks.handlers import (
    CASE_STATES,
    on_case_ended,
    on_case_fact,
    on_verification_asked,
)
from shared.events.dispatch import CaseClosed, CaseVoided, VerificationAsked
from shared.events.hotline import EmergencyRaised, TicketSubmitted, TicketWithdrawn
from shared.inbox.standing import watch_standing
from shared.inbox.subscriptions import Subscriptions

subscriptions = Subscriptions("intake")
watch_standing(subscriptions)
subscriptions.on(TicketSubmitted)(on_ticket_submitted)
subscriptions.on(EmergencyRaised)(on_emergency_raised)
subscriptions.on(TicketWithdrawn)(on_ticket_withdrawn)
subscriptions.on(VerificationAsked)(on_verification_asked)
subscriptions.on(CaseClosed)(on_case_ended)
subscriptions.on(CaseVoided)(on_case_ended)
for followed in CASE_STATES.keys() - {VerificationAsked, CaseClosed, CaseVoided}:
    subscriptions.on(followed)(on_case_fact)
