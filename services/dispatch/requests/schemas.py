"""What is sent and shown about requests."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StringConstraints,
    field_validator,
)

from services.dispatch.case_files.schemas import CaseView
from services.dispatch.clocks.domain import Light, light
from services.dispatch.requests.domain import RequestKind, RequestState
from services.dispatch.requests.models import Request
from shared.web.fields import Line, Paragraph
from shared.worktime import Limit, LimitKind

Reason = Annotated[Paragraph, StringConstraints(max_length=2_000)]
VoidReason = Annotated[Paragraph, StringConstraints(max_length=1_000)]
UnitCode = Annotated[Line, StringConstraints(max_length=60)]


class Command(BaseModel):
    model_config = ConfigDict(extra="forbid")


class LimitInput(Command):
    """A time limit: a decimal number of one kind of time."""

    amount: str = Field(
        pattern=r"^\d{1,6}(\.\d{1,6})?$", examples=["2"], description="decimal number above nothing"
    )
    kind: LimitKind = Field(examples=["working-hours"])

    @field_validator("amount")
    @classmethod
    def _above_nothing(cls, amount: str) -> str:
        if not amount.strip("0."):
            raise ValueError("a limit of nothing is none: state an amount above 0")
        return amount

    def limit(self) -> Limit:
        return Limit.parse(f"{self.amount} {self.kind.value}")


class ReturnCommand(Command):
    """The case is not ours."""

    reason: Reason = Field(examples=["The cover belongs to the power supply."])
    basis: Line | None = Field(default=None, description="the rule it rests on")
    suggested_unit: UnitCode | None = Field(
        default=None, description="code of the unit whose it is"
    )


class ExtensionCommand(Command):
    """We need more time; in the kind of time of the limit."""

    reason: Reason
    basis: Line | None = None
    limit: LimitInput


class DeferralCommand(Command):
    """It cannot be done now; the clock is to stand still until a date."""

    reason: Reason
    basis: Line | None = None
    until: AwareDatetime = Field(examples=["2026-07-01T00:30:00Z"])


class VoidCommand(Command):
    """It should never have been a case."""

    reason: VoidReason


class DecisionCommand(Command):
    """Granted or refused, and why; the reason is kept and told to who asked."""

    granted: StrictBool
    reason: Reason


class ProposalCommand(Command):
    """Why it should be granted; somebody above consents or refuses."""

    reason: Reason


class WithdrawalCommand(Command):
    reason: Line | None = None


class RequestView(BaseModel):
    """A request with the light of the centre's time to decide it."""

    id: UUID
    case_id: UUID
    case_number: str
    kind: RequestKind
    state: RequestState
    assignment: int
    unit: str | None
    reason: str
    basis: str | None
    suggested_unit: str | None
    time: str | None = Field(description="extension asked for, e.g. 2 working-days")
    until: datetime | None
    asked_at: datetime
    asked_by: str
    due_at: datetime | None
    proposed_at: datetime | None = Field(
        description="granting was proposed, a second level decides"
    )
    proposed_by: str | None
    proposal_reason: str | None
    light: Light = Field(description="of the decision: now, or as it was when it was decided")
    decided_at: datetime | None
    decided_by: str | None
    decision_reason: str | None

    @classmethod
    def of(cls, row: Request, now: datetime) -> Self:
        shown = light(row.warn_at, row.due_at, row.decided_at or now)
        return cls(light=shown, **row.model_dump(include=set(cls.model_fields) - {"light"}))


class RequestAnswer(BaseModel):
    """A request and the case it is about, as both stand now."""

    id: UUID = Field(description="of the request")
    request: RequestView
    case: CaseView
