"""Finding reports near a place."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from services.intake.duplicates.domain import cells_around
from services.intake.reports.domain import OPEN_STATES, ReportState
from services.intake.reports.models import Report
from services.intake.reports.repository import same_class
from shared.events.vocabulary import ClassRef
from shared.geo import Position, distance_m

MOST_CANDIDATES = 500
STANDING = sorted(OPEN_STATES | {ReportState.REGISTERED})
ENDED = ("closed", "voided")


async def near(
    session: AsyncSession,
    position: Position,
    *,
    radius_m: float,
    since: datetime,
    until: datetime,
    class_ref: ClassRef | None,
    but: UUID | None = None,
) -> Sequence[tuple[Report, float]]:
    """Reports still going on within the radius, nearest first, each with its distance in metres."""
    statement = (
        select(Report)
        .where(
            col(Report.cell).in_(list(cells_around(position, radius_m))),
            col(Report.received_at) >= since,
            col(Report.received_at) <= until,
            col(Report.state).in_(STANDING),
            sa.or_(col(Report.case_state).is_(None), col(Report.case_state).not_in(ENDED)),
            *(same_class(class_ref) if class_ref else ()),
        )
        .order_by(col(Report.received_at).desc())
        .limit(MOST_CANDIDATES)
    )
    found = [
        (report, distance_m(position, Position(report.longitude, report.latitude)))
        for report in (await session.exec(statement)).all()
        if report.id != but and report.longitude is not None and report.latitude is not None
    ]
    return sorted(
        (pair for pair in found if pair[1] <= radius_m), key=lambda pair: (pair[1], pair[0].id)
    )
