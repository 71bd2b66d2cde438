"""The counts and ratios of GB/T 30428.4 for areas and units, by their published names.

They are plain shares of what happened: no allowance forgives anything here. The score of a unit
(`services.assessment.scoring`) is the district's own rule and stands beside them.
"""

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from services.assessment.scoring.domain import rate


class AssignmentFigure(StrEnum):
    """Counts of assignments whose due time lies in the period."""

    TO_HANDLE = "to-handle"
    HANDLED = "handled"
    HANDLED_IN_TIME = "handled-in-time"
    HANDLED_LATE = "handled-late"
    OVERDUE = "overdue"
    REWORKED = "reworked"
    EXTENDED = "extended"
    RETURNED = "returned"
    FALSE_FEEDBACK = "false-feedback"


class CaseFigure(StrEnum):
    """Counts of cases that were registered in the period and not voided."""

    REGISTERED = "registered"
    DISPATCHED = "dispatched"
    CLOSED = "closed"
    CLOSED_IN_TIME = "closed-in-time"


@dataclass(frozen=True, slots=True)
class Counts:
    """What is counted for an area or a unit in a period.

    Attributes:
        to_handle: 应处置数: handled in time, handled late, overdue and unhandled.
        handled: 处置数: verified and closed.
        handled_in_time: 按期处置数: of these, within the limit with the extensions granted.
        handled_late: the others of these.
        overdue: due time over, and not handled.
        reworked: 返工数: of `to_handle`, dispatched again after a failed verification.
        extended: 延期数: of `to_handle`, extended or deferred.
        returned: 回退数: given back with consent and sent to another unit; not to handle.
        false_feedback: 虚假反馈数: of `to_handle`, reported done and plainly not.
        registered: 立案数: cases.
        dispatched: 派遣数: of these, sent to a unit.
        closed: 结案数: of these, closed.
        closed_in_time: 按期结案数: of these, before their whole way had run out.
    """

    to_handle: int = 0
    handled: int = 0
    handled_in_time: int = 0
    handled_late: int = 0
    overdue: int = 0
    reworked: int = 0
    extended: int = 0
    returned: int = 0
    false_feedback: int = 0
    registered: int = 0
    dispatched: int = 0
    closed: int = 0
    closed_in_time: int = 0


@dataclass(frozen=True, slots=True)
class Ratios:
    """Exact shares; null of nothing.

    Attributes:
        handling_rate: 处置率: handled / to handle.
        handling_in_time_rate: 按期处置率: handled in time / to handle.
        closing_rate: 结案率: closed / registered.
        closing_in_time_rate: 按期结案率: closed in time / registered.
        rework_rate: 返工率: reworked / to handle.
        extension_rate: 延期率: extended or deferred / to handle.
        return_rate: 回退率: returned / (to handle + returned).
        dispatch_rate: 派遣率: dispatched / registered.
        false_feedback_rate: 虚假反馈率: false feedback / to handle.
    """

    handling_rate: Fraction | None
    handling_in_time_rate: Fraction | None
    closing_rate: Fraction | None
    closing_in_time_rate: Fraction | None
    rework_rate: Fraction | None
    extension_rate: Fraction | None
    return_rate: Fraction | None
    dispatch_rate: Fraction | None
    false_feedback_rate: Fraction | None


def ratios_of(counts: Counts) -> Ratios:
    """The published ratios of some counts."""
    return Ratios(
        handling_rate=rate(counts.handled, counts.to_handle),
        handling_in_time_rate=rate(counts.handled_in_time, counts.to_handle),
        closing_rate=rate(counts.closed, counts.registered),
        closing_in_time_rate=rate(counts.closed_in_time, counts.registered),
        rework_rate=rate(counts.reworked, counts.to_handle),
        extension_rate=rate(counts.extended, counts.to_handle),
        return_rate=rate(counts.returned, counts.to_handle + counts.returned),
        dispatch_rate=rate(counts.dispatched, counts.registered),
        false_feedback_rate=rate(counts.false_feedback, counts.to_handle),
    )
