"""Filing, proposing and deciding appeals; each step journalled, the settlement told."""

from uuid import UUID

from services.assessment.appeals.domain import ALLOWED, AppealState
from services.assessment.appeals.errors import (
    AppealedAlready,
    AppealLate,
    AppealUnknown,
    CorrectionNeeded,
    NotCounted,
    NotInThisState,
    SecondPersonNeeded,
)
from services.assessment.appeals.models import Appeal
from services.assessment.appeals.repository import AppealRepository
from services.assessment.appeals.schemas import (
    AppealCommand,
    AppealDecisionCommand,
    ProposalCommand,
)
from services.assessment.lines.domain import thaw
from services.assessment.periods.errors import PeriodNotClosed
from services.assessment.periods.models import ClosedPeriod
from services.assessment.periods.repository import PeriodRepository
from services.assessment.scorecards.service import ScorecardService
from shared.events.assessment import AppealDecided
from shared.pack.model import CityPack
from shared.web.etag import check_match
from shared.work import UnitOfWork


class AppealService:
    """Commands about appeals; made per unit of work."""

    def __init__(self, work: UnitOfWork, pack: CityPack) -> None:
        self._work = work
        self._pack = pack
        self._repository = AppealRepository(work.session)
        self._periods = PeriodRepository(work.session)

    async def file(self, unit: str, command: AppealCommand) -> Appeal:
        """A unit says that a case of its own was counted wrongly.

        Raises:
            PeriodNotClosed: only settled figures are appealed.
            AppealLate: the time is over.
            NotCounted: the unit has no such case in the period.
            AppealedAlready: it is being decided, or was.
        """
        closed = await self._periods.by_key(command.period)
        if closed is None:
            raise PeriodNotClosed("Figures can be appealed once their period is closed.")
        self._in_time(closed)
        await self._counted(closed, unit, command)
        standing = await self._repository.alive(closed.id, unit, command.case_id, command.ordinal)
        if standing is not None:
            raise AppealedAlready(
                "Add what is new to it by withdrawing and filing it again, if it is not decided.",
                appeal=str(standing.id),
                state=standing.state.value,
            )
        appeal = Appeal(
            period_id=closed.id,
            period_key=closed.key,
            unit=unit,
            case_id=command.case_id,
            ordinal=command.ordinal,
            statement=command.statement,
            evidence=[piece.model_dump(exclude_none=True) for piece in command.evidence],
            filed_by=self._work.actor.id,
            filed_at=self._work.now(),
        )
        self._repository.add(appeal)
        self._work.record(
            appeal,
            "file-appeal",
            to_state=AppealState.FILED,
            reason=command.statement,
            details={"evidence": appeal.evidence},
        )
        return appeal

    async def propose(
        self, appeal_id: UUID, command: ProposalCommand, if_match: str | None
    ) -> Appeal:
        """The first of two people says how it should be decided.

        Raises:
            CorrectionNeeded: granting needs to say what is changed.
            SecondPersonNeeded: by the one who filed it.
        """
        if command.granted != (command.correction is not None):
            raise CorrectionNeeded(
                "Name the correction if the appeal is to be granted, and none if it is not."
            )
        appeal = await self._take(appeal_id, "propose", if_match)
        self._not_by(appeal.filed_by, "You have filed this appeal")
        appeal.proposed_grant = command.granted
        appeal.correction = command.correction
        appeal.proposal_reason = command.reason
        appeal.proposed_by = self._work.actor.id
        appeal.proposed_at = self._work.now()
        self._move(appeal, AppealState.PROPOSED, "propose-decision", command.reason)
        return appeal

    async def decide(
        self, appeal_id: UUID, command: AppealDecisionCommand, if_match: str | None
    ) -> Appeal:
        """The second agrees, and it is settled; or not, and it waits for another proposal.

        Raises:
            SecondPersonNeeded: by the one who filed or proposed.
        """
        appeal = await self._take(appeal_id, "decide", if_match)
        self._not_by(appeal.filed_by, "You have filed this appeal")
        self._not_by(appeal.proposed_by, "You have made the proposal")
        if not command.agreed:
            self._move(appeal, AppealState.FILED, "send-back-proposal", command.reason)
            return appeal
        appeal.decided_by = self._work.actor.id
        appeal.decided_at = self._work.now()
        appeal.decision_reason = command.reason
        state = AppealState.GRANTED if appeal.proposed_grant else AppealState.REFUSED
        self._move(appeal, state, "decide-appeal", command.reason)
        if state is AppealState.GRANTED:
            await self._correct(appeal)
        self._work.tell(
            appeal,
            AppealDecided(
                period=appeal.period_key,
                unit=appeal.unit,
                case_id=appeal.case_id,
                granted=state is AppealState.GRANTED,
                correction=appeal.correction.value if appeal.correction else None,
                reason=command.reason,
            ),
        )
        return appeal

    async def withdraw(
        self, appeal_id: UUID, unit: str, reason: str, if_match: str | None
    ) -> Appeal:
        """The unit takes its appeal back before it is decided."""
        appeal = await self._repository.get(appeal_id)
        if appeal is None or appeal.unit != unit:
            raise AppealUnknown("There is no such appeal, or it is not your unit's.")
        appeal = await self._take(appeal_id, "withdraw", if_match)
        self._move(appeal, AppealState.WITHDRAWN, "withdraw-appeal", reason)
        return appeal

    async def _correct(self, appeal: Appeal) -> None:
        """Put the corrected figures beside the original ones."""
        closed = await self._periods.by_key(appeal.period_key)
        if closed is None:
            raise PeriodNotClosed("The period of this appeal is gone.")
        await self._work.settle()
        granted = await self._repository.granted(closed.id)
        scorecards = ScorecardService(
            self._work.session, self._pack, closed.key, closed.computed_at
        )
        corrected = await scorecards.corrected(closed, granted)
        closed.corrected = [view.model_dump(mode="json") for view in corrected]
        self._work.record(
            closed,
            "correct-figures",
            reason=appeal.decision_reason,
            details={"appeal": str(appeal.id), "units": [view.unit for view in corrected]},
        )

    def _not_by(self, person: str | None, why: str) -> None:
        if person == self._work.actor.id:
            raise SecondPersonNeeded(f"{why}; somebody else has to decide.")

    def _in_time(self, closed: ClosedPeriod) -> None:
        if self._work.now() >= closed.appeal_until:
            raise AppealLate(
                "Figures of this period can no longer be appealed.",
                appeal_until=closed.appeal_until.isoformat(),
            )

    async def _counted(self, closed: ClosedPeriod, unit: str, command: AppealCommand) -> None:
        texts = await self._periods.frozen(closed.id, unit)
        facts = thaw(texts)
        stays = zip(facts.case_ids, facts.columns.ordinal.tolist(), strict=True)
        if (command.case_id, command.ordinal) not in set(stays):
            raise NotCounted("Take case and ordinal from the explanation of your scorecard.")

    async def _take(self, appeal_id: UUID, action: str, if_match: str | None) -> Appeal:
        appeal = await self._repository.get(appeal_id)
        if appeal is None:
            raise AppealUnknown("Take the id from the list of appeals.")
        check_match(appeal, if_match)
        if action not in ALLOWED[appeal.state]:
            raise NotInThisState(
                "Read it again: it has moved on.",
                state=appeal.state.value,
                allowed=list(ALLOWED[appeal.state]),
            )
        return appeal

    def _move(self, appeal: Appeal, state: AppealState, action: str, reason: str) -> None:
        before = appeal.state
        appeal.state = state
        details = {
            "correction": appeal.correction.value if appeal.correction else None,
            "proposed_grant": appeal.proposed_grant,
        }
        self._work.record(
            appeal, action, from_state=before, to_state=state, reason=reason, details=details
        )
