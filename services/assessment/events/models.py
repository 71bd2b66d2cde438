"""The event store: append-only; and the marks that say which subjects have news."""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field

from services.assessment.base import AssessmentTable
from shared.db import json_column


class LoggedEvent(AssessmentTable, table=True):
    """One event as it was told; never changed, never deleted.

    Attributes:
        case_id: the case it belongs to, taken out of subject or data.
        data: what the event says; the rest of the envelope has columns of its own.
    """

    __tablename__ = "event_log"
    __table_args__ = (
        sa.Index("ix_event_log_subject", "aggregate", "subject", "sequence"),
        sa.Index(
            "ix_event_log_case",
            "case_id",
            postgresql_where=sa.text("case_id IS NOT NULL"),
            sqlite_where=sa.text("case_id IS NOT NULL"),
        ),
    )

    event_id: UUID = Field(primary_key=True)
    type: str = Field(max_length=120)
    aggregate: str = Field(max_length=80)
    subject: str = Field(max_length=80)
    sequence: int
    case_id: UUID | None = None
    happened_at: datetime
    actor_id: str = Field(max_length=80)
    actor_role: str | None = Field(default=None, max_length=40)
    actor_unit: str | None = Field(default=None, max_length=80)
    correlation_id: str = Field(max_length=80)
    causation_id: str | None = Field(default=None, max_length=80)
    data: dict[str, Any] = Field(sa_type=json_column())


class RefoldMark(AssessmentTable, table=True):
    """A subject has news that its facts do not show yet.

    A plain list without a key over the subject: taking events in locks nothing, and a mark that is
    seen was committed together with its events, so none is ever missed.
    """

    __tablename__ = "refold_marks"

    position: int | None = Field(
        default=None,
        sa_column=sa.Column(
            "position",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            sa.Identity(),
            primary_key=True,
        ),
    )
    aggregate: str = Field(max_length=80)
    subject: str = Field(max_length=80)
