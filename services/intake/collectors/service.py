"""Duty, positions, and the coverage that is left of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.intake.collectors import repository
from services.intake.collectors.errors import FixOutsideDuty, NotOnDuty
from services.intake.collectors.models import Collector, Patrol
from services.intake.config import settings_of
from services.intake.reports.service import forget_old_addresses
from shared.events.intake import PatrolRecorded
from shared.ids import uuid7
from shared.pack.model import CityPack
from shared.service import Runtime
from shared.work import UnitOfWork

CLOCK_TOLERANCE = timedelta(minutes=5)
"""How far a handset's clock may be off before its positions make no sense."""


@dataclass(frozen=True, slots=True)
class Measured:
    """A position with its time; accuracy in metres."""

    at: datetime
    longitude: float
    latitude: float
    accuracy_m: float | None


class CollectorService:
    """Commands of a collector about the own duty."""

    def __init__(self, work: UnitOfWork, pack: CityPack) -> None:
        self._work = work
        self._pack = pack

    async def begin_duty(self, login: str, account_id: str, position: Measured | None) -> Collector:
        """Go on duty; already being on duty is fine."""
        row = await self._row(login, account_id)
        if row.on_duty:
            return row
        now = self._work.now()
        patrol = Patrol(id=uuid7(), login=login, started_at=now)
        self._work.session.add(patrol)
        row.account_id = account_id
        row.on_duty, row.since, row.patrol_id = True, now, patrol.id
        row.longitude = row.latitude = row.accuracy_m = row.grid = row.position_at = None
        self._work.record(row, "begin-duty", details={"patrol": str(patrol.id)})
        if position is not None:
            await self._take(row, [position])
        return row

    async def end_duty(self, login: str, account_id: str) -> Collector:
        """Go off duty; which grids were covered is told, the way between them is not."""
        row = await self._row(login, account_id)
        if not row.on_duty or row.patrol_id is None:
            return row
        now = self._work.now()
        patrol = await self._work.session.get_one(Patrol, row.patrol_id)
        patrol.ended_at = now
        patrol.grids = await repository.grids_of(self._work.session, patrol.id)
        row.on_duty, row.since, row.patrol_id = False, None, None
        row.longitude = row.latitude = row.accuracy_m = row.grid = row.position_at = None
        self._work.tell(
            patrol,
            PatrolRecorded(
                collector=login,
                started_at=patrol.started_at,
                ended_at=now,
                grids=tuple(patrol.grids),
            ),
        )
        self._work.record(row, "end-duty", details={"patrol": str(patrol.id)})
        return row

    async def take_positions(self, login: str, fixes: Sequence[Measured]) -> Collector:
        """Take in where the collector has been since.

        Raises:
            NotOnDuty: positions are nobody's business then.
            FixOutsideDuty: measured before duty began, or in the future.
        """
        row = await repository.collector_of(self._work.session, login)
        if row is None or not row.on_duty or row.since is None:
            raise NotOnDuty("Go on duty first; off duty no position is taken.", allowed=["duty"])
        now = self._work.now()
        for number, fix in enumerate(fixes):
            if not row.since - CLOCK_TOLERANCE <= fix.at <= now + CLOCK_TOLERANCE:
                raise FixOutsideDuty(
                    "Send only positions measured since duty began, by a clock that is right.",
                    index=number,
                )
        await self._take(row, fixes)
        return row

    async def _take(self, row: Collector, fixes: Sequence[Measured]) -> None:
        rows = [
            {
                "id": uuid7(),
                "patrol_id": row.patrol_id,
                "at": fix.at,
                "longitude": fix.longitude,
                "latitude": fix.latitude,
                "accuracy_m": fix.accuracy_m,
                "grid": self._grid(fix),
                "received_at": self._work.now(),
            }
            for fix in fixes
        ]
        await self._work.session.flush()
        await repository.add_positions(self._work.session, rows)
        latest = max(fixes, key=lambda fix: fix.at)
        if row.position_at is None or latest.at >= row.position_at:
            row.longitude, row.latitude = latest.longitude, latest.latitude
            row.accuracy_m, row.position_at = latest.accuracy_m, latest.at
            row.grid = self._grid(latest)

    def _grid(self, fix: Measured) -> str | None:
        grid = self._pack.grid_at(fix.longitude, fix.latitude)
        return grid.code if grid else None

    async def _row(self, login: str, account_id: str) -> Collector:
        row = await repository.collector_of(self._work.session, login)
        if row is None:
            row = Collector(id=uuid7(), login=login, account_id=account_id)
            self._work.session.add(row)
        return row


async def forget(runtime: Runtime) -> None:
    """Delete single positions, and counts of network addresses, that have served their purpose."""
    now = runtime.clock.now()
    keep = timedelta(hours=settings_of(runtime).position_retention_hours)
    async with runtime.database.transaction() as session:
        await repository.forget_positions(session, now - keep)
        await forget_old_addresses(session, now)
