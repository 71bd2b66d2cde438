"""The job, as every service that reckons deadlines keeps it."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import declared_attr
from sqlmodel import Field, SQLModel

from shared.ids import uuid7


class RecomputationJob(SQLModel):
    """One pass over everything open of a service under one calendar.

    Attributes:
        calendar: digest of the calendar that it reckons by.
        reached: id of the last row that was looked at; a pass that was broken off goes on here.
        looked_at: rows looked at so far; moved: those of them with a due time that moved.
    """

    __tablename__ = "recomputations"

    @declared_attr.directive
    def __table_args__(cls) -> tuple[sa.Index, ...]:  # noqa: N805 - SQLAlchemy hands in the class
        return (sa.Index("ix_recomputations_started_at_id", "started_at", "id"),)

    id: UUID = Field(default_factory=uuid7, primary_key=True)
    calendar: str = Field(max_length=64)
    asked_by: str = Field(max_length=80)
    started_at: datetime
    finished_at: datetime | None = None
    reached: UUID | None = None
    looked_at: int = 0
    moved: int = 0
