"""Makes scorecards of a period from the facts as they are now."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from fractions import Fraction
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

import numpy as np
from sqlmodel.ext.asyncio.session import AsyncSession

from services.assessment.appeals.models import Appeal
from services.assessment.appeals.repository import AppealRepository
from services.assessment.events.repository import EventStore
from services.assessment.exclusions.repository import ExclusionRepository
from services.assessment.lines.domain import thaw
from services.assessment.periods.domain import Period, parse_period
from services.assessment.periods.models import ClosedPeriod
from services.assessment.periods.repository import PeriodRepository
from services.assessment.scorecards.domain import WORDS, Figure, behind
from services.assessment.scorecards.errors import UnitUnknown
from services.assessment.scorecards.repository import RegisteredCount, ScorecardRepository
from services.assessment.scorecards.schemas import (
    BecauseView,
    ClosedView,
    CorrectionView,
    ExplainedCase,
    ExplanationView,
    ForgivenView,
    OneScorecardView,
    ParametersView,
    PeriodView,
    RankingView,
    ScorecardView,
    ScoreView,
    SevenFigures,
    number,
    share,
)
from services.assessment.scoring.domain import (
    EPOCH,
    NEVER,
    UNLIMITED,
    Judgement,
    PeriodFacts,
    Scorecard,
    Standing,
    Stay,
    judge,
    reasons_of,
    rule_of,
    scorecards,
)
from services.assessment.scoring.repository import AssignmentReader
from shared.pack.model import AssessmentParameters, CityPack
from shared.web.paging import PageRequest, page_of, rows_after

_NOTHING = RegisteredCount(0, 0, 0)


class _Behind(NamedTuple):
    """An assignment on a list: its place in the list's order, and among what was judged."""

    due_at: int
    case_id: str
    ordinal: int
    position: int


class Basis(NamedTuple):
    """What figures are made from: the facts as they are now, or as they were frozen."""

    facts: PeriodFacts
    parameters: AssessmentParameters
    computed_at: datetime


