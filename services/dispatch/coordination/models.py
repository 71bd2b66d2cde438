"""The rows of a coordination: the matter, the invited units, their positions, the minutes."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field

from services.dispatch.base import DispatchAggregate, DispatchTable
from services.dispatch.coordination.domain import (
    CoordinationKind,
    CoordinationState,
    Outcome,
    Stance,
)
from shared.db import enum_column, json_column

_OPEN = sa.text("ended_at IS NULL")
_TIMED = sa.text("timer_at IS NOT NULL")


class Coordination(DispatchAggregate, table=True):
    """A coordination about one case.

    Attributes:
        by_rule: the rule that opened it, if no person did.
        beside: the case goes on meanwhile, because it is urgent.
        due_at: until when it is to be decided; `time_limit` after the opening.
        timer_at: when the next unit that has not stated its position runs out of time.
        unit: who is responsible, once it is decided; None if nobody is.
        dispatched: the decision sent the case to the unit.
    """

    __tablename__ = "coordinations"
    __table_args__ = (
        sa.Index(
            "uq_coordinations_open",
            "case_id",
            unique=True,
            postgresql_where=_OPEN,
            sqlite_where=_OPEN,
        ),
        sa.Index("ix_coordinations_case_id_id", "case_id", "id"),
        sa.Index("ix_coordinations_state_due_at_id", "state", "due_at", "id"),
        sa.Index("ix_coordinations_due_at_id", "due_at", "id"),
        sa.Index(
            "ix_coordinations_timer_at", "timer_at", postgresql_where=_TIMED, sqlite_where=_TIMED
        ),
    )

    case_id: UUID = Field(foreign_key="cases.id")
    case_number: str = Field(max_length=40)
    kind: CoordinationKind = Field(
        sa_column=sa.Column(enum_column(CoordinationKind), nullable=False)
    )
    state: CoordinationState = Field(
        sa_column=sa.Column(enum_column(CoordinationState), nullable=False)
    )
    class_key: str = Field(max_length=120)
    grid: str | None = Field(default=None, max_length=30)
    urgent: bool
    beside: bool
    reason: str = Field(sa_column=sa.Column(sa.Text(), nullable=False))
    by_rule: str | None = Field(default=None, max_length=40)
    opened_at: datetime
    opened_by: str = Field(max_length=80)
    time_limit: str = Field(max_length=60)
    warn_at: datetime
    due_at: datetime
    timer_at: datetime | None = None
    minutes: int = 0

    passed_up_at: datetime | None = None
    passed_up_by: str | None = Field(default=None, max_length=80)
    passing_reason: str | None = Field(default=None, sa_column=sa.Column(sa.Text()))

    ended_at: datetime | None = None
    ended_by: str | None = Field(default=None, max_length=80)
    outcome: Outcome | None = Field(
        default=None, sa_column=sa.Column(enum_column(Outcome), nullable=True)
    )
    unit: str | None = Field(default=None, max_length=60)
    assisting: list[str] = Field(
        default_factory=list, sa_column=sa.Column(json_column(), nullable=False)
    )
    basis: str | None = Field(default=None, max_length=500)
    ending_reason: str | None = Field(default=None, sa_column=sa.Column(sa.Text()))
    early_reason: str | None = Field(default=None, sa_column=sa.Column(sa.Text()))
    by_office: bool = False
    dispatched: bool = False
    precedent_id: UUID | None = None


class Invitation(DispatchTable, table=True):
    """A unit that is to be heard; `stated_at` is when it first stated its position."""

    __tablename__ = "coordination_invitations"
    __table_args__ = (sa.Index("ix_coordination_invitations_unit", "unit", "coordination_id"),)

    coordination_id: UUID = Field(primary_key=True, foreign_key="coordinations.id")
    unit: str = Field(primary_key=True, max_length=60)
    invited_at: datetime
    invited_by: str = Field(max_length=80)
    time_limit: str = Field(max_length=60)
    warn_at: datetime
    due_at: datetime
    stated_at: datetime | None = None
    missed_at: datetime | None = None
    positions: int = 0


class Position(DispatchTable, table=True):
    """What a unit stated; it may state another position later, and the first one stays."""

    __tablename__ = "coordination_positions"

    coordination_id: UUID = Field(primary_key=True, foreign_key="coordinations.id")
    unit: str = Field(primary_key=True, max_length=60)
    number: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    stance: Stance = Field(sa_column=sa.Column(enum_column(Stance), nullable=False))
    basis: str = Field(max_length=500)
    statement: str | None = Field(default=None, sa_column=sa.Column(sa.Text()))
    suggested_unit: str | None = Field(default=None, max_length=60)
    media: list[str] = Field(
        default_factory=list, sa_column=sa.Column(json_column(), nullable=False)
    )
    stated_at: datetime
    stated_by: str = Field(max_length=80)


class Minutes(DispatchTable, table=True):
    """What was said and agreed in a meeting."""

    __tablename__ = "coordination_minutes"

    coordination_id: UUID = Field(primary_key=True, foreign_key="coordinations.id")
    number: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    held_at: datetime
    text: str = Field(sa_column=sa.Column(sa.Text(), nullable=False))
    media: list[str] = Field(
        default_factory=list, sa_column=sa.Column(json_column(), nullable=False)
    )
    written_at: datetime
    written_by: str = Field(max_length=80)
