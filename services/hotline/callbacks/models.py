"""Call-backs and their attempts."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field

from services.hotline.base import HotlineAggregate, HotlineTable
from services.hotline.callbacks.domain import CallbackState
from shared.db import enum_column
from shared.events.hotline import CallbackOutcome, Satisfaction
from shared.ids import uuid7


class Callback(HotlineAggregate, table=True):
    """A caller to be told the result of a matter and asked about it, once for each closing.

    Attributes:
        closing: the n-th closing of the ticket.
        due_at: when to ring up (again); kept after the end.
        attempts: tries so far.
    """

    __tablename__ = "callbacks"
    __table_args__ = (
        sa.UniqueConstraint("ticket_id", "closing"),
        sa.Index("ix_callbacks_queue", "state", "due_at", "id"),
        sa.Index("ix_callbacks_due_at", "due_at", "id"),
    )

    ticket_id: UUID
    closing: int
    caller_id: UUID
    case_id: UUID | None = None
    state: CallbackState = Field(
        default=CallbackState.WAITING,
        sa_type=enum_column(CallbackState),
    )
    due_at: datetime
    created_at: datetime
    ended_at: datetime | None = None
    attempts: int = 0
    satisfaction: Satisfaction | None = Field(default=None, sa_type=enum_column(Satisfaction))
    reopened: bool = False


class CallbackAttempt(HotlineTable, table=True):
    """One try."""

    __tablename__ = "callback_attempts"
    __table_args__ = (sa.UniqueConstraint("callback_id", "attempt"),)

    id: UUID = Field(default_factory=uuid7, primary_key=True)
    callback_id: UUID
    attempt: int
    at: datetime
    agent: str = Field(max_length=80)
    outcome: CallbackOutcome = Field(sa_type=enum_column(CallbackOutcome))
    satisfaction: Satisfaction | None = Field(default=None, sa_type=enum_column(Satisfaction))
    note: str | None = Field(default=None, max_length=1_000)
