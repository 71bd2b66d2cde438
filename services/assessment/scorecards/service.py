"""Makes scorecards of a period from the facts as they are now."""

from datetime import datetime, timedelta
from fractions import Fraction
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

import numpy as np

from services.assessment.events.repository import EventStore
from services.assessment.periods.domain import Period, parse_period
from services.assessment.scorecards.domain import WORDS, Figure, behind
from services.assessment.scorecards.errors import UnitUnknown
from services.assessment.scorecards.repository import RegisteredCount, ScorecardRepository
from services.assessment.scorecards.schemas import (
    BecauseView,
    ExplainedCase,
    ExplanationView,
    ForgivenView,
    OneScorecardView,
    ParametersView,
    PeriodView,
    RankingView,
    ScorecardView,
    SevenFigures,
)
from services.assessment.scoring.domain import (
    EPOCH,
    NEVER,
    UNLIMITED,
    Judgement,
    Kind,
    Scorecard,
    judge,
    rate,
    reasons_of,
    rounded,
    rule_of,
    scorecards,
)
from services.assessment.scoring.repository import AssignmentReader, PeriodFacts
from shared.db.database import ReadSession
from shared.pack.model import AssessmentParameters, CityPack
from shared.web.paging import PageRequest, page_of, rows_after

_NOTHING = RegisteredCount(0, 0, 0)


class _Behind(NamedTuple):
    """An assignment on a list: its place in the list's order, and among what was judged."""

    due_at: int
    case_id: str
    ordinal: int
    position: int