class ScorecardService:
    """Scorecards of one period.

    Args:
        session: where the facts are read.
        pack: units, grids and the parameters' versions.
        period: as people write it, e.g. `2026-05`.
        now: what is closed later does not count, unless the period was closed earlier.

    Raises:
        PeriodUnreadable: no such period.
    """

    def __init__(self, session: AsyncSession, pack: CityPack, period: str, now: datetime) -> None:
        self._pack = pack
        self._now = now
        self.period: Period = parse_period(period, ZoneInfo(pack.city.zone))
        self._reader = AssignmentReader(session)
        self._exclusions = ExclusionRepository(session)
        self._appeals = AppealRepository(session)
        self._periods = PeriodRepository(session)
        self._repository = ScorecardRepository(session, self.period)
        self._store = EventStore(session)

    # -- what is shown -------------------------------------------------------------------------

    async def ranking(self, unit: str | None = None) -> RankingView:
        """All units side by side; cut down to one unit if it is named, its rank kept.

        The figures of a closed period are those that were frozen; corrections stand beside them.
        """
        if unit is not None:
            self._known(unit)
        closed = await self.closed()
        ranking = await self._frozen(closed) if closed else await self.computed()
        if unit is not None:
            ranking.units = [card for card in ranking.units if card.unit == unit]
            ranking.corrected = [card for card in ranking.corrected if card.unit == unit]
            ranking.corrections = [one for one in ranking.corrections if one.unit == unit]
        return ranking

    async def one(self, unit: str) -> OneScorecardView:
        """The scorecard of one unit.

        Raises:
            UnitUnknown: the pack has no such unit, and no case went to it.
        """
        ranking = await self.ranking(unit)
        if not ranking.units:
            raise UnitUnknown("This unit answers for no matters, so it has no scorecard.")
        return OneScorecardView(
            period=ranking.period,
            parameters=ranking.parameters,
            computed_at=ranking.computed_at,
            behind=ranking.behind,
            scorecard=ranking.units[0],
            closed=ranking.closed,
            corrected=ranking.corrected[0] if ranking.corrected else None,
            corrections=ranking.corrections,
        )

    async def explain(self, unit: str, figure: Figure | None, page: PageRequest) -> ExplanationView:
        """One unit's scorecard and a page of the cases behind it, each with its reasons."""
        card = await self.one(unit)
        basis = await self.basis(unit)
        judged = self.judged(basis.facts, basis.parameters, basis.computed_at)
        rows = rows_after(_in_order(basis.facts, judged, figure), page, lambda row: row[:3])
        numbers = await self._repository.numbers([UUID(row.case_id) for row in rows])
        return ExplanationView(
            **dict(card),
            formula=_formula(card.scorecard, basis.parameters),
            figure=figure,
            cases=page_of(
                rows,
                page,
                lambda row: row[:3],
                lambda row: _explained(row, judged, numbers.get(UUID(row.case_id))),
            ),
        )

    # -- what it is made from ------------------------------------------------------------------

    async def closed(self) -> ClosedPeriod | None:
        """The period as it was closed, if it was."""
        return await self._periods.by_key(self.period.key)

    async def basis(self, unit: str | None = None) -> Basis:
        """What the figures shown are made from; of one unit if it is given."""
        closed = await self.closed()
        return await self.frozen_basis(closed, unit) if closed else await self.live_basis(unit)

    async def frozen_basis(self, closed: ClosedPeriod, unit: str | None = None) -> Basis:
        """Facts and parameters of a closed period."""
        facts = thaw(await self._periods.frozen(closed.id, unit))
        parameters = ParametersView.model_validate(closed.parameters).parameters()
        return Basis(facts, parameters, closed.computed_at)

    async def live_basis(self, unit: str | None = None) -> Basis:
        """The facts as they are now, and the version of the parameters that holds.

        Raises:
            NotFound: no version of the parameters holds for the period.
        """
        parameters = self._pack.assessment_on(self.period.first_day)
        facts = await self._reader.due_in(self.period, unit)
        excluded: dict[Stay, Standing] = {
            (case_id, of_unit, None): Standing.EXCLUDED
            for case_id, of_unit in await self._exclusions.granted()
        }
        return Basis(facts.with_standings(excluded), parameters, self._now)

    def judged(
        self, facts: PeriodFacts, parameters: AssessmentParameters, computed_at: datetime
    ) -> Judgement:
        period = self.period
        return judge(facts.columns, period.start, period.end, computed_at, rule_of(parameters))

    def cards(self, basis: Basis) -> list[Scorecard]:
        """Scorecards of all responsible units and of every other that had something due."""
        units = sorted({unit.code for unit in self._pack.responsible} | set(basis.facts.units))
        judged = self.judged(basis.facts.among(units), basis.parameters, basis.computed_at)
        return scorecards(judged, units, rule_of(basis.parameters))

    async def computed(self, basis: Basis | None = None) -> RankingView:
        """Figures made anew."""
        basis = basis or await self.live_basis()
        cards = self.cards(basis)
        city = await self._repository.registered_in_city()
        patrolled = await self._repository.patrolled_grids()
        registered = await self._repository.registered_by_unit()
        target = basis.parameters.resolution_target
        return RankingView(
            period=self._period_view(),
            parameters=ParametersView.of(basis.parameters),
            computed_at=basis.computed_at,
            behind=await self._store.count_marks(),
            city=self._city_figures(cards, city, patrolled),
            units=[
                self._view(card, registered.get(card.unit, _NOTHING), city, patrolled, target)
                for card in cards
            ],
        )

    async def _frozen(self, closed: ClosedPeriod) -> RankingView:
        ranking = RankingView.model_validate(closed.ranking)
        ranking.closed = ClosedView(
            closed_at=closed.computed_at,
            appeal_until=closed.appeal_until,
            facts_sha256=closed.facts_sha256,
        )
        granted = await self._appeals.granted(closed.id)
        ranking.corrections = [_correction(appeal) for appeal in granted]
        ranking.corrected = [ScoreView.model_validate(one) for one in closed.corrected]
        return ranking

    async def corrected(self, closed: ClosedPeriod, granted: Sequence[Appeal]) -> list[ScoreView]:
        """The units whose figures or ranks are others with the corrections."""
        basis = await self.frozen_basis(closed)
        standings: dict[Stay, Standing] = {
            (appeal.case_id, appeal.unit, appeal.ordinal): appeal.correction.standing
            for appeal in granted
            if appeal.correction is not None
        }
        original = {
            card.unit: ScoreView(**dict(card))
            for card in RankingView.model_validate(closed.ranking).units
        }
        facts = basis.facts.with_standings(standings)
        views = [ScoreView.of(card) for card in self.cards(basis._replace(facts=facts))]
        return [view for view in views if view != original.get(view.unit)]

    def _known(self, unit: str) -> None:
        if unit not in self._pack.units:
            raise UnitUnknown("Take the code of a unit of this city, as the ranking lists them.")

    def _view(
        self,
        card: Scorecard,
        registered: RegisteredCount,
        city: RegisteredCount,
        patrolled: set[str],
        target: Fraction,
    ) -> ScorecardView:
        known = self._pack.units.get(card.unit)
        return ScorecardView(
            unit=card.unit,
            name_zh=known.name.zh if known else None,
            name_en=known.name.en if known else None,
            before_allowance=card.before_allowance,
            forgiven=ForgivenView.of(card),
            due=card.due,
            resolved=card.resolved,
            timely=card.timely,
            not_yet_due=card.not_yet_due,
            timely_rate=number(card.timely_rate),
            resolution_rate=number(card.resolution_rate),
            return_rate=share(
                card.returned_to_other, card.before_allowance + card.returned_to_other
            ),
            score=number(card.score),
            rank=card.rank,
            small_sample=card.small_sample,
            target_met=None if card.resolution_rate is None else card.resolution_rate >= target,
            returned_to_other=card.returned_to_other,
            returns_refused=card.returns_refused,
            repeated=card.repeated,
            extended=card.extended,
            deferred=card.deferred,
            false_feedback=card.false_feedback,
            figures=SevenFigures(
                long_term_coverage=self._coverage(self._ground_of(card.unit), patrolled),
                cases_registered=registered.registered,
                completion_rate=share(registered.closed, registered.registered),
                dispatch_rate=share(registered.dispatched, city.dispatched),
                extension_deferral_rate=share(card.extended_or_deferred, card.before_allowance),
                repeated_dispatch_rate=share(card.repeated, card.before_allowance),
                false_feedback_rate=share(card.with_false_feedback, card.before_allowance),
            ),
        )

    def _city_figures(
        self, cards: list[Scorecard], city: RegisteredCount, patrolled: set[str]
    ) -> SevenFigures:
        due = sum(card.before_allowance for card in cards)
        return SevenFigures(
            long_term_coverage=self._coverage(set(self._pack.grids), patrolled),
            cases_registered=city.registered,
            completion_rate=share(city.closed, city.registered),
            dispatch_rate=share(city.dispatched, city.registered),
            extension_deferral_rate=share(sum(card.extended_or_deferred for card in cards), due),
            repeated_dispatch_rate=share(sum(card.repeated for card in cards), due),
            false_feedback_rate=share(sum(card.with_false_feedback for card in cards), due),
        )

    def _ground_of(self, unit: str) -> set[str]:
        """Grids of the areas that a unit administers."""
        areas = tuple(area.code for area in self._pack.areas.values() if area.office == unit)
        return {code for code in self._pack.grids if areas and code.startswith(areas)}

    @staticmethod
    def _coverage(ground: set[str], patrolled: set[str]) -> float | None:
        return share(len(ground & patrolled), len(ground))

    def _period_view(self) -> PeriodView:
        period = self.period
        return PeriodView(
            key=period.key,
            kind=period.kind.value,
            start=period.start,
            end=period.end,
            complete=period.end <= self._now,
        )


