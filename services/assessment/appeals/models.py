"""The row of an appeal: what the unit says, what is proposed, what was decided."""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field

from services.assessment.appeals.domain import AppealState, Correction
from services.assessment.base import AssessmentAggregate
from shared.db import enum_column, json_column

_ALIVE = sa.text("state <> 'withdrawn'")


class Appeal(AssessmentAggregate, table=True):
    """An appeal against how one assignment counted in a closed period.

    Attributes:
        ordinal: which stay of the case with the unit.
        evidence: texts, and content addresses of photographs.
        proposed_grant: what the first person proposes; null before.
        correction: what is to be changed if it is granted.
    """

    __tablename__ = "appeals"
    __table_args__ = (
        sa.Index(
            "uq_appeals_alive",
            "period_id",
            "unit",
            "case_id",
            "ordinal",
            unique=True,
            postgresql_where=_ALIVE,
            sqlite_where=_ALIVE,
        ),
        sa.Index("ix_appeals_state_id", "state", "id"),
        sa.Index("ix_appeals_unit_id", "unit", "id"),
        sa.Index("ix_appeals_period_key_id", "period_key", "id"),
    )

    period_id: UUID = Field(foreign_key="closed_periods.id")
    period_key: str = Field(max_length=10)
    unit: str = Field(max_length=80)
    case_id: UUID
    ordinal: int
    state: AppealState = Field(default=AppealState.FILED, sa_type=enum_column(AppealState))
    statement: str = Field(sa_type=sa.Text)
    evidence: list[dict[str, Any]] = Field(sa_type=json_column())
    filed_by: str = Field(max_length=80)
    filed_at: datetime
    proposed_grant: bool | None = None
    correction: Correction | None = Field(default=None, sa_type=enum_column(Correction))
    proposal_reason: str | None = Field(default=None, sa_type=sa.Text)
    proposed_by: str | None = Field(default=None, max_length=80)
    proposed_at: datetime | None = None
    decided_by: str | None = Field(default=None, max_length=80)
    decided_at: datetime | None = None
    decision_reason: str | None = Field(default=None, sa_type=sa.Text)
