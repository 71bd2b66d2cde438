"""A paper that has to follow."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field

from services.dispatch.base import DispatchTable
from shared.db import enum_column
from shared.ids import uuid7
from shared.pack.model import Paper


class PaperRow(DispatchTable, table=True):
    """Outstanding until `completed_at`.

    Attributes:
        assignment: the direct dispatch that it confirms; 0 for what is about the whole case.
        decided_by: whose decision it confirms; that person does not complete it.
        remind_at: the timer; emptied when the paper is overdue or complete.
        overdue_at: when it was told to be overdue.
        text: what was written; without personal data.
        changed: a confirmation corrected what was decided before.
    """

    __tablename__ = "papers"
    __table_args__ = (
        sa.UniqueConstraint("case_id", "kind", "assignment"),
        sa.Index(
            "ix_papers_outstanding",
            "due_at",
            "id",
            postgresql_where=sa.text("completed_at IS NULL"),
            sqlite_where=sa.text("completed_at IS NULL"),
        ),
        sa.Index(
            "ix_papers_remind_at",
            "remind_at",
            postgresql_where=sa.text("remind_at IS NOT NULL"),
            sqlite_where=sa.text("remind_at IS NOT NULL"),
        ),
        sa.Index("ix_papers_due_at", "due_at", "id"),
    )

    id: UUID = Field(default_factory=uuid7, primary_key=True)
    case_id: UUID = Field(foreign_key="cases.id")
    case_number: str = Field(max_length=40)
    kind: Paper = Field(sa_column=sa.Column(enum_column(Paper), nullable=False))
    assignment: int = 0
    decided_by: str | None = Field(default=None, max_length=80)
    asked_at: datetime
    due_at: datetime
    remind_at: datetime | None = None
    overdue_at: datetime | None = None
    completed_at: datetime | None = None
    completed_by: str | None = Field(default=None, max_length=80)
    text: str | None = Field(default=None, sa_column=sa.Column(sa.Text()))
    changed: bool = False
