"""Commands of a coordination: opened, heard, passed up, decided, withdrawn."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Self
from uuid import UUID

from services.dispatch.case_files.domain import FINAL, Action, CaseCategory, CaseState
from services.dispatch.case_files.errors import UnitUnknown
from services.dispatch.case_files.models import Case
from services.dispatch.case_files.service import CaseFile, class_ref_of
from services.dispatch.cases.errors import NotAResponsibleUnit
from services.dispatch.cases.service import CaseService
from services.dispatch.clocks.domain import ClockRules, Deadline, deadline_of
from services.dispatch.coordination.domain import (
    CoordinationKind,
    CoordinationState,
    Invited,
    Outcome,
    Stance,
    check_heard,
    check_open,
    check_unit_heard,
    check_with_centre,
    decided_by_office,
    next_due,
)
from services.dispatch.coordination.errors import (
    CoordinationNotNeeded,
    CoordinationOpenAlready,
    NoSuchCoordination,
    UnitInvitedAlready,
)
from services.dispatch.coordination.models import Coordination, Invitation, Minutes, Position
from services.dispatch.coordination.repository import CoordinationRepository
from services.dispatch.responsibility.models import Precedent
from services.dispatch.responsibility.repository import PrecedentRepository
from services.dispatch.responsibility.service import ResponsibilityService
from shared.auth.principal import Principal
from shared.errors import InvalidInput
from shared.events.dispatch import (
    CoordinationOpened,
    CoordinationPassedUp,
    CoordinationSettled,
    CoordinationWithdrawn,
    PositionMissed,
    PositionStated,
)
from shared.events.vocabulary import DispatchReason
from shared.service import Runtime
from shared.web.etag import check_match
from shared.work import UnitOfWork
from shared.worktime import Calendar, Limit

REPEATED_RETURN = "repeated-return"
"""Name of the rule that opens a coordination when units return a case too often."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What a decision says; without a unit, nobody is responsible."""

    unit: str | None
    basis: str
    reason: str
    assisting: Sequence[str] = ()
    early_reason: str | None = None
    limit: Limit | None = None
    note: str | None = None


