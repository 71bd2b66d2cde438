"""Scorecards as the API shows them: six decimals; null where nothing was due."""

from datetime import date, datetime
from fractions import Fraction
from typing import Self
from uuid import UUID

from pydantic import BaseModel, Field

from services.assessment.scorecards.domain import Figure
from services.assessment.scoring.domain import Kind, Reason, Scorecard, rate, rounded
from shared.pack.model import AssessmentParameters
from shared.web.paging import Page


def number(value: Fraction | None) -> float | None:
    """Six decimals; up to 100 the shortest form of the float is those decimals again."""
    exact = rounded(value)
    return None if exact is None else float(exact)


def share(part: int, whole: int) -> float | None:
    """A share with six decimals; null of nothing."""
    return number(rate(part, whole))


class PeriodView(BaseModel):
    """A period of the city's own calendar."""

    key: str
    kind: str
    start: datetime
    end: datetime = Field(description="first instant after it")
    complete: bool = Field(description="false while it still runs: figures will change")


class ParametersView(BaseModel):
    """The version of the parameters that holds for the period. Shares as exact fractions."""

    version: str
    valid_from: date
    timely_weight: str = Field(examples=["4/5"])
    resolution_weight: str = Field(examples=["1/5"])
    redispatch_allowance: str = Field(examples=["3/100"])
    deferral_allowance: str = Field(examples=["3/100"])
    extension_allowance: str = Field(examples=["3/100"])
    resolution_target: str = Field(examples=["17/20"])
    small_sample: int
    trial: bool = Field(description="shown, but without consequence")
    appeal_days: int = Field(description="calendar days in which a unit may appeal")

    @classmethod
    def of(cls, held: AssessmentParameters) -> Self:
        return cls(
            version=held.version,
            valid_from=held.valid_from,
            timely_weight=str(held.timely_weight),
            resolution_weight=str(held.resolution_weight),
            redispatch_allowance=str(held.redispatch_allowance),
            deferral_allowance=str(held.deferral_allowance),
            extension_allowance=str(held.extension_allowance),
            resolution_target=str(held.resolution_target),
            small_sample=held.small_sample,
            trial=held.trial,
            appeal_days=held.appeal_days,
        )

    def parameters(self) -> AssessmentParameters:
        """What a closed period was computed with."""
        return AssessmentParameters(
            version=self.version,
            valid_from=self.valid_from,
            timely_weight=Fraction(self.timely_weight),
            resolution_weight=Fraction(self.resolution_weight),
            redispatch_allowance=Fraction(self.redispatch_allowance),
            deferral_allowance=Fraction(self.deferral_allowance),
            extension_allowance=Fraction(self.extension_allowance),
            resolution_target=Fraction(self.resolution_target),
            small_sample=self.small_sample,
            trial=self.trial,
            appeal_days=self.appeal_days,
        )


class SevenFigures(BaseModel):
    """The figures that are reported beside a score, by their published names."""

    long_term_coverage: float | None = Field(
        description="长效覆盖率: grids patrolled in the period among those of the ground; null"
        " for a unit without a ground of its own"
    )
    cases_registered: int = Field(description="立案数: cases registered in the period")
    completion_rate: float | None = Field(description="结案率: of these, closed")
    dispatch_rate: float | None = Field(
        description="派遣率: city: registered cases that were dispatched; unit: its share of them"
    )
    extension_deferral_rate: float | None = Field(
        description="延期率: extended or deferred among due before allowance"
    )
    repeated_dispatch_rate: float | None = Field(
        description="返工率: dispatched again among due before allowance"
    )
    false_feedback_rate: float | None = Field(
        description="虚假反馈率: feedback refused among due before allowance"
    )


class ForgivenView(BaseModel):
    """Assignments that the allowance forgives, by kind."""

    repeat: int
    deferral: int
    extension: int

    @classmethod
    def of(cls, card: Scorecard) -> Self:
        return cls(**{kind.value: card.forgiven[kind] for kind in Kind})


