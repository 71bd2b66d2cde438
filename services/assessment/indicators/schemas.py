"""Figures of areas and units as the API shows them. Rates have six decimals; null of nothing."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from pydantic import BaseModel, Field


class SubjectKind(StrEnum):
    """Whose figures."""

    AREAS = "areas"
    UNITS = "units"


class IndicatorView(BaseModel):
    """An area or a unit in a period, by the published names of GB/T 30428.4."""

    code: str
    name_zh: str | None
    name_en: str | None
    to_handle: int = Field(description="应处置数: in time, late, and overdue without being handled")
    handled: int = Field(description="处置数: verified and closed")
    handled_in_time: int = Field(description="按期处置数: within the limit with extensions granted")
    handled_late: int = Field(description="超期处置数")
    overdue: int = Field(description="超期未处置数")
    reworked: int = Field(description="返工数: dispatched again after a failed verification")
    extended: int = Field(description="延期数: extended or deferred")
    returned: int = Field(description="回退数: given back with consent and sent to another unit")
    false_feedback: int = Field(description="虚假反馈数")
    registered: int = Field(description="立案数: cases registered in the period, not voided")
    dispatched: int = Field(description="派遣数: of these")
    closed: int = Field(description="结案数: of these")
    closed_in_time: int = Field(description="按期结案数: before the whole way had run out")
    handling_rate: float | None = Field(description="处置率: handled / to handle")
    handling_in_time_rate: float | None = Field(description="按期处置率: in time / to handle")
    closing_rate: float | None = Field(description="结案率: closed / registered")
    closing_in_time_rate: float | None = Field(description="按期结案率: in time / registered")
    rework_rate: float | None = Field(description="返工率: reworked / to handle")
    extension_rate: float | None = Field(description="延期率: extended or deferred / to handle")
    return_rate: float | None = Field(description="回退率: returned / (to handle + returned)")
    dispatch_rate: float | None = Field(description="派遣率: dispatched / registered")
    false_feedback_rate: float | None = Field(description="虚假反馈率: of to handle")


class IndicatorsView(BaseModel):
    """All areas of a level, or all units, sorted by code."""

    period: str
    computed_at: datetime
    behind: int = Field(description="subjects with news that is not counted yet")
    items: list[IndicatorView]


class AssignmentBehind(BaseModel):
    """One assignment behind a figure."""

    case_id: UUID
    ordinal: int
    number: str | None
    unit: str
    grid: str | None
    due_at: datetime
    limit_seconds: int | None
    extension_seconds: int
    used_seconds: int
    closed_at: datetime | None


class CaseBehind(BaseModel):
    """One case behind a figure."""

    case_id: UUID
    number: str | None
    grid: str | None
    registered_at: datetime
    dispatched_at: datetime | None
    closed_at: datetime | None
    closed_in_time: bool | None
