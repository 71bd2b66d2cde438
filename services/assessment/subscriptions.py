"""What assessment listens to: everything that the others tell, in any order."""

from services.assessment.events.handlers import on_events
from shared.inbox.standing import watch_standing
from shared.inbox.subscriptions import Subscriptions

subscriptions = Subscriptions("assessment", ordered=False)
watch_standing(subscriptions)
subscriptions.everything(["identity", "hotline", "intake", "dispatch"])(on_events)
