"""What is sent and shown about the ledger. Amounts are whole numbers of fen."""

from datetime import date, datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StrictInt, StringConstraints

from services.dispatch.fund.domain import Account, EntryKind, Totals
from services.dispatch.fund.models import LedgerEntry, LedgerPosting
from shared.web.fields import Line, Paragraph

MOST_FEN = 10**13
"""A hundred thousand million of the currency in one booking; sums of them stay exact."""

Fen = Annotated[
    StrictInt,
    Field(gt=0, le=MOST_FEN, examples=[125_000], description="fen, hundredths of the currency"),
]
Basis = Annotated[Paragraph, StringConstraints(max_length=1_000)]


class Command(BaseModel):
    model_config = ConfigDict(extra="forbid")


class AppropriationCommand(Command):
    """Money is given to the fund of a year."""

    amount_fen: Fen
    basis: Basis = Field(examples=["区财预〔2026〕12 号"])
    reference: Line | None = Field(default=None, description="number of the document")


class TotalsView(BaseModel):
    """A year: fund + returned = left + committed + spent; the claims make zero, too."""

    fund_fen: int = Field(description="appropriated")
    returned_fen: int = Field(description="recovered money put back into this year's fund")
    committed_fen: int = Field(description="kept back for orders that are not paid yet")
    spent_fen: int
    left_fen: int = Field(description="free to be committed or paid")
    claimed_fen: int
    to_recover_fen: int
    recovered_fen: int
    written_off_fen: int
    balanced: bool = Field(description="the sums agree; anything else is a fault of the program")

    @classmethod
    def of(cls, found: Totals) -> Self:
        names = (name.removesuffix("_fen") for name in cls.model_fields if name != "balanced")
        amounts = {f"{name}_fen": getattr(found, name) for name in names}
        return cls(**amounts, balanced=found.balanced)


class LedgerView(TotalsView):
    year: int
    entries: int = Field(description="number of entries")


class PostingView(BaseModel):
    account: Account
    fen: int


class EntryView(BaseModel):
    """An entry with its postings, which make zero."""

    id: UUID
    year: int
    number: int = Field(description="within the year, from 1, without holes")
    kind: EntryKind
    day: date
    amount_fen: int
    basis: str
    reference: str | None
    case_number: str | None
    unit: str | None
    remediation_id: UUID | None
    cost_id: UUID | None
    recovery_id: UUID | None
    belongs_to: UUID | None
    corrects: UUID | None
    booked_at: datetime
    booked_by: str
    booked_as: str | None
    postings: list[PostingView]

    @classmethod
    def of(cls, row: LedgerEntry, postings: list[LedgerPosting]) -> Self:
        shown = [PostingView(account=item.account, fen=item.fen) for item in postings]
        return cls(**row.model_dump(), postings=shown)
