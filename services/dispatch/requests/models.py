"""The row of a request: who asked for what and why, who decided and why."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field

from services.dispatch.base import DispatchTable
from services.dispatch.requests.domain import RequestKind, RequestState
from shared.db import enum_column
from shared.ids import uuid7

_PENDING = sa.text("state = 'asked'")


class Request(DispatchTable, table=True):
    """A request about a case.

    Attributes:
        assignment: the dispatch it is about; 0 for a voiding before the first.
        unit: of the asker; None when the centre itself asks.
        due_at: when the centre's time to decide runs out.
        time: the extension asked for, e.g. `2 working-days`.
        until: the date that a deferral lasts to.
        proposed_by: who of the centre proposes to grant it, where a second person has to consent.
    """

    __tablename__ = "requests"
    __table_args__ = (
        sa.Index(
            "uq_requests_pending",
            "case_id",
            "kind",
            unique=True,
            postgresql_where=_PENDING,
            sqlite_where=_PENDING,
        ),
        sa.Index("ix_requests_state_due_order_id", "state", "due_order", "id"),
        sa.Index("ix_requests_case_id_id", "case_id", "id"),
        sa.Index("ix_requests_unit_id", "unit", "id"),
    )

    id: UUID = Field(default_factory=uuid7, primary_key=True)
    case_id: UUID = Field(foreign_key="cases.id")
    case_number: str = Field(max_length=40)
    kind: RequestKind = Field(sa_column=sa.Column(enum_column(RequestKind), nullable=False))
    state: RequestState = Field(
        default=RequestState.ASKED, sa_column=sa.Column(enum_column(RequestState), nullable=False)
    )
    assignment: int
    unit: str | None = Field(default=None, max_length=60)
    reason: str = Field(sa_column=sa.Column(sa.Text(), nullable=False))
    basis: str | None = Field(default=None, max_length=500)
    suggested_unit: str | None = Field(default=None, max_length=60)
    time: str | None = Field(default=None, max_length=60)
    until: datetime | None = None
    asked_at: datetime
    asked_by: str = Field(max_length=80)
    warn_at: datetime | None = None
    due_at: datetime | None = None
    due_order: datetime
    proposed_at: datetime | None = None
    proposed_by: str | None = Field(default=None, max_length=80)
    proposal_reason: str | None = Field(default=None, sa_column=sa.Column(sa.Text()))
    decided_at: datetime | None = None
    decided_by: str | None = Field(default=None, max_length=80)
    decision_reason: str | None = Field(default=None, sa_column=sa.Column(sa.Text()))
