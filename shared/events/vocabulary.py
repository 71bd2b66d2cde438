"""Values that more than one event speaks of."""

from enum import StrEnum
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from shared.vocabulary import ClassKind, PositionSource


class Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Source(StrEnum):
    """Where a report comes from."""

    COLLECTOR = "collector"
    HOTLINE = "hotline"
    WEB = "web"
    VIDEO = "video"
    PARTNER = "partner"
    GRID_LEADER = "grid-leader"
    LEADER = "leader"


class ClassRef(Value):
    """A class by its whole key: the same digits name other things in other schemes and kinds."""

    scheme: str = Field(examples=["GB/T 47678.5-2026"], description="the code table", max_length=60)
    kind: ClassKind = Field(
        examples=["component"], description="component, event, population or service"
    )
    code: str = Field(
        examples=["01001"], description="code within the scheme and kind", max_length=30
    )

    def __str__(self) -> str:
        return f"{self.scheme}:{self.kind}:{self.code}"


class Place(Value):
    """Where something is. Coordinates are WGS 84 degrees."""

    longitude: float | None = Field(default=None, ge=-180, le=180, examples=[103.762973])
    latitude: float | None = Field(default=None, ge=-90, le=90, examples=[36.066606])
    accuracy_m: float | None = Field(default=None, ge=0, examples=[8.5], description="metres, 68 %")
    position_source: PositionSource = PositionSource.UNKNOWN
    address: str | None = Field(
        default=None, max_length=300, examples=["西津西路 100 号东侧人行道"]
    )
    grid: str | None = Field(default=None, max_length=30, examples=["620103005001001"])


class LimitScope(StrEnum):
    """What a limit limits: a stage of a case, or its whole way."""

    DISPATCH = "dispatch"
    COORDINATION = "coordination"
    HANDLING = "handling"
    SUPERVISION = "supervision"
    SENDING_OUT = "sending-out"
    VERIFICATION = "verification"
    CLOSING = "closing"
    WHOLE = "whole"


class TaskKind(StrEnum):
    """What a collector is sent out for."""

    CHECK = "check"
    """Before registration: is the report true?"""
    VERIFICATION = "verification"
    """After handling: is it put right?"""


class Finding(StrEnum):
    CONFIRMED = "confirmed"
    NOT_FOUND = "not-found"
    PASSED = "passed"
    FAILED = "failed"
    UNDECIDABLE = "undecidable"


class LimitRef(Value):
    """A time limit as it was granted."""

    amount: str = Field(examples=["4"], description="decimal number")
    kind: str = Field(
        examples=["working-hours"],
        description="working-hours, working-days, hours, days or minutes",
    )


class ClockReading(Value):
    """How a unit's handling clock stood at the moment of the fact."""

    assignment: int = Field(ge=1, description="n-th dispatch of the case", examples=[1])
    unit: str = Field(examples=["620103-cgj"])
    limit_seconds: int | None = Field(
        description="the limit, extensions included, in counted seconds; null where there is none"
    )
    used_seconds: int = Field(ge=0, description="counted seconds used, pauses left out")
    paused_seconds: int = Field(
        default=0,
        ge=0,
        description="counted seconds for which granted deferrals have stopped this clock so far",
    )
    due_at: AwareDatetime | None = Field(
        description="when the limit runs out as things stand; null while paused"
    )
    provisional: bool = Field(
        default=False, description="reckoned without the official holiday notice of a year"
    )


class DispatchReason(StrEnum):
    FIRST = "first"
    AFTER_RETURN = "after-return"
    AFTER_FAILED_VERIFICATION = "after-failed-verification"
    AFTER_REOPENING = "after-reopening"


Instant = Annotated[AwareDatetime, Field(examples=["2026-09-30T08:50:00Z"])]
Sha256 = Annotated[
    str, Field(pattern=r"^[0-9a-f]{64}$", description="content address of a photograph")
]

__all__ = [
    "ClassRef",
    "ClockReading",
    "DispatchReason",
    "Finding",
    "Instant",
    "LimitRef",
    "Place",
    "Sha256",
    "Source",
    "TaskKind",
    "Value",
]