class ScoreView(BaseModel):
    """What a unit's score is made of; for comparison side by side."""

    unit: str
    before_allowance: int
    forgiven: ForgivenView
    due: int
    resolved: int
    timely: int
    timely_rate: float | None
    resolution_rate: float | None
    score: float | None
    rank: int | None
    small_sample: bool

    @classmethod
    def of(cls, card: Scorecard) -> Self:
        return cls(
            unit=card.unit,
            before_allowance=card.before_allowance,
            forgiven=ForgivenView.of(card),
            due=card.due,
            resolved=card.resolved,
            timely=card.timely,
            timely_rate=number(card.timely_rate),
            resolution_rate=number(card.resolution_rate),
            score=number(card.score),
            rank=card.rank,
            small_sample=card.small_sample,
        )


class ClosedView(BaseModel):
    """Figures that no later event changes."""

    closed_at: datetime
    appeal_until: datetime = Field(description="units may appeal before")
    facts_sha256: str = Field(description="of the frozen facts")


class CorrectionView(BaseModel):
    """A granted appeal: the original stays, the corrected figures stand beside it."""

    appeal_id: UUID
    unit: str
    case_id: UUID
    ordinal: int
    correction: str = Field(description="acknowledge or leave-out")
    reason: str
    decided_at: datetime


class ScorecardView(BaseModel):
    """One unit in one period."""

    unit: str
    name_zh: str | None
    name_en: str | None
    before_allowance: int = Field(description="due before the allowance is taken off")
    forgiven: ForgivenView
    due: int = Field(description="应处置数: without forgiven deferrals")
    resolved: int
    timely: int
    not_yet_due: int = Field(description="of due, unresolved with the deadline still ahead")
    timely_rate: float | None = Field(description="按期处置率: timely / due")
    resolution_rate: float | None = Field(description="处置率: resolved / due")
    return_rate: float | None = Field(
        description="回退率: returned to other units / dispatched with a deadline in the period"
    )
    score: float | None
    rank: int | None
    small_sample: bool = Field(description="too little was due to be ranked")
    target_met: bool | None = Field(description="resolution rate at or above the city's target")
    returned_to_other: int
    returns_refused: int
    repeated: int
    extended: int
    deferred: int
    false_feedback: int
    figures: SevenFigures


class RankingView(BaseModel):
    """All units in one period, sorted by unit."""

    period: PeriodView
    parameters: ParametersView
    computed_at: datetime
    behind: int = Field(description="subjects with news that is not counted yet")
    city: SevenFigures
    units: list[ScorecardView]
    closed: ClosedView | None = Field(default=None, description="null while figures still change")
    corrected: list[ScoreView] = Field(
        default=[], description="units whose figures or ranks granted appeals have corrected"
    )
    corrections: list[CorrectionView] = []


class OneScorecardView(BaseModel):
    """One unit's scorecard with what it was computed from."""

    period: PeriodView
    parameters: ParametersView
    computed_at: datetime
    behind: int
    scorecard: ScorecardView
    closed: ClosedView | None = None
    corrected: ScoreView | None = Field(
        default=None, description="with granted appeals; null if they change nothing"
    )
    corrections: list[CorrectionView] = []


class BecauseView(BaseModel):
    """A reason in words."""

    zh: str
    en: str


class ExplainedCase(BaseModel):
    """One assignment, how it counted and why."""

    case_id: UUID
    ordinal: int = Field(description="n-th unit that the case was with")
    number: str | None
    due_at: datetime
    limit_seconds: int | None
    recognised_seconds: int | None = Field(
        description="the limit with a forgiven extension; null: no limit"
    )
    used_seconds: int
    counted_seconds: int = Field(description="used, with the pause of a deferral beyond")
    closed_at: datetime | None
    dispatches: int
    extension_granted_at: datetime | None
    deferral_granted_at: datetime | None
    second_dispatch_at: datetime | None
    due: bool
    resolved: bool
    timely: bool
    reasons: list[Reason]
    because: list[BecauseView] = Field(description="the reasons in words")


class ExplanationView(OneScorecardView):
    """A scorecard, how its score is made, and the cases behind it page by page."""

    formula: str = Field(examples=["100 x (4/5 x 18/20 + 1/5 x 19/20) = 91.000000"])
    figure: Figure | None = Field(
        description="the figure that the cases below are behind; null: all"
    )
    cases: Page[ExplainedCase]
