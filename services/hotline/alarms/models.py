"""The alarm on the board."""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field

from services.hotline.alarms.domain import AlarmKind, AlarmState
from services.hotline.base import HotlineAggregate
from shared.db import enum_column, json_column


def _partial(name: str, *columns: str, where: str, unique: bool = False) -> sa.Index:
    condition = sa.text(where)
    return sa.Index(
        name, *columns, unique=unique, postgresql_where=condition, sqlite_where=condition
    )


class Alarm(HotlineAggregate, table=True):
    """One emergency, however often and from wherever it is told.

    Attributes:
        number: of the ticket or report, by which people speak of it.
        ticket_id, report_id, case_id: each leads back to the same alarm.
        recorded_at: when the emergency was stored by whoever took it in; the minute counts from
            here.
        raised_at: when the alarm was on the board and its messages written.
        shift_id: the shift that ran then; None when nobody was on the roster.
        unstaffed: nobody was on the roster, so everybody was told.
        told: account names, in the order in which they were told.
        step: escalations so far.
        escalate_at: when the next one is told if nobody acknowledges.
        exhausted: everybody was told and nobody has acknowledged.
    """

    __tablename__ = "alarms"
    __table_args__ = (
        _partial("uq_alarms_ticket", "ticket_id", where="ticket_id IS NOT NULL", unique=True),
        _partial("uq_alarms_report", "report_id", where="report_id IS NOT NULL", unique=True),
        _partial("uq_alarms_case", "case_id", where="case_id IS NOT NULL", unique=True),
        _partial("ix_alarms_escalate_at", "escalate_at", where="escalate_at IS NOT NULL"),
        sa.Index("ix_alarms_state", "state", "id"),
    )

    state: AlarmState = Field(default=AlarmState.OPEN, sa_type=enum_column(AlarmState))
    kind: AlarmKind = Field(sa_type=enum_column(AlarmKind))
    source: str = Field(max_length=40)
    number: str = Field(max_length=40)
    case_number: str | None = Field(default=None, max_length=40)
    ticket_id: UUID | None = None
    report_id: UUID | None = None
    case_id: UUID | None = None
    class_key: str | None = Field(default=None, max_length=130)
    place: dict[str, Any] = Field(sa_column=sa.Column(json_column(), nullable=False))
    recorded_at: datetime
    raised_at: datetime
    shift_id: UUID | None = None
    unstaffed: bool = False
    told: list[str] = Field(sa_column=sa.Column(json_column(), nullable=False))
    step: int = 0
    escalate_at: datetime | None = None
    exhausted: bool = False
    acknowledged_at: datetime | None = None
    acknowledged_by: str | None = Field(default=None, max_length=80)
    note: str | None = Field(default=None, max_length=1_000)
    ended_at: datetime | None = None
    outcome: str | None = Field(default=None, max_length=40)
