"""Commands about supervision orders: opened, followed, struck off; made per unit of work."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Self
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.orm.attributes import set_committed_value

from services.dispatch.case_files.errors import NoSuchCase, UnitUnknown
from services.dispatch.case_files.models import Case
from services.dispatch.case_files.service import clock_rules
from services.dispatch.clocks.domain import ClockRules, Deadline, deadline_of
from services.dispatch.supervision.domain import (
    INSTANT_AFTER,
    ExtensionState,
    OrderAction,
    check_new_date,
    check_other_person,
    check_subject,
    deadline_until,
    matter_of,
    next_order_state,
    next_overdue,
    overdue_steps,
)
from services.dispatch.supervision.errors import (
    ExtensionAlreadyAsked,
    ExtensionNotPending,
    NoSuchExtension,
    NoSuchOrder,
    OrderDateOver,
    UnitNotNamed,
)
from services.dispatch.supervision.models import (
    OrderAnswer,
    OrderCase,
    OrderExtension,
    SupervisionOrder,
)
from services.dispatch.supervision.repository import OrderRepository
from shared.errors import InvalidInput
from shared.events.dispatch import (
    SupervisionAccepted,
    SupervisionAcknowledged,
    SupervisionAnswered,
    SupervisionExtended,
    SupervisionOrdered,
    SupervisionOverdue,
    SupervisionPublished,
    SupervisionSentBack,
    SupervisionStruckOff,
)
from shared.pack.model import CityPack
from shared.service import Runtime
from shared.vocabulary import SupervisionCause, SupervisionLevel
from shared.web.etag import check_match
from shared.work import UnitOfWork
from shared.worktime import Limit

TITLE_LENGTH = 300


@dataclass(frozen=True, slots=True)
class NewOrder:
    """What is to be ordered; None stands for what the city pack says of the cause.

    Attributes:
        caused_at: when the cause happened; the limits count from the order itself.
        by_rule: the rule that opens it; None for a person.
    """

    cause: SupervisionCause
    caused_at: datetime
    cases: Sequence[UUID] = ()
    unit: str | None = None
    level: SupervisionLevel | None = None
    title: str | None = None
    asked: str | None = None
    source: str | None = None
    reference: str | None = None
    due_at: datetime | None = None
    by_rule: str | None = None


@dataclass
class OrderFile:
    """An order in hand, with the cases that it is about."""

    order: SupervisionOrder
    cases: list[OrderCase] = field(default_factory=list)


class SupervisionService:
    """Opens orders and moves them along their table of states."""

    def __init__(self, work: UnitOfWork, pack: CityPack, rules: ClockRules) -> None:
        self.work = work
        self.pack = pack
        self.rules = rules
        self.repository = OrderRepository(work.session)

    @classmethod
    def of(cls, work: UnitOfWork, runtime: Runtime) -> Self:
        """The service of a running process, for one unit of work."""
        return cls(work, runtime.pack, clock_rules(runtime.pack, runtime.settings))

    # -- opening -------------------------------------------------------------------------------

    async def open(self, new: NewOrder) -> tuple[OrderFile, bool]:
        """Put a matter into the ledger; one that stands there already is that entry.

        Returns:
            The order, and whether it is new.

        Raises:
            NoSuchCase: one of the cases is unknown.
            UnitNotNamed: the cases are with no unit, or with several.
            UnitUnknown: the city has no such responsible unit.
        """
        if new.by_rule is None:
            check_subject(
                new.cause,
                cases=new.cases,
                title=new.title,
                source=new.source,
                reference=new.reference,
            )
        cases = [await self._case(case_id) for case_id in dict.fromkeys(new.cases)]
        # A rule follows a dispatch, which may be older than the units of the city pack are now.
        unit = new.unit if new.by_rule and new.unit else self._unit(new.unit, cases)
        subject = new.reference or new.title
        matter = matter_of(new.cause, unit, cases=[case.id for case in cases], subject=subject)
        known = await self.repository.open_of_matter(matter)
        if known is not None:
            return await self._again(known, new), False
        order = await self._enter(new, unit, matter, cases)
        file = OrderFile(order)
        await self._attach(file, cases)
        self._tell_ordered(file)
        return file, True

    async def _again(self, order: SupervisionOrder, new: NewOrder) -> OrderFile:
        """The matter came up once more: noted in its one entry."""
        self.work.record(
            order,
            "order-again",
            reason=new.asked,
            details={"by_rule": new.by_rule, "caused_at": new.caused_at.isoformat()},
        )
        return OrderFile(order, (await self.repository.cases_of([order.id]))[order.id])

    async def _enter(
        self, new: NewOrder, unit: str, matter: str, cases: Sequence[Case]
    ) -> SupervisionOrder:
        terms = self.pack.supervision.terms[new.cause]
        language = self.pack.city.languages[0]
        now = self.work.now()
        acknowledgement = self._deadline(self.pack.stages.acknowledgement, now)
        answer = (
            self._deadline(terms.answer, now)
            if new.due_at is None
            else _in_utc(deadline_until(self.pack.calendar, now, new.due_at, self.rules))
        )
        year = now.astimezone(ZoneInfo(self.pack.city.zone)).year
        order = SupervisionOrder(
            number=f"D{year}-{await self.repository.next_number(now):05d}",
            cause=new.cause,
            level=new.level or terms.level,
            unit=unit,
            matter=matter,
            by_rule=new.by_rule,
            title=(new.title or _title_of(cases))[:TITLE_LENGTH],
            asked=new.asked or terms.asked.in_language(language),
            source=new.source,
            reference=new.reference,
            caused_at=new.caused_at,
            ordered_at=now,
            ordered_by=self.work.actor.id,
            acknowledge_warn_at=acknowledgement.warn_at,
            acknowledge_due_at=acknowledgement.due_at,
            warn_at=answer.warn_at,
            first_due_at=answer.due_at,
            due_at=answer.due_at,
            provisional=acknowledgement.provisional or answer.provisional,
        )
        set_order_timer(order)
        self.repository.add(order)
        self.work.record(
            order,
            "order",
            to_state=order.state.value,
            reason=order.asked,
            details={
                "cause": order.cause.value,
                "unit": unit,
                "by_rule": new.by_rule,
                "cases": [case.number for case in cases],
            },
        )
        # The order goes first: its cases refer to it.
        await self.work.settle()
        return order

    def _deadline(self, limit: Limit, started_at: datetime) -> Deadline:
        deadline = deadline_of(self.pack.calendar, started_at, limit, self.rules)
        if deadline is None:
            raise AssertionError("a pack gives every order its limits")
        return _in_utc(deadline)

    async def attach(self, file: OrderFile, case: Case) -> None:
        """A further case turns out to belong to the matter."""
        if all(row.case_id != case.id for row in file.cases):
            await self._attach(file, [case])
            self.work.record(file.order, "attach-case", details={"case": case.number})

    async def _attach(self, file: OrderFile, cases: Sequence[Case]) -> None:
        for case in cases:
            row = OrderCase(order_id=file.order.id, case_id=case.id, case_number=case.number)
            file.cases.append(row)
            self.repository.add(row)
        await self.repository.mark_cases([case.id for case in cases], 1)
        for case in cases:
            # Known here already, though not by way of this object.
            set_committed_value(case, "open_orders", case.open_orders + 1)

    async def _case(self, case_id: UUID) -> Case:
        case = await self.repository.case(case_id)
        if case is None:
            raise NoSuchCase(f"There is no case {case_id}.")
        return case

    def _unit(self, code: str | None, cases: Sequence[Case]) -> str:
        if code is None:
            holders = {case.unit for case in cases}
            holder = holders.pop() if len(holders) == 1 else None
            if holder is None:
                raise UnitNotNamed("Name the unit: the cases do not lie with one unit.")
            return holder
        unit = self.pack.units.get(code)
        if unit is None or not unit.responsible:
            raise UnitUnknown(f"The city has no responsible unit {code}.")
        return code

    # -- taking --------------------------------------------------------------------------------

    async def take(
        self, order_id: UUID, *, unit: str | None = None, if_match: str | None = None
    ) -> OrderFile:
        """An order to be moved.

        Args:
            order_id: which.
            unit: only if it is to this unit; for people who see nothing else.
            if_match: the version that a command was meant for, as the caller sent it.

        Raises:
            NoSuchOrder: there is none, or it is another unit's.
            PreconditionFailed: it has another version now.
        """
        order = await self.repository.order(order_id)
        if order is None or (unit is not None and order.unit != unit):
            raise NoSuchOrder("There is no such order, or it is not to your unit.")
        check_match(order, if_match)
        return OrderFile(order, (await self.repository.cases_of([order.id]))[order.id])

    # -- the unit ------------------------------------------------------------------------------

    def acknowledge(self, file: OrderFile) -> None:
        """The unit takes note; late or not, it is kept."""
        order = file.order
        self._move(file, OrderAction.ACKNOWLEDGE)
        order.acknowledged_at, order.acknowledged_by = self.work.now(), self.work.actor.id
        in_time = order.acknowledged_at <= order.acknowledge_due_at
        self.work.tell(order, SupervisionAcknowledged(**_fact(file), in_time=in_time))

    async def answer(self, file: OrderFile, *, text: str, media: Sequence[str]) -> None:
        """The unit says what it has done; its time stands still until the answer is judged."""
        order = file.order
        self._move(file, OrderAction.ANSWER, answer=order.answers + 1)
        now = self.work.now()
        order.answers += 1
        order.answered_at = now
        row = OrderAnswer(
            order_id=order.id,
            number=order.answers,
            text=text,
            media=list(media),
            due_at=order.due_at,
            answered_at=now,
            answered_by=self.work.actor.id,
        )
        self.repository.add(row)
        await self._lapse(file)
        event = SupervisionAnswered(
            **_fact(file), answer=row.number, media=tuple(media), in_time=_in_time(order)
        )
        self.work.tell(order, event)

    async def ask_extension(
        self, file: OrderFile, *, report: str, media: Sequence[str], until: datetime
    ) -> OrderExtension:
        """The unit reports in writing what keeps it, and asks for a later date, in time.

        Raises:
            ExtensionAlreadyAsked: an earlier report waits for its decision.
            OrderDateOver: the order is overdue, or the date asked for is no later one.
        """
        order, now = file.order, self.work.now()
        next_order_state(order.state, OrderAction.ASK_EXTENSION)
        if await self.repository.pending_extension(order.id) is not None:
            raise ExtensionAlreadyAsked("A problem report of this order waits for its decision.")
        if now > order.due_at:
            raise OrderDateOver(
                "The order is overdue: an extension is asked for before its date.",
                due_at=order.due_at.isoformat(),
            )
        check_new_date(until, order.due_at, now)
        order.extensions += 1
        row = OrderExtension(
            order_id=order.id,
            number=order.extensions,
            report=report,
            media=list(media),
            old_due_at=order.due_at,
            until=until,
            asked_at=now,
            asked_by=self.work.actor.id,
        )
        self.repository.add(row)
        self._move(
            file,
            OrderAction.ASK_EXTENSION,
            reason=report,
            extension=row.number,
            until=until.isoformat(),
        )
        return row

    # -- the centre ----------------------------------------------------------------------------

    async def judge(self, file: OrderFile, *, accepted: bool, reason: str | None) -> None:
        """Look at the answer: what was asked is done, or the unit answers again.

        Raises:
            SeparationOfDuties: who answered judges.
            InvalidInput: sent back without a reason.
        """
        action = OrderAction.ACCEPT if accepted else OrderAction.SEND_BACK
        order, now = file.order, self.work.now()
        next_order_state(order.state, action)
        answers = await self.repository.answers(order.id)
        check_other_person(
            self.work.actor.id, {row.answered_by for row in answers}, "judging the answer"
        )
        if not accepted and not reason:
            raise InvalidInput("Say what is missing: the unit has to answer it.")
        self._move(file, action, reason=reason, answer=order.answers)
        row = answers[-1]
        row.accepted, row.judged_reason = accepted, reason
        row.judged_at, row.judged_by = now, self.work.actor.id
        if accepted:
            order.accepted_at, order.accepted_by = now, self.work.actor.id
            event = SupervisionAccepted(**_fact(file), answer=row.number, in_time=_in_time(order))
            self.work.tell(order, event)
            return
        order.answered_at = None
        self.work.tell(
            order, SupervisionSentBack(**_fact(file), answer=row.number, reason=reason or "")
        )

    async def strike_off(self, file: OrderFile, *, reason: str | None) -> None:
        """What was asked is done and accepted: the entry is closed.

        Raises:
            SeparationOfDuties: who answered strikes off.
        """
        order = file.order
        next_order_state(order.state, OrderAction.STRIKE_OFF)
        answers = await self.repository.answers(order.id)
        check_other_person(
            self.work.actor.id, {row.answered_by for row in answers}, "striking it off"
        )
        self._move(file, OrderAction.STRIKE_OFF, reason=reason)
        order.struck_off_at, order.struck_off_by = self.work.now(), self.work.actor.id
        await self.repository.mark_cases([row.case_id for row in file.cases], -1)
        event = SupervisionStruckOff(
            **_fact(file),
            in_time=_in_time(order),
            ordered_at=order.ordered_at,
            due_at=order.due_at,
        )
        self.work.tell(order, event)

    def publish(self, file: OrderFile, *, bulletin: str) -> None:
        """The order was named in a bulletin; the ledger keeps in which."""
        order = file.order
        self._move(file, OrderAction.PUBLISH, reason=bulletin)
        order.published_at, order.bulletin = self.work.now(), bulletin
        event = SupervisionPublished(**_fact(file), bulletin=bulletin, in_time=_in_time(order))
        self.work.tell(order, event)

    async def decide_extension(
        self, file: OrderFile, number: int, *, granted: bool, reason: str
    ) -> OrderExtension:
        """A leader consents to a later date or does not.

        Raises:
            NoSuchExtension: the order has no report of this number.
            ExtensionNotPending: it is settled already.
            SeparationOfDuties: who asked decides.
            OrderDateOver: the date asked for has come meanwhile.
        """
        order, now = file.order, self.work.now()
        row = await self.repository.extension(order.id, number)
        if row is None:
            raise NoSuchExtension(f"The order has no problem report {number}.")
        if row.state is not ExtensionState.ASKED:
            raise ExtensionNotPending(
                f"This report is {row.state} already.", state=row.state.value, allowed=[]
            )
        check_other_person(self.work.actor.id, {row.asked_by}, "consenting to the extension")
        if not granted:
            self._settle(row, ExtensionState.REFUSED, reason)
            self.work.record(
                order, "refuse-extension", reason=reason, details={"extension": number}
            )
            return row
        check_new_date(row.until, order.due_at, now)
        deadline = _in_utc(
            deadline_until(self.pack.calendar, order.ordered_at, row.until, self.rules)
        )
        self._move(
            file,
            OrderAction.GRANT_EXTENSION,
            reason=reason,
            extension=number,
            old_due_at=row.old_due_at.isoformat(),
            new_due_at=row.until.isoformat(),
        )
        self._settle(row, ExtensionState.GRANTED, reason)
        order.warn_at, order.due_at = deadline.warn_at, deadline.due_at
        set_order_timer(order)
        order.provisional = deadline.provisional
        event = SupervisionExtended(
            **_fact(file),
            extension=number,
            old_due_at=row.old_due_at,
            new_due_at=order.due_at,
            reason=reason,
        )
        self.work.tell(order, event)
        return row

    # -- time ----------------------------------------------------------------------------------

    def run_out(self, file: OrderFile) -> None:
        """Tell what has run out by now and was not told; each with its true time."""
        order, now = file.order, self.work.now()
        for step, due_at in overdue_steps(
            order.state,
            acknowledge_due_at=order.acknowledge_due_at,
            due_at=order.due_at,
            told=order.told_overdue,
            now=now,
        ):
            at = due_at + INSTANT_AFTER
            order.told_overdue = max(order.told_overdue or due_at, due_at)
            self.work.record(
                order, f"overdue-{step}", details={"due_at": due_at.isoformat(), "step": step}
            )
            self.work.tell(
                order, SupervisionOverdue(**_fact(file), step=step, due_at=due_at), at=at
            )
        set_order_timer(order)

    # -- common --------------------------------------------------------------------------------

    def _move(
        self, file: OrderFile, action: OrderAction, *, reason: str | None = None, **details: object
    ) -> None:
        order = file.order
        before, after = order.state, next_order_state(order.state, action)
        order.state = after
        set_order_timer(order)
        self.work.record(
            order,
            action.value,
            from_state=before.value,
            to_state=after.value,
            reason=reason,
            details=details,
        )

    async def _lapse(self, file: OrderFile) -> None:
        """A unit that says it is done needs no more time."""
        row = await self.repository.pending_extension(file.order.id)
        if row is not None:
            self._settle(row, ExtensionState.LAPSED, None)
            self.work.record(file.order, "lapse-extension", details={"extension": row.number})

    def _settle(self, row: OrderExtension, state: ExtensionState, reason: str | None) -> None:
        row.state, row.decision_reason = state, reason
        row.decided_at, row.decided_by = self.work.now(), self.work.actor.id

    def _tell_ordered(self, file: OrderFile) -> None:
        order = file.order
        event = SupervisionOrdered(
            **_fact(file),
            title=order.title,
            by_rule=order.by_rule,
            caused_at=order.caused_at,
            ordered_at=order.ordered_at,
            acknowledge_due_at=order.acknowledge_due_at,
            due_at=order.due_at,
            provisional=order.provisional,
        )
        self.work.tell(order, event)


def set_order_timer(order: SupervisionOrder) -> None:
    """Ring when the next thing runs out that the unit owes."""
    order.timer_at = next_overdue(
        order.state,
        acknowledge_due_at=order.acknowledge_due_at,
        due_at=order.due_at,
        told=order.told_overdue,
    )


def _fact(file: OrderFile) -> dict[str, Any]:
    """What every event of an order says."""
    order = file.order
    return {
        "number": order.number,
        "unit": order.unit,
        "cause": order.cause,
        "level": order.level,
        "case_ids": tuple(row.case_id for row in file.cases),
    }


def _in_time(order: SupervisionOrder) -> bool:
    """Whether the answer that stands came in time."""
    return order.answered_at is not None and order.answered_at <= order.due_at


def _in_utc(deadline: Deadline) -> Deadline:
    """As it is stored, so that an answer shows the same as a later look."""
    return replace(
        deadline,
        warn_at=deadline.warn_at.astimezone(UTC),
        due_at=deadline.due_at.astimezone(UTC),
    )


def _title_of(cases: Sequence[Case]) -> str:
    """A title where none was given: the number of the first case, and how many more there are."""
    more = f" +{len(cases) - 1}" if len(cases) > 1 else ""
    return f"{cases[0].number}{more}"
