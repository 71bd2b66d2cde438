"""The field task."""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field

from services.intake.base import IntakeAggregate
from services.intake.tasks.domain import TaskState
from shared.db import enum_column, json_column
from shared.events.vocabulary import ClassRef, Finding, Place, TaskKind
from shared.vocabulary import ClassKind, PositionSource

_VERIFICATION = sa.text("case_id IS NOT NULL")


class FieldTask(IntakeAggregate, table=True):
    """A collector is to go and look, before registration or after handling.

    Attributes:
        unit: the unit whose work is verified.
        instruction: what to look for: the report's text, or the standard to compare with.
        photographs: of the report, for taking the new one from the same viewpoint.
        tried: logins the task has been with.
        attempt: n-th issue, whoever it went to.
        reissues: issues after an expiry since somebody last decided about it.
        due_at: when the stage runs out; expires_at: when it goes to somebody else.
        distance_m: metres between the place and where the finding was made.
        remote: the finding was made beyond the arrival radius or without a position.
    """

    __tablename__ = "field_tasks"
    __table_args__ = (
        sa.Index(
            "uq_field_tasks_round",
            "case_id",
            "round",
            unique=True,
            postgresql_where=_VERIFICATION,
            sqlite_where=_VERIFICATION,
        ),
        sa.Index("ix_field_tasks_collector", "collector", "id"),
        sa.Index("ix_field_tasks_state", "state", "id"),
        sa.Index("ix_field_tasks_expires_at", "state", "expires_at"),
        sa.Index("ix_field_tasks_report", "report_id"),
        sa.Index("ix_field_tasks_grid", "grid", "id"),
    )

    kind: TaskKind = Field(sa_type=enum_column(TaskKind))
    state: TaskState = Field(sa_type=enum_column(TaskState))
    report_id: UUID | None = None
    case_id: UUID | None = None
    case_number: str | None = Field(default=None, max_length=40)
    round: int = 1
    unit: str | None = Field(default=None, max_length=80)
    instruction: str = Field(sa_type=sa.Text)
    photographs: list[str] = Field(default_factory=list, sa_type=json_column())
    urgent: bool = False
    special: bool = False

    class_scheme: str | None = Field(default=None, max_length=60)
    class_kind: ClassKind | None = Field(default=None, sa_type=enum_column(ClassKind))
    class_code: str | None = Field(default=None, max_length=30)
    longitude: float | None = None
    latitude: float | None = None
    accuracy_m: float | None = None
    position_source: PositionSource = Field(
        default=PositionSource.UNKNOWN,
        sa_type=enum_column(PositionSource),
    )
    address: str | None = Field(default=None, max_length=300)
    grid: str | None = Field(default=None, max_length=30)

    collector: str | None = Field(default=None, max_length=80)
    excluded: list[str] = Field(default_factory=list, sa_type=json_column())
    tried: list[str] = Field(default_factory=list, sa_type=json_column())
    attempt: int = 0
    reissues: int = 0
    not_before: datetime | None = None
    created_at: datetime
    issued_at: datetime | None = None
    due_at: datetime | None = None
    warn_at: datetime | None = None
    provisional: bool = False
    expires_at: datetime | None = None
    accepted_at: datetime | None = None

    finding: Finding | None = Field(default=None, sa_type=enum_column(Finding))
    note: str | None = Field(default=None, max_length=1_000)
    media: list[str] = Field(default_factory=list, sa_type=json_column())
    found_position: dict[str, Any] | None = Field(default=None, sa_type=json_column())
    found_at: datetime | None = None
    distance_m: float | None = None
    remote: bool = False
    in_time: bool | None = None
    completed_at: datetime | None = None
    ended_reason: str | None = Field(default=None, max_length=1_000)

    @property
    def class_ref(self) -> ClassRef | None:
        if self.class_scheme is None or self.class_kind is None or self.class_code is None:
            return None
        return ClassRef(scheme=self.class_scheme, kind=self.class_kind, code=self.class_code)

    @property
    def place(self) -> Place:
        return Place(
            longitude=self.longitude,
            latitude=self.latitude,
            accuracy_m=self.accuracy_m,
            position_source=self.position_source,
            address=self.address,
            grid=self.grid,
        )
