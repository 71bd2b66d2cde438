"""Rows that the counts of people, posts and sources are taken from; made by folding, never edited.

`events` is how many different events a row was folded from: a fold that saw fewer never overwrites
one that saw more.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field

from services.assessment.base import AssessmentTable
from services.assessment.fieldwork.domain import AttemptOutcome, ReportState, TicketOutcome
from shared.db import enum_column, json_column


class ReportFacts(AssessmentTable, table=True):
    """What became of a report.

    Attributes:
        decided_in_time: within the limit of registration; null before a decision of a person.
    """

    __tablename__ = "report_facts"
    __table_args__ = (
        sa.Index("ix_report_facts_received", "received_at", "report_id"),
        sa.Index("ix_report_facts_state", "state", "decided_at"),
        sa.Index("ix_report_facts_reporter", "reporter_id", "received_at", "report_id"),
        sa.Index("ix_report_facts_decided", "decided_at", "report_id"),
        sa.Index("ix_report_facts_source", "source", "received_at", "report_id"),
    )

    report_id: UUID = Field(primary_key=True)
    number: str | None = Field(default=None, max_length=40)
    source: str | None = Field(default=None, max_length=40)
    reporter_id: str | None = Field(default=None, max_length=80)
    grid: str | None = Field(default=None, max_length=30)
    received_at: datetime | None = None
    observed_at: datetime | None = None
    state: ReportState = Field(sa_type=enum_column(ReportState))
    decided_at: datetime | None = None
    case_id: UUID | None = None
    by_rule: bool = False
    merged_into: UUID | None = None
    reason_code: str | None = Field(default=None, max_length=80)
    urgent: bool = False
    overturned: bool = False
    decided_in_time: bool | None = None
    events: int


class TaskFacts(AssessmentTable, table=True):
    """One issue of a field task to one collector."""

    __tablename__ = "task_facts"
    __table_args__ = (
        sa.Index("ix_task_facts_collector", "collector", "issued_at"),
        sa.Index("ix_task_facts_issued", "issued_at"),
    )

    task_id: UUID = Field(primary_key=True)
    attempt: int = Field(primary_key=True)
    kind: str = Field(max_length=40)
    collector: str = Field(max_length=80)
    issued_at: datetime
    case_id: UUID | None = None
    report_id: UUID | None = None
    outcome: AttemptOutcome = Field(sa_type=enum_column(AttemptOutcome))
    ended_at: datetime | None = None
    in_time: bool | None = None
    finding: str | None = Field(default=None, max_length=40)
    events: int


class PatrolFacts(AssessmentTable, table=True):
    """Grids covered in a stretch of patrol."""

    __tablename__ = "patrol_facts"
    __table_args__ = (
        sa.Index("ix_patrol_facts_collector", "collector", "started_at"),
        sa.Index("ix_patrol_facts_started", "started_at"),
    )

    subject: str = Field(primary_key=True, max_length=80)
    sequence: int = Field(primary_key=True)
    collector: str = Field(max_length=80)
    started_at: datetime
    ended_at: datetime
    grids: list[Any] = Field(sa_type=json_column())
    events: int


class CallFacts(AssessmentTable, table=True):
    """A call of the hotline."""

    __tablename__ = "call_facts"
    __table_args__ = (
        sa.Index("ix_call_facts_agent", "agent", "ended_at"),
        sa.Index("ix_call_facts_ended", "ended_at"),
    )

    subject: str = Field(primary_key=True, max_length=80)
    sequence: int = Field(primary_key=True)
    agent: str = Field(max_length=80)
    direction: str = Field(max_length=20)
    ended_at: datetime
    seconds_to_answer: float | None = None
    seconds: float
    outcome: str = Field(max_length=40)
    events: int


class TicketFacts(AssessmentTable, table=True):
    """What became of a caller's matter."""

    __tablename__ = "ticket_facts"
    __table_args__ = (
        sa.Index("ix_ticket_facts_agent", "agent", "settled_at"),
        sa.Index("ix_ticket_facts_settled", "settled_at"),
    )

    ticket_id: UUID = Field(primary_key=True)
    number: str | None = Field(default=None, max_length=40)
    agent: str | None = Field(default=None, max_length=80)
    outcome: TicketOutcome = Field(sa_type=enum_column(TicketOutcome))
    settled_at: datetime | None = None
    reopenings: int = 0
    events: int


class CallbackFacts(AssessmentTable, table=True):
    """One try to call back after closing."""

    __tablename__ = "callback_facts"
    __table_args__ = (
        sa.Index("ix_callback_facts_agent", "agent", "at"),
        sa.Index("ix_callback_facts_at", "at"),
    )

    ticket_id: UUID = Field(primary_key=True)
    sequence: int = Field(primary_key=True)
    agent: str = Field(max_length=80)
    at: datetime
    outcome: str = Field(max_length=40)
    satisfaction: str | None = Field(default=None, max_length=40)
    events: int


class AccountFacts(AssessmentTable, table=True):
    """Which account name belongs to which account id."""

    __tablename__ = "account_facts"
    __table_args__ = (sa.Index("ix_account_facts_login", "login"),)

    account_id: str = Field(primary_key=True, max_length=80)
    login: str = Field(max_length=80)
    roles: list[Any] = Field(sa_type=json_column())
    unit: str | None = Field(default=None, max_length=80)
    active: bool
    events: int