class CoordinationService:
    """Commands about coordinations; made per unit of work."""

    def __init__(self, work: UnitOfWork, cases: CaseService) -> None:
        self.work = work
        self.cases = cases
        self.files = cases.files
        self.pack = cases.pack
        self.repository = CoordinationRepository(work.session)

    @classmethod
    def of(cls, work: UnitOfWork, runtime: Runtime) -> Self:
        """The service of a running process, for one unit of work."""
        return cls(work, CaseService.of(work, runtime))

    # -- opening -------------------------------------------------------------------------------

    async def open(
        self,
        file: CaseFile,
        *,
        units: Sequence[str],
        reason: str,
        kind: CoordinationKind = CoordinationKind.UNCLEAR,
        position_within: Limit | None = None,
        by_rule: str | None = None,
    ) -> Coordination:
        """Hear the units whose case it may be.

        An ordinary case waits for the decision; the time is the centre's. An urgent one goes on:
        it may be dispatched, or is with the unit that was ordered to handle it.

        Raises:
            CoordinationOpenAlready: one at a time.
            CoordinationNotNeeded: a unit has the case, and it can wait.
            UnitUnknown, NotAResponsibleUnit: one of the units takes no cases.
        """
        case = file.case
        await self._check_may_open(file)
        now = self.work.now()
        beside = case.urgent or case.state is not CaseState.AWAITING_DISPATCH
        rules = self.pack.responsibility
        limit = rules.urgent_decision if case.urgent else rules.decision
        deadline = self._deadline(now, limit)
        coordination = Coordination(
            case_id=case.id,
            case_number=case.number,
            kind=kind,
            state=CoordinationState.HEARING,
            class_key=case.class_key,
            grid=case.grid,
            urgent=case.urgent,
            beside=beside,
            reason=reason,
            by_rule=by_rule,
            opened_at=now,
            opened_by=self.work.actor.id,
            time_limit=str(limit),
            warn_at=deadline.warn_at,
            due_at=deadline.due_at,
        )
        self.repository.add(coordination)
        # The coordination goes first: its invitations refer to it.
        await self.work.settle()
        await self._invite(coordination, units, position_within, [])
        self._take_case_in(file, coordination, reason)
        self.work.record(coordination, "open", to_state=coordination.state.value, reason=reason)
        self._tell_opened(case, coordination, units)
        if kind is CoordinationKind.ILLEGAL_ACT:
            self._pass_up(coordination, units, reason)
        return coordination

    async def open_after_return(self, file: CaseFile) -> Coordination | None:
        """Open one by itself if the case has been returned too often; None if it has not."""
        case = file.case
        if not case.coordination_needed or case.coordination_id is not None:
            return None
        suggested = await ResponsibilityService(self.work.session, self.pack).candidates(case)
        returned = [row.unit for row in file.assignments if row.outcome == "returned"]
        units = dict.fromkeys([*(item.unit for item in suggested), *returned])
        return await self.open(
            file,
            units=[code for code in units if self._takes_cases(code)],
            reason=f"案卷已退回 {case.returns_granted} 次 (returned {case.returns_granted} times)",
            kind=CoordinationKind.REPEATED_RETURN,
            by_rule=REPEATED_RETURN,
        )

    async def _check_may_open(self, file: CaseFile) -> None:
        case = file.case
        if case.coordination_id is not None:
            raise CoordinationOpenAlready(
                "A coordination of this case is open: add what is new to it.",
                coordination=str(case.coordination_id),
            )
        if case.state in FINAL:
            # Refused with what is allowed there.
            file.check(Action.OPEN_COORDINATION)
        goes_back = case.dispatch_reason is DispatchReason.AFTER_FAILED_VERIFICATION
        if case.urgent or (case.state is CaseState.AWAITING_DISPATCH and not goes_back):
            return
        raise CoordinationNotNeeded(
            "A unit answers for this case, and it is not urgent: what is not theirs they return"
            " first.",
            state=case.state.value,
        )

    def _take_case_in(self, file: CaseFile, coordination: Coordination, reason: str) -> None:
        file.case.coordination_id = coordination.id
        details = {"coordination": str(coordination.id)}
        if coordination.beside:
            self.work.record(
                file.case, Action.OPEN_COORDINATION.value, reason=reason, details=details
            )
        else:
            file.move(Action.OPEN_COORDINATION, reason=reason, coordination=str(coordination.id))

    def _tell_opened(self, case: Case, coordination: Coordination, units: Sequence[str]) -> None:
        event = CoordinationOpened(
            number=case.number,
            case_id=case.id,
            kind=coordination.kind.value,
            class_ref=class_ref_of(case.class_key),
            grid=case.grid,
            urgent=case.urgent,
            beside=coordination.beside,
            units=tuple(units),
            by_rule=coordination.by_rule,
            due_at=coordination.due_at,
        )
        self.work.tell(coordination, event)

    # -- hearing -------------------------------------------------------------------------------

    async def invite(
        self, coordination_id: UUID, *, units: Sequence[str], position_within: Limit | None
    ) -> Coordination:
        """Hear further units.

        Raises:
            UnitInvitedAlready: one of them has been invited.
        """
        coordination = await self.take(coordination_id)
        check_open(coordination.state)
        invitations = await self.repository.invitations(coordination.id)
        await self._invite(coordination, units, position_within, invitations)
        self.work.record(coordination, "invite", details={"units": list(units)})
        return coordination

    async def _invite(
        self,
        coordination: Coordination,
        units: Sequence[str],
        within: Limit | None,
        already: list[Invitation],
    ) -> None:
        if len(set(units)) < len(units) or {row.unit for row in already} & set(units):
            raise UnitInvitedAlready("A unit is invited once: leave out those who are.")
        rules, now = self.pack.responsibility, self.work.now()
        limit = within or (rules.urgent_position if coordination.urgent else rules.position)
        deadline = self._deadline(now, limit)
        for unit in units:
            self._check_takes_cases(unit)
            row = Invitation(
                coordination_id=coordination.id,
                unit=unit,
                invited_at=now,
                invited_by=self.work.actor.id,
                time_limit=str(limit),
                warn_at=deadline.warn_at,
                due_at=deadline.due_at,
            )
            already.append(row)
            self.repository.add(row)
        coordination.timer_at = next_due(map(_invited, already), now)

    async def state_position(
        self,
        coordination_id: UUID,
        *,
        unit: str,
        stance: Stance,
        basis: str,
        statement: str | None,
        suggested_unit: str | None,
        media: Sequence[str],
    ) -> Coordination:
        """An invited unit says what it thinks of its own part; late is shown, not refused.

        Raises:
            NoSuchCoordination: the unit is not invited to it.
        """
        coordination = await self.take(coordination_id, unit=unit)
        check_open(coordination.state)
        if suggested_unit is not None:
            self._check_takes_cases(suggested_unit)
        rows = await self.repository.invitations(coordination.id)
        invitation = next(row for row in rows if row.unit == unit)
        now, again = self.work.now(), invitation.positions > 0
        invitation.positions += 1
        invitation.stated_at = invitation.stated_at or now
        position = Position(
            coordination_id=coordination.id,
            unit=unit,
            number=invitation.positions,
            stance=stance,
            basis=basis,
            statement=statement,
            suggested_unit=suggested_unit,
            media=list(media),
            stated_at=now,
            stated_by=self.work.actor.id,
        )
        self.repository.add(position)
        coordination.timer_at = next_due(map(_invited, rows), now)
        details = {"unit": unit, "stance": stance.value}
        self.work.record(coordination, "state-position", reason=basis, details=details)
        event = PositionStated(
            case_id=coordination.case_id,
            unit=unit,
            stance=stance.value,
            basis=basis,
            suggested_unit=suggested_unit,
            due_at=invitation.due_at,
            late=invitation.stated_at > invitation.due_at,
            again=again,
        )
        self.work.tell(coordination, event)
        return coordination

    async def miss_positions(self, coordination_id: UUID) -> None:
        """The time of one or more units has passed without a position; told once for each."""
        coordination = await self.repository.coordination(coordination_id)
        if coordination is None or coordination.ended_at is not None:
            return
        now = self.work.now()
        rows = await self.repository.invitations(coordination.id)
        for row in sorted(rows, key=lambda row: (row.due_at, row.unit)):
            if row.stated_at is None and row.missed_at is None and row.due_at <= now:
                row.missed_at = row.due_at
                details = {"unit": row.unit, "due_at": row.due_at.isoformat()}
                self.work.record(coordination, "miss-position", details=details)
                event = PositionMissed(
                    case_id=coordination.case_id, unit=row.unit, due_at=row.due_at
                )
                self.work.tell(coordination, event, at=row.due_at)
        coordination.timer_at = next_due(map(_invited, rows), now)

    async def add_minutes(
        self, coordination_id: UUID, *, held_at: datetime, text: str, media: Sequence[str]
    ) -> Coordination:
        """Keep what was said and agreed in a meeting; what was written stays as it is.

        Raises:
            InvalidInput: the meeting has not been held yet.
        """
        coordination = await self.take(coordination_id)
        check_open(coordination.state)
        now = self.work.now()
        if held_at > now:
            raise InvalidInput("Minutes are written when the meeting has been held.")
        coordination.minutes += 1
        row = Minutes(
            coordination_id=coordination.id,
            number=coordination.minutes,
            held_at=held_at,
            text=text,
            media=list(media),
            written_at=now,
            written_by=self.work.actor.id,
        )
        self.repository.add(row)
        self.work.record(coordination, "add-minutes", details={"number": coordination.minutes})
        return coordination

    # -- deciding ------------------------------------------------------------------------------

    async def pass_up(
        self, coordination_id: UUID, *, reason: str, if_match: str | None
    ) -> Coordination:
        """Leave the decision to the leading group's office; there is no way back."""
        coordination = await self.take(coordination_id, if_match=if_match)
        check_with_centre(coordination.state)
        rows = await self.repository.invitations(coordination.id)
        self._pass_up(coordination, [row.unit for row in rows], reason)
        return coordination

    def _pass_up(self, coordination: Coordination, units: Sequence[str], reason: str) -> None:
        before, coordination.state = coordination.state, CoordinationState.PASSED_UP
        coordination.passed_up_at = self.work.now()
        coordination.passed_up_by = self.work.actor.id
        coordination.passing_reason = reason
        self._record(coordination, "pass-up", before, reason)
        event = CoordinationPassedUp(
            case_id=coordination.case_id,
            office=self.pack.responsibility.office,
            units=tuple(units),
            reason=reason,
        )
        self.work.tell(coordination, event)

    async def decide(
        self,
        coordination_id: UUID,
        decision: Decision,
        *,
        decider: Principal,
        if_match: str | None,
    ) -> Coordination:
        """Say whose the case is: it goes there if it waits, and becomes a precedent.

        Raises:
            DecisionWithOffice, DecisionWithCentre: it is not for this person to decide.
            PositionsOutstanding: a unit has time left to be heard.
            UnitNotHeard: the unit was not even invited.
        """
        coordination = await self.take(coordination_id, if_match=if_match)
        by_office = decided_by_office(
            coordination.state, decider.roles, decider.unit, self.pack.responsibility.office
        )
        await self._check_decision(coordination, decision)
        file = await self.files.take(coordination.case_id)
        coordination.by_office = by_office
        coordination.outcome = Outcome.UNIT if decision.unit else Outcome.NO_SUBJECT
        coordination.unit, coordination.basis = decision.unit, decision.basis
        coordination.assisting = list(decision.assisting)
        coordination.early_reason = decision.early_reason
        self._end(file, coordination, CoordinationState.SETTLED, "settle", decision.reason)
        file.case.coordination_needed = False
        if decision.unit is None:
            file.case.category = CaseCategory.NO_RESPONSIBLE_SUBJECT
        coordination.precedent_id = self._keep_precedent(coordination)
        coordination.dispatched = await self._dispatch(file, decision)
        self._tell_settled(coordination)
        return coordination

    async def _check_decision(self, coordination: Coordination, decision: Decision) -> None:
        invited = [_invited(row) for row in await self.repository.invitations(coordination.id)]
        check_heard(invited, self.work.now(), decision.early_reason)
        named = [*([decision.unit] if decision.unit else []), *decision.assisting]
        if len(set(named)) < len(named):
            raise InvalidInput("One unit is responsible; those that assist are others.")
        for unit in named:
            self._check_takes_cases(unit)
        if decision.unit is not None:
            check_unit_heard(decision.unit, invited, decision.early_reason)

    def _keep_precedent(self, coordination: Coordination) -> UUID | None:
        """None where nobody is responsible, or where the ground of the case is not known."""
        if coordination.unit is None or coordination.grid is None:
            return None
        precedent = Precedent(
            class_key=coordination.class_key,
            grid=coordination.grid,
            unit=coordination.unit,
            basis=coordination.basis or "",
            coordination_id=coordination.id,
            case_id=coordination.case_id,
            by_office=coordination.by_office,
            decided_at=self.work.now(),
            decided_by=self.work.actor.id,
        )
        PrecedentRepository(self.work.session).add(precedent)
        details = {"coordination": str(coordination.id), "unit": coordination.unit}
        self.work.record(precedent, "decide", reason=coordination.basis, details=details)
        return precedent.id

    async def _dispatch(self, file: CaseFile, decision: Decision) -> bool:
        """Send a waiting case to the unit; one that was ordered elsewhere stays there."""
        case = file.case
        if decision.unit is None or case.state is not CaseState.AWAITING_DISPATCH:
            return False
        failed = case.dispatch_reason is DispatchReason.AFTER_FAILED_VERIFICATION
        if failed and file.assignment.unit != decision.unit:
            # It goes out again to who handled it; the decision says who pays and who is next.
            return False
        await self.cases.dispatch(
            file,
            unit_code=decision.unit,
            limit=decision.limit,
            note=decision.note,
            why=decision.basis,
        )
        return True

    def _tell_settled(self, coordination: Coordination) -> None:
        event = CoordinationSettled(
            number=coordination.case_number,
            case_id=coordination.case_id,
            outcome=(coordination.outcome or Outcome.NO_SUBJECT).value,
            unit=coordination.unit,
            assisting=tuple(coordination.assisting),
            basis=coordination.basis or "",
            by_office=coordination.by_office,
            dispatched=coordination.dispatched,
            precedent_id=coordination.precedent_id,
        )
        self.work.tell(coordination, event)

    # -- other ends ----------------------------------------------------------------------------

    async def withdraw(
        self, coordination_id: UUID, *, reason: str, if_match: str | None
    ) -> Coordination:
        """End it without a decision, because it has become clear; the case waits for dispatch."""
        coordination = await self.take(coordination_id, if_match=if_match)
        check_with_centre(coordination.state)
        file = await self.files.take(coordination.case_id)
        file.case.coordination_needed = False
        self._withdraw(file, coordination, reason)
        return coordination

    async def end_with_case(self, file: CaseFile, *, reason: str) -> None:
        """A voided case leaves nothing to settle."""
        if file.case.coordination_id is None:
            return
        coordination = await self.take(file.case.coordination_id)
        self._withdraw(file, coordination, reason)

    def _withdraw(self, file: CaseFile, coordination: Coordination, reason: str) -> None:
        self._end(file, coordination, CoordinationState.WITHDRAWN, "withdraw", reason)
        event = CoordinationWithdrawn(case_id=coordination.case_id, reason=reason)
        self.work.tell(coordination, event)

    def _end(
        self,
        file: CaseFile,
        coordination: Coordination,
        state: CoordinationState,
        action: str,
        reason: str,
    ) -> None:
        before, coordination.state = coordination.state, state
        coordination.ended_at, coordination.ended_by = self.work.now(), self.work.actor.id
        coordination.ending_reason = reason
        coordination.timer_at = None
        self._record(coordination, action, before, reason)
        file.case.coordination_id = None
        details = {"coordination": str(coordination.id), "result": state.value}
        if file.case.state is CaseState.IN_COORDINATION:
            file.move(
                Action.END_COORDINATION,
                reason=reason,
                coordination=str(coordination.id),
                result=state.value,
            )
        else:
            self.work.record(
                file.case, Action.END_COORDINATION.value, reason=reason, details=details
            )

    # -- finding and checking ------------------------------------------------------------------

    async def take(
        self, coordination_id: UUID, *, unit: str | None = None, if_match: str | None = None
    ) -> Coordination:
        """A coordination to be worked on; for people of a unit only one it is invited to.

        Raises:
            NoSuchCoordination: there is none, or that unit is not invited.
        """
        coordination = await self.repository.coordination(coordination_id)
        invited = unit is None or (
            await self.repository.invitation(coordination_id, unit) is not None
        )
        if coordination is None or not invited:
            raise NoSuchCoordination(
                "There is no such coordination, or your unit is not invited to it."
            )
        check_match(coordination, if_match)
        return coordination

    def _record(
        self, coordination: Coordination, action: str, before: CoordinationState, reason: str
    ) -> None:
        self.work.record(
            coordination,
            action,
            from_state=before.value,
            to_state=coordination.state.value,
            reason=reason,
        )

    def _deadline(self, start: datetime, limit: Limit) -> Deadline:
        deadline = deadline_of(self.pack.calendar, start, limit, self.files.rules)
        if deadline is None:
            raise AssertionError("a limit was given")
        return deadline

    def _takes_cases(self, code: str) -> bool:
        return code in self.pack.units and self.pack.units[code].responsible

    def _check_takes_cases(self, code: str) -> None:
        if code not in self.pack.units:
            raise UnitUnknown(f"The city has no unit {code}; see suggested-units for likely ones.")
        if not self._takes_cases(code):
            raise NotAResponsibleUnit(f"{code} takes no cases; see suggested-units.")


