"""The rows of the ledger: a year, its entries, their postings. Entries are only ever added."""

from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field

from services.dispatch.base import DispatchAggregate, DispatchTable
from services.dispatch.fund.domain import Account, EntryKind
from shared.db import enum_column
from shared.ids import uuid7


class Fund(DispatchAggregate, table=True):
    """The ledger of a year; its row is locked for every booking.

    Attributes:
        entries: number of the last entry; entries of a year are numbered without holes.
    """

    __tablename__ = "funds"

    year: int = Field(unique=True)
    entries: int = 0


class LedgerEntry(DispatchTable, table=True):
    """One booking.

    Attributes:
        day: local date of the booking, or of the payment as stated.
        amount_fen: as booked; postings say where it went.
        reference: number of the voucher or document.
        belongs_to: the recovery whose money a return to the fund puts back.
        corrects: the entry that this one undoes; each is undone at most once.
    """

    __tablename__ = "ledger_entries"
    __table_args__ = (
        sa.UniqueConstraint("year", "number"),
        sa.Index("ix_ledger_entries_remediation_id", "remediation_id"),
    )

    id: UUID = Field(default_factory=uuid7, primary_key=True)
    year: int
    number: int
    kind: EntryKind = Field(sa_column=sa.Column(enum_column(EntryKind), nullable=False))
    day: date
    amount_fen: int = Field(sa_type=sa.BigInteger)
    basis: str = Field(sa_column=sa.Column(sa.Text(), nullable=False))
    reference: str | None = Field(default=None, max_length=300)
    case_number: str | None = Field(default=None, max_length=40)
    unit: str | None = Field(default=None, max_length=60)
    remediation_id: UUID | None = None
    cost_id: UUID | None = None
    recovery_id: UUID | None = Field(default=None, index=True)
    belongs_to: UUID | None = Field(default=None, unique=True)
    corrects: UUID | None = Field(default=None, unique=True)
    booked_at: datetime
    booked_by: str = Field(max_length=80)
    booked_as: str | None = Field(default=None, max_length=40)


class LedgerPosting(DispatchTable, table=True):
    """What an entry does to one account; those of an entry make zero."""

    __tablename__ = "ledger_postings"
    __table_args__ = (
        sa.Index("ix_ledger_postings_year_account", "year", "account"),
        sa.Index("ix_ledger_postings_remediation_id", "remediation_id"),
        sa.Index("ix_ledger_postings_recovery_id", "recovery_id"),
    )

    entry_id: UUID = Field(primary_key=True, foreign_key="ledger_entries.id")
    line: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    year: int
    account: Account = Field(sa_column=sa.Column(enum_column(Account), nullable=False))
    fen: int = Field(sa_type=sa.BigInteger)
    remediation_id: UUID | None = None
    recovery_id: UUID | None = None
