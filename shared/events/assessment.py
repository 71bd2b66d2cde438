"""What assessment tells: figures that are settled. Persons are never named in them."""

from datetime import date
from typing import ClassVar
from uuid import UUID

from pydantic import Field

from shared.events.envelope import Event
from shared.events.vocabulary import Instant, Sha256, Value


class UnitScore(Value):
    """The settled figures of one unit. Numbers with decimals are text with six of them."""

    unit: str = Field(examples=["620103-cgj"], description="code of the unit")
    due: int = Field(ge=0, examples=[66], description="without forgiven deferrals")
    resolved: int = Field(ge=0, examples=[66], description="of these, verified and closed")
    timely: int = Field(ge=0, examples=[65], description="of these, in time")
    score: str | None = Field(examples=["98.787879"], description="of 100; null: nothing was due")
    rank: int | None = Field(
        ge=1, examples=[1], description="1 is best; null: no score, or too few due to be ranked"
    )


class PeriodClosed(Event):
    """The figures of a period are frozen with their parameters and the hash of their facts."""

    TYPE: ClassVar[str] = "assessment.period.closed.v1"

    period: str = Field(examples=["2026-05"], description="2026-05, 2026-Q2 or 2026")
    kind: str = Field(examples=["month"], description="month, quarter or year")
    first_day: date = Field(examples=["2026-05-01"], description="local date")
    start: Instant = Field(description="first instant")
    end: Instant = Field(description="first instant after it")
    trial: bool = Field(description="shown, but without consequence")
    parameters_version: str = Field(examples=["2024"], description="name in the city pack")
    computed_at: Instant = Field(description="what was closed later does not count as resolved")
    appeal_until: Instant = Field(description="units may appeal before")
    assignments: int = Field(ge=0, examples=[66], description="how many facts were frozen")
    facts_sha256: Sha256 = Field(description="SHA-256 of the frozen facts, see docs/assessment.md")
    units: tuple[UnitScore, ...] = Field(description="sorted by unit")


class AppealDecided(Event):
    """A unit's appeal is settled; if it was granted, a correction stands beside the original."""

    TYPE: ClassVar[str] = "assessment.appeal.decided.v1"

    period: str = Field(examples=["2026-05"])
    unit: str = Field(description="code of the unit that appealed")
    case_id: UUID = Field(description="the case whose counting was appealed")
    granted: bool
    correction: str | None = Field(
        examples=["acknowledge"],
        description="acknowledge (counts as resolved in time) or leave-out; null if refused",
    )
    reason: str = Field(max_length=4_000, description="why it was decided so")
