"""What is sent and shown about remediations. Amounts are whole numbers of fen."""

from datetime import date, datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StrictInt, StringConstraints

from services.dispatch.fund.domain import totals
from services.dispatch.fund.repository import Balances
from services.dispatch.fund.schemas import MOST_FEN, EntryView, Fen
from services.dispatch.remediation.domain import CostState, RecoveryState, RemediationState
from services.dispatch.remediation.models import Cost, Recovery, Remediation
from services.dispatch.requests.schemas import LimitInput
from shared.events.vocabulary import Sha256
from shared.web.fields import Line, Paragraph

Reason = Annotated[Paragraph, StringConstraints(max_length=1_000)]
UnitCode = Annotated[Line, StringConstraints(max_length=60)]
Estimate = Annotated[
    StrictInt,
    Field(ge=0, le=MOST_FEN, examples=[200_000], description="fen; kept back in the year's fund"),
]


class Command(BaseModel):
    model_config = ConfigDict(extra="forbid")


class OrderCommand(Command):
    """Nobody answers for the case: a unit is ordered to put it right, paid from the fund."""

    unit: UnitCode = Field(description="code of the ordered unit; its clock counts")
    basis: Line = Field(description="the rule or decision it rests on")
    reason: Reason
    estimate_fen: Estimate = 0
    limit: LimitInput | None = Field(default=None, description="another limit than the condition's")
    note: Reason | None = Field(default=None, description="for the handler")


class EstimateCommand(Command):
    """It costs more, or less, than was expected."""

    estimate_fen: Estimate
    reason: Reason


class CostCommand(Command):
    """A cost of the work."""

    description: Reason = Field(examples=["更换井盖两套及人工"])
    amount_fen: Fen
    incurred_on: date
    media: Annotated[list[Sha256], Field(max_length=50, description="invoices, photographs")] = (
        Field(default_factory=list)
    )


class PaymentCommand(Command):
    """The office pays a cost."""

    basis: Reason
    reference: Line | None = Field(default=None, description="number of the voucher")


class RefusalCommand(Command):
    reason: Reason


class CompletionCommand(Command):
    """No more costs will come; what is still kept back is free again."""

    note: Reason | None = None


class ClaimCommand(Command):
    """A responsible subject has been found: it owes what was spent, or part of it."""

    subject: Line = Field(description="who owes it, by name", examples=["某某物业管理有限公司"])
    unit: UnitCode | None = Field(default=None, description="code of the unit, if it is one")
    amount_fen: Fen
    basis: Line


class ReceiptCommand(Command):
    """Money has come in for a claim."""

    amount_fen: Fen
    received_on: date
    reference: Line | None = Field(default=None, description="number of the receipt")


class WriteOffCommand(Command):
    """What is still owed is given up."""

    reason: Reason


class CorrectionCommand(Command):
    """An entry was wrong: it is undone by a counter-entry and stays to be read."""

    reason: Reason


class CostView(BaseModel):
    id: UUID
    remediation_id: UUID
    number: int
    state: CostState
    description: str
    amount_fen: int
    incurred_on: date
    media: list[str]
    recorded_at: datetime
    recorded_by: str
    decided_at: datetime | None
    decided_by: str | None
    decision_reason: str | None
    entry_id: UUID | None = Field(description="the payment in the ledger")

    @classmethod
    def of(cls, row: Cost) -> Self:
        return cls(**row.model_dump())


class RecoverySummary(BaseModel):
    id: UUID
    version: int
    remediation_id: UUID
    case_number: str
    year: int = Field(description="whose ledger shows it")
    state: RecoveryState
    subject: str
    unit: str | None
    basis: str
    amount_fen: int
    claimed_at: datetime
    claimed_by: str

    @classmethod
    def of(cls, row: Recovery) -> Self:
        return cls(**row.model_dump(include=set(cls.model_fields)))


class RecoveryView(RecoverySummary):
    """A claim with what the ledger says about it."""

    to_recover_fen: int
    recovered_fen: int
    written_off_fen: int

    @classmethod
    def with_amounts(cls, row: Recovery, balances: Balances) -> Self:
        found = totals(balances)
        return cls(
            **RecoverySummary.of(row).model_dump(),
            to_recover_fen=found.to_recover,
            recovered_fen=found.recovered,
            written_off_fen=found.written_off,
        )


class RemediationSummary(BaseModel):
    """A remediation with what the ledger says about it."""

    id: UUID
    version: int
    case_id: UUID
    case_number: str
    unit: str
    year: int = Field(description="of the fund that pays")
    state: RemediationState
    basis: str
    reason: str
    estimate_fen: int
    dispatched: bool = Field(description="the order sent the case to the unit")
    costs: int
    ordered_at: datetime
    ordered_by: str
    completed_at: datetime | None
    completed_by: str | None
    completion_note: str | None
    committed_fen: int = Field(description="still kept back for it")
    spent_fen: int
    claimed_fen: int
    to_recover_fen: int
    recovered_fen: int
    written_off_fen: int

    @classmethod
    def of(cls, row: Remediation, balances: Balances) -> Self:
        found = totals(balances)
        return cls(
            **row.model_dump(include=set(cls.model_fields)),
            committed_fen=found.committed,
            spent_fen=found.spent,
            claimed_fen=found.claimed,
            to_recover_fen=found.to_recover,
            recovered_fen=found.recovered,
            written_off_fen=found.written_off,
        )


class RemediationView(RemediationSummary):
    cost_items: list[CostView]
    recoveries: list[RecoverySummary]


class CorrectionAnswer(BaseModel):
    """The counter-entries, and what followed from them, in the order of booking."""

    entries: list[EntryView]
