"""What is sent and shown about supervision orders."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StrictBool, StringConstraints

from services.dispatch.case_files.schemas import TextView
from services.dispatch.clocks.domain import Light, light
from services.dispatch.supervision.domain import (
    KIND_OF,
    ExtensionState,
    OrderKind,
    OrderState,
    allowed_order_actions,
    order_light,
)
from services.dispatch.supervision.models import (
    OrderAnswer,
    OrderCase,
    OrderExtension,
    SupervisionOrder,
)
from shared.events.vocabulary import Sha256
from shared.journal import JournalEntry
from shared.pack.model import CityPack
from shared.vocabulary import SupervisionCause, SupervisionLevel
from shared.web.fields import Line, Paragraph

MAX_CASES = 100

Reason = Annotated[Paragraph, StringConstraints(max_length=2_000)]
UnitCode = Annotated[Line, StringConstraints(max_length=60)]
MediaList = Annotated[
    list[Sha256], Field(max_length=50, description="content addresses of photographs and papers")
]
LedgerOrder = Literal["due", "newest"]


class Command(BaseModel):
    model_config = ConfigDict(extra="forbid")


class OrderCommand(Command):
    """Tell a unit what is asked and by when; what is left out comes from the city pack."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "cause": "instruction",
                    "unit": "urban-management",
                    "title": "占道经营专项整治",
                    "source": "区长",
                    "reference": "批示〔2026〕17 号",
                }
            ]
        },
    )

    cause: SupervisionCause
    cases: list[UUID] = Field(default_factory=list, max_length=MAX_CASES)
    unit: UnitCode | None = Field(
        default=None, description="code of the unit; left out: the unit that has the cases"
    )
    level: SupervisionLevel | None = None
    title: Line | None = Field(default=None, description="needed where no case is named")
    asked: Paragraph | None = Field(default=None, description="what the unit is to do")
    source: Line | None = Field(
        default=None, description="who gave the instruction, or which meeting decided"
    )
    reference: Line | None = Field(default=None, description="number of the paper behind it")
    due_at: AwareDatetime | None = Field(default=None, examples=["2026-06-05T17:30:00+08:00"])


class AcknowledgementCommand(Command):
    """The unit has taken note."""


class AnswerCommand(Command):
    """What was done, with photographs."""

    text: Paragraph = Field(examples=["已整改完毕，附现场照片。"])
    media: MediaList = Field(default_factory=list)


class JudgementCommand(Command):
    """Whether the answer is enough."""

    accepted: StrictBool = Field(description="false: sent back, the unit answers again")
    reason: Reason | None = Field(default=None, description="needed when it is sent back")


class StrikingOffCommand(Command):
    """What was asked is done: off the ledger."""

    reason: Reason | None = None


class PublicationCommand(Command):
    """The bulletin in which the order was named."""

    bulletin: Line = Field(examples=["督办通报〔2026〕第 6 期"])


class ExtensionCommand(Command):
    """A written report of the problem, and the date asked for."""

    report: Paragraph = Field(examples=["管线迁改需停水，须待夜间施工。"])
    media: MediaList = Field(default_factory=list)
    until: AwareDatetime = Field(examples=["2026-06-12T17:30:00+08:00"])


class ConsentCommand(Command):
    """A leader's decision on a problem report; the reason is kept."""

    granted: StrictBool
    reason: Reason


class OrderCaseView(BaseModel):
    id: UUID
    number: str

    @classmethod
    def of(cls, row: OrderCase) -> Self:
        return cls(id=row.case_id, number=row.case_number)


class AcknowledgementView(BaseModel):
    """The stage in which the unit takes note of the order."""

    warn_at: datetime
    due_at: datetime
    light: Light
    at: datetime | None
    by: str | None


class OrderView(BaseModel):
    """An order as lists and commands show it."""

    id: UUID
    version: int = Field(
        description="send it as If-Match to be sure that nothing changed meanwhile"
    )
    number: str
    cause: SupervisionCause
    kind: OrderKind
    level: SupervisionLevel
    state: OrderState
    allowed: list[str] = Field(
        description="actions that this state allows, for whoever may do them"
    )
    unit: str
    unit_name: TextView | None
    title: str
    asked: str
    source: str | None
    reference: str | None
    by_rule: str | None = Field(description="the rule that opened it; null: a person")
    cases: list[OrderCaseView]
    caused_at: datetime = Field(description="when its cause happened")
    ordered_at: datetime
    ordered_by: str
    acknowledgement: AcknowledgementView
    warn_at: datetime
    due_at: datetime
    first_due_at: datetime = Field(description="before any extension")
    light: Light = Field(
        description="of now while the unit owes an answer; afterwards as it was answered"
    )
    provisional: bool
    answers: int
    answered_at: datetime | None
    extensions: int = Field(description="problem reports so far")
    accepted_at: datetime | None
    accepted_by: str | None
    struck_off_at: datetime | None
    struck_off_by: str | None
    published_at: datetime | None
    bulletin: str | None

    @classmethod
    def of(
        cls, row: SupervisionOrder, cases: Sequence[OrderCase], pack: CityPack, now: datetime
    ) -> Self:
        unit = pack.units.get(row.unit)
        acknowledgement = AcknowledgementView(
            warn_at=row.acknowledge_warn_at,
            due_at=row.acknowledge_due_at,
            light=light(
                row.acknowledge_warn_at, row.acknowledge_due_at, row.acknowledged_at or now
            ),
            at=row.acknowledged_at,
            by=row.acknowledged_by,
        )
        return cls(
            kind=KIND_OF[row.cause],
            allowed=allowed_order_actions(row.state),
            unit_name=None if unit is None else TextView(zh=unit.name.zh, en=unit.name.en),
            cases=[OrderCaseView.of(case) for case in cases],
            acknowledgement=acknowledgement,
            light=order_light(row.warn_at, row.due_at, row.answered_at, now),
            **row.model_dump(include=set(cls.model_fields)),
        )


class AnswerView(BaseModel):
    number: int
    text: str
    media: list[str]
    due_at: datetime = Field(description="as it stood when the answer came")
    in_time: bool
    answered_at: datetime
    answered_by: str
    accepted: bool | None = Field(description="null until it is judged")
    judged_at: datetime | None
    judged_by: str | None
    judged_reason: str | None

    @classmethod
    def of(cls, row: OrderAnswer) -> Self:
        return cls(in_time=row.answered_at <= row.due_at, **row.model_dump(exclude={"order_id"}))


class ExtensionView(BaseModel):
    """A problem report with the date before and the date asked for."""

    number: int
    state: ExtensionState
    report: str
    media: list[str]
    old_due_at: datetime
    until: datetime
    asked_at: datetime
    asked_by: str
    decided_at: datetime | None
    decided_by: str | None
    decision_reason: str | None

    @classmethod
    def of(cls, row: OrderExtension) -> Self:
        return cls(**row.model_dump(exclude={"order_id"}))


class OrderFileView(OrderView):
    """An order with everything that happened to it."""

    answer_list: list[AnswerView]
    extension_list: list[ExtensionView]
    journal: list[JournalEntry]
