"""Proposing, deciding and lifting exclusions: never one person alone, each step journalled."""

from uuid import UUID

from services.assessment.exclusions.domain import ALLOWED, ExclusionState
from services.assessment.exclusions.errors import (
    AlreadyProposed,
    ExclusionUnknown,
    NoSuchAssignment,
    NotInThisState,
    SecondPersonNeeded,
)
from services.assessment.exclusions.models import Exclusion
from services.assessment.exclusions.repository import ExclusionRepository
from shared.web.etag import check_match
from shared.work import UnitOfWork


class ExclusionService:
    """Commands about exclusions; made per unit of work."""

    def __init__(self, work: UnitOfWork) -> None:
        self._work = work
        self._repository = ExclusionRepository(work.session)

    async def propose(self, case_id: UUID, unit: str, reason: str) -> Exclusion:
        """Say that a case should be left out of a unit's scores; nothing changes yet.

        Raises:
            NoSuchAssignment: the case never was with the unit.
            AlreadyProposed: it is proposed or left out already.
        """
        if not await self._repository.was_with(case_id, unit):
            raise NoSuchAssignment("Take case and unit from the explanation of a scorecard.")
        standing = await self._repository.standing(case_id, unit)
        if standing is not None:
            raise AlreadyProposed(
                "Have it decided, or lifted, first.",
                exclusion=str(standing.id),
                state=standing.state.value,
            )
        exclusion = Exclusion(
            case_id=case_id,
            unit=unit,
            reason=reason,
            proposed_by=self._work.actor.id,
            proposed_at=self._work.now(),
        )
        self._repository.add(exclusion)
        self._work.record(
            exclusion, "propose-exclusion", to_state=ExclusionState.PROPOSED, reason=reason
        )
        return exclusion

    async def decide(
        self, exclusion_id: UUID, *, granted: bool, reason: str, if_match: str | None
    ) -> Exclusion:
        """Grant or refuse what somebody else has proposed.

        Raises:
            SecondPersonNeeded: by the proposer.
            NotInThisState: it is decided already.
        """
        exclusion = await self._take(exclusion_id, ExclusionState.PROPOSED, if_match)
        if exclusion.proposed_by == self._work.actor.id:
            raise SecondPersonNeeded("You have proposed it; somebody else has to decide.")
        state = ExclusionState.GRANTED if granted else ExclusionState.REFUSED
        self._move(exclusion, state, reason, "decide-exclusion")
        return exclusion

    async def lift(self, exclusion_id: UUID, *, reason: str, if_match: str | None) -> Exclusion:
        """Have a case count again; not by the one who decided that it does not.

        Raises:
            SecondPersonNeeded: by the one who granted it.
            NotInThisState: it is not granted.
        """
        exclusion = await self._take(exclusion_id, ExclusionState.GRANTED, if_match)
        if exclusion.decided_by == self._work.actor.id:
            raise SecondPersonNeeded("You have granted it; somebody else has to lift it.")
        self._move(exclusion, ExclusionState.LIFTED, reason, "lift-exclusion")
        return exclusion

    async def _take(
        self, exclusion_id: UUID, state: ExclusionState, if_match: str | None
    ) -> Exclusion:
        exclusion = await self._repository.get(exclusion_id)
        if exclusion is None:
            raise ExclusionUnknown("Take the id from the list of exclusions.")
        check_match(exclusion, if_match)
        if exclusion.state is not state:
            raise NotInThisState(
                "Read it again: it has been decided.",
                state=exclusion.state.value,
                allowed=list(ALLOWED[exclusion.state]),
            )
        return exclusion

    def _move(self, exclusion: Exclusion, state: ExclusionState, reason: str, action: str) -> None:
        before = exclusion.state
        exclusion.state = state
        exclusion.decided_by = self._work.actor.id
        exclusion.decided_at = self._work.now()
        exclusion.decision_reason = reason
        self._work.record(exclusion, action, from_state=before, to_state=state, reason=reason)
