"""The rows of a remediation: the order, its costs, and claims against whoever is found later."""

from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field

from services.dispatch.base import DispatchAggregate, DispatchTable
from services.dispatch.remediation.domain import CostState, RecoveryState, RemediationState
from shared.db import enum_column, json_column
from shared.ids import uuid7

_ORDERED = sa.text("state = 'ordered'")


class Remediation(DispatchAggregate, table=True):
    """An order to put a case right on behalf of whoever should have.

    What is committed, spent, claimed and recovered stands in the ledger, nowhere else.

    Attributes:
        year: of the fund that pays; that of the order.
        estimate_fen: expected cost; kept back in the fund.
        dispatched: the order sent the case to the unit; otherwise it was there already.
    """

    __tablename__ = "remediations"
    __table_args__ = (
        sa.Index(
            "uq_remediations_ordered",
            "case_id",
            unique=True,
            postgresql_where=_ORDERED,
            sqlite_where=_ORDERED,
        ),
        sa.Index("ix_remediations_case_id_id", "case_id", "id"),
        sa.Index("ix_remediations_state_id", "state", "id"),
        sa.Index("ix_remediations_unit_id", "unit", "id"),
        sa.Index("ix_remediations_year_id", "year", "id"),
    )

    case_id: UUID = Field(foreign_key="cases.id")
    case_number: str = Field(max_length=40)
    unit: str = Field(max_length=60)
    year: int
    state: RemediationState = Field(
        default=RemediationState.ORDERED,
        sa_column=sa.Column(enum_column(RemediationState), nullable=False),
    )
    basis: str = Field(max_length=500)
    reason: str = Field(sa_column=sa.Column(sa.Text(), nullable=False))
    estimate_fen: int = Field(default=0, sa_type=sa.BigInteger)
    dispatched: bool
    costs: int = 0
    ordered_at: datetime
    ordered_by: str = Field(max_length=80)
    completed_at: datetime | None = None
    completed_by: str | None = Field(default=None, max_length=80)
    completion_note: str | None = Field(default=None, sa_column=sa.Column(sa.Text()))


class Cost(DispatchTable, table=True):
    """A cost item; decided by somebody else than who recorded it."""

    __tablename__ = "remediation_costs"
    __table_args__ = (
        sa.UniqueConstraint("remediation_id", "number"),
        sa.Index("ix_remediation_costs_state_id", "state", "id"),
    )

    id: UUID = Field(default_factory=uuid7, primary_key=True)
    remediation_id: UUID = Field(foreign_key="remediations.id")
    number: int
    state: CostState = Field(
        default=CostState.RECORDED, sa_column=sa.Column(enum_column(CostState), nullable=False)
    )
    description: str = Field(sa_column=sa.Column(sa.Text(), nullable=False))
    amount_fen: int = Field(sa_type=sa.BigInteger)
    incurred_on: date
    media: list[str] = Field(
        default_factory=list, sa_column=sa.Column(json_column(), nullable=False)
    )
    recorded_at: datetime
    recorded_by: str = Field(max_length=80)
    decided_at: datetime | None = None
    decided_by: str | None = Field(default=None, max_length=80)
    decision_reason: str | None = Field(default=None, sa_column=sa.Column(sa.Text()))
    entry_id: UUID | None = None


class Recovery(DispatchAggregate, table=True):
    """A claim against a responsible subject that was found later.

    Attributes:
        subject: who owes it, by name; stays in this service.
        unit: code of the unit, if it is one.
        state: follows from the ledger; kept for lists.
    """

    __tablename__ = "recoveries"
    __table_args__ = (
        sa.Index("ix_recoveries_state_id", "state", "id"),
        sa.Index("ix_recoveries_remediation_id_id", "remediation_id", "id"),
    )

    remediation_id: UUID = Field(foreign_key="remediations.id")
    case_number: str = Field(max_length=40)
    year: int
    state: RecoveryState = Field(
        default=RecoveryState.CLAIMED,
        sa_column=sa.Column(enum_column(RecoveryState), nullable=False),
    )
    subject: str = Field(max_length=300)
    unit: str | None = Field(default=None, max_length=60)
    basis: str = Field(max_length=500)
    amount_fen: int = Field(sa_type=sa.BigInteger)
    claimed_at: datetime
    claimed_by: str = Field(max_length=80)
