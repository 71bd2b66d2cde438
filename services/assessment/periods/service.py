"""Closes periods, and computes them in another way for comparison."""

from asyncio import to_thread
from dataclasses import replace
from datetime import datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

from services.assessment.events.repository import EventStore
from services.assessment.facts.service import FactKeeper
from services.assessment.lines.domain import freeze, hash_of
from services.assessment.periods.domain import local_day
from services.assessment.periods.errors import (
    FactsMissing,
    ParametersImpossible,
    PeriodClosedAlready,
    PeriodNotClosed,
    PeriodRunning,
    VersionUnknown,
)
from services.assessment.periods.models import ClosedPeriod
from services.assessment.periods.repository import PeriodRepository
from services.assessment.periods.schemas import ComparisonView, PairView, SideView
from services.assessment.scorecards.schemas import ParametersView, RankingView, ScoreView
from services.assessment.scorecards.service import Basis, ScorecardService
from shared.events.assessment import PeriodClosed, UnitScore
from shared.inbox.statements import PARKED
from shared.pack.model import AssessmentParameters, CityPack
from shared.work import UnitOfWork

MARKS_A_STEP = 1_000
MOST_STEPS = 100


class ClosingService:
    """Closes periods; made per unit of work."""

    def __init__(self, work: UnitOfWork, pack: CityPack) -> None:
        self._work = work
        self._pack = pack
        self._periods = PeriodRepository(work.session)

    async def close(self, key: str, reason: str) -> ClosedPeriod:
        """Freeze figures, parameters and facts of a period that is over.

        Raises:
            PeriodUnreadable: no such period.
            PeriodRunning: it is not over.
            PeriodClosedAlready: it is closed once and for all.
            FactsMissing: something that was told is not counted yet.
            NotFound: no version of the parameters holds for it.
        """
        service = ScorecardService(self._work.session, self._pack, key, self._work.now())
        await self._closable(service)
        basis = await service.live_basis()
        ranking = await service.computed(basis)
        texts = await to_thread(freeze, basis.facts)
        closed = self._row(service, basis, ranking)
        closed.facts_sha256 = hash_of(texts)
        self._periods.add(closed, texts)
        self._work.record(
            closed,
            "close-period",
            to_state="closed",
            reason=reason,
            details={"period": closed.key, "facts_sha256": closed.facts_sha256},
        )
        self._work.tell(closed, _told(closed, service, ranking))
        return closed

    async def _closable(self, service: ScorecardService) -> None:
        period = service.period
        if self._work.now() < period.end:
            raise PeriodRunning("A period is closed once it is over.", ends=period.end.isoformat())
        closed = await service.closed()
        if closed is not None:
            raise PeriodClosedAlready(
                "Its figures stay as they are; a granted appeal corrects them beside the original.",
                closed_at=closed.computed_at.isoformat(),
            )
        await self._complete()

    async def _complete(self) -> None:
        """Fold what has arrived; refuse while anything that was told is not in the facts."""
        keeper = FactKeeper(self._work, self._pack)
        for _ in range(MOST_STEPS):
            if await keeper.fold_marked(MARKS_A_STEP) < MARKS_A_STEP:
                break
        behind = await EventStore(self._work.session).count_marks()
        parked = await self._periods.parked_events(
            self._work.tables.inbox_held, self._work.service, PARKED
        )
        if behind or parked:
            raise FactsMissing(
                "Wait until everything is folded, and release parked events with minqing redrive.",
                behind=behind,
                parked=parked,
            )

    def _row(self, service: ScorecardService, basis: Basis, ranking: RankingView) -> ClosedPeriod:
        period, held = service.period, basis.parameters
        return ClosedPeriod(
            key=period.key,
            kind=period.kind,
            start_at=period.start,
            end_at=period.end,
            trial=held.trial,
            parameters_version=held.version,
            parameters=ParametersView.of(held).model_dump(mode="json"),
            computed_at=basis.computed_at,
            appeal_until=self._appeal_until(basis.computed_at, held.appeal_days),
            closed_by=self._work.actor.id,
            assignments=len(basis.facts.columns),
            facts_sha256="",
            ranking=ranking.model_dump(mode="json"),
        )

    def _appeal_until(self, closed_at: datetime, days: int) -> datetime:
        """Midnight at the end of the last of so many local days after the day of closing."""
        zone = ZoneInfo(self._pack.city.zone)
        last_day = closed_at.astimezone(zone) + timedelta(days=days + 1)
        return local_day(last_day, zone)[0]


