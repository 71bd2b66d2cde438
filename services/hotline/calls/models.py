"""The call."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field

from services.hotline.base import HotlineAggregate
from services.hotline.calls.domain import CallOutcome, CallState, Direction
from shared.db import enum_column


class Call(HotlineAggregate, table=True):
    """One call, in or out. Times are UTC.

    Attributes:
        external_id: the exchange's own name for it; makes telling it twice harmless.
        agent: account id of who has it; empty while nobody has.
        outcome: the weightiest thing that came of it so far.
        recording: where the exchange keeps the recording, opaque to us.
    """

    __tablename__ = "calls"
    __table_args__ = (
        sa.Index("ix_calls_started_at", "started_at", "id"),
        sa.Index("ix_calls_state", "state", "started_at", "id"),
        sa.Index("ix_calls_agent", "agent", "started_at", "id"),
        sa.Index("ix_calls_caller", "caller_id", "started_at", "id"),
        sa.Index("ix_calls_outcome", "outcome", "started_at", "id"),
    )

    external_id: str | None = Field(default=None, max_length=100, unique=True)
    direction: Direction = Field(sa_type=enum_column(Direction))
    state: CallState = Field(default=CallState.RINGING, sa_type=enum_column(CallState))
    caller_id: UUID | None = None
    agent: str = Field(default="", max_length=80)
    started_at: datetime
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    outcome: CallOutcome = Field(
        default=CallOutcome.NONE,
        sa_type=enum_column(CallOutcome),
    )
    recording: str | None = Field(default=None, max_length=300)

    @property
    def seconds_to_answer(self) -> float | None:
        if self.answered_at is None:
            return None
        return (self.answered_at - self.started_at).total_seconds()

    @property
    def seconds(self) -> float:
        """Length of the talk; 0 for a call that nobody answered or that is not over."""
        if self.answered_at is None or self.ended_at is None:
            return 0.0
        return (self.ended_at - self.answered_at).total_seconds()
