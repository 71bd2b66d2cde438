"""What a report looks like on its way in and out."""

from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from fastapi import Query
from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from services.intake.clocks.domain import Light, light_at
from services.intake.reports.domain import (
    ReportState,
    allowed_actions,
    masked_name,
    masked_number,
)
from services.intake.reports.errors import ClassUnreadable
from services.intake.reports.models import Report
from shared.events.vocabulary import ClassRef, Place, Sha256, Source
from shared.pack.model import ClassKey
from shared.vocabulary import ClassKind, PositionSource
from shared.web.fields import Line, Paragraph

MOST_PHOTOGRAPHS = 20


def _no_truth(value: Any) -> Any:
    if isinstance(value, bool):
        raise ValueError("a number is needed, not true or false")  # noqa: TRY004 - pydantic's way
    return value


Number = Annotated[float, BeforeValidator(_no_truth), Field(allow_inf_nan=False)]
Longitude = Annotated[Number, Field(ge=-180, le=180, examples=[103.7987])]
Latitude = Annotated[Number, Field(ge=-90, le=90, examples=[36.0671])]
Code = Annotated[str, Field(min_length=1, max_length=60, pattern=r"^[^\x00-\x1f\x7f]+$")]
Media = Annotated[
    tuple[Sha256, ...],
    Field(max_length=MOST_PHOTOGRAPHS, description="photographs uploaded before, by their hash"),
]


ClassQuery = Annotated[
    str | None,
    Query(
        max_length=140, description="scheme:kind:code", examples=["GB/T 47678.5-2026:event:09001"]
    ),
]


def class_named(text: str | None) -> ClassRef | None:
    """The class that a query parameter names.

    Raises:
        ClassUnreadable: not written as scheme:kind:code.
    """
    if text is None:
        return None
    try:
        key = ClassKey.parse(text)
        return ClassRef(scheme=key.scheme, kind=ClassKind(key.kind.value), code=key.code)
    except ValueError:
        raise ClassUnreadable("Write the class as scheme:kind:code.") from None


