"""When a rule opens a supervision order: counted facts against the parameters of the city."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from shared.events.vocabulary import Source
from shared.geo import Position, distance_m
from shared.pack.model import SupervisionSettings
from shared.vocabulary import SupervisionCause

COMPLAINT_SOURCES = frozenset({Source.HOTLINE, Source.WEB})
"""Reports from citizens; what staff and other systems report again and again is no complaint."""


@dataclass(frozen=True, slots=True)
class Complaint:
    """That somebody told of something somewhere.

    Attributes:
        report_id: of the report.
        case_id: of the case that the report became, or was merged into.
        position: WGS 84 degrees, if known.
        grid: that it lies in, if known.
    """

    report_id: UUID
    case_id: UUID
    position: Position | None
    grid: str | None
    at: datetime


def same_place(one: Complaint, other: Complaint, radius_m: float) -> bool:
    """Whether both are about one place: near by, or in one grid where one has no point."""
    if one.position is not None and other.position is not None:
        return distance_m(one.position, other.position) <= radius_m
    return one.grid is not None and one.grid == other.grid


def series_of(
    complaint: Complaint, others: Iterable[Complaint], settings: SupervisionSettings
) -> list[Complaint]:
    """The complaints of one caller that belong to the same matter as this one, oldest first.

    Args:
        complaint: the one that has just come; part of the series.
        others: of the same caller.
        settings: window and radius; a complaint exactly at the edge of either belongs to it.
    """
    window = timedelta(days=settings.complaint_days)
    found = [
        other
        for other in others
        if other.report_id != complaint.report_id
        and abs(complaint.at - other.at) <= window
        and same_place(complaint, other, settings.complaint_radius_m)
    ]
    return sorted([*found, complaint], key=lambda item: (item.at, str(item.report_id)))


def is_due(cause: SupervisionCause, count: int, settings: SupervisionSettings) -> bool:
    """Whether the n-th failed verification, return or complaint opens an order.

    What comes after the n-th is due as well; that each run has one order only is kept elsewhere.
    """
    limits = {
        SupervisionCause.FAILED_VERIFICATION: settings.failed_verifications,
        SupervisionCause.SHIRKING: settings.returns,
        SupervisionCause.REPEATED_COMPLAINT: settings.complaints,
    }
    return cause in settings.by_rule and count >= limits[cause]


def accepted_in_time(
    accepted_at: datetime | None, released_at: datetime | None, due_at: datetime
) -> bool:
    """Whether a unit that had to accept by `due_at` did so, or had lost the case by then."""
    return any(at is not None and at <= due_at for at in (accepted_at, released_at))
