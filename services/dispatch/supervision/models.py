"""The rows of the ledger: orders, the cases they are about, answers and problem reports."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field

from services.dispatch.base import DispatchAggregate, DispatchTable
from services.dispatch.supervision.domain import ExtensionState, OrderState
from shared.db import enum_column, json_column
from shared.vocabulary import SupervisionCause, SupervisionLevel

_ON_THE_LEDGER = sa.text("struck_off_at IS NULL")


class SupervisionOrder(DispatchAggregate, table=True):
    """One entry of the ledger.

    Attributes:
        number: D, year of the city's zone, running number.
        matter: name of the matter; no two entries on the ledger have the same one.
        by_rule: the rule that opened it; None for a person.
        asked: what the unit is to do.
        source: who gave the instruction, or which meeting decided.
        reference: number of the paper behind it.
        acknowledge_due_at: until then the unit takes note of it.
        first_due_at: as it was ordered; `due_at` moves with each extension.
        caused_at: when its cause happened, which may be before anybody ordered.
        answers: number of answers so far.
        answered_at: of the answer that stands; None while the unit owes one.
        extensions: number of problem reports so far.
        timer_at: when the next thing that the unit owes is overdue.
        told_overdue: the latest due time that was told as overdue.
    """

    __tablename__ = "supervision_orders"
    __table_args__ = (
        sa.Index(
            "uq_supervision_orders_matter",
            "matter",
            unique=True,
            postgresql_where=_ON_THE_LEDGER,
            sqlite_where=_ON_THE_LEDGER,
        ),
        sa.Index(
            "ix_supervision_orders_open_due_at_id",
            "due_at",
            "id",
            postgresql_where=_ON_THE_LEDGER,
            sqlite_where=_ON_THE_LEDGER,
        ),
        sa.Index(
            "ix_supervision_orders_timer_at",
            "timer_at",
            postgresql_where=sa.text("timer_at IS NOT NULL"),
            sqlite_where=sa.text("timer_at IS NOT NULL"),
        ),
        sa.Index("ix_supervision_orders_due_at_id", "due_at", "id"),
        sa.Index("ix_supervision_orders_unit_due_at_id", "unit", "due_at", "id"),
        sa.Index("ix_supervision_orders_state_due_at_id", "state", "due_at", "id"),
        sa.Index("ix_supervision_orders_cause_due_at_id", "cause", "due_at", "id"),
        sa.Index("ix_supervision_orders_level_due_at_id", "level", "due_at", "id"),
        sa.Index("ix_supervision_orders_ordered_at_id", "ordered_at", "id"),
        sa.Index("ix_supervision_orders_unit_ordered_at_id", "unit", "ordered_at", "id"),
    )

    number: str = Field(max_length=40, unique=True)
    cause: SupervisionCause = Field(
        sa_column=sa.Column(enum_column(SupervisionCause), nullable=False)
    )
    level: SupervisionLevel = Field(
        sa_column=sa.Column(enum_column(SupervisionLevel), nullable=False)
    )
    state: OrderState = Field(
        default=OrderState.ORDERED, sa_column=sa.Column(enum_column(OrderState), nullable=False)
    )
    unit: str = Field(max_length=60)
    matter: str = Field(max_length=64)
    by_rule: str | None = Field(default=None, max_length=40)
    title: str = Field(max_length=300)
    asked: str = Field(sa_column=sa.Column(sa.Text(), nullable=False))
    source: str | None = Field(default=None, max_length=300)
    reference: str | None = Field(default=None, max_length=300)
    caused_at: datetime
    ordered_at: datetime
    ordered_by: str = Field(max_length=80)
    acknowledge_warn_at: datetime
    acknowledge_due_at: datetime
    acknowledged_at: datetime | None = None
    acknowledged_by: str | None = Field(default=None, max_length=80)
    warn_at: datetime
    first_due_at: datetime
    due_at: datetime
    provisional: bool = False
    answers: int = 0
    answered_at: datetime | None = None
    extensions: int = 0
    accepted_at: datetime | None = None
    accepted_by: str | None = Field(default=None, max_length=80)
    struck_off_at: datetime | None = None
    struck_off_by: str | None = Field(default=None, max_length=80)
    published_at: datetime | None = None
    bulletin: str | None = Field(default=None, max_length=300)
    timer_at: datetime | None = None
    told_overdue: datetime | None = None


class OrderNumber(DispatchTable, table=True):
    """Where the running number of an order comes from; a number undone is a gap."""

    __tablename__ = "supervision_numbers"
    __table_args__ = ({"sqlite_autoincrement": True},)

    number: int | None = Field(
        default=None,
        sa_column=sa.Column(
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"), sa.Identity(), primary_key=True
        ),
    )
    taken_at: datetime


class OrderCase(DispatchTable, table=True):
    """A case that an order is about."""

    __tablename__ = "supervision_order_cases"
    __table_args__ = (sa.Index("ix_supervision_order_cases_case_id", "case_id", "order_id"),)

    order_id: UUID = Field(primary_key=True, foreign_key="supervision_orders.id")
    case_id: UUID = Field(primary_key=True, foreign_key="cases.id")
    case_number: str = Field(max_length=40)


class OrderAnswer(DispatchTable, table=True):
    """What the unit answered, and what the centre made of it; unjudged: `accepted` is None."""

    __tablename__ = "supervision_answers"

    order_id: UUID = Field(primary_key=True, foreign_key="supervision_orders.id")
    number: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    text: str = Field(sa_column=sa.Column(sa.Text(), nullable=False))
    media: list[str] = Field(
        default_factory=list, sa_column=sa.Column(json_column(), nullable=False)
    )
    due_at: datetime
    answered_at: datetime
    answered_by: str = Field(max_length=80)
    accepted: bool | None = None
    judged_at: datetime | None = None
    judged_by: str | None = Field(default=None, max_length=80)
    judged_reason: str | None = Field(default=None, sa_column=sa.Column(sa.Text()))


class OrderExtension(DispatchTable, table=True):
    """A unit's problem report and the leader's decision, with the old date and the new one."""

    __tablename__ = "supervision_extensions"

    order_id: UUID = Field(primary_key=True, foreign_key="supervision_orders.id")
    number: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    state: ExtensionState = Field(
        default=ExtensionState.ASKED,
        sa_column=sa.Column(enum_column(ExtensionState), nullable=False),
    )
    report: str = Field(sa_column=sa.Column(sa.Text(), nullable=False))
    media: list[str] = Field(
        default_factory=list, sa_column=sa.Column(json_column(), nullable=False)
    )
    old_due_at: datetime
    until: datetime
    asked_at: datetime
    asked_by: str = Field(max_length=80)
    decided_at: datetime | None = None
    decided_by: str | None = Field(default=None, max_length=80)
    decision_reason: str | None = Field(default=None, sa_column=sa.Column(sa.Text()))
