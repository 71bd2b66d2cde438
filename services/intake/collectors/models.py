"""Collectors on duty, where they are, and what they covered."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field

from services.intake.base import IntakeAggregate, IntakeTable
from shared.db import json_column
from shared.ids import uuid7


class Collector(IntakeAggregate, table=True):
    """A collector as the centre needs to know one: on duty or not, and where last.

    Attributes:
        login: account name, by which grids and tasks name their owner.
        account_id: opaque id in tokens and events.
        patrol_id: the patrol going on.
    """

    __tablename__ = "collectors"
    __table_args__ = (sa.Index("ix_collectors_on_duty", "on_duty", "login"),)

    login: str = Field(max_length=80, unique=True)
    account_id: str = Field(max_length=80, index=True)
    on_duty: bool = False
    patrol_id: UUID | None = None
    since: datetime | None = None
    longitude: float | None = None
    latitude: float | None = None
    accuracy_m: float | None = None
    grid: str | None = Field(default=None, max_length=30)
    position_at: datetime | None = None


class Patrol(IntakeAggregate, table=True):
    """One stretch of duty. Keeps the grids that were covered; no track, no distance."""

    __tablename__ = "patrols"
    __table_args__ = (sa.Index("ix_patrols_login", "login", "id"),)

    login: str = Field(max_length=80)
    started_at: datetime
    ended_at: datetime | None = None
    grids: list[str] = Field(default_factory=list, sa_type=json_column())


class CollectorPosition(IntakeTable, table=True):
    """One position on duty, deleted after a short time."""

    __tablename__ = "collector_positions"

    id: UUID = Field(default_factory=uuid7, primary_key=True)
    patrol_id: UUID = Field(index=True)
    at: datetime
    longitude: float
    latitude: float
    accuracy_m: float | None = None
    grid: str | None = Field(default=None, max_length=30)
    received_at: datetime = Field(index=True)