class Input(BaseModel):
    """Base of everything people send: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid")


class ClassInput(Input):
    scheme: Code = Field(examples=["GB/T 47678.5-2026"])
    kind: ClassKind = Field(examples=["component"])
    code: Annotated[str, Field(min_length=1, max_length=30, pattern=r"^[^\x00-\x1f\x7f]+$")] = (
        Field(examples=["01001"])
    )

    def ref(self) -> ClassRef:
        return ClassRef(scheme=self.scheme, kind=self.kind, code=self.code)


class PositionInput(Input):
    """A measured position, WGS 84."""

    longitude: Longitude
    latitude: Latitude
    accuracy_m: Number | None = Field(default=None, ge=0, le=1_000_000, description="metres")


class PlaceInput(Input):
    """Where it is. Coordinates are WGS 84; the grid follows from them."""

    longitude: Longitude | None = None
    latitude: Latitude | None = None
    accuracy_m: Number | None = Field(default=None, ge=0, le=1_000_000, description="metres")
    position_source: PositionSource = PositionSource.UNKNOWN
    address: Line | None = Field(default=None, examples=["西津西路 100 号东侧人行道"])
    grid: str | None = Field(default=None, max_length=30, pattern=r"^[0-9A-Za-z-]+$")

    @model_validator(mode="after")
    def _both_or_none(self) -> Self:
        if (self.longitude is None) != (self.latitude is None):
            raise ValueError("longitude and latitude belong together")
        return self

    def place(self) -> Place:
        return Place.model_validate(self.model_dump())


class ReportCommand(Input):
    """A report from a handset, a grid leader, a leader, or by an operator for one of them."""

    client_id: UUID | None = Field(
        default=None, description="made by the device; the same report sent twice is stored once"
    )
    source: Source | None = Field(
        default=None, description="operators only: on whose behalf they report"
    )
    class_ref: ClassInput | None = None
    condition: Code | None = Field(default=None, examples=["B01001-3"])
    description: Paragraph = Field(examples=["井盖破损，缺一角"])
    place: PlaceInput
    device_position: PositionInput | None = Field(
        default=None, description="what the device measured, if the mark was moved on the map"
    )
    observed_at: AwareDatetime | None = Field(default=None, description="by the device's clock")
    urgent: bool = False
    emergency: bool = Field(
        default=False, description="danger at this moment: goes past every queue"
    )
    media: Media = ()


class Box(Input):
    """A frame drawn on a picture, in shares of its width and height, from the upper left corner."""

    x: Number = Field(ge=0, le=1)
    y: Number = Field(ge=0, le=1)
    width: Number = Field(gt=0, le=1)
    height: Number = Field(gt=0, le=1)

    @model_validator(mode="after")
    def _inside(self) -> Self:
        # One part in a million more than the whole is rounding, not a mistake.
        if self.x + self.width > 1 + 1e-6 or self.y + self.height > 1 + 1e-6:
            raise ValueError("the box reaches beyond the picture")
        return self


class VideoReportCommand(Input):
    """What a video operator saw on a camera."""

    client_id: UUID | None = None
    camera: Code = Field(examples=["cam-001"])
    frame: Sha256 = Field(description="the picture, uploaded before")
    box: Box
    class_ref: ClassInput | None = None
    condition: Code | None = None
    description: Paragraph
    observed_at: AwareDatetime | None = None
    urgent: bool = False
    emergency: bool = False


class PartnerReportCommand(Input):
    """A report from another government system."""

    external_id: Annotated[
        str, Field(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$")
    ] = Field(description="the partner's own id; sent twice, stored once")
    class_ref: ClassInput | None = None
    condition: Code | None = None
    description: Paragraph
    place: PlaceInput
    observed_at: AwareDatetime | None = None
    urgent: bool = False
    media: Media = ()


class PublicReportCommand(Input):
    """A report by a citizen on the web. Name and number are optional, and masked for everybody."""

    client_id: UUID | None = Field(
        default=None, description="made by the page and kept secret: it stands for the report"
    )
    class_ref: ClassInput | None = None
    description: Paragraph
    place: PlaceInput
    observed_at: AwareDatetime | None = None
    media: Media = ()
    name: Annotated[Line, Field(max_length=60)] | None = None
    phone: (
        Annotated[str, Field(min_length=5, max_length=30, pattern=r"^\+?[0-9][0-9 ()-]*$")] | None
    ) = None


class MediaCommand(Input):
    """Photographs that came after the report."""

    media: Annotated[Media, Field(min_length=1)]


class RevealCommand(Input):
    reason: Line = Field(description="why the name is needed; kept on the audit record")


# --- out ----------------------------------------------------------------------------------------


class StageView(BaseModel):
    """The registration stage; `light` is null once it is decided."""

    due_at: datetime | None
    warn_at: datetime | None
    light: Light | None
    provisional: bool


class DecisionView(BaseModel):
    at: datetime
    by: str | None
    by_rule: str | None
    reason_code: str | None
    reason: str | None


class CaseFateView(BaseModel):
    """How the case goes on, as far as it was told here."""

    id: UUID
    number: str | None
    state: str | None
    changed_at: datetime | None
    conclusion: str | None


class ContactView(BaseModel):
    """Who reported it, masked."""

    name: str | None
    phone: str | None


class RevealedContact(BaseModel):
    name: str | None
    phone: str | None


class ReportItem(BaseModel):
    """A report as lists show it."""

    id: UUID
    version: int
    number: str
    state: ReportState
    source: Source
    channel: str | None
    reporter_id: str | None
    class_ref: ClassRef | None
    condition: str | None
    description: str
    place: Place
    needs_place: bool
    urgent: bool
    special: bool
    emergency: bool
    media: list[str]
    observed_at: datetime
    received_at: datetime
    stage: StageView
    case: CaseFateView | None
    reporters: int = Field(description="reports that stand together here, merged ones included")
    merged_into: UUID | None

    @classmethod
    def fields_of(cls, report: Report, now: datetime) -> dict[str, Any]:
        return {
            "id": report.id,
            "version": report.version,
            "number": report.number,
            "state": report.state,
            "source": report.source,
            "channel": report.channel,
            "reporter_id": report.reporter_id,
            "class_ref": report.class_ref,
            "condition": report.condition,
            "description": report.description,
            "place": report.place,
            "needs_place": report.needs_place,
            "urgent": report.urgent,
            "special": report.special,
            "emergency": report.emergency,
            "media": report.media,
            "observed_at": report.observed_at,
            "received_at": report.received_at,
            "stage": _stage(report, now),
            "case": _case(report),
            "reporters": report.reporters,
            "merged_into": report.merged_into,
        }

    @classmethod
    def of(cls, report: Report, now: datetime) -> Self:
        return cls(**cls.fields_of(report, now))


class ReportView(ReportItem):
    """Everything about one report."""

    allowed: list[str] = Field(description="what can be done with it in this state")
    external_id: str | None
    ticket_id: UUID | None
    confidential: bool
    device_position: dict[str, Any] | None
    box: dict[str, float] | None
    check_task_id: UUID | None
    check_finding: str | None
    decision: DecisionView | None
    merged_with: UUID | None
    contact: ContactView | None = None

    @classmethod
    def fields_of(cls, report: Report, now: datetime) -> dict[str, Any]:
        return {
            **super().fields_of(report, now),
            "allowed": allowed_actions(report.state),
            "external_id": report.external_id,
            "ticket_id": report.ticket_id,
            "confidential": report.confidential,
            "device_position": report.device_position,
            "box": report.box,
            "check_task_id": report.check_task_id,
            "check_finding": report.check_finding,
            "decision": _decision(report),
            "merged_with": report.merged_with,
        }


def _stage(report: Report, now: datetime) -> StageView:
    light = light_at(now, warn_at=report.stage_warn_at, due_at=report.stage_due_at)
    return StageView(
        due_at=report.stage_due_at,
        warn_at=report.stage_warn_at,
        light=light if report.is_open else None,
        provisional=report.stage_provisional,
    )


def _case(report: Report) -> CaseFateView | None:
    if report.case_id is None:
        return None
    return CaseFateView(
        id=report.case_id,
        number=report.case_number,
        state=report.case_state,
        changed_at=report.case_changed_at,
        conclusion=report.conclusion,
    )


def _decision(report: Report) -> DecisionView | None:
    if report.decided_at is None:
        return None
    return DecisionView(
        at=report.decided_at,
        by=report.decided_by,
        by_rule=report.by_rule,
        reason_code=report.reason_code,
        reason=report.reason,
    )


def masked_contact(contact: RevealedContact | None) -> ContactView | None:
    if contact is None:
        return None
    return ContactView(
        name=masked_name(contact.name) if contact.name else None,
        phone=masked_number(contact.phone) if contact.phone else None,
    )


class PublicReceipt(BaseModel):
    """What a citizen gets: keep both, they are the only way to follow the report."""

    number: str
    token: str
    received_at: datetime


class PublicReportView(BaseModel):
    """What became of a citizen's report."""

    number: str
    received_at: datetime
    state: ReportState
    reason: str | None = Field(description="why it was not accepted")
    case_number: str | None
    case_state: str | None
    case_changed_at: datetime | None
    conclusion: str | None

    @classmethod
    def of(cls, report: Report) -> Self:
        return cls(
            number=report.number,
            received_at=report.received_at,
            state=report.state,
            reason=report.reason if report.state is ReportState.REJECTED else None,
            case_number=report.case_number,
            case_state=report.case_state,
            case_changed_at=report.case_changed_at,
            conclusion=report.conclusion,
        )
