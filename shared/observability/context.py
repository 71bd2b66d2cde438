"""The thread of one story through the services: correlation id and trace."""

import re
from contextvars import ContextVar

import structlog

from shared.ids import uuid7
from shared.work import Origin

_correlation: ContextVar[str | None] = ContextVar("correlation", default=None)
_traceparent: ContextVar[str | None] = ContextVar("traceparent", default=None)
_ACCEPTED = re.compile(r"[A-Za-z0-9._:-]{8,80}")
_TRACEPARENT = re.compile(r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")


def begin_story(correlation_id: str | None, traceparent: str | None = None) -> str:
    """Take up the caller's correlation id, or begin a new one where it sent none that we accept."""
    accepted = bool(correlation_id and _ACCEPTED.fullmatch(correlation_id))
    chosen = correlation_id if accepted and correlation_id else str(uuid7())
    _correlation.set(chosen)
    _traceparent.set(traceparent if traceparent and _TRACEPARENT.fullmatch(traceparent) else None)
    structlog.contextvars.bind_contextvars(correlation_id=chosen)
    return chosen


def correlation_id() -> str | None:
    return _correlation.get()


def current_origin(source_address: str | None = None) -> Origin:
    return Origin(
        correlation_id=_correlation.get() or str(uuid7()),
        traceparent=_traceparent.get(),
        source_address=source_address,
    )