def _invited(row: Invitation) -> Invited:
    return Invited(row.unit, row.due_at, row.stated_at)


async def reckon_coordination(
    repository: CoordinationRepository,
    coordination_id: UUID,
    calendar: Calendar,
    rules: ClockRules,
) -> None:
    """Reckon the times of an open coordination anew, because the calendar has changed.

    What has passed by the old calendar was told and stays; who has stated a position keeps the
    time that held then.
    """
    coordination = await repository.coordination(coordination_id)
    if coordination is None or coordination.ended_at is not None:
        return
    limit = Limit.parse(coordination.time_limit)
    deadline = deadline_of(calendar, coordination.opened_at, limit, rules)
    if deadline is not None:
        coordination.warn_at, coordination.due_at = deadline.warn_at, deadline.due_at
    invitations = await repository.invitations(coordination_id)
    for row in invitations:
        if row.stated_at is not None or row.missed_at is not None:
            continue
        deadline = deadline_of(calendar, row.invited_at, Limit.parse(row.time_limit), rules)
        if deadline is not None:
            row.warn_at, row.due_at = deadline.warn_at, deadline.due_at
    waiting = [row for row in invitations if row.missed_at is None]
    coordination.timer_at = min(
        (row.due_at for row in waiting if row.stated_at is None), default=None
    )
