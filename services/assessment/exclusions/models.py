"""The row of an exclusion: who proposed what and why, who decided and why."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field

from services.assessment.base import AssessmentAggregate
from services.assessment.exclusions.domain import ExclusionState
from shared.db import enum_column

_STANDING = sa.text("state IN ('proposed', 'granted')")


class Exclusion(AssessmentAggregate, table=True):
    """A case of a unit that is to be left out of the unit's scores."""

    __tablename__ = "exclusions"
    __table_args__ = (
        sa.Index(
            "uq_exclusions_standing",
            "case_id",
            "unit",
            unique=True,
            postgresql_where=_STANDING,
            sqlite_where=_STANDING,
        ),
        sa.Index("ix_exclusions_state_id", "state", "id"),
        sa.Index("ix_exclusions_unit_id", "unit", "id"),
    )

    case_id: UUID
    unit: str = Field(max_length=80)
    state: ExclusionState = Field(
        default=ExclusionState.PROPOSED, sa_type=enum_column(ExclusionState)
    )
    reason: str = Field(sa_type=sa.Text)
    proposed_by: str = Field(max_length=80)
    proposed_at: datetime
    decided_by: str | None = Field(default=None, max_length=80)
    decided_at: datetime | None = None
    decision_reason: str | None = Field(default=None, sa_type=sa.Text)
