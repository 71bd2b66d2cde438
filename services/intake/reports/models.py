"""The report and the people behind reports from the public."""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field

from services.intake.base import IntakeAggregate, IntakeTable
from services.intake.reports.domain import OPEN_STATES, ReportState
from shared.db import enum_column, json_column
from shared.events.intake import ReportReceived, ReportRegistered, ReportRejected
from shared.events.vocabulary import ClassRef, Place, Source
from shared.vocabulary import ClassKind, PositionSource


def _index(name: str, *columns: str, where: str | None = None, unique: bool = False) -> sa.Index:
    condition = sa.text(where) if where else None
    return sa.Index(
        name, *columns, unique=unique, postgresql_where=condition, sqlite_where=condition
    )


class Report(IntakeAggregate, table=True):
    """A piece of information from any source, from its receipt to its fate.

    Attributes:
        number: told to the reporter; R, date, daily sequence.
        client_key, external_key, ticket_id: each makes sending the same report twice harmless.
        cell: square of about 100 m that the coordinates lie in, for finding neighbours.
        device_position: what the device measured, where a person moved the mark on the map.
        stage_due_at: when the registration stage runs out, counted from receipt.
        reporters: how many reports stand together here, this one included.
        merged_with: the report that somebody merged it into.
        merged_into: the report that stands for all of them, also over several merges.
        merged_from: the state it had before, for taking the merge back.
        case_state: how the case goes on, as told by dispatch.
        class_assumed: a rule chose class or condition; an operator has yet to confirm it.
        direct_unit, direct_by: of an emergency, the unit it goes to and who named it.
    """

    __tablename__ = "reports"
    __table_args__ = (
        _index("uq_reports_client_key", "client_key", where="client_key IS NOT NULL", unique=True),
        _index(
            "uq_reports_external_key", "external_key", where="external_key IS NOT NULL", unique=True
        ),
        _index("uq_reports_ticket_id", "ticket_id", where="ticket_id IS NOT NULL", unique=True),
        _index(
            "uq_reports_case_number",
            "case_number",
            where="case_number IS NOT NULL AND merged_into IS NULL",
            unique=True,
        ),
        _index("ix_reports_case_id", "case_id", where="case_id IS NOT NULL"),
        _index("ix_reports_merged_into", "merged_into", where="merged_into IS NOT NULL"),
        _index("ix_reports_state", "state", "id"),
        _index("ix_reports_reporter", "reporter_id", "id"),
        _index("ix_reports_grid", "grid", "id"),
        _index("ix_reports_class", "class_code", "id"),
        _index("ix_reports_emergency", "id", where="emergency"),
        _index("ix_reports_needs_place", "id", where="needs_place"),
        _index("ix_reports_cell", "cell", "received_at", where="cell IS NOT NULL"),
        _index(
            "ix_reports_due",
            "stage_due_at",
            where="state IN ('received', 'checking', 'checked')",
        ),
    )

    number: str = Field(max_length=40, unique=True)
    state: ReportState = Field(default=ReportState.RECEIVED, sa_type=enum_column(ReportState))
    source: Source = Field(sa_type=enum_column(Source))
    channel: str | None = Field(default=None, max_length=80)
    reporter_id: str | None = Field(default=None, max_length=80)
    client_key: str | None = Field(default=None, max_length=130)
    external_id: str | None = Field(default=None, max_length=100)
    external_key: str | None = Field(default=None, max_length=190)
    ticket_id: UUID | None = None

    class_scheme: str | None = Field(default=None, max_length=60)
    class_kind: ClassKind | None = Field(default=None, sa_type=enum_column(ClassKind))
    class_code: str | None = Field(default=None, max_length=30)
    condition: str | None = Field(default=None, max_length=60)
    description: str = Field(sa_type=sa.Text)
    urgent: bool = False
    special: bool = False
    emergency: bool = False
    confidential: bool = False

    longitude: float | None = None
    latitude: float | None = None
    accuracy_m: float | None = None
    position_source: PositionSource = Field(
        default=PositionSource.UNKNOWN,
        sa_type=enum_column(PositionSource),
    )
    address: str | None = Field(default=None, max_length=300)
    grid: str | None = Field(default=None, max_length=30)
    cell: int | None = Field(default=None, sa_type=sa.BigInteger)
    needs_place: bool = False
    device_position: dict[str, Any] | None = Field(default=None, sa_type=json_column())
    box: dict[str, float] | None = Field(default=None, sa_type=json_column())
    media: list[str] = Field(default_factory=list, sa_type=json_column())

    observed_at: datetime
    received_at: datetime
    stage_due_at: datetime | None = None
    stage_warn_at: datetime | None = None
    stage_provisional: bool = False

    check_task_id: UUID | None = None
    check_finding: str | None = Field(default=None, max_length=20)
    decided_at: datetime | None = None
    decided_by: str | None = Field(default=None, max_length=80)
    by_rule: str | None = Field(default=None, max_length=60)
    class_assumed: bool = False
    direct_unit: str | None = Field(default=None, max_length=60)
    direct_by: str | None = Field(default=None, max_length=80)
    reason_code: str | None = Field(default=None, max_length=60)
    reason: str | None = Field(default=None, max_length=1_000)
    reporters: int = 1
    merged_with: UUID | None = None
    merged_into: UUID | None = None
    merged_from: str | None = Field(default=None, max_length=20)

    case_id: UUID | None = None
    case_number: str | None = Field(default=None, max_length=40)
    case_state: str | None = Field(default=None, max_length=30)
    case_changed_at: datetime | None = None
    conclusion: str | None = Field(default=None, max_length=2_000)
    follow_digest: str | None = Field(default=None, max_length=64)

    @property
    def is_open(self) -> bool:
        return self.state in OPEN_STATES

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

    def set_place(self, place: Place, cell: int | None) -> None:
        self.longitude, self.latitude = place.longitude, place.latitude
        self.accuracy_m, self.position_source = place.accuracy_m, place.position_source
        self.address, self.grid, self.cell = place.address, place.grid, cell
        self.needs_place = place.grid is None

    def received_fact(self) -> ReportReceived:
        return ReportReceived(
            number=self.number,
            source=self.source,
            channel=self.channel,
            reporter_id=self.reporter_id,
            ticket_id=self.ticket_id,
            external_id=self.external_id,
            class_ref=self.class_ref,
            place=self.place,
            observed_at=self.observed_at,
            received_at=self.received_at,
            urgent=self.urgent,
            emergency=self.emergency,
            media=tuple(self.media),
        )

    def registered_fact(self) -> ReportRegistered:
        """The fact of a report that has just been registered.

        Raises:
            ValueError: it has not.
        """
        ref = self.class_ref
        if ref is None or self.case_id is None or self.decided_at is None:
            raise ValueError(f"report {self.number} is no case")
        return ReportRegistered(
            case_id=self.case_id,
            case_number=self.case_number or "",
            report_number=self.number,
            source=self.source,
            ticket_id=self.ticket_id,
            reporter_id=self.reporter_id,
            class_ref=ref,
            condition=self.condition or "",
            place=self.place,
            description=self.description,
            urgent=self.urgent,
            special=self.special,
            confidential=self.confidential,
            emergency=self.emergency,
            observed_at=self.observed_at,
            received_at=self.received_at,
            registered_at=self.decided_at,
            by_rule=self.by_rule,
            class_assumed=self.class_assumed,
            direct_unit=self.direct_unit,
            direct_by=self.direct_by,
            media=tuple(self.media),
        )

    def rejected_fact(self) -> ReportRejected:
        return ReportRejected(
            ticket_id=self.ticket_id,
            reporter_id=self.reporter_id,
            source=self.source,
            reason_code=self.reason_code or "",
            reason=self.reason or "",
        )


class ReporterContact(IntakeTable, table=True):
    """Name and number that a citizen left with a report.

    Personal data: they are sealed, and opened only to be masked or for somebody whose look is on
    the audit record.
    """

    __tablename__ = "reporter_contacts"

    report_id: UUID = Field(primary_key=True)
    name_sealed: bytes | None = None
    number_sealed: bytes | None = None
    created_at: datetime = Field(index=True)

    @property
    def name_slot(self) -> str:
        """What a sealed name is bound to."""
        return f"{self.report_id}:name"

    @property
    def number_slot(self) -> str:
        return f"{self.report_id}:number"


class AddressCount(IntakeTable, table=True):
    """How often a network address has come without sign-in in an hour; only its hash is kept."""

    __tablename__ = "address_counts"

    digest: str = Field(primary_key=True, max_length=64)
    hour: datetime = Field(primary_key=True, index=True)
    used: int = 1
