"""Alarms in the database."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from services.hotline.alarms.domain import AlarmKind, AlarmState
from services.hotline.alarms.errors import AlarmNotFound
from services.hotline.alarms.models import Alarm
from services.hotline.shifts.models import Shift
from shared.web.paging import PageRequest, after


class AlarmRepository:
    def __init__(self, session: AsyncSession) -> None:
        self.session = session

    def add(self, alarm: Alarm) -> None:
        self.session.add(alarm)

    async def get(self, alarm_id: UUID) -> Alarm:
        """The alarm of an id.

        Raises:
            AlarmNotFound: there is none.
        """
        alarm = await self.session.get(Alarm, alarm_id)
        if alarm is None:
            raise AlarmNotFound("There is no such alarm.")
        return alarm

    async def about(
        self,
        *,
        ticket_id: UUID | None = None,
        report_id: UUID | None = None,
        case_id: UUID | None = None,
    ) -> Alarm | None:
        """The alarm of a ticket, report or case, locked; the oldest if they have several."""
        named = [
            column == value
            for column, value in (
                (col(Alarm.ticket_id), ticket_id),
                (col(Alarm.report_id), report_id),
                (col(Alarm.case_id), case_id),
            )
            if value is not None
        ]
        if not named:
            return None
        statement = select(Alarm).where(sa.or_(*named)).order_by(col(Alarm.id)).with_for_update()
        return (await self.session.exec(statement)).first()

    async def shifts_at(self, now: datetime) -> Sequence[Shift]:
        """The shifts that run at an instant, the one begun last first."""
        statement = (
            select(Shift)
            .where(col(Shift.starts_at) <= now, col(Shift.ends_at) > now)
            .order_by(col(Shift.starts_at).desc(), col(Shift.id).desc())
        )
        return (await self.session.exec(statement)).all()

    async def page(
        self,
        *,
        state: AlarmState | None,
        kind: AlarmKind | None,
        exhausted: bool | None,
        request: PageRequest,
    ) -> Sequence[Alarm]:
        """Alarms, the latest first."""
        statement = select(Alarm)
        if state is not None:
            statement = statement.where(col(Alarm.state) == state)
        if kind is not None:
            statement = statement.where(col(Alarm.kind) == kind)
        if exhausted is not None:
            statement = statement.where(col(Alarm.exhausted).is_(exhausted))
        statement = after(statement, [Alarm.id], request, descending=True)
        return (await self.session.exec(statement)).all()  # type: ignore[no-any-return]
