"""The table of messages; only services that send any have it."""

import sqlalchemy as sa
from sqlmodel.sql.sqltypes import UTCDateTime

from shared.db.columns import enum_column, json_column
from shared.messages.message import Channel, MessageState


def message_table(metadata: sa.MetaData) -> sa.Table:
    """Add the table of messages to a service's metadata.

    Columns of note: `cause` names what the message is about, e.g. `alarm:<id>`; `recipient` is an
    account name or an opaque id, never an address; `leased_until` is set while somebody sends it.
    """
    queued = sa.text("state = 'queued'")
    return sa.Table(
        "messages",
        metadata,
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("cause", sa.String(120), nullable=False),
        sa.Column("recipient", sa.String(120), nullable=False),
        sa.Column("channel", enum_column(Channel), nullable=False),
        sa.Column("template", sa.String(60), nullable=False),
        sa.Column("language", sa.String(20), nullable=False),
        sa.Column("parameters", json_column(), nullable=False),
        sa.Column("state", enum_column(MessageState), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("next_try_at", UTCDateTime(), nullable=False),
        sa.Column("leased_until", UTCDateTime()),
        sa.Column("sent_at", UTCDateTime()),
        sa.Column("last_error", sa.Text()),
        sa.Index("ix_messages_queued", "next_try_at", postgresql_where=queued, sqlite_where=queued),
        sa.Index("ix_messages_state", "state", "id"),
        sa.Index("ix_messages_cause", "cause", "id"),
        sa.Index("ix_messages_sent_at", "sent_at"),
    )
