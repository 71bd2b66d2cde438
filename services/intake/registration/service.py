"""Deciding reports: accepted as a case, or not."""

from services.intake.duplicates.domain import cell_of
from services.intake.registration.domain import Nature, accepted_by_rule, nature
from services.intake.registration.errors import ClassMissing, ConditionMissing, PlaceNeeded
from services.intake.registration.repository import Numbers
from services.intake.reports.domain import (
    ReportAction,
    ReportState,
    class_key,
    in_city,
    located,
    next_state,
)
from services.intake.reports.models import Report
from services.intake.reports.repository import merged_into
from services.intake.reports.service import by_rule
from services.intake.tasks.service import TaskService
from shared.events.vocabulary import ClassRef, Place
from shared.ids import uuid7
from shared.pack.model import CityPack, RegistrationCondition
from shared.work import UnitOfWork


class RegistrationService:
    """Commands that end the registration stage."""

    def __init__(
        self, work: UnitOfWork, pack: CityPack, numbers: Numbers, tasks: TaskService
    ) -> None:
        self._work = work
        self._pack = pack
        self._numbers = numbers
        self._tasks = tasks

    async def register(
        self,
        report: Report,
        *,
        class_ref: ClassRef | None = None,
        condition: str | None = None,
        description: str | None = None,
        place: Place | None = None,
        urgent: bool | None = None,
    ) -> Report:
        """Accept a report: it gets a case number and its reporters a case to follow.

        Raises:
            ReportStateForbids: it is decided already.
            ClassMissing, ConditionMissing, PlaceNeeded: the case would lack it.
        """
        next_state(report.state, ReportAction.REGISTER)
        ref = class_ref or report.class_ref
        if ref is None:
            raise ClassMissing("Choose the class of the case.")
        if condition is None and ref == report.class_ref:
            condition = report.condition
        marked = report.urgent if urgent is None else urgent or report.emergency
        found = nature(self._pack, ref, condition, marked=marked)
        chosen = self._condition(ref, found)
        self._correct_place(report, place)
        report.description = description or report.description
        report.decided_by, report.class_assumed = self._work.actor.id, False
        await self._accept(report, ref, chosen, found)
        return report

    async def register_emergency(self, report: Report) -> None:
        """Apply the rule for marked emergencies to a stored report, whatever it lacks."""
        if not (report.emergency and report.is_open):
            return
        found = nature(self._pack, report.class_ref, report.condition, marked=True)
        accepted = accepted_by_rule(self._pack, report, found, emergency=True)
        if accepted is None:
            return
        report.by_rule, report.class_assumed = accepted.rule, accepted.class_assumed
        with by_rule(self._work, accepted.rule):
            await self._accept(report, accepted.class_ref, accepted.condition, accepted.nature)

    async def _accept(
        self, report: Report, ref: ClassRef, chosen: RegistrationCondition, found: Nature
    ) -> None:
        before = report.state
        if before is ReportState.CHECKING:
            await self._tasks.cancel_check(report, "registered without waiting for the check")
        now = self._work.now()
        report.state = next_state(before, ReportAction.REGISTER)
        report.set_class(ref)
        report.condition = chosen.code
        report.urgent, report.special = found.urgent, found.special
        report.case_id = uuid7()
        report.case_number = await self._numbers.next_case_number(self._work.session, now)
        report.case_state, report.case_changed_at = "registered", now
        report.decided_at = now
        await self._let_followers_follow(report)
        self._work.tell(report, report.registered_fact())
        self._work.record(
            report,
            "register",
            from_state=before,
            to_state=report.state,
            details={"case_number": report.case_number, "condition": chosen.code},
        )

    async def reject(self, report: Report, *, reason_code: str, reason: str) -> Report:
        """Do not accept a report; it and those merged into it are told why.

        Raises:
            ReportStateForbids: it is decided already.
        """
        before = report.state
        next_state(before, ReportAction.REJECT)
        if before is ReportState.CHECKING:
            await self._tasks.cancel_check(report, "the report was rejected")
        for one in [report, *await merged_into(self._work.session, report.id)]:
            earlier = one.state
            one.state = ReportState.REJECTED
            one.reason_code, one.reason = reason_code, reason
            one.decided_at, one.decided_by = self._work.now(), self._work.actor.id
            self._work.tell(one, one.rejected_fact())
            self._work.record(
                one,
                "reject",
                from_state=earlier,
                to_state=one.state,
                reason=reason,
                details={"reason_code": reason_code},
            )
        return report

    def _condition(self, ref: ClassRef, found: Nature) -> RegistrationCondition:
        if found.condition is None:
            of_class = self._pack.conditions_of(class_key(ref))
            raise ConditionMissing(
                "The class has several registration conditions, or none: name the one that holds.",
                conditions=[condition.code for condition in of_class],
            )
        return found.condition

    def _correct_place(self, report: Report, place: Place | None) -> None:
        if place is not None:
            found = located(self._pack, place)
            report.set_place(found, cell_of(found.longitude, found.latitude))
        if report.grid is None and not in_city(self._pack, report.place):
            raise PlaceNeeded("Say where it is: send `place` with coordinates or a grid.")
        report.needs_place = False

    async def _let_followers_follow(self, report: Report) -> None:
        for follower in await merged_into(self._work.session, report.id):
            follower.case_id, follower.case_number = report.case_id, report.case_number
            follower.case_state = report.case_state
            follower.case_changed_at = report.case_changed_at