class ScorecardService:
    """Scorecards of one period.

    Args:
        session: where the facts are read.
        pack: units, grids and the parameters' versions.
        period: as people write it, e.g. `2026-05`.
        now: what is closed later does not count.

    Raises:
        PeriodUnreadable: no such period.
        NotFound: no version of the parameters holds for it.
    """

    def __init__(self, session: ReadSession, pack: CityPack, period: str, now: datetime) -> None:
        self._pack = pack
        self._now = now
        self._period: Period = parse_period(period, ZoneInfo(pack.city.zone))
        self._parameters: AssessmentParameters = pack.assessment_on(self._period.first_day)
        self._rule = rule_of(self._parameters)
        self._reader = AssignmentReader(session)
        self._repository = ScorecardRepository(session, self._period)
        self._store = EventStore(session)

    async def ranking(self, unit: str | None = None) -> RankingView:
        """All units side by side; cut down to one unit if it is named, its rank kept."""
        if unit is not None:
            self._known(unit)
        cards = await self._cards()
        city = await self._repository.registered_in_city()
        patrolled = await self._repository.patrolled_grids()
        registered = await self._repository.registered_by_unit()
        return RankingView(
            period=self._period_view(),
            parameters=self._parameters_view(),
            computed_at=self._now,
            behind=await self._store.count_marks(),
            city=self._city_figures(cards, city, patrolled),
            units=[
                self._view(card, registered.get(card.unit, _NOTHING), city, patrolled)
                for card in cards
                if unit in (None, card.unit)
            ],
        )

    async def one(self, unit: str) -> OneScorecardView:
        """The scorecard of one unit.

        Raises:
            UnitUnknown: the pack has no such unit, and no case went to it.
        """
        self._known(unit)
        ranking = await self.ranking(unit)
        if not ranking.units:
            raise UnitUnknown("This unit answers for no matters, so it has no scorecard.")
        return OneScorecardView(
            period=ranking.period,
            parameters=ranking.parameters,
            computed_at=ranking.computed_at,
            behind=ranking.behind,
            scorecard=ranking.units[0],
        )

    async def explain(self, unit: str, figure: Figure | None, page: PageRequest) -> ExplanationView:
        """One unit's scorecard and a page of the cases behind it, each with its reasons."""
        card = await self.one(unit)
        facts = await self._reader.due_in(self._period, unit)
        judged = self._judge(facts)
        rows = rows_after(_in_order(facts, judged, figure), page, lambda row: row[:3])
        numbers = await self._repository.numbers([UUID(row.case_id) for row in rows])
        return ExplanationView(
            **dict(card),
            formula=self._formula(card.scorecard),
            figure=figure,
            cases=page_of(
                rows,
                page,
                lambda row: row[:3],
                lambda row: _explained(row, judged, numbers.get(UUID(row.case_id))),
            ),
        )

    async def _cards(self) -> list[Scorecard]:
        facts = await self._reader.due_in(self._period)
        units = sorted({unit.code for unit in self._pack.responsible} | set(facts.units))
        return scorecards(self._judge(facts.among(units)), units, self._rule)

    def _judge(self, facts: PeriodFacts) -> Judgement:
        period = self._period
        return judge(facts.columns, period.start, period.end, self._now, self._rule)

    def _known(self, unit: str) -> None:
        if unit not in self._pack.units:
            raise UnitUnknown("Take the code of a unit of this city, as the ranking lists them.")

    def _view(
        self,
        card: Scorecard,
        registered: RegisteredCount,
        city: RegisteredCount,
        patrolled: set[str],
    ) -> ScorecardView:
        known = self._pack.units.get(card.unit)
        target = self._parameters.resolution_target
        return ScorecardView(
            unit=card.unit,
            name_zh=known.name.zh if known else None,
            name_en=known.name.en if known else None,
            before_allowance=card.before_allowance,
            forgiven=ForgivenView(
                repeat=card.forgiven[Kind.REPEAT],
                deferral=card.forgiven[Kind.DEFERRAL],
                extension=card.forgiven[Kind.EXTENSION],
            ),
            due=card.due,
            resolved=card.resolved,
            timely=card.timely,
            not_yet_due=card.not_yet_due,
            timely_rate=_number(card.timely_rate),
            resolution_rate=_number(card.resolution_rate),
            return_rate=_share(
                card.returned_to_other, card.before_allowance + card.returned_to_other
            ),
            score=_number(card.score),
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
                completion_rate=_share(registered.closed, registered.registered),
                dispatch_rate=_share(registered.dispatched, city.dispatched),
                extension_deferral_rate=_share(card.extended_or_deferred, card.before_allowance),
                repeated_dispatch_rate=_share(card.repeated, card.before_allowance),
                false_feedback_rate=_share(card.false_feedback, card.before_allowance),
            ),
        )

    def _city_figures(
        self, cards: list[Scorecard], city: RegisteredCount, patrolled: set[str]
    ) -> SevenFigures:
        due = sum(card.before_allowance for card in cards)
        return SevenFigures(
            long_term_coverage=self._coverage(set(self._pack.grids), patrolled),
            cases_registered=city.registered,
            completion_rate=_share(city.closed, city.registered),
            dispatch_rate=_share(city.dispatched, city.registered),
            extension_deferral_rate=_share(sum(card.extended_or_deferred for card in cards), due),
            repeated_dispatch_rate=_share(sum(card.repeated for card in cards), due),
            false_feedback_rate=_share(sum(card.false_feedback for card in cards), due),
        )

    def _ground_of(self, unit: str) -> set[str]:
        """Grids of the areas that a unit administers."""
        areas = tuple(area.code for area in self._pack.areas.values() if area.office == unit)
        return {code for code in self._pack.grids if areas and code.startswith(areas)}

    @staticmethod
    def _coverage(ground: set[str], patrolled: set[str]) -> float | None:
        return _share(len(ground & patrolled), len(ground))

    def _period_view(self) -> PeriodView:
        period = self._period
        return PeriodView(
            key=period.key,
            kind=period.kind.value,
            start=period.start,
            end=period.end,
            complete=period.end <= self._now,
        )

    def _parameters_view(self) -> ParametersView:
        held = self._parameters
        return ParametersView(
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
        )

    def _formula(self, card: ScorecardView) -> str:
        if not card.due:
            return "nothing was due: no score and no rank"
        held = self._parameters
        return (
            f"100 x ({held.timely_weight} x {card.timely}/{card.due}"
            f" + {held.resolution_weight} x {card.resolved}/{card.due}) = {card.score:.6f}"
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


def _explained(row: _Behind, judged: Judgement, number: str | None) -> ExplainedCase:
    lines, at = judged.columns, row.position
    reasons = reasons_of(int(judged.reasons[at]))
    limited = int(lines.limit_seconds[at]) < UNLIMITED
    return ExplainedCase(
        case_id=UUID(row.case_id),
        ordinal=row.ordinal,
        number=number,
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


def _number(value: Fraction | None) -> float | None:
    exact = rounded(value)
    return None if exact is None else float(exact)


def _share(part: int, whole: int) -> float | None:
    return _number(rate(part, whole))
