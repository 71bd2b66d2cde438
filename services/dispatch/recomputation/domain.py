"""Which deadlines move under another calendar: asked for whole columns of clocks at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

import numpy as np

from services.dispatch.clocks.domain import Span
from shared.worktime import Calendar, Limit
from shared.worktime.arrays import Clocks, as_hours, due_over_spans, in_columns, instants_from


@dataclass(frozen=True, slots=True)
class ClockQuestion:
    """A running clock, beside the deadline that is stored for it.

    Attributes:
        spans: what counts, oldest first; the last one is open.
        limit: extensions included.
        warn_at, due_at, provisional: as stored.
    """

    spans: Sequence[Span]
    limit: Limit
    warn_at: datetime | None
    due_at: datetime | None
    provisional: bool


def sum_in_columns(calendar: Calendar, limits: Sequence[Limit]) -> Limit | None:
    """Limits one after the other as one limit; None where they count different kinds of time."""
    if not limits or not all(in_columns(calendar, limit) for limit in limits):
        return None
    if len({limit.continuous for limit in limits}) > 1:
        return None
    first, *others = [as_hours(calendar, limit) for limit in limits]
    if any(other.kind is not first.kind for other in others):
        return None
    for other in others:
        first = first.plus(other)
    return first


def moved(
    calendar: Calendar, questions: Sequence[ClockQuestion], warn_share: Fraction
) -> list[bool]:
    """For each question, whether the calendar answers otherwise than what is stored.

    Args:
        calendar: that holds now.
        questions: their limits are all `in_columns`.
        warn_share: the last share of a limit, in which the light is yellow.
    """
    if not questions:
        return []
    # Each limit twice: what is left before yellow, and the whole.
    limits: dict[Limit, int] = {}
    which = np.empty((len(questions), 2), np.intp)
    for row, question in enumerate(questions):
        warn = question.limit.scaled(1 - warn_share)
        which[row, 0] = limits.setdefault(warn, len(limits))
        which[row, 1] = limits.setdefault(question.limit, len(limits))
    spans = [span for question in questions for span in question.spans]
    starts = instants_from([span.started_at for span in spans])
    ends = instants_from([span.ended_at or span.started_at for span in spans])
    sizes = np.array([len(question.spans) for question in questions], np.intp)
    firsts = np.cumsum(sizes) - sizes
    distinct = list(limits)
    warned = due_over_spans(calendar, Clocks(starts, ends, firsts, distinct, which[:, 0].copy()))
    due = due_over_spans(calendar, Clocks(starts, ends, firsts, distinct, which[:, 1].copy()))
    stored = [
        instants_from(
            [getattr(question, name) or question.spans[0].started_at for question in questions]
        )
        for name in ("warn_at", "due_at")
    ]
    missing = np.array([question.due_at is None for question in questions])
    provisional = np.array([question.provisional for question in questions])
    differs = (warned.instants != stored[0]) | (due.instants != stored[1]) | missing
    found: list[bool] = (differs | (due.provisional != provisional)).tolist()
    return found
