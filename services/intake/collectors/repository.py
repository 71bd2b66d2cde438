"""Rows of collectors, patrols and positions."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from services.intake.collectors.models import Collector, CollectorPosition, Patrol
from shared.db.pipeline import Statement, together
from shared.web.paging import PageRequest, after


async def collector_of(session: AsyncSession, login: str) -> Collector | None:
    return (await session.exec(select(Collector).where(Collector.login == login))).first()


async def logins_of(session: AsyncSession, account_id: str) -> Sequence[str]:
    """Account names that an account has been on duty under."""
    statement = select(Collector.login).where(Collector.account_id == account_id)
    return (await session.exec(statement)).all()


class OnDuty(NamedTuple):
    """A collector on duty, and where last."""

    login: str
    longitude: float | None
    latitude: float | None
    grid: str | None
    position_at: datetime | None


_COLLECTORS: sa.Table = Collector.__table__  # type: ignore[attr-defined]
_ON_DUTY = Statement(
    sa.select(*(_COLLECTORS.c[name] for name in OnDuty._fields)).where(
        _COLLECTORS.c.on_duty.is_(True)
    )
)


async def on_duty(session: AsyncSession) -> Sequence[OnDuty]:
    (rows,) = await together(session, (_ON_DUTY, [{}]))
    return [OnDuty(*row) for row in rows]


async def list_collectors(
    session: AsyncSession, page: PageRequest, *, duty: bool | None
) -> Sequence[Collector]:
    statement = select(Collector)
    if duty is not None:
        statement = statement.where(col(Collector.on_duty).is_(duty))
    found: Sequence[Collector] = (
        await session.exec(after(statement, [col(Collector.login)], page))
    ).all()
    return found


async def list_patrols(
    session: AsyncSession, page: PageRequest, *, login: str | None
) -> Sequence[Patrol]:
    statement = select(Patrol)
    if login is not None:
        statement = statement.where(Patrol.login == login)
    found: Sequence[Patrol] = (
        await session.exec(after(statement, [col(Patrol.id)], page, descending=True))
    ).all()
    return found


async def add_positions(session: AsyncSession, rows: Sequence[dict[str, Any]]) -> None:
    table: sa.Table = CollectorPosition.__table__  # type: ignore[attr-defined]
    await session.exec(sa.insert(table), params=list(rows))


async def grids_of(session: AsyncSession, patrol_id: UUID) -> list[str]:
    """Grids with at least one position of a patrol in them."""
    statement = (
        select(CollectorPosition.grid)
        .where(CollectorPosition.patrol_id == patrol_id, col(CollectorPosition.grid).is_not(None))
        .distinct()
    )
    return sorted(grid for grid in (await session.exec(statement)).all() if grid)


async def forget_positions(session: AsyncSession, before: datetime) -> None:
    await session.exec(
        sa.delete(CollectorPosition).where(col(CollectorPosition.received_at) < before)
    )
