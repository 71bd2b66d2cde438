"""Shifts and hand-over notes."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field

from services.hotline.base import HotlineAggregate, HotlineTable
from shared.db import json_column
from shared.ids import uuid7


class Shift(HotlineAggregate, table=True):
    """A stretch of the round-the-clock service; `leader` and `agents` are account ids."""

    __tablename__ = "shifts"
    __table_args__ = (sa.Index("ix_shifts_starts_at", "starts_at", "id"),)

    starts_at: datetime
    ends_at: datetime
    leader: str = Field(max_length=80)
    agents: list[str] = Field(sa_type=json_column())


class HandoverNote(HotlineTable, table=True):
    """What the next shift has to know, until somebody takes it over."""

    __tablename__ = "handover_notes"
    __table_args__ = (sa.Index("ix_handover_notes_shift", "shift_id", "id"),)

    id: UUID = Field(default_factory=uuid7, primary_key=True)
    shift_id: UUID
    at: datetime
    author: str = Field(max_length=80)
    text: str = Field(sa_type=sa.Text)
    ticket_id: UUID | None = None
    acknowledged_at: datetime | None = None
    acknowledged_by: str | None = Field(default=None, max_length=80)