def _formula(card: ScorecardView, held: AssessmentParameters) -> str:
    if not card.due:
        return "nothing was due: no score and no rank"
    return (
        f"100 x ({held.timely_weight} x {card.timely}/{card.due}"
        f" + {held.resolution_weight} x {card.resolved}/{card.due}) = {card.score:.6f}"
    )


def _correction(appeal: Appeal) -> CorrectionView:
    return CorrectionView(
        appeal_id=appeal.id,
        unit=appeal.unit,
        case_id=appeal.case_id,
        ordinal=appeal.ordinal,
        correction=appeal.correction or "",
        reason=appeal.decision_reason or "",
        decided_at=appeal.decided_at or appeal.filed_at,
    )


def _in_order(facts: PeriodFacts, judged: Judgement, figure: Figure | None) -> list[_Behind]:
    """The assignments behind a figure, or all, by due time, case and stay."""
    lines = judged.columns
    which = np.flatnonzero(behind(figure, judged)) if figure else np.arange(len(lines))
    order = which[np.lexsort((lines.ordinal[which], lines.case[which], lines.due_at[which]))]
    return [
        _Behind(
            int(lines.due_at[position]),
            str(facts.case_ids[judged.rows[position]]),
            int(lines.ordinal[position]),
            int(position),
        )
        for position in order.tolist()
    ]


def _explained(row: _Behind, judged: Judgement, case_number: str | None) -> ExplainedCase:
    lines, at = judged.columns, row.position
    reasons = reasons_of(int(judged.reasons[at]))
    limited = int(lines.limit_seconds[at]) < UNLIMITED
    return ExplainedCase(
        case_id=UUID(row.case_id),
        ordinal=row.ordinal,
        number=case_number,
        due_at=_instant(row.due_at),
        limit_seconds=int(lines.limit_seconds[at]) if limited else None,
        recognised_seconds=int(judged.recognised_seconds[at]) if limited else None,
        used_seconds=int(lines.used_seconds[at]),
        counted_seconds=int(judged.counted_seconds[at]),
        closed_at=_moment(lines.closed_at[at]),
        dispatches=int(lines.dispatches[at]),
        extension_granted_at=_moment(lines.extension_granted_at[at]),
        deferral_granted_at=_moment(lines.deferral_granted_at[at]),
        second_dispatch_at=_moment(lines.second_dispatch_at[at]),
        due=bool(judged.due[at]),
        resolved=bool(judged.resolved[at]),
        timely=bool(judged.timely[at]),
        reasons=list(reasons),
        because=[BecauseView(zh=WORDS[one].zh, en=WORDS[one].en) for one in reasons],
    )


def _instant(microseconds: int) -> datetime:
    return EPOCH + timedelta(microseconds=microseconds)


def _moment(microseconds: int) -> datetime | None:
    return None if microseconds == NEVER else _instant(int(microseconds))
