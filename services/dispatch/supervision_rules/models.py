"""What the rules remember: orders opened, complaints to be counted, dispatches to be accepted."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field

from services.dispatch.base import DispatchTable
from shared.db import enum_column
from shared.ids import uuid7
from shared.vocabulary import SupervisionCause

_SET = sa.text("due_at IS NOT NULL")


class OpenedByRule(DispatchTable, table=True):
    """That a rule has found its cause in a run of a case; it does so once.

    Attributes:
        run: number of the dispatch with which the unit's clock began.
        order_id: the entry of the ledger that stands for it.
        caused_at: when the cause happened.
    """

    __tablename__ = "orders_opened_by_rule"

    case_id: UUID = Field(primary_key=True, foreign_key="cases.id")
    cause: SupervisionCause = Field(
        sa_column=sa.Column(enum_column(SupervisionCause), primary_key=True)
    )
    run: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    order_id: UUID = Field(foreign_key="supervision_orders.id")
    caused_at: datetime


class ComplaintRow(DispatchTable, table=True):
    """A citizen's report about a case, kept to be counted.

    Attributes:
        caller: opaque id of who complained.
        order_id: the order that its series has led to, if it has.
    """

    __tablename__ = "complaints"
    __table_args__ = (sa.Index("ix_complaints_caller_at", "caller", "at"),)

    report_id: UUID = Field(primary_key=True)
    case_id: UUID = Field(foreign_key="cases.id", index=True)
    caller: str = Field(max_length=80)
    longitude: float | None = None
    latitude: float | None = None
    grid: str | None = Field(default=None, max_length=30)
    at: datetime
    order_id: UUID | None = Field(default=None, foreign_key="supervision_orders.id")


class AcceptanceWatch(DispatchTable, table=True):
    """An urgent dispatch that has to be accepted in time.

    Attributes:
        accept_by: the end of the time.
        due_at: the first instant after it, at which somebody looks; empty when that is done.
    """

    __tablename__ = "acceptance_watches"
    __table_args__ = (
        sa.Index(
            "ix_acceptance_watches_due_at", "due_at", postgresql_where=_SET, sqlite_where=_SET
        ),
    )

    id: UUID = Field(default_factory=uuid7, primary_key=True)
    case_id: UUID = Field(foreign_key="cases.id")
    assignment: int
    accept_by: datetime
    due_at: datetime | None


class WaitingInstruction(DispatchTable, table=True):
    """A leader's instruction on a ticket whose case no unit has yet."""

    __tablename__ = "waiting_instructions"

    id: UUID = Field(default_factory=uuid7, primary_key=True)
    ticket_id: UUID = Field(index=True)
    case_id: UUID | None = Field(default=None, index=True)
    leader: str = Field(max_length=300)
    reference: str = Field(max_length=300)
    text: str = Field(sa_column=sa.Column(sa.Text(), nullable=False))
    given_at: datetime
