"""Duty and positions on their way in and out."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, Field, StrictBool

from services.intake.collectors.models import Collector, Patrol
from services.intake.reports.schemas import Input, PositionInput

MOST_FIXES = 500


class DutyCommand(Input):
    on: StrictBool = Field(description="true: duty begins; false: it ends")
    position: PositionInput | None = Field(default=None, description="where it begins")


class Fix(PositionInput):
    """A position with the time it was measured at, by the device's clock."""

    at: AwareDatetime


class PositionsCommand(Input):
    fixes: Annotated[list[Fix], Field(min_length=1, max_length=MOST_FIXES)]


class DutyView(BaseModel):
    on: bool
    since: datetime | None
    patrol_id: UUID | None


class PositionsView(BaseModel):
    taken: int
    grid: str | None = Field(description="of the last position")


class CollectorView(BaseModel):
    """A collector as the centre sees one; no track."""

    login: str
    name: str | None
    on_duty: bool
    since: datetime | None
    longitude: float | None
    latitude: float | None
    accuracy_m: float | None
    position_at: datetime | None
    grid: str | None
    grids: list[str] = Field(description="grids the collector walks")

    @classmethod
    def of(cls, row: Collector, name: str | None, grids: list[str]) -> Self:
        shown = row if row.on_duty else None
        return cls(
            login=row.login,
            name=name,
            on_duty=row.on_duty,
            since=row.since if shown else None,
            longitude=shown.longitude if shown else None,
            latitude=shown.latitude if shown else None,
            accuracy_m=shown.accuracy_m if shown else None,
            position_at=shown.position_at if shown else None,
            grid=shown.grid if shown else None,
            grids=grids,
        )


class PatrolView(BaseModel):
    """One stretch of duty and the grids that were covered."""

    id: UUID
    collector: str
    started_at: datetime
    ended_at: datetime | None
    grids: list[str]

    @classmethod
    def of(cls, row: Patrol) -> Self:
        return cls(
            id=row.id,
            collector=row.login,
            started_at=row.started_at,
            ended_at=row.ended_at,
            grids=row.grids,
        )
