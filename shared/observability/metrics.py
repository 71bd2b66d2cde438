"""The figures that say whether a service is well; docs/operations.md names the alarms."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

REGISTRY = CollectorRegistry()

HTTP_SECONDS = Histogram(
    "minqing_http_request_seconds",
    "Time to answer, by route",
    ("service", "method", "route", "status"),
    registry=REGISTRY,
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
)
OUTBOX_UNSENT = Gauge(
    "minqing_outbox_unsent",
    "Events committed but not yet confirmed by the bus",
    ("service",),
    registry=REGISTRY,
)
OUTBOX_OLDEST_SECONDS = Gauge(
    "minqing_outbox_oldest_seconds",
    "Age of the oldest unsent event",
    ("service",),
    registry=REGISTRY,
)
OUTBOX_RELAYED = Counter(
    "minqing_outbox_relayed", "Events confirmed by the bus", ("service",), registry=REGISTRY
)
OUTBOX_FAILED = Counter(
    "minqing_outbox_failed",
    "Publishing tries that were not confirmed",
    ("service",),
    registry=REGISTRY,
)
INBOX_HANDLED = Counter(
    "minqing_inbox_handled", "Events applied", ("service", "type"), registry=REGISTRY
)
INBOX_DUPLICATES = Counter(
    "minqing_inbox_duplicates",
    "Deliveries of events that were applied already",
    ("service",),
    registry=REGISTRY,
)
INBOX_FAILED = Counter(
    "minqing_inbox_failed", "Tries of a handler that failed", ("service", "type"), registry=REGISTRY
)
INBOX_WAITING = Gauge(
    "minqing_inbox_waiting",
    "Events that wait for an earlier one or for their next try",
    ("service",),
    registry=REGISTRY,
)
INBOX_OLDEST_SECONDS = Gauge(
    "minqing_inbox_oldest_seconds",
    "Age of the oldest event that waits for an earlier one or for its next try",
    ("service",),
    registry=REGISTRY,
)
INBOX_PARKED = Gauge(
    "minqing_inbox_parked",
    "Events given up on until an operator releases them",
    ("service",),
    registry=REGISTRY,
)
TIMERS_RUNG = Counter(
    "minqing_timers_rung", "Timers that had their effect", ("service", "timer"), registry=REGISTRY
)
TIMERS_FAILED = Counter(
    "minqing_timers_failed", "Tries of a timer that failed", ("service", "timer"), registry=REGISTRY
)
TIMERS_LATE_SECONDS = Gauge(
    "minqing_timers_late_seconds",
    "Time since the longest due timer should have rung",
    ("service",),
    registry=REGISTRY,
)
TIMERS_PARKED = Gauge(
    "minqing_timers_parked",
    "Timers given up on until an operator releases them",
    ("service",),
    registry=REGISTRY,
)
DEAD_LETTERS = Gauge(
    "minqing_dead_letters", "Messages in the dead-letter queue", ("service",), registry=REGISTRY
)
HANDLER_SECONDS = Histogram(
    "minqing_handler_batch_seconds", "Time of one batch of events", ("service",), registry=REGISTRY
)
MESSAGES_QUEUED = Gauge(
    "minqing_messages_queued",
    "Messages to people that wait for a try",
    ("service",),
    registry=REGISTRY,
)
MESSAGES_PARKED = Gauge(
    "minqing_messages_parked",
    "Messages given up on until an administrator releases them",
    ("service",),
    registry=REGISTRY,
)
MESSAGES_OLDEST_SECONDS = Gauge(
    "minqing_messages_oldest_seconds",
    "Age of the oldest message that waits for a try",
    ("service",),
    registry=REGISTRY,
)
MESSAGES_SENT = Counter(
    "minqing_messages_sent",
    "Messages that their channel has taken",
    ("service", "channel"),
    registry=REGISTRY,
)
MESSAGES_FAILED = Counter(
    "minqing_messages_failed",
    "Tries of messages that failed",
    ("service", "channel"),
    registry=REGISTRY,
)
