"""Tables that every service keeps beside its own: what was said, heard, done and promised."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import declared_attr
from sqlmodel import Field, SQLModel
from sqlmodel.sql.sqltypes import UTCDateTime

from shared.db.columns import json_column
from shared.ids import uuid7

NAMING_CONVENTION = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


def service_metadata() -> sa.MetaData:
    return sa.MetaData(naming_convention=NAMING_CONVENTION)


class Aggregate(SQLModel):
    """A thing with a life of its own: locked optimistically, told about in numbered events.

    Attributes:
        version: raised by every change; it is the ETag.
        event_sequence: number of the last event told about it, from 1. Readers put events in order
            by it.
    """

    id: UUID = Field(default_factory=uuid7, primary_key=True)
    version: int = Field(default=1, nullable=False)
    event_sequence: int = Field(default=0, nullable=False)

    @declared_attr.directive
    def __mapper_args__(cls) -> dict[str, Any]:  # noqa: N805 - SQLAlchemy hands in the class
        """Every UPDATE names the version that was read; a lost race raises StaleDataError."""
        return {"version_id_col": cls.__table__.c.version}  # type: ignore[attr-defined]


@dataclass(frozen=True)
class KernelTables:
    """The kernel's tables within one service's metadata."""

    outbox: sa.Table
    inbox: sa.Table
    inbox_progress: sa.Table
    inbox_held: sa.Table
    inbox_crash: sa.Table
    lease: sa.Table
    idempotency: sa.Table
    journal: sa.Table
    audit: sa.Table
    ended_sessions: sa.Table
    timer_tries: sa.Table


def _position() -> sa.Column[int]:
    return sa.Column(
        "position",
        sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
        sa.Identity(),
        primary_key=True,
    )


def _outbox(metadata: sa.MetaData) -> sa.Table:
    unsent = sa.text("sent_at IS NULL")
    return sa.Table(
        "outbox",
        metadata,
        _position(),
        sa.Column("event_id", sa.Uuid(), nullable=False, unique=True),
        sa.Column("type", sa.String(120), nullable=False),
        sa.Column("aggregate", sa.String(80), nullable=False),
        sa.Column("subject", sa.String(80), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("sent_at", UTCDateTime()),
        sa.Column("attempts", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("next_try_at", UTCDateTime()),
        sa.Column("last_error", sa.Text()),
        sa.UniqueConstraint("subject", "sequence", "type"),
        sa.Index("ix_outbox_unsent", "position", postgresql_where=unsent, sqlite_where=unsent),
        sa.Index("ix_outbox_sent_at", "sent_at"),
        sqlite_autoincrement=True,
    )


def _inbox(metadata: sa.MetaData) -> tuple[sa.Table, sa.Table, sa.Table, sa.Table]:
    inbox = sa.Table(
        "inbox",
        metadata,
        sa.Column("consumer", sa.String(60), primary_key=True),
        sa.Column("event_id", sa.Uuid(), primary_key=True),
        sa.Column("received_at", UTCDateTime(), nullable=False),
        sa.Index("ix_inbox_received_at", "received_at"),
    )
    progress = sa.Table(
        "inbox_progress",
        metadata,
        sa.Column("consumer", sa.String(60), primary_key=True),
        sa.Column("aggregate", sa.String(80), primary_key=True),
        sa.Column("subject", sa.String(80), primary_key=True),
        sa.Column("sequence", sa.Integer(), nullable=False),
    )
    held = sa.Table(
        "inbox_held",
        metadata,
        sa.Column("consumer", sa.String(60), primary_key=True),
        sa.Column("event_id", sa.Uuid(), primary_key=True),
        sa.Column("type", sa.String(120), nullable=False),
        sa.Column("aggregate", sa.String(80), nullable=False),
        sa.Column("subject", sa.String(80), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("next_try_at", UTCDateTime()),
        sa.Column("reason", sa.Text()),
        sa.Column("held_at", UTCDateTime(), nullable=False),
        sa.Index("ix_inbox_held_subject", "consumer", "aggregate", "subject", "sequence"),
        sa.Index("ix_inbox_held_state", "state", "next_try_at"),
    )
    crash = sa.Table(
        "inbox_crash",
        metadata,
        sa.Column("consumer", sa.String(60), primary_key=True),
        sa.Column("event_id", sa.Uuid(), primary_key=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("last_at", UTCDateTime(), nullable=False),
    )
    return inbox, progress, held, crash


def _lease(metadata: sa.MetaData) -> sa.Table:
    return sa.Table(
        "lease",
        metadata,
        sa.Column("name", sa.String(80), primary_key=True),
        sa.Column("owner", sa.String(80), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("until", UTCDateTime(), nullable=False),
    )


def _idempotency(metadata: sa.MetaData) -> sa.Table:
    return sa.Table(
        "idempotency",
        metadata,
        sa.Column("principal", sa.String(80), primary_key=True),
        sa.Column("method", sa.String(8), primary_key=True),
        sa.Column("path", sa.String(300), primary_key=True),
        sa.Column("key", sa.String(255), primary_key=True),
        sa.Column("fingerprint", sa.LargeBinary(32), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("headers", json_column(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Index("ix_idempotency_created_at", "created_at"),
    )


def _journal(metadata: sa.MetaData) -> sa.Table:
    return sa.Table(
        "journal",
        metadata,
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("aggregate", sa.String(80), nullable=False),
        sa.Column("subject", sa.String(80), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.Column("actor_id", sa.String(80), nullable=False),
        sa.Column("actor_role", sa.String(40)),
        sa.Column("action", sa.String(80), nullable=False),
        sa.Column("from_state", sa.String(40)),
        sa.Column("to_state", sa.String(40)),
        sa.Column("reason", sa.Text()),
        sa.Column("details", json_column(), nullable=False),
        sa.Column("correlation_id", sa.String(80)),
        sa.Index("ix_journal_subject", "aggregate", "subject", "id"),
    )


def _audit(metadata: sa.MetaData) -> sa.Table:
    return sa.Table(
        "audit",
        metadata,
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.Column("actor_id", sa.String(80), nullable=False),
        sa.Column("actor_role", sa.String(40)),
        sa.Column("source_address", sa.String(64)),
        sa.Column("action", sa.String(80), nullable=False),
        sa.Column("object", sa.String(200), nullable=False),
        sa.Column("succeeded", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("correlation_id", sa.String(80)),
        sa.Index("ix_audit_at", "at"),
    )


def _ended_sessions(metadata: sa.MetaData) -> sa.Table:
    return sa.Table(
        "ended_sessions",
        metadata,
        sa.Column("name", sa.String(80), primary_key=True),
        sa.Column("ended_at", UTCDateTime(), nullable=False),
        sa.Index("ix_ended_sessions_ended_at", "ended_at"),
    )


def _timer_tries(metadata: sa.MetaData) -> sa.Table:
    return sa.Table(
        "timer_tries",
        metadata,
        sa.Column("timer", sa.String(60), primary_key=True),
        sa.Column("subject", sa.Uuid(), primary_key=True),
        sa.Column("due_at", UTCDateTime(), primary_key=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_try_at", UTCDateTime(), nullable=False),
        sa.Column("parked", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("last_at", UTCDateTime(), nullable=False),
        sa.Index("ix_timer_tries_last_at", "last_at"),
    )


def kernel_tables(metadata: sa.MetaData) -> KernelTables:
    """Add the kernel's tables to a service's metadata, so that its own migrations create them."""
    inbox, progress, held, crash = _inbox(metadata)
    return KernelTables(
        outbox=_outbox(metadata),
        inbox=inbox,
        inbox_progress=progress,
        inbox_held=held,
        inbox_crash=crash,
        lease=_lease(metadata),
        idempotency=_idempotency(metadata),
        journal=_journal(metadata),
        audit=_audit(metadata),
        ended_sessions=_ended_sessions(metadata),
        timer_tries=_timer_tries(metadata),
    )