class ComparisonService:
    """Computes a period in another way, on the side; nothing is changed."""

    def __init__(self, scorecards: ScorecardService, pack: CityPack) -> None:
        self._scorecards = scorecards
        self._pack = pack

    async def recomputed(self) -> ComparisonView:
        """A closed period beside what would come out of the facts and parameters of now.

        Raises:
            PeriodNotClosed: its figures are those of now.
        """
        closed = await self._scorecards.closed()
        if closed is None:
            raise PeriodNotClosed("Its scorecards are computed anew whenever they are read.")
        held = await self._scorecards.frozen_basis(closed)
        frozen = RankingView.model_validate(closed.ranking)
        other = await self._scorecards.live_basis()
        shown = {card.unit: ScoreView(**dict(card)) for card in frozen.units}
        other_sha256 = hash_of(await to_thread(freeze, other.facts))
        sides = _side(held, closed.facts_sha256), _side(other, other_sha256)
        return self._compared(sides, shown, other)

    async def what_if(self, tried: "TriedParameters") -> ComparisonView:
        """A period with its own parameters beside others, on the same facts.

        Raises:
            VersionUnknown: the pack has no such version.
            ParametersImpossible: the weights do not make 1.
        """
        held = await self._scorecards.basis()
        parameters = tried.applied_to(held.parameters, self._pack)
        shown = {card.unit: ScoreView.of(card) for card in self._scorecards.cards(held)}
        other = held._replace(parameters=parameters)
        closed = await self._scorecards.closed()
        facts_sha256 = closed.facts_sha256 if closed else None
        sides = _side(held, facts_sha256), _side(other, facts_sha256)
        return self._compared(sides, shown, other)

    def _compared(
        self, sides: tuple[SideView, SideView], shown: dict[str, ScoreView], other: Basis
    ) -> ComparisonView:
        others = {card.unit: ScoreView.of(card) for card in self._scorecards.cards(other)}
        return ComparisonView(
            period=self._scorecards.period.key,
            held=sides[0],
            other=sides[1],
            units=[
                PairView(
                    unit=unit,
                    held=shown.get(unit),
                    other=others.get(unit),
                    changed=shown.get(unit) != others.get(unit),
                )
                for unit in sorted(shown.keys() | others.keys())
            ],
        )


class TriedParameters:
    """Parameters to try: a version of the pack, or single numbers in the place of those that hold.

    Args:
        version: name of a version of the pack to begin with; null: the one that holds.
        shares: weights and allowances by name, exact.
        small_sample: fewer due are not ranked.
    """

    def __init__(
        self, version: str | None, shares: dict[str, Fraction | None], small_sample: int | None
    ) -> None:
        self._version = version
        self._changes: dict[str, Fraction | int] = {
            name: share for name, share in shares.items() if share is not None
        }
        if small_sample is not None:
            self._changes["small_sample"] = small_sample

    def applied_to(self, held: AssessmentParameters, pack: CityPack) -> AssessmentParameters:
        """The parameters that are tried."""
        begun = held if self._version is None else _version(pack, self._version)
        tried: AssessmentParameters = replace(begun, **self._changes)  # type: ignore[arg-type]
        if self._changes:
            tried = replace(tried, version=f"{begun.version}*")
        if tried.timely_weight + tried.resolution_weight != 1:
            raise ParametersImpossible(
                "timely_weight and resolution_weight must make 1:"
                f" {tried.timely_weight} and {tried.resolution_weight} do not."
            )
        return tried


def _version(pack: CityPack, name: str) -> AssessmentParameters:
    for version in pack.assessment:
        if version.version == name:
            return version
    known = ", ".join(version.version for version in pack.assessment)
    raise VersionUnknown(f"The pack has the versions {known}.")


def _side(basis: Basis, facts_sha256: str | None) -> SideView:
    return SideView(
        parameters=ParametersView.of(basis.parameters),
        computed_at=basis.computed_at,
        facts_sha256=facts_sha256,
    )


def _told(closed: ClosedPeriod, service: ScorecardService, ranking: RankingView) -> PeriodClosed:
    return PeriodClosed(
        period=closed.key,
        kind=closed.kind.value,
        first_day=service.period.first_day,
        start=closed.start_at,
        end=closed.end_at,
        trial=closed.trial,
        parameters_version=closed.parameters_version,
        computed_at=closed.computed_at,
        appeal_until=closed.appeal_until,
        assignments=closed.assignments,
        facts_sha256=closed.facts_sha256,
        units=tuple(
            UnitScore(
                unit=card.unit,
                due=card.due,
                resolved=card.resolved,
                timely=card.timely,
                score=None if card.score is None else f"{card.score:.6f}",
                rank=card.rank,
            )
            for card in ranking.units
        ),
    )
