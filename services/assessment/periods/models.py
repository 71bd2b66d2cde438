"""A closed period: figures, parameters and facts as they were, for good."""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field

from services.assessment.base import AssessmentAggregate, AssessmentTable
from services.assessment.periods.domain import PeriodKind
from shared.db import enum_column, json_column


class ClosedPeriod(AssessmentAggregate, table=True):
    """A period whose figures no later event changes.

    Attributes:
        key: `2026-05`, `2026-Q2` or `2026`; each is closed once.
        trial: shown, but without consequence.
        parameters: the version by which it was computed, whole.
        computed_at: what was closed later does not count as resolved.
        appeal_until: units may appeal before.
        assignments: how many facts were frozen.
        facts_sha256: of the frozen facts.
        ranking: the figures as they were shown.
        corrected: units whose figures or ranks granted appeals have corrected, for showing beside.
    """

    __tablename__ = "closed_periods"
    __table_args__ = (
        sa.Index("uq_closed_periods_key", "key", unique=True),
        sa.Index("ix_closed_periods_kind_id", "kind", "id"),
    )

    key: str = Field(max_length=10)
    kind: PeriodKind = Field(sa_type=enum_column(PeriodKind))
    start_at: datetime
    end_at: datetime
    trial: bool
    parameters_version: str = Field(max_length=80)
    parameters: dict[str, Any] = Field(sa_type=json_column())
    computed_at: datetime
    appeal_until: datetime
    closed_by: str = Field(max_length=80)
    assignments: int
    facts_sha256: str = Field(max_length=64)
    ranking: dict[str, Any] = Field(sa_type=json_column())
    corrected: list[dict[str, Any]] = Field(default_factory=list, sa_type=json_column())


class FrozenFacts(AssessmentTable, table=True):
    """The facts of one unit in a closed period.

    Attributes:
        lines: JSON Lines, compressed with zlib.
    """

    __tablename__ = "frozen_facts"

    period_id: UUID = Field(primary_key=True, foreign_key="closed_periods.id")
    unit: str = Field(primary_key=True, max_length=80)
    lines: bytes = Field(sa_type=sa.LargeBinary)
