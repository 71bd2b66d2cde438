"""The ticket and its timeline."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field

from services.hotline.base import HotlineAggregate, HotlineTable
from services.hotline.tickets.domain import Competence, Progress, TicketState
from shared.db import enum_column
from shared.events.hotline import AppealKind, Urgency
from shared.events.vocabulary import ClassRef, Place
from shared.ids import uuid7
from shared.vocabulary import ClassKind, PositionSource


class TicketNumberDay(HotlineTable, table=True):
    """Where a day's ticket numbers begin.

    Attributes:
        day: YYYYMMDD in the city's zone.
        base: on PostgreSQL, the value of the column's own sequence when the day began.
        last: on SQLite, the last number given.
    """

    __tablename__ = "ticket_number_days"

    day: str = Field(primary_key=True, max_length=8)
    base: int = Field(sa_column=sa.Column(sa.BigInteger, sa.Identity(), nullable=False))
    last: int = 0


class Ticket(HotlineAggregate, table=True):
    """What a caller wants, and what became of it. The text holds no personal data.

    Attributes:
        number: told to the caller; H, date, daily sequence.
        callback_consent: the caller may be rung up about the result.
        agent: account id of who recorded it.
        report_id: the report that intake made of it.
        root_report_id: the report that stands for it after merges.
        case_id: the case that it follows; several tickets may follow one.
        closings: how often it has been closed or rejected.
        reopened_closing: the closing after which the caller had it reopened.
    """

    __tablename__ = "tickets"
    __table_args__ = (
        sa.Index("ix_tickets_recorded_at", "recorded_at", "id"),
        sa.Index("ix_tickets_state", "state", "recorded_at", "id"),
        sa.Index("ix_tickets_progress", "progress", "recorded_at", "id"),
        sa.Index("ix_tickets_agent", "agent", "recorded_at", "id"),
        sa.Index("ix_tickets_caller", "caller_id", "recorded_at", "id"),
        sa.Index("ix_tickets_appeal_kind", "appeal_kind", "recorded_at", "id"),
        sa.Index("ix_tickets_urgency", "urgency", "recorded_at", "id"),
        sa.Index("ix_tickets_class", "class_code", "recorded_at", "id"),
        sa.Index("ix_tickets_call", "call_id"),
        sa.Index("ix_tickets_case", "case_id"),
        sa.Index("ix_tickets_root_report", "root_report_id"),
    )

    number: str = Field(max_length=40, unique=True)
    state: TicketState = Field(default=TicketState.RECORDED, sa_type=enum_column(TicketState))
    progress: Progress = Field(default=Progress.NONE, sa_type=enum_column(Progress))
    appeal_kind: AppealKind = Field(sa_type=enum_column(AppealKind))
    competence: Competence = Field(
        default=Competence.GOVERNMENT,
        sa_type=enum_column(Competence),
    )
    class_scheme: str | None = Field(default=None, max_length=60)
    class_kind: ClassKind | None = Field(default=None, sa_type=enum_column(ClassKind))
    class_code: str | None = Field(default=None, max_length=30)
    description: str = Field(sa_type=sa.Text)
    urgency: Urgency = Field(default=Urgency.ROUTINE, sa_type=enum_column(Urgency))
    confidential: bool = False
    callback_consent: bool = True

    longitude: float | None = None
    latitude: float | None = None
    accuracy_m: float | None = None
    position_source: PositionSource = Field(
        default=PositionSource.UNKNOWN,
        sa_type=enum_column(PositionSource),
    )
    address: str | None = Field(default=None, max_length=300)
    grid: str | None = Field(default=None, max_length=30)

    call_id: UUID | None = None
    caller_id: UUID | None = None
    agent: str = Field(max_length=80)
    recorded_at: datetime
    submitted_at: datetime | None = None
    knowledge_id: str | None = Field(default=None, max_length=80)
    answer: str | None = Field(default=None, sa_type=sa.Text)
    referred_to: str | None = Field(default=None, max_length=300)
    withdrawn_reason: str | None = Field(default=None, max_length=300)

    report_id: UUID | None = None
    report_number: str | None = Field(default=None, max_length=40)
    root_report_id: UUID | None = None
    case_id: UUID | None = None
    case_number: str | None = Field(default=None, max_length=40)
    unit: str | None = Field(default=None, max_length=80)
    closed_at: datetime | None = None
    outcome: str | None = Field(default=None, max_length=60)
    conclusion: str | None = Field(default=None, max_length=2_000)
    closings: int = 0
    reopened_closing: int = 0

    @property
    def class_ref(self) -> ClassRef | None:
        if self.class_scheme is None or self.class_kind is None or self.class_code is None:
            return None
        return ClassRef(scheme=self.class_scheme, kind=self.class_kind, code=self.class_code)

    def set_class(self, ref: ClassRef) -> None:
        self.class_scheme, self.class_kind, self.class_code = ref.scheme, ref.kind, ref.code

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

    def set_place(self, place: Place) -> None:
        self.longitude, self.latitude = place.longitude, place.latitude
        self.accuracy_m, self.position_source = place.accuracy_m, place.position_source
        self.address, self.grid = place.address, place.grid


class TicketStep(HotlineTable, table=True):
    """One line of a ticket's timeline; one fact makes one line."""

    __tablename__ = "ticket_steps"
    __table_args__ = (
        sa.UniqueConstraint("ticket_id", "source", "kind"),
        sa.Index("ix_ticket_steps_ticket", "ticket_id", "at", "id"),
    )

    id: UUID = Field(default_factory=uuid7, primary_key=True)
    ticket_id: UUID
    kind: Progress = Field(sa_type=enum_column(Progress))
    at: datetime
    source: str = Field(max_length=120)
    unit: str | None = Field(default=None, max_length=80)
    text: str | None = Field(default=None, max_length=2_000)
